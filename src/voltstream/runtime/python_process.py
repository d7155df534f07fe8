"""One process of Python functions: started when needed, bounded in time, replaced when it dies."""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from voltstream.core.errors import ExternalRoutineFault, LimitExceeded
from voltstream.core.limits import PYTHON_BATCH_S_MAX, PYTHON_MEMORY_BYTES_MAX

_HEADER = struct.Struct(">IB")
_CHILD = Path(__file__).with_name("python_child.py")
# Sets and dictionaries of text keep their order from one process to the next; allocations are seen.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONUTF8": "1"}
_START_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Definition:
    """A function as its process knows it. Shape: ``wanted`` is the body of the D frame."""

    identity: str
    name: str
    wanted: str


class PythonProcess:
    """One thread at a time. Law: after a fault it starts anew, with no function defined."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._defined: set[str] = set()

    def call(self, definition: Definition, columns: Sequence[pa.Array[Any]]) -> pa.RecordBatch:
        """Return the columns ``v`` and ``e``; the first of ``columns`` only counts the rows.

        Raises: LimitExceeded (54000) when time or memory is over, ExternalRoutineFault (38000)
        when the body itself fails; then no row is to blame.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        until = time.monotonic() + PYTHON_BATCH_S_MAX
        if definition.identity not in self._defined:
            self._ask(b"D", definition.wanted.encode(), definition.name, until)
            self._defined.add(definition.identity)
        names = [str(place) for place in range(len(columns))]
        batch = pa.RecordBatch.from_arrays(list(columns), names=names)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        header = json.dumps({"id": definition.identity}).encode()
        body = len(header).to_bytes(4, "big") + header + sink.getvalue().to_pybytes()
        answer = self._ask(b"C", body, definition.name, until)
        return pa.ipc.open_stream(answer).read_next_batch()

    def stop(self) -> None:
        process, self._process = self._process, None
        self._defined.clear()
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _start(self) -> None:
        self.stop()
        seconds = str(int(PYTHON_BATCH_S_MAX))
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-P", str(_CHILD), seconds, str(PYTHON_MEMORY_BYTES_MAX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,  # An interrupt at the terminal is the server's alone.
        )
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        self._answer("the interpreter", time.monotonic() + _START_S_MAX)

    def _ask(self, kind: bytes, body: bytes, name: str, until: float) -> bytes:
        self._send(_HEADER.pack(len(body), kind[0]) + body, name, until)
        return self._answer(name, until)

    def _send(self, frame: bytes, name: str, until: float) -> None:
        rest = memoryview(frame)
        pipe = self._pipe(1)
        while rest:
            self._wait(pipe, name, until, writing=True)
            try:
                rest = rest[os.write(pipe, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended(name) from None

    def _answer(self, name: str, until: float) -> bytes:
        length, kind = _HEADER.unpack(self._read(_HEADER.size, name, until))
        body = self._read(length, name, until)
        if kind == ord("R"):
            return body
        said = body.decode(errors="replace")
        if said == "out of memory":
            raise LimitExceeded(
                f"function {name}() needs more memory than {PYTHON_MEMORY_BYTES_MAX} bytes"
            )
        raise ExternalRoutineFault(f"function {name}() cannot be called: {said}")

    def _read(self, size: int, name: str, until: float) -> bytes:
        pipe = self._pipe(0)
        parts: list[bytes] = []
        while size:
            self._wait(pipe, name, until, writing=False)
            try:
                part = os.read(pipe, size)
            except BlockingIOError:
                continue
            if not part:
                raise self._ended(name)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, pipe: int, name: str, until: float, *, writing: bool) -> None:
        left_ms = int((until - time.monotonic()) * 1000)
        waiting = select.poll()  # Descriptors may be many: select() takes none above 1,023.
        waiting.register(pipe, select.POLLOUT if writing else select.POLLIN)
        if left_ms <= 0 or not waiting.poll(left_ms):
            self.stop()
            raise _late(name)

    def _ended(self, name: str) -> Exception:
        process = self._process
        status = process.wait() if process is not None else 0
        self.stop()
        if status == -24:  # SIGXCPU: the limit of processor time.
            return _late(name)
        return ExternalRoutineFault(f"the process of function {name}() ended with status {status}")

    def _pipe(self, number: int) -> int:
        process = self._process
        pipe = None if process is None else (process.stdout, process.stdin)[number]
        if pipe is None:
            raise ExternalRoutineFault("the process of Python functions has been stopped")
        return pipe.fileno()


def _late(name: str) -> LimitExceeded:
    return LimitExceeded(
        f"function {name}() took longer than {PYTHON_BATCH_S_MAX:g} seconds for one batch of rows",
        hint="Do less for each row.",
    )
