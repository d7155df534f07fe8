"""Dead letters: replayed in one epoch with what they say, or dropped."""

from __future__ import annotations

import json

import pytest

from tests.driver import Engine
from voltstream.core.errors import FeatureNotSupported, UndefinedTable, WrongObjectType
from voltstream.core.ports import RawBatch


def push(engine: Engine, source: str, *records: bytes) -> None:
    batch = RawBatch("declared", b"\n".join(records))
    engine.instance.submit("volt", source, batch).result(20)


def letters(engine: Engine) -> list[object]:
    return [row[0] for row in engine.run("SELECT convert_from(raw, 'UTF8') FROM rw_dead_letters")]


def test_what_stays_unreadable_stays_a_letter(engine: Engine) -> None:
    engine.run("CREATE SOURCE reads (meter VARCHAR, kwh INT) WITH (connector = 'none')")
    engine.run("CREATE MATERIALIZED VIEW total AS SELECT sum(kwh) AS kwh FROM reads")
    push(engine, "reads", b'{"meter":"a","kwh":1}', b'{"meter":"b","kwh":"1.5e"}', b"{")
    assert engine.run("SELECT count(*), count(DISTINCT id) FROM rw_dead_letters") == [(2, 2)]
    assert engine.run("CALL replay_dead_letters('reads')") == [(2,)]
    assert letters(engine) == ['{"meter":"b","kwh":"1.5e"}', "{"]
    [(first,), _] = engine.run("SELECT id FROM rw_dead_letters ORDER BY id")
    assert engine.run(f"SELECT drop_dead_letters('reads', {first})") == [(1,)]
    assert letters(engine) == ["{"]
    assert engine.run("SELECT kwh FROM total") == [(1,)]


def test_a_table_takes_its_changes_again(engine: Engine) -> None:
    engine.run(
        "CREATE TABLE meters (meter INT PRIMARY KEY, kwh INT NOT NULL) WITH (connector = 'none') "
        "FORMAT DEBEZIUM ENCODE JSON"
    )
    bad = json.dumps({"op": "c", "after": {"meter": 1}}).encode()
    push(engine, "meters", bad)
    assert letters(engine) == [bad.decode()]
    engine.run("ALTER TABLE meters ALTER COLUMN kwh DROP NOT NULL")
    assert engine.run("CALL replay_dead_letters('meters')") == [(1,)]
    assert letters(engine) == []
    assert engine.run("SELECT * FROM meters") == [(1, None)]


def test_what_cannot_be_replayed_says_why(engine: Engine) -> None:
    engine.run(
        "CREATE SOURCE rows (a INT) WITH (connector = 'none') "
        "FORMAT PLAIN ENCODE CSV (without_header = false)"
    )
    push(engine, "rows", b"a", b"x")
    with pytest.raises(FeatureNotSupported, match="what their fields are"):
        engine.run("CALL replay_dead_letters('rows')")
    engine.run("CREATE TABLE t (a INT); CREATE MATERIALIZED VIEW v AS SELECT 1 / a AS x FROM t")
    engine.run("INSERT INTO t VALUES (0)")
    with pytest.raises(WrongObjectType):
        engine.run("CALL replay_dead_letters('v')")
    assert engine.run("CALL drop_dead_letters('v')") == [(1,)]
    with pytest.raises(UndefinedTable):
        engine.run("CALL drop_dead_letters('nothing')")
