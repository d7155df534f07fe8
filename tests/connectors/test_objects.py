"""Files of a directory and of a bucket (moto's S3), in and out."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from tests.connectors.memory_feed import MemoryFeed, eventually
from tests.connectors.meter_documents import ONE_OF_EACH
from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.ports import SinkRecord, SinkShape
from voltstream.core.schema import Column

BUCKET = "grid"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Iterator[tuple[Any, dict[str, str]]]:
    import urllib3

    urllib3.request("PUT", f"{endpoint}/{BUCKET}", retries=False)
    given = {
        "s3.bucket_name": BUCKET, "s3.endpoint_url": endpoint, "s3.region_name": "us-east-1",
        "s3.credentials.access": "a", "s3.credentials.secret": "b",
    }  # fmt: skip
    store = S3Store(
        BUCKET, endpoint=endpoint, region="us-east-1", access_key_id="a", secret_access_key="b",
        client_options={"allow_http": True},
    )  # fmt: skip
    yield store, given
    obstore.delete(store, [one["path"] for page in obstore.list(store) for one in page])


def taken(properties: dict[str, str], offsets: dict[str, str] | None = None) -> MemoryFeed:
    """Read everything that is there, and stop."""
    feed = MemoryFeed({"follow": "false", **properties}, offsets or {})
    source = ConnectorRegistry().source(feed)
    assert source is not None
    source.start()
    eventually(lambda: "finished" in feed.states)
    source.stop()
    return feed


def test_new_objects_are_taken_in_order_and_once(bucket: tuple[Any, dict[str, str]]) -> None:
    store, given = bucket
    properties = {"connector": "s3", "match_pattern": "in/*.ndjson*", "encode": "JSON", **given}
    obstore.put(store, "in/b.ndjson.gz", gzip.compress(b'{"n":2}\n') + gzip.compress(b'{"n":3}\n'))
    obstore.put(store, "in/a.ndjson", b'{"n":1}\n{"n":9}')
    zstd: Any = pa.compress(b'{"n":4}\n', "zstd", asbytes=True)
    obstore.put(store, "in/c.ndjson.zst", zstd)
    obstore.put(store, "in/d.txt", b"no")
    obstore.put(store, "out/e.ndjson", b"no")
    feed = taken(properties)
    assert feed.payload() == b'{"n":1}\n{"n":9}{"n":2}\n{"n":3}\n{"n":4}\n'
    assert feed.offsets() == {
        "in/a.ndjson": "15.", "in/b.ndjson.gz": "16.", "in/c.ndjson.zst": "8.",
    }  # fmt: skip
    obstore.put(store, "in/a.ndjson", b'{"n":1}\n{"n":9}\n{"n":10}\n')
    obstore.put(store, "in/aa.ndjson", b'{"n":5}\n')
    again = taken(properties, dict(feed.offsets()))
    assert again.payload() == b'{"n":5}\n'


def test_documents_of_head_ends_are_objects(
    bucket: tuple[Any, dict[str, str]], tmp_path: Path
) -> None:
    store, given = bucket
    engine = Engine(tmp_path, SystemClock())
    for one in ONE_OF_EACH:
        obstore.put(store, f"{one.source}/{one.name}.gz", gzip.compress(one.payload()))
        properties = {"connector": "s3", "match_pattern": f"{one.source}/*", **given}
        engine.run(one.definition(properties))
    for one in ONE_OF_EACH:
        one.arrives(engine)
    engine.close()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_restart_goes_on_within_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    monkeypatch.setattr("voltstream.connectors.whole_files.BATCH_BYTES", 30)
    monkeypatch.setattr("voltstream.connectors.whole_files._PIECE", 4)
    lines = [f'{n},"a\n{n}"\n'.encode() for n in range(20)]
    content = b"n,text\n" + b"".join(lines)
    name = "rows.csv.gz" if compressed else "rows.csv"
    (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    properties = {"connector": "posix_fs", "posix_fs.root": str(tmp_path), "encode": "CSV"}
    whole = taken(properties)
    assert len(whole.batches) > 5
    bodies = [bytes(batch.payload).removeprefix(b"n,text\n") for batch in whole.batches]
    assert b"".join(bodies) == b"".join(lines)
    assert all(bytes(batch.payload).startswith(b"n,text\n") for batch in whole.batches)
    rest = taken(properties, dict(whole.batches[2].offsets))
    assert [bytes(batch.payload) for batch in rest.batches] == [
        bytes(batch.payload) for batch in whole.batches[3:]
    ]


def test_a_file_waits_for_its_marker(tmp_path: Path) -> None:
    for name in ("a.ndjson", "b.ndjson"):
        (tmp_path / name).write_bytes(b'{"of": "%s"}\n' % name.encode())
    (tmp_path / "b.ndjson.done").touch()
    for properties in (
        {"connector": "posix_fs", "posix_fs.root": str(tmp_path), "match_pattern": "*.ndjson*"},
        {"connector": "file", "path": f"{tmp_path}/*.ndjson"},
    ):
        feed = taken({**properties, "done.suffix": ".done"})
        assert feed.payload() == b'{"of": "b.ndjson"}\n'


def test_compressed_files_are_followed_as_files_are(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(b'{"n":1}\n'))
    zstd: Any = pa.compress(b"n\n2\n", "zstd", asbytes=True)
    (tmp_path / "b.csv.zst").write_bytes(zstd)
    feed = taken({"connector": "file", "path": f"{tmp_path}/*"})
    assert [(b.encoding, bytes(b.payload)) for b in feed.batches] == [
        ("ndjson", b'{"n":1}\n'), ("csv", b"n\n2\n"),
    ]  # fmt: skip


def test_a_torn_file_is_named_and_mended(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"n":1}\n')
    (tmp_path / "a.ndjson.gz").write_bytes(whole[:-9])
    feed = MemoryFeed({"connector": "posix_fs", "posix_fs.root": str(tmp_path),
                       "follow": "false"}, {})  # fmt: skip
    source = ConnectorRegistry().source(feed)
    assert source is not None
    source.start()
    eventually(lambda: "disconnected" in feed.states)
    (tmp_path / "a.ndjson.gz").write_bytes(whole)
    eventually(lambda: "finished" in feed.states)
    source.stop()
    assert feed.payload() == b'{"n":1}\n'


def test_parquet_of_a_bucket_is_rows(bucket: tuple[Any, dict[str, str]]) -> None:
    store, given = bucket
    out = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(10))}), out, row_group_size=4)
    obstore.put(store, "rows.parquet", out.getvalue())
    properties = {"connector": "s3", "encode": "PARQUET", **given}
    feed = taken(properties)
    assert [batch.table.num_rows for batch in feed.batches if batch.table is not None] == [4, 4, 2]
    rest = taken(properties, {"rows.parquet": "6"})
    found = [n for b in rest.batches if b.table is not None for n in b.table["n"].to_pylist()]
    assert found == [6, 7, 8, 9]


def test_a_source_says_what_it_lacks() -> None:
    for wrong, told in (
        ({"connector": "s3"}, r"s3\.bucket_name"),
        ({"connector": "gcs"}, r"gcs\.bucket_name"),
        ({"connector": "azblob"}, r"azblob\.container_name"),
        ({"connector": "posix_fs", "posix_fs.root": "/", "compression_format": "rar"}, "rar"),
    ):
        with pytest.raises(InvalidParameter, match=told):
            ConnectorRegistry().source(MemoryFeed(wrong, {}))


SHAPE = SinkShape((Column("n", "BIGINT"), Column("kwh", "DECIMAL(20,3)"),
                   Column("at", "TIMESTAMP WITH TIME ZONE")), encode="PARQUET")  # fmt: skip


def records(first: int, last: int) -> list[SinkRecord]:
    return [
        SinkRecord(n // 4, n % 4, None, b'{"n":%d,"kwh":%d.125,"at":"2026-01-01T00:00:00Z"}'
                   % (n, n)) for n in range(first, last)
    ]  # fmt: skip


def test_whoever_comes_back_writes_nothing_twice(bucket: tuple[Any, dict[str, str]]) -> None:
    store, given = bucket
    properties = {"connector": "s3", "s3.path": "out/rows", "sink.identity": "me", **given}
    sink = ConnectorRegistry().sink("k", properties, SHAPE)
    sink.deliver(records(0, 6))
    other = ConnectorRegistry().sink("k", {**properties, "sink.identity": "you"}, SHAPE)
    other.deliver(records(0, 9))
    again = ConnectorRegistry().sink("k", properties, SHAPE)  # Its batch is cut otherwise.
    again.deliver(records(0, 10))
    again.deliver(records(10, 12))
    mine = sorted(
        one["path"] for page in obstore.list(store, "out/rows") for one in page
        if "-me." in one["path"]
    )  # fmt: skip
    assert len(mine) == 3
    tables = [pq.read_table(io.BytesIO(bytes(obstore.get(store, name).bytes()))) for name in mine]
    whole = pa.concat_tables(tables)
    assert whole["n"].to_pylist() == list(range(12))
    assert whole["kwh"][11].as_py() == Decimal("11.125")
    assert whole["at"][0].as_py() == datetime(2026, 1, 1, tzinfo=UTC)


def test_rows_gather_before_they_are_a_file(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    out = tmp_path / "out"
    given = f"connector = 'fs', fs.path = '{out}', max_row_count = 3, rollover_seconds = 0.6"
    try:
        engine.run("CREATE TABLE t (id INT, v TEXT)")
        engine.run(f"CREATE SINK k FROM t WITH ({given}) FORMAT PLAIN ENCODE CSV")
        with pytest.raises(FeatureNotSupported, match="cannot write FORMAT UPSERT ENCODE CSV"):
            engine.run(f"CREATE SINK u FROM t WITH ({given}, primary_key = 'id') "
                       "FORMAT UPSERT ENCODE CSV")  # fmt: skip
        for n in range(4):
            engine.run(f"INSERT INTO t VALUES ({n}, 'a,\"{n}')")
        eventually(lambda: len(list(out.glob("*.csv"))) == 2)
    finally:
        engine.close()
    texts = [file.read_text() for file in sorted(out.glob("*.csv"))]
    assert texts == [
        'id,v\n0,"a,""0"\n1,"a,""1"\n2,"a,""2"\n', 'id,v\n3,"a,""3"\n',
    ]  # fmt: skip


WORKER = """
import os, signal, sys, time
from pathlib import Path
from tests.driver import Engine
from voltstream.connectors.object_places import Directory
from voltstream.core.clock import SystemClock
folder, first, step = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
put = Directory.put
def dying(self, name, content):
    if step == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, name, content)
    if step == "after":
        os.kill(os.getpid(), signal.SIGKILL)
Directory.put = dying
engine = Engine(folder / "data", SystemClock())
engine.run("CREATE TABLE IF NOT EXISTS t (n INT)")
engine.run(f"CREATE SINK IF NOT EXISTS k FROM t WITH (connector = 'fs', fs.path = "
           f"'{folder / 'out'}', rollover_seconds = 0.1, max_row_count = 7) "
           "FORMAT PLAIN ENCODE PARQUET")
engine.run(f"INSERT INTO t SELECT * FROM generate_series({first}, {first + 9})")
while engine.run("SELECT pending FROM rw_sinks") != [(0,)]:
    time.sleep(0.05)
engine.close()
"""


def test_a_killed_server_writes_each_row_once(tmp_path: Path) -> None:
    for round_, step in enumerate(("before", "after", "none")):
        arguments = [sys.executable, "-c", WORKER, str(tmp_path), str(round_ * 10), step]
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            arguments, check=False, capture_output=True, text=True, timeout=60, env=paths
        )
        assert done.returncode == (0 if step == "none" else -signal.SIGKILL), done.stderr
    found = [pq.read_table(file) for file in (tmp_path / "out").glob("*.parquet")]
    numbers = pa.concat_tables(found).sort_by("n")["n"]
    assert numbers.to_pylist() == list(range(30))
