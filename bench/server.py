"""A real `voltstream serve` process, and what it has used."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from bench.processes import cpu_s, rss_mb

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
_SERVE = "from voltstream.cli.app import main; main()"


class Server:
    """`voltstream serve` on free ports, in a folder that the caller removes."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-c", _SERVE, "serve", "--data", str(data)]
        command += ["--pg-port", "0", "--http-port", "0", "--ocpp-port", "0"]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
        )
        assert self.process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"the server did not start: {said}")
            said += line
        self.started_s = time.perf_counter() - began
        self.postgres = re.findall(r"postgres://\S+", said)[0]
        self.http = re.findall(r"http://\S+", said)[0]
        self.ocpp = re.findall(r"ws://\S+/ocpp", said)[0]

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    def rss_mb(self) -> float:
        return rss_mb(self.process.pid)
