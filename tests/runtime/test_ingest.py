"""Pushed batches: decoded, made durable, their offsets and dead letters with them."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tests.driver import Engine
from voltstream.core.errors import LimitExceeded, StorageFault, UndefinedTable, WrongObjectType
from voltstream.core.limits import PUSH_BYTES_MAX
from voltstream.core.ports import RawBatch, Receipt

SOURCE = "CREATE SOURCE reads (meter VARCHAR, kwh DOUBLE PRECISION) WITH (connector = 'none')"


def push(engine: Engine, payload: bytes, source: str = "reads") -> Future[Receipt]:
    return engine.instance.submit("volt", source, RawBatch("ndjson", payload, position="test"))


def test_rows_are_durable_when_the_receipt_comes(engine: Engine) -> None:
    engine.run(SOURCE)
    receipt = push(engine, b'{"meter": "a", "kwh": 1.5}\n{"meter": "b", "kwh": 2}\n').result(10)
    assert (receipt.rows, receipt.dead_letters) == (2, 0)
    assert engine.run("SELECT * FROM reads ORDER BY meter") == [("a", 1.5), ("b", 2.0)]
    assert engine.run("SELECT epoch FROM rw_epochs") == [(receipt.epoch,)]


def test_what_cannot_be_decoded_is_kept(engine: Engine) -> None:
    engine.run(SOURCE)
    receipt = push(engine, b'{"meter": "a", "kwh": 1}\nnonsense\n{"kwh": "x"}\n').result(10)
    assert (receipt.rows, receipt.dead_letters) == (1, 2)
    letters = engine.run("SELECT source, position, raw FROM dead_letters ORDER BY position")
    assert letters == [("reads", "test:2", b"nonsense"), ("reads", "test:3", b'{"kwh": "x"}')]


def test_many_batches_keep_their_order(engine: Engine) -> None:
    engine.run(SOURCE)
    engine.run("CREATE MATERIALIZED VIEW latest AS SELECT DISTINCT ON (meter) meter, kwh "
               "FROM reads ORDER BY meter, kwh DESC")  # fmt: skip
    engine.run("CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n, sum(kwh) AS kwh FROM reads")
    waiting = [push(engine, b'{"meter": "a", "kwh": %d}\n' % n) for n in range(200)]
    epochs = [future.result(30).epoch for future in waiting]
    assert epochs == sorted(epochs)
    assert engine.run("SELECT * FROM latest") == [("a", 199.0)]
    assert engine.run("SELECT * FROM n") == [(200, 19900.0)]


def test_csv_and_documents(engine: Engine) -> None:
    engine.run(SOURCE)
    for batch in (
        RawBatch("csv", b"kwh,meter\n1,a\n,b\n"),
        RawBatch("json", records=(b'{"meter": "c"}',)),
    ):
        engine.instance.submit("volt", "reads", batch).result(10)
    rows = engine.run("SELECT * FROM reads ORDER BY meter")
    assert rows == [("a", 1.0), ("b", None), ("c", None)]


def test_refusals(engine: Engine) -> None:
    engine.run(SOURCE + "; CREATE TABLE t (a INTEGER)")
    with pytest.raises(UndefinedTable):
        push(engine, b"{}", "nowhere")
    with pytest.raises(WrongObjectType):
        push(engine, b"{}", "t")
    with pytest.raises(LimitExceeded):
        push(engine, b" " * (PUSH_BYTES_MAX + 1))


def test_a_source_dropped_meanwhile_answers(engine: Engine) -> None:
    engine.run(SOURCE)
    futures = [push(engine, b'{"kwh": 1}\n') for _ in range(20)]
    engine.run("DROP SOURCE reads")
    for future in futures:
        error = future.exception(10)
        assert error is None or isinstance(error, UndefinedTable)


def test_one_bad_row_does_not_stop_a_view(engine: Engine) -> None:
    engine.run(SOURCE)
    engine.run("CREATE MATERIALIZED VIEW inverse AS "
               "SELECT meter, (1 / kwh::INTEGER) AS i FROM reads")  # fmt: skip
    lines = (b'{"meter":"a","kwh":1}', b'{"meter":"b","kwh":0}', b'{"meter":"c","kwh":-1}')
    push(engine, b"\n".join(lines)).result(10)
    assert engine.run("SELECT * FROM inverse ORDER BY meter") == [("a", 1), ("b", None), ("c", -1)]
    assert engine.run("SELECT count(*) FROM dead_letters") == [(1,)]


def test_old_rows_are_forgotten_without_a_trace_in_views(engine: Engine) -> None:
    engine.run(SOURCE.replace("'none')", "'none', retention = '0 seconds')"))
    engine.run("CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM reads")
    push(engine, b'{"kwh": 1}\n').result(10)
    assert engine.instance.engine("volt").jobs.round() == 1
    assert engine.run("SELECT * FROM reads") == []
    assert engine.run("SELECT n FROM n") == [(1,)]


def test_what_follows_a_batch_that_failed_is_not_taken(engine: Engine) -> None:
    engine.run(SOURCE)
    failed, taken = Future[Receipt](), Future[Receipt]()
    failed.set_exception(StorageFault("the disk is gone"))
    taken.set_result(Receipt(1, 0, 1))
    for before, rows in ((failed, 0), (taken, 1)):
        batch = RawBatch("ndjson", b'{"meter": "a"}', offsets={"t/0": "7"}, after=before)
        receipt = engine.instance.submit("volt", "reads", batch)
        if rows:
            assert receipt.result(10).rows == rows
        else:
            with pytest.raises(StorageFault):
                receipt.result(10)
        assert engine.run("SELECT count(*) FROM reads") == [(rows,)]
        assert engine.run("SELECT count(*) FROM _vs.offsets") == [(rows,)]
