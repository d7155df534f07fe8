"""A regular expression whose use is bounded in time.

The engine lets other threads run while it matches, and stops when its time is over: a pattern
that tries exponentially many ways stalls neither the server nor the statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

import regex

from voltstream.core.errors import InvalidRegex
from voltstream.core.limits import REGEX_SECOND_CHARACTERS, REGEX_SECONDS_MAX

DOTALL, IGNORECASE = int(regex.DOTALL), int(regex.IGNORECASE)
MULTILINE, VERBOSE = int(regex.MULTILINE), int(regex.VERBOSE)


class Match(Protocol):
    """Where an expression was found; group 0 is the whole."""

    def __getitem__(self, group: int, /) -> str | None: ...
    def groups(self) -> tuple[str | None, ...]: ...
    def start(self, group: int = 0, /) -> int: ...
    def end(self, group: int = 0, /) -> int: ...


class Expression:
    """A compiled pattern. Raises: InvalidRegex (2201B), also when its time is over."""

    def __init__(self, pattern: str, options: int = 0) -> None:
        try:
            self._engine = regex.compile(pattern, options | regex.VERSION0)
        except regex.error as error:
            raise InvalidRegex(f"invalid regular expression: {error.msg}") from error
        except (RecursionError, OverflowError, MemoryError) as error:
            raise _too_complex() from error

    def search(self, text: str) -> Match | None:
        """Find the first place."""
        with _timed():
            found: Match | None = self._engine.search(text, timeout=_allowed_s(text))
        return found

    def finditer(self, text: str, start: int = 0) -> Iterator[Match]:
        """Find every place from ``start`` on."""
        allowed_s = _allowed_s(text)
        until = monotonic() + allowed_s
        with _timed():
            for found in self._engine.finditer(text, start, timeout=allowed_s):
                yield found
                if monotonic() > until:
                    raise _too_complex()


@contextmanager
def _timed() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise _too_complex() from error


def _allowed_s(text: str) -> float:
    return REGEX_SECONDS_MAX + len(text) / REGEX_SECOND_CHARACTERS


def _too_complex() -> InvalidRegex:
    return InvalidRegex("regular expression failed: regular expression is too complex")
