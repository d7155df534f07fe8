"""Statements that differ in compared values only: one template, and the values apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

# What is quoted is passed over; a number is lifted where it is compared, for only there does its
# value say nothing about the meaning of the statement.
_PASSED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\w*\$.*?\$\w*\$"
_BEFORE = r"(?P<before>[\w)\"\s](?:=|<|>|<=|>=|<>)\s*)"
_NUMBER = r"(?P<number>\d{1,9})(?![\w.])"
# A text ends its comparison: what may follow it otherwise changes its meaning. A time may say that
# it is one, before or after it.
_END = r"(?=\s*(?:[,;)]|$|(?:and|or|order|limit|group|union|then|having|offset)\b))"
_KIND = r"(?:timestamptz|timestamp|date)"
_DAY = r"'\d{4}-[^']*'"


def _text(name: str) -> str:
    return (
        rf"(?:(?P<{name}_kind>{_KIND})\s*(?P<{name}_time>{_DAY})"
        rf"|(?P<{name}_day>{_DAY})::(?P<{name}_cast>{_KIND})\b|(?P<{name}>'(?:[^']|'')*'))"
    )


_BETWEEN = rf"(?P<between>[\w)\"\s]between\s+){_text('low')}(?P<and>\s+and\s+){_text('high')}{_END}"
_NUMBERS = re.compile(f"{_PASSED}|{_BEFORE}{_NUMBER}", re.DOTALL)
_VALUES = re.compile(
    rf"{_PASSED}|{_BETWEEN}|{_BEFORE}(?:{_NUMBER}|{_text('text')}{_END})", re.DOTALL | re.IGNORECASE
)
_PARAMETER = re.compile(r"\$(\d+)")
_MARK = re.compile(r"GETVARIABLE\('vs_p(\d+)'\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lifted:
    """A statement's template: ``values`` stand in it as $``first`` and on."""

    template: str
    first: int
    values: tuple[int | str, ...]


def lifted(text: str, *, texts: bool = False) -> Lifted:
    """Take the compared numbers out of a statement, and with ``texts`` the quoted values too."""
    first = max((int(found) for found in _PARAMETER.findall(text)), default=0) + 1
    values: list[int | str] = []

    def placed(value: int | str, kind: str = "") -> str:
        values.append(value)
        return f"${first + len(values) - 1}" + (f"::{kind.lower()}" if kind else "")

    def quoted(found: re.Match[str], name: str) -> str:
        kind = found[f"{name}_kind"] or found[f"{name}_cast"] or ""
        text = found[f"{name}_time"] or found[f"{name}_day"] or found[name]
        return placed(text[1:-1].replace("''", "'"), kind)

    def lift(found: re.Match[str]) -> str:
        if texts and found["between"] is not None:
            low = quoted(found, "low")
            return f"{found['between']}{low}{found['and']}{quoted(found, 'high')}"
        if found["before"] is None:
            return found[0]
        if found["number"] is not None:
            return found["before"] + placed(int(found["number"]))
        return found["before"] + quoted(found, "text")

    template = (_VALUES if texts else _NUMBERS).sub(lift, text)
    return Lifted(template, first, tuple(values))


@dataclass(frozen=True, slots=True)
class Marker:
    """Stands for the value of a parameter in a statement that is translated for all values."""

    number: int
    store_type: str


def marked(marker: Marker) -> exp.Expression:
    """Return what a marker is while its statement is translated: a value of its type."""
    # As one word: the value will be of the type, so that no rule of casts applies.
    return exp.Var(this=f"CAST(GETVARIABLE('vs_p{marker.number}') AS {marker.store_type})")


@dataclass(frozen=True, slots=True)
class Cut:
    """A translated statement cut at its markers: ``numbers`` stand between the ``pieces``."""

    pieces: tuple[str, ...]
    numbers: tuple[int, ...]

    def filled(self, spelled: Sequence[str]) -> str:
        """Return the statement with values, as the store spells them, in the markers' places."""
        parts = [self.pieces[0]]
        for number, piece in zip(self.numbers, self.pieces[1:], strict=True):
            parts += (spelled[number - 1], piece)
        return "".join(parts)


def cut(sql: str) -> Cut:
    """Cut a translated statement at its markers."""
    parts = _MARK.split(sql)
    return Cut(tuple(parts[::2]), tuple(int(number) for number in parts[1::2]))
