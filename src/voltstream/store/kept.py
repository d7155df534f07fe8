"""What was computed from stored rows and holds until they change: kept by a number and a version.

Law: a version is written in the transaction that changes the rows, so who reads the version in a
snapshot and finds it here has what the rows of that snapshot say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Kept:
    """One value for each number. Calls come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[int, tuple[int, object]] = {}

    def at(self, number: int, version: int, kind: type[T], make: Callable[[], T]) -> T:
        """Return the value as of a version, made now when it is not known."""
        with self._lock:
            known = self._values.get(number)
        if known is not None and known[0] == version and isinstance(known[1], kind):
            return known[1]
        made = make()
        with self._lock:
            newest = self._values.get(number)
            if newest is None or newest[0] <= version:
                self._values[number] = (version, made)
        return made

    def forget(self, numbers: frozenset[int]) -> None:
        """Forget all but these."""
        with self._lock:
            for number in set(self._values) - numbers:
                del self._values[number]
