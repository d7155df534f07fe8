"""Statements that differ in compared values only: one template, and the values apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

# What is quoted is passed over; a number is lifted where it is compared, for only there does its
# value say nothing about the meaning of the statement.
_PASSED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\w*\$.*?\$\w*\$"
_BEFORE = r"(?P<before>[\w)\"\s](?:=|<|>|<=|>=|<>)\s*)"
_NUMBER = r"(?P<number>\d{1,9})(?![\w.])"
# A text ends its comparison: what may follow it otherwise changes its meaning.
_TEXT = r"(?P<text>'(?:[^']|'')*')(?=\s*(?:[;)]|$|(?:and|or|order|limit|group)\b))"
_NUMBERS = re.compile(f"{_PASSED}|{_BEFORE}{_NUMBER}", re.DOTALL)
_VALUES = re.compile(f"{_PASSED}|{_BEFORE}(?:{_NUMBER}|{_TEXT})", re.DOTALL | re.IGNORECASE)
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

    def lift(found: re.Match[str]) -> str:
        if found["before"] is None:
            return found[0]
        if found["number"] is not None:
            values.append(int(found["number"]))
        else:
            values.append(found["text"][1:-1].replace("''", "'"))
        return f"{found['before']}${first + len(values) - 1}"

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


def cut(sql: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Cut a translated statement at its markers. Returns the pieces and the numbers between."""
    parts = _MARK.split(sql)
    return tuple(parts[::2]), tuple(int(number) for number in parts[1::2])
