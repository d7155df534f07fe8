"""Regular expressions: PostgreSQL's patterns, with Python's engine where the store's cannot do."""

from __future__ import annotations

import re
from functools import lru_cache

from voltstream.core.errors import InvalidParameter
from voltstream.core.native import NativeFunction
from voltstream.sql.natives.expression import (
    DOTALL,
    IGNORECASE,
    MULTILINE,
    VERBOSE,
    Expression,
    Match,
)

# PostgreSQL's own escapes: word boundaries and the ends of the text.
_ESCAPES = {"m": r"\b(?=\w)", "M": r"\b(?<=\w)", "y": r"\b", "Y": r"\B", "A": r"\A", "Z": r"\Z"}
_CLASSES = {
    "alpha": r"a-zA-Z", "digit": r"\d", "alnum": r"a-zA-Z0-9", "space": r"\s", "upper": "A-Z",
    "lower": "a-z", "punct": r"""!-/:-@\[-`{-~""", "xdigit": "0-9A-Fa-f", "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e", "word": r"\w",
}  # fmt: skip


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str = "") -> Expression:
    """Compile a pattern. Raises: InvalidRegex (2201B), InvalidParameter (22023)."""
    options = DOTALL
    for flag in flags:
        if flag == "i":
            options |= IGNORECASE
        elif flag == "c":
            options &= ~IGNORECASE
        elif flag in "nm":
            options = (options | MULTILINE) & ~DOTALL
        elif flag == "x":
            options |= VERBOSE
        elif flag not in "gs":
            raise InvalidParameter(f'invalid regular expression option: "{flag}"')
    return Expression(_python_pattern(pattern), options)


def _python_pattern(pattern: str) -> str:
    def escape(found: re.Match[str]) -> str:
        return _ESCAPES.get(found[1], found[0])

    text = re.sub(r"\\(.)", escape, pattern, flags=re.DOTALL)
    return re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], found[0]), text)


# What PostgreSQL counts as letters is of any language; the store's engine knows those of English.
_WORDS = {r"\w": r"\p{L}\p{N}_", "[:alpha:]": r"\p{L}", "[:alnum:]": r"\p{L}\p{N}", "[:word:]":
          r"\p{L}\p{N}_", "[:upper:]": r"\p{Lu}", "[:lower:]": r"\p{Ll}"}  # fmt: skip
_PIECE = re.compile(r"\[:\w+:\]|\\.|\[\^?\]?|\]|.", re.DOTALL)


def with_all_letters(pattern: str) -> str:
    """Return a pattern for the store's own engine whose classes hold letters of any language."""
    if "\\w" not in pattern and "\\W" not in pattern and "[:" not in pattern:
        return pattern
    spelled: list[str] = []
    inside = False
    for found in _PIECE.finditer(pattern):
        piece = found[0]
        if piece == "\\W" and not inside:
            piece = rf"[^{_WORDS[chr(92) + 'w']}]"
        elif piece in _WORDS:
            piece = _WORDS[piece] if inside else f"[{_WORDS[piece]}]"
        elif piece.startswith("[") and not piece.startswith("[:"):
            inside = True
        elif piece == "]":
            inside = False
        spelled.append(piece)
    return "".join(spelled)


def _groups(found: Match) -> list[str | None]:
    return list(found.groups()) or [found[0]]


def _match(text: str, pattern: str, flags: str) -> list[str | None] | None:
    if "g" in flags:
        raise InvalidParameter('regexp_match() does not support the "global" option')
    found = compiled(pattern, flags).search(text)
    return _groups(found) if found else None


def _matches(text: str, pattern: str, flags: str) -> list[list[str | None]]:
    expression = compiled(pattern, flags)
    if "g" in flags:
        return [_groups(found) for found in expression.finditer(text)]
    found = expression.search(text)
    return [_groups(found)] if found else []


def _filled(template: str, found: Match) -> str:
    r"""Write a match into PostgreSQL's template: \1 is a group, \& the whole."""
    out: list[str] = []
    at = 0
    while at < len(template):
        char = template[at]
        following = template[at + 1 : at + 2]
        if char == "\\" and following.isdigit():
            group = int(following)
            out.append((found[group] or "") if group <= len(found.groups()) else "")
            at += 2
        elif char == "\\" and following == "&":
            out.append(found[0] or "")
            at += 2
        elif char == "\\":
            out.append("\\")
            at += 2 if following == "\\" else 1
        else:
            out.append(char)
            at += 1
    return "".join(out)


def _replace(text: str, pattern: str, template: str, start: int, nth: int, flags: str) -> str:
    if start < 1:
        raise InvalidParameter(f'invalid value for parameter "start": {start}')
    if nth < 0:
        raise InvalidParameter(f'invalid value for parameter "n": {nth}')
    head, tail = text[: start - 1], text[start - 1 :]
    every = "g" in flags and nth == 0
    out: list[str] = [head]
    at = 0
    for number, found in enumerate(compiled(pattern, flags).finditer(tail), 1):
        if every or number == max(nth, 1):
            out += (tail[at : found.start()], _filled(template, found))
            at = found.end()
            if not every:
                break
    return "".join([*out, tail[at:]])


def _count(text: str, pattern: str, start: int, flags: str) -> int:
    if start < 1:
        raise InvalidParameter(f'invalid value for parameter "start": {start}')
    return sum(1 for _ in compiled(pattern, flags).finditer(text[start - 1 :]))


def _split(text: str, pattern: str, flags: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    for found in compiled(pattern, flags).finditer(text):
        if found.end() == found.start() and found.start() in (0, len(text)):
            continue
        pieces.append(text[at : found.start()])
        at = found.end()
    return [*pieces, text[at:]]


def _nth(text: str, pattern: str, start: int, nth: int, flags: str) -> Match | None:
    for number, found in enumerate(compiled(pattern, flags).finditer(text, start - 1), 1):
        if number == nth:
            return found
    return None


def _substring(text: str, pattern: str, start: int, nth: int, flags: str, group: int) -> str | None:
    found = _nth(text, pattern, start, nth, flags)
    return found[group] if found and group <= len(found.groups()) else None


def _position(
    text: str, pattern: str, start: int, nth: int, option: int, flags: str, group: int
) -> int:
    found = _nth(text, pattern, start, nth, flags)
    if not found:
        return 0
    return (found.end(group) if option else found.start(group)) + 1


def _captured(text: str, pattern: str) -> str | None:
    """substring(text FROM pattern): the first group, or the whole match."""
    found = compiled(pattern).search(text)
    return _groups(found)[0] if found else None


def _like(text: str, pattern: str, flags: str) -> bool:
    return compiled(pattern, flags).search(text) is not None


def similar_pattern(pattern: str, escape: str = "\\") -> str:
    """Return SIMILAR TO's pattern as a regular expression over the whole text."""
    if len(escape) > 1:
        raise InvalidParameter("invalid escape string")
    out: list[str] = []
    at, bracket = 0, False
    while at < len(pattern):
        char = pattern[at]
        if escape and char == escape and at + 1 < len(pattern):
            at += 1
            if pattern[at] != '"':  # A marked part bounds what SUBSTRING takes, not what matches.
                out.append(re.escape(pattern[at]))
        elif bracket:
            bracket = char != "]"
            out.append("\\\\" if char == "\\" else char)
        elif char == "[":
            bracket = True
            out.append(char)
        elif char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        elif char in "|*+?{}()":
            out.append("(?:" if char == "(" else char)
        else:
            out.append(re.escape(char))
        at += 1
    return "^(?:" + "".join(out) + ")$"


@lru_cache(maxsize=512)
def _similar_expression(pattern: str, escape: str) -> Expression:
    return Expression(similar_pattern(pattern, escape), DOTALL)


def _similar(text: str, pattern: str, escape: str) -> bool:
    return _similar_expression(pattern, escape).search(text) is not None


_T, _L, _I = "VARCHAR", "VARCHAR[]", "BIGINT"

NATIVES = (
    NativeFunction("_vs_regexp_match", (_T, _T, _T), _L, _match),
    NativeFunction("_vs_regexp_matches", (_T, _T, _T), "VARCHAR[][]", _matches),
    NativeFunction("_vs_regexp_replace", (_T, _T, _T, _I, _I, _T), _T, _replace),
    NativeFunction("_vs_regexp_count", (_T, _T, _I, _T), "INTEGER", _count),
    NativeFunction("_vs_regexp_split", (_T, _T, _T), _L, _split),
    NativeFunction("_vs_regexp_substr", (_T, _T, _I, _I, _T, _I), _T, _substring),
    NativeFunction("_vs_regexp_instr", (_T, _T, _I, _I, _I, _T, _I), "INTEGER", _position),
    NativeFunction("_vs_regexp_captured", (_T, _T), _T, _captured),
    NativeFunction("_vs_regexp_like", (_T, _T, _T), "BOOLEAN", _like),
    NativeFunction("_vs_similar", (_T, _T, _T), "BOOLEAN", _similar),
)
