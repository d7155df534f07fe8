"""Statements that differ in their numbers only: one template, and the numbers apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

# What is quoted is passed over; a number is lifted where it is compared, for only there does its
# value say nothing about the meaning of the statement.
_LIFTED = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\w*\$.*?\$\w*\$"
    r"|(?P<before>[\w)\"\s](?:=|<|>|<=|>=|<>)\s*)(?P<number>\d{1,9})(?![\w.])",
    re.DOTALL,
)
_PARAMETER = re.compile(r"\$(\d+)")
_MARK = re.compile(r"GETVARIABLE\('vs_p(\d+)'\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lifted:
    """A statement's template: ``numbers`` stand in it as $``first`` and on."""

    template: str
    first: int
    numbers: tuple[int, ...]


def lifted(text: str) -> Lifted:
    """Take the compared numbers out of a statement."""
    first = max((int(found) for found in _PARAMETER.findall(text)), default=0) + 1
    numbers: list[int] = []

    def lift(found: re.Match[str]) -> str:
        if found["number"] is None:
            return found[0]
        numbers.append(int(found["number"]))
        return f"{found['before']}${first + len(numbers) - 1}"

    template = _LIFTED.sub(lift, text)
    return Lifted(template, first, tuple(numbers))


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
