"""statement_timeout: a statement may compute so long; waiting for its reader does not count."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from voltstream.core.errors import InvalidParameter, QueryCanceled
from voltstream.core.ports import RowStream
from voltstream.core.schema import Schema

_DURATION = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*")
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}


def duration_s(name: str, text: str) -> float:
    """Read a setting as PostgreSQL does: milliseconds unless a unit is named.

    Raises: InvalidParameter (22023).
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidParameter(
            f'invalid value for parameter "{name}": "{text}"',
            hint='Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
        )
    seconds = float(found[1]) * _UNITS_S[found[2] or "ms"]
    if not 0 <= seconds <= 2_147_483.647:
        raise InvalidParameter(
            f'{round(seconds * 1000)} ms is outside the valid range for parameter "{name}" '
            "(0 .. 2147483647)"
        )
    return seconds


class Deadline:
    """Stops a statement when its own time is used up; 0 never does."""

    def __init__(self, seconds: float, stop: Callable[[], None]) -> None:
        self._left_s = seconds
        self._limited = seconds > 0
        self._stop = stop
        self._lock = threading.Lock()
        self._counting = False
        self._passed = False

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Raises: QueryCanceled (57014)."""
        if not self._limited:
            yield
            return
        timer = threading.Timer(max(self._left_s, 0.0), self._pass)
        began_s = time.monotonic()
        self._counting = True
        timer.start()
        try:
            yield
        except QueryCanceled:
            if self._passed:
                raise QueryCanceled("canceling statement due to statement timeout") from None
            raise
        finally:
            timer.cancel()
            with self._lock:  # A timer that fires now must not stop the next statement.
                self._counting = False
            self._left_s -= time.monotonic() - began_s

    def _pass(self) -> None:
        with self._lock:
            if self._counting:
                self._passed = True
                self._stop()


class TimedRows:
    """A result under its statement's deadline."""

    def __init__(self, rows: RowStream, deadline: Deadline, closed: Callable[[], None]) -> None:
        self._rows = rows
        self._deadline = deadline
        self._closed = closed

    @property
    def columns(self) -> Schema:
        return self._rows.columns

    def batches(self) -> Iterator[pa.RecordBatch]:
        batches = iter(self._rows.batches())
        while True:
            with self._deadline.counting():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def close(self) -> None:
        self._closed()
        self._rows.close()
