"""A golden script cut into what happens one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DIRECTIVE = re.compile(r"-- (clock|push|show file|restart|session|forgets)\b *(.*)")
_COPY_IN = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
# What may hold a semicolon that ends nothing; an opened one has no end yet.
_QUOTED = re.compile(
    r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$[A-Za-z_]*\$).*?\1|/\*.*?\*/", re.DOTALL
)


@dataclass(frozen=True)
class Remark:
    """A comment or an empty line."""

    text: str


@dataclass(frozen=True)
class Message:
    """One statement, or several on one line; ``data`` is what COPY … FROM STDIN reads."""

    text: str
    data: str | None = None


@dataclass(frozen=True)
class Directive:
    """A comment that does something: its verb, argument and, for push, the lines up to \\."""

    text: str
    verb: str
    argument: str
    data: str = ""


Piece = Remark | Message | Directive


def bare(text: str) -> str:
    """Blank out quoted text and comments, length kept."""
    return _QUOTED.sub(lambda found: "_" * len(found[0]), text)


def pieces(script: str) -> Iterator[Piece]:
    """Cut a script. A message ends where a line ends with a semicolon outside quotes."""
    lines = iter(script.splitlines())
    pending: list[str] = []
    for line in lines:
        if not pending:
            directive = DIRECTIVE.fullmatch(line.rstrip())
            if directive:
                data = _data(lines) if directive[1] == "push" else ""
                yield Directive(line, directive[1], directive[2], data)
                continue
            if not line.strip() or line.lstrip().startswith("--"):
                yield Remark(line)
                continue
        pending.append(line)
        text = "\n".join(pending)
        if _whole(text):
            yield Message(text, _data(lines) if _COPY_IN.match(text) else None)
            pending = []
    if pending:
        raise ValueError(f"the script's last statement has no end: {pending[0]}")


def _whole(text: str) -> bool:
    shown = _QUOTED.sub(lambda found: "" if found[0].startswith("--") else "_", text)
    return shown.rstrip().endswith(";") and not re.search(r"'|\"|\$[A-Za-z_]*\$|/\*", shown)


def _data(lines: Iterator[str]) -> str:
    data: list[str] = []
    for line in lines:
        if line == "\\.":
            return "".join(f"{one}\n" for one in data)
        data.append(line)
    raise ValueError("the data has no end: a line that is \\.")


def is_ordered(text: str) -> bool:
    """Tell whether the outermost query has an ORDER BY, or is no query at all."""
    shown = bare(text).lower()
    if not re.match(r"\s*(\(|(select|with|values|table|insert|update|delete)\b)", shown):
        return True
    outer, depth = [], 0
    for mark in shown:
        depth += (mark == "(") - (mark == ")")
        if depth == 0:
            outer.append(mark)
    return "order by" in " ".join("".join(outer).split())
