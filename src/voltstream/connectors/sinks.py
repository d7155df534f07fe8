"""Sink targets that need no server: a file, and nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from voltstream.connectors.properties import required
from voltstream.core.ports import SinkRecord, SinkUnavailable

_TAIL_BYTES = 64 * 1024  # Read backwards at a time to find the last whole line.


class FileSink:
    """Appends one line per record and syncs before it answers.

    At least once: a crash before the acknowledgement repeats lines. A delete is a line
    ``{"deleted": <key>}``.
    """

    def __init__(self, name: str, properties: Mapping[str, str]) -> None:
        self._path = required(properties, "path", f'sink "{name}"')
        self._descriptor: int | None = None

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        data = memoryview(b"".join(_line(record) for record in records))
        try:
            descriptor = self._opened()
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        except OSError as error:
            self.close()
            raise SinkUnavailable(f'cannot write "{self._path}": {error.strerror}') from error

    def interrupt(self) -> None:
        return  # A write to a file ends by itself.

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._cut_torn_line(self._descriptor)
        return self._descriptor

    @staticmethod
    def _cut_torn_line(descriptor: int) -> None:
        # Half a line was never acknowledged, so its record comes again.
        size = end = os.fstat(descriptor).st_size
        while end > 0:
            start = max(0, end - _TAIL_BYTES)
            newline = os.pread(descriptor, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != size:
            os.ftruncate(descriptor, end)


class BlackholeSink:
    """Takes everything and keeps nothing."""

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        del records

    def interrupt(self) -> None:
        return

    def close(self) -> None:
        return


def _line(record: SinkRecord) -> bytes:
    if record.value is None:
        return b'{"deleted": ' + (record.key or b"null") + b"}\n"
    return record.value + b"\n"
