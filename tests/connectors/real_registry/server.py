"""One Apicurio Registry on loopback, its schemas in memory, for as long as tests need it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import urllib3

VERSION = "2.6.13.Final"
FETCH_WAIT_S = 300  # 142 MB, once a machine.
START_WAIT_S = 90
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")


class NoRegistry(Exception):
    """A registry cannot be had on this machine; the reason is the message."""


def unpacked() -> Path:
    """Return the folder of the program; Maven fetches it once. Raises: NoRegistry."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoRegistry(f"{program} is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "voltstream-tests" / f"apicurio-{VERSION}"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
    command = ["mvn", "-q", "-B", "dependency:unpack", f"-Dartifact={artifact}"]
    try:
        subprocess.run([*command, f"-DoutputDirectory={folder}"], check=True,
                       capture_output=True, timeout=FETCH_WAIT_S, cwd=folder)  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise NoRegistry(f"Maven could not fetch the registry: {error}") from error
    (folder / "complete").touch()
    return folder


class Registry:
    """A running registry, asked as Confluent's is."""

    def __init__(self, folder: Path) -> None:
        program = unpacked()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        address = (f"-Dquarkus.http.port={self._port}", "-Dquarkus.http.host=127.0.0.1")
        jar = program / f"apicurio-registry-app-{VERSION}-runner.jar"
        with (folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                ["java", *JVM, *address, "-jar", str(jar)], stdout=output, stderr=output
            )
        self._pool = urllib3.PoolManager(retries=False, timeout=10)
        end_s = time.monotonic() + START_WAIT_S
        while True:
            try:
                if self._pool.request("GET", f"{self.url}/subjects").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if time.monotonic() > end_s or self._process.poll() is not None:
                self.stop()
                raise NoRegistry("the registry does not answer")
            time.sleep(0.2)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    def register(
        self,
        subject: str,
        schema: object,
        kind: str = "AVRO",
        references: tuple[tuple[str, str], ...] = (),
    ) -> int:
        """Register a schema; ``references`` are (name, subject) of its first version."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        body = {
            "schema": text,
            "schemaType": kind,
            "references": [
                {"name": name, "subject": other, "version": 1} for name, other in references
            ],
        }
        answer = self._pool.request("POST", f"{self.url}/subjects/{subject}/versions", json=body)
        assert answer.status == 200, answer.data
        return int(answer.json()["id"])

    def latest(self, subject: str) -> dict[str, object]:
        answer = self._pool.request("GET", f"{self.url}/subjects/{subject}/versions/latest")
        found: dict[str, object] = answer.json()
        return found

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pool.clear()
