"""What psql prints: aligned tables, command tags, notices and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Notice, Outcome
from voltstream.core.schema import Schema
from voltstream.core.types import Kind
from voltstream.pgwire.text import text_cells

Cells = tuple[str | None, ...]

_RIGHT = frozenset({Kind.INT2, Kind.INT4, Kind.INT8, Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC,
                    Kind.OID})  # fmt: skip
_NULL = "NULL"  # psql's own default, nothing, would look like an empty text.


def outcome_lines(outcome: Outcome, *, ordered: bool) -> Iterator[str]:
    """Yield the print of a statement that ran."""
    for notice in outcome.notices:
        yield from notice_lines(notice)
    if outcome.rows is None:
        yield outcome.tag
        return
    try:
        columns = outcome.rows.columns
        rows = [row for batch in outcome.rows.batches() for row in _cells(batch, columns)]
    finally:
        outcome.rows.close()
    if not ordered:
        rows.sort(key=lambda row: [_sort_key(*pair) for pair in zip(row, columns, strict=True)])
    yield from table_lines(columns, rows)
    if outcome.tag.split()[0] in ("INSERT", "UPDATE", "DELETE"):
        yield outcome.tag


def _cells(batch: pa.RecordBatch, columns: Schema) -> Iterator[Cells]:
    texts = [
        text_cells(array, column.type.kind).to_pylist()
        for array, column in zip(batch.columns, columns, strict=True)
    ]
    for place in range(batch.num_rows):
        yield tuple(None if text[place] is None else text[place].decode() for text in texts)


def _sort_key(cell: str | None, column: object) -> tuple[bool, float, str]:
    del column
    if cell is None:
        return (True, 0.0, "")
    try:
        return (False, float(cell), cell)
    except ValueError:
        return (False, float("inf"), cell)


def table_lines(columns: Schema, rows: Sequence[Cells]) -> Iterator[str]:
    """Yield psql's aligned format."""
    names = [column.name for column in columns]
    right = [column.type.kind in _RIGHT and not column.type.array_depth for column in columns]
    shown = [[(_NULL if cell is None else cell).split("\n") for cell in row] for row in rows]
    widths = [
        max([len(name), *(len(line) for row in shown for line in row[place])])
        for place, name in enumerate(names)
    ]
    yield _joined(
        " | ", [_centered(name, width) for name, width in zip(names, widths, strict=True)]
    )
    yield "-" + "-+-".join("-" * width for width in widths) + "-"
    for row in shown:
        height = max((len(cell) for cell in row), default=0)
        for level in range(height):
            parts = []
            for cell, width, to_right in zip(row, widths, right, strict=True):
                text = cell[level] if level < len(cell) else ""
                more = "+" if level + 1 < len(cell) else ""
                parts.append((text.rjust(width) if to_right else text.ljust(width)) + more)
            yield _joined(" | ", parts).replace("+ | ", "+| ")
    yield f"({len(rows)} row{'' if len(rows) == 1 else 's'})"


def _joined(separator: str, parts: Sequence[str]) -> str:
    return (" " + separator.join(parts)).rstrip()


def _centered(name: str, width: int) -> str:
    left = (width - len(name)) // 2
    return " " * left + name + " " * (width - len(name) - left)


def notice_lines(notice: Notice) -> Iterator[str]:
    yield f"{notice.severity}:  {notice.message}"
    if notice.detail:
        yield f"DETAIL:  {notice.detail}"
    if notice.hint:
        yield f"HINT:  {notice.hint}"


def error_lines(error: VoltstreamError, text: str) -> Iterator[str]:
    """Yield an error as psql prints it, with its SQLSTATE, and the place by a caret."""
    yield f"ERROR:  {error.sqlstate}: {error.message}"
    if error.position is not None:
        before = text[: error.position - 1]
        number = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1)
        lines = text.split("\n")
        lead = f"LINE {number}: "
        yield lead + (lines[number - 1] if number <= len(lines) else "")
        yield " " * (len(lead) + column) + "^"
    if error.detail:
        yield f"DETAIL:  {error.detail}"
    if error.hint:
        yield f"HINT:  {error.hint}"
