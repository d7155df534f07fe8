"""Types that the store has not: what clients are told of them, beside a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg.pq import DiagnosticField, ExecStatus, Format

STATEMENTS = [
    line
    for line in Path(__file__).with_name("declared_types.sql").read_text().splitlines()
    if not line.startswith("--")
]
_SIZED = (1042, 1043, 1560, 1562)  # The others' modifiers are of numbers.


def _answer(connection: Any, statement: str) -> object:
    """Return columns and rows as text and binary, or the error, or the command tag."""
    result = connection.pgconn.exec_(statement.encode())
    if result.status == ExecStatus.COMMAND_OK:
        return result.command_status
    if result.status != ExecStatus.TUPLES_OK:
        field = DiagnosticField
        return result.error_field(field.SQLSTATE), result.error_field(field.MESSAGE_PRIMARY)
    columns = [
        (result.fname(i), result.ftype(i), result.fmod(i) if result.ftype(i) in _SIZED else 0)
        for i in range(result.nfields)
    ]
    rows = [[result.get_value(r, i) for i in range(result.nfields)] for r in range(result.ntuples)]
    return columns, rows


def _is_packed_alike(statement: str) -> bool:
    """Tell whether binary rows are compared: the numbers of users' objects differ."""
    return statement.startswith("SELECT ") and ("reg" not in statement or "'pg_class'" in statement)


def _packed(connection: Any, statement: str) -> object:
    result = connection.pgconn.exec_params(statement.encode(), None, None, None, Format.BINARY)
    return [[result.get_value(r, i) for i in range(result.nfields)] for r in range(result.ntuples)]


def test_declared_types_are_told_as_by_postgresql(both: tuple[Any, Any]) -> None:
    differing = []
    for statement in STATEMENTS:
        theirs, ours = (_answer(one, statement) for one in both)
        if theirs != ours:
            differing.append(f"{statement}\n  {theirs}\n  {ours}")
        elif isinstance(ours, tuple) and _is_packed_alike(statement):
            theirs, ours = (_packed(one, statement) for one in both)
            if theirs != ours:
                differing.append(f"{statement}\n  {theirs}\n  {ours}")
    if differing:
        pytest.fail("\n".join(differing), pytrace=False)
