"""What CREATE SOURCE declares reaches whoever brings bytes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.connectors.memory_feed import eventually
from tests.driver import Engine
from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.ports import RawBatch

CSV = ("CREATE SOURCE reads (meter VARCHAR, kwh DOUBLE PRECISION) WITH (connector = '{}'{}) "
       "FORMAT PLAIN ENCODE CSV (without_header = 'true', delimiter = ';')")  # fmt: skip


def push(engine: Engine, batch: RawBatch, source: str = "reads") -> tuple[int, int]:
    receipt = engine.instance.submit("volt", source, batch).result(10)
    return receipt.rows, receipt.dead_letters


def test_a_pushed_batch_is_read_as_its_source_declares(engine: Engine) -> None:
    engine.run(CSV.format("none", ""))
    assert push(engine, RawBatch("declared", b"a;1.5\nb;x\n")) == (1, 1)
    assert push(engine, RawBatch("csv", b"kwh;meter\n2;c\n", header=True)) == (1, 0)
    rows = engine.run("SELECT * FROM reads ORDER BY meter")
    assert rows == [("a", 1.5), ("c", 2.0)]


def test_a_file_is_read_as_its_source_declares(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "reads.txt").write_bytes(b"a;1.5\nb;2")
    place = f", path = '{tmp_path}/*.txt', follow = 'false'"
    engine.run(CSV.format("file", place))
    eventually(lambda: len(engine.run("SELECT * FROM reads")) == 2)
    assert engine.run("SELECT sum(kwh) FROM reads") == [(3.5,)]


def test_what_is_generated_is_the_same_in_the_store_and_in_views(engine: Engine) -> None:
    """Rows that are pushed, in so many slices that threads mix them, and rows of INSERT."""
    engine.run("CREATE SOURCE steps (n BIGINT, twice BIGINT AS (n * 2), name VARCHAR AS ('m' || n),"
               " share BIGINT AS (10 / n), came TIMESTAMPTZ AS proctime())")  # fmt: skip
    engine.run("CREATE MATERIALIZED VIEW followed AS SELECT n, twice, name, share FROM steps")
    many = pa.chunked_array([pa.array(range(at, at + 50_000)) for at in range(1, 300_001, 50_000)])
    assert push(engine, RawBatch("arrow", table=pa.table({"n": many})), "steps") == (300_000, 0)
    engine.run("INSERT INTO steps (n) VALUES (-1)")
    for relation in ("steps", "followed"):
        wrong = "twice <> 2 * n OR name <> 'm' || n OR share <> 10 / n"
        told = f"SELECT count(*), count(name), count(*) FILTER (WHERE {wrong}) FROM {relation}"
        assert engine.run(told) == [(300_001, 300_001, 0)]
    zero = RawBatch("arrow", table=pa.table({"n": [0, 400_000]}))
    assert push(engine, zero, "steps") == (1, 1)  # What cannot be computed is a dead letter.
    assert engine.run("SELECT n, share FROM followed WHERE n IN (0, 400000)") == [(400_000, 0)]


def test_bytes_are_one_column(engine: Engine) -> None:
    engine.run("CREATE SOURCE raw (frame BYTEA) WITH (connector = 'none') "
               "FORMAT PLAIN ENCODE BYTES")  # fmt: skip
    assert push(engine, RawBatch("declared", b"\x00\xff{"), "raw") == (1, 0)
    assert engine.run("SELECT frame FROM raw") == [(b"\x00\xff{",)]
    with pytest.raises(InvalidParameter):
        engine.run("CREATE SOURCE two (a BYTEA, b INTEGER) FORMAT PLAIN ENCODE BYTES")


@pytest.mark.parametrize(
    ("clause", "refusal"),
    [
        ("FORMAT PLAIN ENCODE CSV (delimiter = ';;')", InvalidParameter),
        ("FORMAT PLAIN ENCODE AVRO", InvalidParameter),
        ("FORMAT UPSERT ENCODE JSON", FeatureNotSupported),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(
    engine: Engine, clause: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        engine.run(f"CREATE SOURCE s (a INTEGER) WITH (connector = 'none') {clause}")
    assert engine.run("SELECT * FROM rw_sources") == []


def test_included_columns_stand_beside_their_records(engine: Engine) -> None:
    engine.run("CREATE SOURCE s (a INTEGER) INCLUDE KEY AS k INCLUDE partition INCLUDE timestamp "
               "AS at INCLUDE header 'trace' VARCHAR AS trace INCLUDE payload AS whole "
               "WITH (connector = 'webhook') FORMAT PLAIN ENCODE JSON")  # fmt: skip
    engine.run("CREATE MATERIALIZED VIEW v AS SELECT convert_from(k, 'UTF8') AS k, sum(a) AS a "
               "FROM s GROUP BY k")  # fmt: skip
    records = [b'{"a":1}', b"{", b'{"a":2}']
    beside = pa.table(
        {
            "key": pa.array([b"x", b"y", None], pa.binary()),
            "partition": ["0", "1", "2"],
            "timestamp": pa.array([0, 1, 2], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "header:trace": pa.array([b"one", b"two", b"\xff"], pa.binary()),
            "payload": pa.array(records, pa.binary()),
        }
    )
    assert push(engine, RawBatch("json", records=records, beside=beside), "s") == (2, 1)
    assert push(engine, RawBatch("ndjson", b'{"a":3}'), "s") == (1, 0)
    rows = engine.run(
        "SELECT a, k, _rw_webhook_partition, extract(epoch FROM at), trace, whole ->> 'a' FROM s "
        "ORDER BY a"
    )
    assert [row[:3] for row in rows] == [(1, b"x", "0"), (2, None, "2"), (3, None, None)]
    assert [row[4:] for row in rows] == [("one", "1"), ("\ufffd", "2"), (None, None)]
    assert sorted(engine.run("SELECT * FROM v"), key=str) == [("x", 1), (None, 5)]
    engine.run("INSERT INTO s (a, k) VALUES (4, 'z')")
    assert engine.run("SELECT a FROM v WHERE k = 'z'") == [(4,)]
