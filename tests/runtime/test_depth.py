"""A statement of any depth is refused, and the session goes on."""

from __future__ import annotations

import pytest

from tests.driver import Engine
from voltstream.core.errors import StatementTooComplex


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
        "SELECT " + "1+" * 5_000 + "1",
        "CREATE MATERIALIZED VIEW v AS SELECT " + "1+" * 5_000 + "1 AS a",
    ],
)
def test_a_statement_of_great_depth_is_refused(engine: Engine, statement: str) -> None:
    with pytest.raises(StatementTooComplex):
        engine.run(statement)
    engine.run("BEGIN")
    with pytest.raises(StatementTooComplex):
        engine.run(statement)
    assert engine.session.status == "E"
    engine.run("ROLLBACK")
    assert engine.run("SELECT 1") == [(1,)]
