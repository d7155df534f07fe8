"""A regular expression whose use is bounded in time.

The engine lets other threads run while it matches, and stops when its time is over: a pattern
that tries exponentially many ways stalls neither the server nor the statement. To look at the clock
takes four times as long as a short search, so a search that can only try few ways goes without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

import regex

from voltstream.core.errors import InvalidRegex
from voltstream.core.limits import (
    REGEX_SECOND_CHARACTERS,
    REGEX_SECONDS_MAX,
    REGEX_WAYS_UNTIMED_MAX,
)

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?.?|.", re.DOTALL)
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
        try:  # Not by ``_timed``: that takes as long as the search itself.
            found: Match | None = self._engine.search(text, timeout=_allowed_s(text))
        except TimeoutError as error:
            raise _too_complex() from error
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


def choices(pattern: str) -> tuple[int, int] | None:
    """Count the repetitions and the alternatives of a pattern; None where one repeats a group.

    Law: n characters are then matched in at most (n + 1) ** repetitions x 2 ** alternatives ways
    from each place. What refers to a group, looks ahead or recurs is not counted.
    """
    repetitions = alternatives = 0
    before = ""
    for token in _TOKEN.findall(pattern):
        if token[0] == "\\" and token[1] in "123456789gk":
            return None
        if token.startswith("(?") and token != "(?:":
            return None
        if token in ("*", "+", "?", "{"):
            if before == ")":
                return None
            repetitions += 1
        alternatives += token == "|"
        before = token
    return repetitions, alternatives


def tries_few_ways(counted: tuple[int, int] | None, length: int) -> bool:
    """Tell whether a search is over soon, whatever the text of this length."""
    if counted is None or sum(counted) > 20:
        return False
    repetitions, alternatives = counted
    ways: int = (length + 1) ** (repetitions + 1) << alternatives
    return ways <= REGEX_WAYS_UNTIMED_MAX


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
