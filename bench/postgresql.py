"""A real PostgreSQL beside ours, in a folder that the caller removes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType

USER = "postgres"


def tool(name: str) -> Path | None:
    """Find a program of the newest PostgreSQL that is installed as Debian installs it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    on_path = shutil.which(name)
    return found[-1] if found else Path(on_path) if on_path else None


class Postgresql:
    """A server with its settings as they come, on a free port. It refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        initdb, self._control = tool("initdb"), tool("pg_ctl")
        if initdb is None or self._control is None:
            raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
        self._data = folder / "postgresql"
        self._data.mkdir(mode=0o700)
        self._as = ["runuser", "-u", USER, "--"] if os.getuid() == 0 else []
        if self._as:
            folder.chmod(0o755)
            shutil.chown(self._data, USER)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._run(initdb, "-D", self._data, "-A", "trust", "-U", USER)
        options = f"-p {self._port} -h 127.0.0.1 -k {self._data}"
        log = self._data / "log"
        self._run(self._control, "-D", self._data, "-l", log, "-o", options, "-w", "start")
        self.address = f"postgres://{USER}@127.0.0.1:{self._port}/postgres"

    def _run(self, *command: str | Path) -> None:
        words = [*self._as, *map(str, command)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def __enter__(self) -> Postgresql:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._control is not None
        self._run(self._control, "-D", self._data, "-m", "immediate", "stop")
