"""Rate limits: how fast a source may bring rows in, and a sink take them out."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from voltstream.core.clock import Clock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Stopped

SOURCE_RATE = "source_rate_limit"
SINK_RATE = "sink_rate_limit"
_SLICES = 10  # Of a second: what is limited comes in parts of so much.
_LOOK_S = 0.5  # How often one who waits looks at the clock again, which need not be the machine's.


class Pace:
    """Lets so many rows a second by; rows that went together are waited for afterwards.

    Units: ``rows_per_s``; None is no limit, and 0 lets nothing by until it is changed.
    """

    def __init__(self, clock: Clock, rows_per_s: int | None) -> None:
        self._clock = clock
        self._rows_per_s = rows_per_s
        self._free_s = clock.monotonic_s()
        self._closed = False
        self._changed = threading.Condition()

    def change(self, rows_per_s: int | None) -> None:
        with self._changed:
            if rows_per_s != self._rows_per_s:
                self._rows_per_s = rows_per_s
                self._free_s = self._clock.monotonic_s()
                self._changed.notify_all()

    @property
    def pauses(self) -> bool:
        return self._rows_per_s == 0

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def most(self, rows: int) -> int:
        """Return how many rows to bring at a time, of those that could be."""
        limit = self._rows_per_s
        return rows if limit is None else max(1, min(rows, limit // _SLICES))

    def take(self, rows: int) -> None:
        """Wait until rows may go by. Raises: Stopped when that is no longer wanted."""
        with self._changed:
            while (wait_s := self._wait_s()) > 0 and not self._closed:
                self._changed.wait(min(wait_s, _LOOK_S))
            if self._closed:
                raise Stopped
            if self._rows_per_s:
                began_s = max(self._free_s, self._clock.monotonic_s())
                self._free_s = began_s + rows / self._rows_per_s

    def _wait_s(self) -> float:
        match self._rows_per_s:
            case None:
                return 0.0
            case 0:
                return _LOOK_S
            case _:
                return self._free_s - self._clock.monotonic_s()


def rate(properties: Mapping[str, str], name: str) -> int | None:
    """Read a limit of rows a second. Raises: InvalidParameter."""
    written = properties.get(name, "default").strip().lower()
    if written in ("default", "-1"):
        return None
    if not written.isdecimal():
        hint = "Write rows a second, 0 for a pause, or DEFAULT for no limit."
        raise InvalidParameter(f'{name} cannot be "{written}"', hint=hint)
    return int(written)


def check_rates(properties: Mapping[str, str]) -> None:
    """Raises: InvalidParameter for a limit that cannot be kept."""
    for name in (SOURCE_RATE, SINK_RATE):
        rate(properties, name)
