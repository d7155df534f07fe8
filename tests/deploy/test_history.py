"""Chunks moved to PostgreSQL, to S3 as Parquet and to Iceberg: all of them, each once, proved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner, Result

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.given import postgresql
from tests.driver import Engine, bag
from voltstream.cli.app import app
from voltstream.cli.resting import resting
from voltstream.core.clock import SystemClock
from voltstream.core.errors import HistoryDiffers, StorageFault, TargetRefused
from voltstream.deploy import history_iceberg, history_rows
from voltstream.deploy.history import Fingerprint

DAYS, A_DAY = 6, 12_000
ROWS = DAYS * A_DAY
# Every type that a column may have, and values that are spelled in more than one way.
KINDS = """CREATE TABLE kinds (time TIMESTAMPTZ NOT NULL, id TEXT, v DOUBLE PRECISION,
n NUMERIC(12,3), m NUMERIC, b BOOLEAN, j JSONB, a INT[], s SMALLINT, x REAL, iv INTERVAL, u UUID,
by BYTEA, d DATE, ts TIMESTAMP, ti TIME, g BIGINT)
WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day')"""
FILLED = r"""INSERT INTO kinds
SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '6 hours 1 microsecond',
CASE n % 5 WHEN 0 THEN '' WHEN 1 THEN '\N' WHEN 2 THEN 'a "b",' || chr(10) || chr(9) || 'ü'
WHEN 3 THEN 'plain' END,
CASE n % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN n / 7.0 END::DOUBLE PRECISION,
n / 8.0, n / 3.0, n % 2 = 0, '{"b": 1, "a": [1, null]}', ARRAY[1, NULL, n], n, n / 7.0,
INTERVAL '1 mon 2 days 3 hours', '00000000-0000-0000-0000-0000000000ff', '\x00ff'::BYTEA,
DATE '2026-01-01' + n, TIMESTAMP '2026-01-01 00:00:00.5', TIME '12:30:00.25',
CASE WHEN n % 2 = 0 THEN n END FROM generate_series(0, 19) AS n"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose server has stopped; half of its chunks are files."""
    folder = tmp_path_factory.mktemp("history")
    engine = Engine(folder, SystemClock())
    engine.run(
        "CREATE TABLE reading (time TIMESTAMPTZ NOT NULL, id TEXT NOT NULL, v DOUBLE PRECISION) "
        "WITH (tsdb.hypertable, tsdb.segmentby = 'id', tsdb.chunk_interval = '1 day')"
    )
    engine.run(
        f"INSERT INTO reading SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + (n % {DAYS}) * "
        "INTERVAL '1 day' + n * INTERVAL '0.1 second', 'CP-' || n % 50, n / 7.0 "
        f"FROM generate_series(1, {ROWS}) AS n"
    )
    engine.run("SELECT compress_chunk(c) FROM show_chunks('reading', "
               "older_than => TIMESTAMPTZ '2026-01-04 00:00+00') AS c")  # fmt: skip
    engine.run(KINDS)
    engine.run(FILLED)
    engine.run("SELECT compress_chunk(c) FROM show_chunks('kinds', "
               "older_than => TIMESTAMPTZ '2026-01-04 00:00+00') AS c")  # fmt: skip
    engine.run("CREATE TABLE sites (id INT PRIMARY KEY, name TEXT)")
    engine.run("INSERT INTO sites VALUES (1, 'north'), (2, NULL)")
    engine.close()
    return folder


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[str]:
    """The same directory at rest, asked by several tests."""
    with resting(data) as url:
        yield url


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgresql() as server:
        yield server.url


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    import urllib3

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    urllib3.request("PUT", f"{endpoint}/lake", retries=False)
    yield {"AWS_ENDPOINT": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a",
           "AWS_SECRET_ACCESS_KEY": "b"}  # fmt: skip
    server.stop()


def moved(*arguments: str | Path) -> Result:
    found = CliRunner().invoke(app, ["history", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def asked(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET TimeZone TO 'UTC'")
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description is not None else []


def written(folder: Path, *statements: str) -> None:
    """A server has the directory for a while, and writes."""
    engine = Engine(folder, SystemClock())
    for statement in statements:
        engine.run(statement)
    engine.close()


@pytest.fixture
def hot(tmp_path: Path) -> Path:
    """A directory with a chunk that is a file, and one that still grows."""
    folder = tmp_path / "hot"
    written(
        folder,
        "CREATE TABLE hot (time TIMESTAMPTZ NOT NULL, v INT) "
        "WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day')",
        "INSERT INTO hot SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '5 hours', n "
        "FROM generate_series(0, 8) AS n",
        "SELECT compress_chunk(c) FROM show_chunks('hot', "
        "older_than => TIMESTAMPTZ '2026-01-02 00:00+00') AS c",
    )
    return folder


def test_a_copy_that_was_killed_goes_on_and_every_row_is_there_once(
    data: Path, postgres: str
) -> None:
    command = [sys.executable, "-m", "voltstream", "history", "copy", "reading", "--to", postgres]
    killed = subprocess.Popen([*command, "--data", str(data)], stderr=subprocess.DEVNULL)
    known = "SELECT count(*), coalesce(sum(rows), 0) FROM voltstream_history"
    there = "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'COPY%' AND state = 'active'"
    eventually(lambda: asked(postgres, "SELECT to_regclass('voltstream_history')") != [(None,)], 60)
    end_s = time.monotonic() + 60
    while asked(postgres, known)[0][0] < 2 or asked(postgres, there) == [(0,)]:
        assert time.monotonic() < end_s
        assert killed.poll() is None, "it ended before it was killed"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    eventually(lambda: asked(postgres, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
               == [(0,)], 30)  # fmt: skip
    (parts, rows) = asked(postgres, known)[0]
    assert 2 <= parts < DAYS
    assert asked(postgres, "SELECT count(*) FROM reading") == [(rows,)]  # Whole parts only.
    done = moved("copy", "reading", "--to", postgres, "--data", data)
    assert done.stderr.count(" there") == parts
    assert done.stderr.count(" copied") == DAYS - parts
    assert done.stdout == f"public.reading: {DAYS} parts, {ROWS:,} rows\n"
    assert asked(postgres, "SELECT count(*), count(DISTINCT time) FROM reading") == [(ROWS, ROWS)]
    assert moved("verify", "reading", "--to", postgres, "--data", data).exit_code == 0


def test_every_type_arrives_as_it_was_and_what_differs_is_told_and_mended(
    data: Path, server: str, postgres: str
) -> None:
    assert moved("copy", "kinds", "sites", "--to", postgres, "--url", server).exit_code == 0
    shown = "SELECT id, v::text, n, m, b, j::text, a, s, x::text, u::text, d, ts, g FROM kinds"
    assert bag(asked(postgres, shown)) == bag(asked(server, shown))
    assert asked(postgres, "SELECT * FROM sites ORDER BY id") == [(1, "north"), (2, None)]
    with pytest.raises(StorageFault, match="in use by another process"):
        moved("verify", "kinds", "--to", postgres, "--data", data)
    assert moved("verify", "kinds", "--to", postgres, "--url", server).exit_code == 0
    asked(postgres, "UPDATE kinds SET g = g + 1 WHERE time = '2026-01-02 00:00:00.000004+00'")
    found = moved("verify", "kinds", "--to", postgres, "--url", server)
    assert found.exit_code == 1
    assert "2026-01-02 00:00:00+00 to 2026-01-03 00:00:00+00: differs" in found.stdout
    # What is remembered and as it was read is there; --replace looks at the target too.
    assert moved("copy", "kinds", "--to", postgres, "--url", server).stderr.count(" there") == 5
    asked(postgres, "DELETE FROM kinds WHERE time >= '2026-01-04' AND time < '2026-01-05'")
    mended = moved("copy", "kinds", "--replace", "--to", postgres, "--url", server)
    assert (mended.stderr.count(" copied"), mended.stderr.count(" there")) == (2, 3)
    assert moved("verify", "kinds", "--to", postgres, "--url", server).exit_code == 0
    asked(postgres, "DELETE FROM voltstream_history WHERE part LIKE '2026-01-02%'")
    with pytest.raises(TargetRefused, match="no copy remembers"):
        moved("copy", "kinds", "--to", postgres, "--url", server)
    mended = moved("copy", "kinds", "--replace", "--to", postgres, "--url", server)
    assert mended.stderr.count(" copied") == 1
    assert moved("verify", "kinds", "--to", postgres, "--url", server).exit_code == 0


@pytest.mark.parametrize("place", ["postgres", "parquet", "iceberg"])
def test_a_chunk_that_grew_after_it_was_moved_is_told_and_moved_anew_when_asked(
    place: str, hot: Path, tmp_path: Path, postgres: str
) -> None:
    to: tuple[str, ...] = ("--to", str(tmp_path / "lake"))
    if place == "iceberg":
        pytest.importorskip("pyiceberg.catalog", reason="pyiceberg is not installed")
        to = (*to, "--format", "iceberg")
    verb, to = ("copy", ("--to", postgres)) if place == "postgres" else ("export", to)
    first = moved(verb, *to, "--data", hot)
    assert (first.exit_code, first.stderr.count(" copied")) == (0, 2)
    written(hot, "INSERT INTO hot VALUES ('2026-01-02 23:00+00', 99)")
    again = moved(verb, *to, "--data", hot)
    assert again.exit_code == 1
    assert "2026-01-02 00:00:00+00 to 2026-01-03 00:00:00+00: differs" in again.stdout
    assert "--replace" in again.stderr
    assert again.stderr.count(" there") == 1
    anew = moved(verb, "--replace", *to, "--data", hot)
    assert anew.exit_code == 0
    assert (anew.stderr.count(" there"), anew.stderr.count(" copied")) == (1, 1)
    verified = moved("verify", *to, "--data", hot)
    assert (verified.exit_code, verified.stdout) == (0, "public.hot: 2 parts, 10 rows\n")
    assert moved(verb, *to, "--data", hot).exit_code == 0


def test_files_of_a_part_that_became_smaller_are_gone_and_a_kill_leaves_no_note(
    hot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voltstream.store.remote import Remote

    monkeypatch.setattr(history_rows, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(history_rows, "HISTORY_FILE_ROWS_MAX", 1)
    to = ("--to", tmp_path / "lake", "--data", hot)
    assert moved("export", *to).exit_code == 0
    folder = tmp_path / "lake" / "public.hot" / "2026-01-02T000000+00"
    assert len(list(folder.iterdir())) == 4
    written(hot, "DELETE FROM hot WHERE v > 6")
    delete, deleted = Remote.delete, list[str]()

    def dying(self: Remote, key: str) -> None:
        if deleted:  # After the note: two files that are too many are still there.
            raise KeyboardInterrupt
        deleted.append(key)
        delete(self, key)

    monkeypatch.setattr(Remote, "delete", dying)
    assert moved("export", "--replace", *to).exit_code != 0
    monkeypatch.setattr(Remote, "delete", delete)
    again = moved("export", *to)
    assert (again.exit_code, again.stderr.count(" copied")) == (0, 1)
    assert pq.read_table(folder).column("v").to_pylist() == [5, 6]
    assert len(list(folder.iterdir())) == 2
    (folder / "part-00001.parquet").unlink()
    assert moved("verify", *to).exit_code == 1
    assert moved("export", "--replace", *to).stderr.count(" copied") == 1
    assert moved("verify", *to).exit_code == 0


def test_parquet_in_a_bucket_is_whole_and_damage_is_found(
    server: str, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from voltstream.store.remote import Remote

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    to = ("--to", "s3://lake/fleet", "--url", server)
    write, written = Remote.write, []

    def dying(self: Remote, key: str, content: bytes) -> None:
        written.append(key)
        if len(written) == 4:  # The second part's note: its file is there, nobody knows.
            raise KeyboardInterrupt
        write(self, key, content)

    monkeypatch.setattr(Remote, "write", dying)
    assert moved("export", "kinds", *to).exit_code != 0
    monkeypatch.setattr(Remote, "write", write)
    again = moved("export", "kinds", *to)
    assert again.stderr.count(" there") == 1
    assert moved("verify", "kinds", *to).exit_code == 0
    remote = Remote("s3://lake/fleet")
    name = "public.kinds/2026-01-01T000000+00/part-00000.parquet"
    import io

    table = pq.read_table(io.BytesIO(remote.read(name)))
    assert table.column("id").to_pylist() == ["", "\\N", 'a "b",\n\tü', "plain"]
    assert [str(one) for one in table.schema.types[:6]] == [
        "timestamp[us, tz=UTC]", "string", "double", "decimal128(12, 3)", "decimal128(38, 10)",
        "bool",
    ]  # fmt: skip
    remote.write(name, remote.read(name)[:-1] + b"x")
    found = moved("verify", "kinds", *to)
    assert found.exit_code == 1
    assert "2026-01-01 00:00:00+00 to 2026-01-02 00:00:00+00: differs" in found.stdout
    assert moved("export", "kinds", "--replace", *to).stderr.count(" copied") == 1
    assert moved("verify", "kinds", *to).exit_code == 0


def test_iceberg_has_each_part_once(server: str, tmp_path: Path) -> None:
    pyiceberg = pytest.importorskip("pyiceberg.catalog", reason="pyiceberg is not installed")
    to = ("--format", "iceberg", "--to", tmp_path, "--url", server)
    first, second = (moved("export", "kinds", *to) for _ in range(2))
    assert (first.stderr.count(" copied"), second.stderr.count(" there")) == (5, 5)
    assert moved("verify", "kinds", *to).exit_code == 0
    options = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db"}
    catalog = pyiceberg.load_catalog("voltstream", **options)
    table = catalog.load_table("public.kinds")
    rows = table.scan().to_arrow()
    assert rows.num_rows == 20
    assert len(set(rows.column("time").to_pylist())) == 20
    table.delete("id = 'plain'")
    found = moved("verify", "kinds", *to)
    assert found.exit_code == 1
    assert found.stdout.count("differs") == 4
    mended = moved("export", "kinds", "--replace", *to)
    assert (mended.stderr.count(" copied"), mended.stderr.count(" there")) == (4, 1)
    assert moved("verify", "kinds", *to).exit_code == 0


def test_iceberg_counts_no_part_for_there_that_was_not_read_back_equal(
    hot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyiceberg = pytest.importorskip("pyiceberg.catalog", reason="pyiceberg is not installed")
    to = ("--format", "iceberg", "--to", tmp_path / "lake", "--data", hot)
    with monkeypatch.context() as patched:
        patched.setattr(history_iceberg, "_found", lambda *_: Fingerprint())
        for _ in range(2):
            with pytest.raises(HistoryDiffers, match="2026-01-01"):
                moved("export", *to)
    assert moved("export", *to).stderr.count(" copied") == 2
    assert moved("verify", *to).exit_code == 0
    options = {"type": "sql", "uri": f"sqlite:///{tmp_path}/lake/catalog.db"}
    table = pyiceberg.load_catalog("voltstream", **options).load_table("public.hot")
    assert sorted(table.scan().to_arrow().column("v").to_pylist()) == list(range(9))
    # Rows of others stay, and nothing is put beside them, until --replace says so.
    table.append(table.scan(limit=1).to_arrow())
    with table.transaction() as transaction:
        noted = [name for name in table.properties if name.startswith("voltstream.history.")]
        transaction.remove_properties(*noted)
    with pytest.raises(TargetRefused, match="no export remembers"):
        moved("export", *to)
    assert table.refresh().scan().to_arrow().num_rows == 10
    assert moved("export", "--replace", *to).stderr.count(" copied") == 2
    assert moved("verify", *to).exit_code == 0


def test_iceberg_in_a_bucket_goes_on_where_it_was_interrupted(
    server: str, s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyiceberg = pytest.importorskip("pyiceberg.catalog", reason="pyiceberg is not installed")
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    uri = f"sqlite:///{tmp_path}/catalog.db"
    to = ("--format", "iceberg", "--to", "s3://lake/house", "--catalog", f"uri={uri}",
          "--url", server)  # fmt: skip
    append, appended = history_iceberg._append, list[Any]()

    def dying(*arguments: Any) -> Fingerprint:
        if len(appended) == 2:  # Two parts are committed.
            raise KeyboardInterrupt
        appended.append(arguments)
        return append(*arguments)

    monkeypatch.setattr(history_iceberg, "_append", dying)
    assert moved("export", "kinds", *to).exit_code != 0
    monkeypatch.setattr(history_iceberg, "_append", append)
    again = moved("export", "kinds", *to)
    assert (again.stderr.count(" there"), again.stderr.count(" copied")) == (2, 3)
    assert moved("verify", "kinds", *to).exit_code == 0
    options = {"s3.endpoint": s3["AWS_ENDPOINT"], "s3.region": "us-east-1",
               "s3.access-key-id": "a", "s3.secret-access-key": "b"}  # fmt: skip
    catalog = pyiceberg.load_catalog("voltstream", type="sql", uri=uri, **options)
    table = catalog.load_table("public.kinds")
    assert table.location().startswith("s3://lake/house/")
    rows = table.scan(selected_fields=("time", "n")).to_arrow()
    assert bag(list(zip(*(one.to_pylist() for one in rows.columns), strict=True))) == bag(
        asked(server, "SELECT time, n FROM kinds")
    )


def test_a_fingerprint_knows_rows_and_how_often_and_no_order() -> None:
    def of(*rows: bytes) -> Fingerprint:
        found = Fingerprint()
        for row in rows:
            found.add(row)
        return found

    assert of(b"a", b"b", b"b") == of(b"b", b"a", b"b")
    assert of(b"a", b"b") != of(b"a", b"b", b"b")
    assert of(b"a", b"a") != of(b"b", b"b")
    assert of().hash == "0" * 32
