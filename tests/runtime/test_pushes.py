"""A batch that its sender has named is taken once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import Engine
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import RawBatch, Receipt

BATCH = RawBatch("ndjson", b'{"a":1}\n{"a":"x"}\n{"a":2}\n', name="first")


def push(engine: Engine, batch: RawBatch) -> Receipt:
    return engine.instance.submit("volt", "reads", batch).result(20)


def test_a_batch_sent_twice_is_taken_once(engine: Engine) -> None:
    engine.run("CREATE SOURCE reads (a INT); CREATE SOURCE others (a INT)")
    once = push(engine, BATCH)
    assert (once.rows, once.dead_letters) == (2, 1)
    together = [engine.instance.submit("volt", "reads", BATCH) for _ in range(5)]
    assert [future.result(20) for future in together] == [once] * 5
    assert engine.run("SELECT count(*) FROM reads") == [(2,)]
    assert engine.run("SELECT count(*) FROM rw_dead_letters") == [(1,)]
    push(engine, replace(BATCH, name="second"))
    engine.instance.submit("volt", "others", BATCH).result(20)
    push(engine, replace(BATCH, name=""))
    assert engine.run("SELECT count(*) FROM reads") == [(6,)]
    assert engine.run("SELECT count(*) FROM others") == [(2,)]


def test_a_name_given_to_other_rows_is_refused(engine: Engine) -> None:
    engine.run("CREATE SOURCE reads (a INT)")
    push(engine, BATCH)
    with pytest.raises(InvalidParameter, match="other rows"):
        push(engine, replace(BATCH, payload=b'{"a":9}'))
    both = [engine.instance.submit("volt", "reads", one) for one in (
        replace(BATCH, payload=b'{"a":8}'), RawBatch("ndjson", b'{"a":7}'),
    )]  # fmt: skip
    assert both[1].result(20).rows == 1
    with pytest.raises(InvalidParameter):
        both[0].result(20)
    assert engine.run("SELECT count(*) FROM reads") == [(3,)]


def test_a_table_that_is_made_anew_knows_no_batch(engine: Engine) -> None:
    engine.run("CREATE SOURCE reads (a INT)")
    push(engine, BATCH)
    engine.run("DROP SOURCE reads; CREATE SOURCE reads (a INT)")
    assert push(engine, BATCH).rows == 2
    assert engine.run("SELECT count(*) FROM reads") == [(2,)]
