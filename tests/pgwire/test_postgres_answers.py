"""What many statements answer, beside what a real PostgreSQL answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg.pq import DiagnosticField, ExecStatus

STATEMENTS = [
    line
    for line in Path(__file__).with_name("answers.sql").read_text().splitlines()
    if not line.startswith("--")
]


def _answer(connection: Any, statement: str) -> object:
    """Return columns and rows, the SQLSTATE of an error, or the command tag.

    Modifiers are left out: computed numerics have a precision and a scale here.
    """
    result = connection.pgconn.exec_(statement.encode())
    if result.status == ExecStatus.COMMAND_OK:
        return result.command_status
    if result.status != ExecStatus.TUPLES_OK:
        return result.error_field(DiagnosticField.SQLSTATE)
    columns = [(result.fname(i), result.ftype(i)) for i in range(result.nfields)]
    rows = [[result.get_value(r, i) for i in range(result.nfields)] for r in range(result.ntuples)]
    return columns, rows


def test_statements_answer_as_on_postgresql(both: tuple[Any, Any]) -> None:
    differing = []
    for statement in STATEMENTS:
        theirs, ours = (_answer(one, statement) for one in both)
        if theirs != ours:
            differing.append(f"{statement}\n  {theirs}\n  {ours}")
    if differing:
        pytest.fail("\n".join(differing), pytrace=False)
