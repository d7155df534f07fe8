"""A PostgreSQL server on loopback, of the installed Debian package."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg


class NoServer(Exception):
    """PostgreSQL is not installed here."""


def binaries() -> Path:
    """Return where initdb and postgres are. Raises: NoServer."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NoServer("PostgreSQL's server is not installed")
    return Path(on_path).parent


class Server:
    """One server; PostgreSQL refuses to run as root, so root lends it another user."""

    def __init__(self) -> None:
        self._binaries = binaries()
        # Not in the folder of the tests: pytest closes that to all but its own user.
        self._made = tempfile.TemporaryDirectory(prefix="voltstream-postgres-")
        self._folder = Path(self._made.name)
        self._data = self._folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._user: str | None = None
        if os.getuid() == 0:
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError:
                raise NoServer("root cannot run PostgreSQL, and no other user can") from None
            self._user = owner.pw_name
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)

    def start(self) -> None:
        if not self._data.exists():
            self._run("initdb", "-D", str(self._data), "-U", "volt", "-A", "trust", "-N")
        settings = f"-p {self.port} -c wal_level=logical -c unix_socket_directories= -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", settings, "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def remove(self) -> None:
        self._made.cleanup()

    @property
    def url(self) -> str:
        return f"postgresql://volt@127.0.0.1:{self.port}/postgres"

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="volt", dbname="postgres", autocommit=True
        )

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments],
            check=True,
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
