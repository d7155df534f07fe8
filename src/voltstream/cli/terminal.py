"""How the command line speaks: results to standard output, everything else to standard error."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voltstream.core.errors import VoltstreamError

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def say(line: str) -> None:
    """Print a line of our own, never taken for markup."""
    out.print(escape(line))


def remark(severity: str, message: str, hint: str | None = None) -> None:
    """Print a notice or warning beside the result."""
    err.print(f"[yellow]{escape(severity)}:[/] {escape(message)}")
    if hint:
        err.print(f"[yellow]HINT:[/] {escape(hint)}")


def complain(error: VoltstreamError, statement: str | None = None) -> None:
    """Print an error as psql does: message, the line it is about, detail and hint."""
    err.print(f"[bold red]ERROR:[/]  {error.sqlstate}: {escape(error.message)}")
    if statement is not None and error.position is not None:
        for line in point_at(statement, error.position):
            err.print(escape(line))
    if error.detail:
        err.print(f"[bold]DETAIL:[/]  {escape(error.detail)}")
    if error.hint:
        err.print(f"[bold]HINT:[/]  {escape(error.hint)}")


def point_at(text: str, position: int) -> tuple[str, str]:
    """Return the line that holds a character (counted from 1) and a caret below it."""
    place = min(max(position - 1, 0), len(text))
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    line = text[start : end if end >= 0 else len(text)]
    label = f"LINE {text.count(chr(10), 0, place) + 1}: "
    # Tabs keep their width, so that the caret stands where the terminal put the character.
    indent = "".join("\t" if mark == "\t" else " " for mark in line[: place - start])
    return label + line, " " * len(label) + indent + "^"


def show_rows(
    columns: Sequence[str],
    numeric: Sequence[bool],
    rows: Sequence[Sequence[str | None]],
) -> None:
    """Print a table: ruled on a terminal, tab-separated where another program reads."""
    if not out.is_terminal:
        for row in (columns, *rows):
            # Past rich, which would turn tabs into spaces.
            out.file.write("\t".join(_plain(value) for value in row) + "\n")
        out.file.flush()
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(escape(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*("[dim]∅[/]" if value is None else escape(value) for value in row))
    out.print(table)
    out.print(f"({len(rows)} row{'' if len(rows) == 1 else 's'})")


def _plain(value: str | None) -> str:
    """Spell a value as COPY's text format does, so that one row stays one line."""
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
