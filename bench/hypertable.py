"""Years of readings: ingest while chunks are compressed, bytes a row, and four questions.

With ``--data DIR`` the rows are kept there: a run goes on where another ended, and what is there
already is only asked.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from pyarrow import csv

from bench.meter_rows import (
    CONNECTORS,
    DAILY,
    DDL,
    RECORDS,
    START,
    STEP_S,
    feed,
    instant_of,
    questions,
    records,
)
from bench.postgresql import Postgresql, tool
from bench.processes import rss_mb
from bench.suite import Options, Report, Row
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.ports import Session
from voltstream.runtime import tables
from voltstream.runtime.engine import Engine
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.database import Connection

ROWS = 20_000_000
PEER_ROWS = {"duckdb": 20_000_000, "postgresql": 2_000_000}  # What others take of many rows.
MEMORY_MB = 1024  # What Voltstream's store may hold: the aim is a process of 2 GB.
PROGRESS_S = 30


def median_ms(ask: Callable[[], object]) -> tuple[float, float]:
    """Return the median of nine warm runs: by the clock, and of this process's CPU."""
    ask()
    taken, used = [], []
    for _ in range(9):
        started, before_s = time.perf_counter(), time.process_time()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
        used.append((time.process_time() - before_s) * 1000)
    return statistics.median(taken), statistics.median(used)


def _timed(found: Row, name: str, ask: Callable[[], object], *, here: bool = True) -> None:
    """Note what a question takes; ``here``: it is answered in this process."""
    found[f"{name} ms"], used_ms = median_ms(ask)
    if here:
        found[f"{name} CPU"] = used_ms


def voltstream(folder: Path, rows: int) -> Row:
    """Take rows in until there are so many, and ask. Law: what ``folder`` has already is kept."""
    clock = ManualClock()
    clock.set(START)
    options = EngineOptions(memory_mb=MEMORY_MB)
    instance = Instance(folder, options, clock, ConnectorRegistry(None))
    instance.start()
    try:
        session = instance.open(database="volt", user="volt", options={})
        engine = instance.engine("volt")
        if engine.catalog.get(None, "meter_values") is None:
            _run(session, f"{DDL} WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day', "
                          "tsdb.segmentby = 'charger_id, connector_id')")  # fmt: skip
            _run(session, "SELECT alter_job(1000, schedule_interval => INTERVAL '1 second', "
                          "config => '{\"compress_after\": \"1 hour\"}')")  # fmt: skip
        made = _value(session, "SELECT count(*) FROM meter_values")
        clock.set(instant_of(made))
        found: Row = {"store": "Voltstream", "rows": made}
        if made < rows:
            found |= _taken_in(engine, clock, made, rows)
        else:
            engine.jobs.run_due()  # What was cut off may have left a day to compress.
        found |= _asked(session, engine.reader(), instant_of(int(found["rows"] or 0)))
        session.close()
    finally:
        instance.stop()
    found["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _taken_in(engine: Engine, clock: ManualClock, made: int, rows: int) -> Row:
    """Ingest the rows that are missing while whole days are compressed."""
    entry = engine.catalog.get(None, "meter_values")
    assert entry is not None
    count, seconds, cpu_s, told = made, 0.0, 0.0, time.monotonic()
    for batch in feed(rows, made):
        clock.set(instant_of(count))
        started, used_s = time.perf_counter(), time.process_time()
        engine.loop.run_statement(
            lambda epoch, one=batch: tables.keep_arrived(epoch, entry, one)  # type: ignore[misc]
        ).result()
        seconds += time.perf_counter() - started
        cpu_s += time.process_time() - used_s
        count += batch.num_rows
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            print(f"{count:,} rows, {(count - made) / seconds:,.0f} rows/s, "
                  f"{rss_mb(os.getpid()):,.0f} MB", file=sys.stderr, flush=True)  # fmt: skip
    clock.set(instant_of(count))
    used_s = time.process_time()
    engine.jobs.run_due()  # The last whole day; what came since is hot.
    cpu_s += time.process_time() - used_s
    came = count - made
    return {
        "rows": count,
        "ingest rows/s": round(came / seconds),
        "CPU s per 1M": cpu_s / came * 1e6,
    }


def _asked(session: Session, reader: Connection, end: datetime) -> Row:
    """Ask the questions of a server whose rows are in."""
    view = "MATERIALIZED VIEW IF NOT EXISTS daily WITH (timescaledb.continuous)"
    started = time.perf_counter()
    _run(session, f"CREATE {view} AS {DAILY}")
    found: Row = {"view s": time.perf_counter() - started}
    _run(session, f"DROP TABLE IF EXISTS records; {RECORDS}; {records(end)}")
    files = reader.rows("SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM _vs.parts")
    reader.close()
    compressed, size = int(files[0][0]), int(files[0][1])
    found["compressed rows"] = compressed
    found["bytes/row"] = size / compressed if compressed else None
    for name, text in questions(end).items():
        _timed(found, name, lambda text=text: _run(session, text))  # type: ignore[misc]
    month = f"SELECT * FROM daily WHERE day >= TIMESTAMPTZ '{end - timedelta(days=30)}'"
    _timed(found, "daily energy", lambda: _run(session, month))
    return found


def _value(session: Session, text: str) -> int:
    (statement,) = session.parse(text)
    outcome = session.execute(statement)
    assert outcome.rows is not None
    (batch,) = outcome.rows.batches()
    outcome.rows.close()
    return int(batch.column(0)[0].as_py())


def _run(session: Session, text: str) -> int:
    rows = 0
    for statement in session.parse(text):
        outcome = session.execute(statement)
        if outcome.rows is not None:
            rows = sum(batch.num_rows for batch in outcome.rows.batches())
            outcome.rows.close()
    return rows


def plain_duckdb(folder: Path, rows: int) -> Row:
    path = folder / "plain.duckdb"
    count, seconds = 0, 0.0
    with duckdb.connect(str(path), config={"threads": 2}) as store:
        store.execute(f"SET TimeZone = 'UTC'; {DDL}")
        cpu_s = 0.0
        for batch in feed(min(rows, PEER_ROWS["duckdb"])):
            started, used_s = time.perf_counter(), time.process_time()
            store.register("batch", batch)
            store.execute("INSERT INTO meter_values SELECT * FROM batch")
            seconds += time.perf_counter() - started
            cpu_s += time.process_time() - used_s
            count += batch.num_rows
        store.execute("CHECKPOINT")
        end = instant_of(count)
        store.execute(f"{RECORDS}; {records(end)}")
        found: Row = {
            "store": "DuckDB, plain", "rows": count, "ingest rows/s": round(count / seconds),
            "CPU s per 1M": cpu_s / count * 1e6,
        }  # fmt: skip
        found["bytes/row"] = path.stat().st_size / count
        for name, text in {**questions(end), "daily energy": DAILY}.items():
            _timed(found, name, lambda text=text: store.sql(text).to_arrow_table())  # type: ignore[misc]
    return found


def _fetched(session: psycopg.Connection[Any], text: str) -> object:
    return session.execute(text.encode()).fetchall()


def postgresql(folder: Path, rows: int) -> Row:
    count, seconds = 0, 0.0
    with Postgresql(folder) as server, psycopg.connect(server.address, autocommit=True) as session:
        session.execute(DDL)
        session.execute("CREATE INDEX ON meter_values (charger_id, connector_id, time)")
        for batch in feed(min(rows, PEER_ROWS["postgresql"])):
            sink = pa.BufferOutputStream()
            csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
            content = sink.getvalue().to_pybytes()
            started = time.perf_counter()
            with session.cursor().copy("COPY meter_values FROM STDIN (FORMAT csv)") as copy:
                copy.write(content)
            seconds += time.perf_counter() - started
            count += batch.num_rows
        session.execute("ANALYZE meter_values")
        end = instant_of(count)
        session.execute(RECORDS.encode())
        session.execute(records(end).encode())
        size = session.execute("SELECT pg_total_relation_size('meter_values')").fetchone()
        found: Row = {"store": "PostgreSQL, indexed", "rows": count,
                      "ingest rows/s": round(count / seconds)}  # fmt: skip
        found["bytes/row"] = float(size[0]) / count if size else None
        daily = DAILY.replace("time_bucket('1 day', time)", "date_trunc('day', time)")
        for name, text in {**questions(end), "daily energy": daily}.items():
            ask = partial(_fetched, session, text)
            _timed(found, name, ask, here=False)
    return found


def bench(options: Options) -> Report:
    rows = options.rows or ROWS
    told = f"{rows:,} meter rows, {CONNECTORS} connectors, five measurands every {STEP_S} s"
    report = Report(
        "hypertable",
        f"{told}; medians of nine warm questions, by the clock and of CPU ms",
        bar="bytes/row",
    )
    contenders: dict[str, Callable[[Path, int], Row]] = {
        "voltstream": voltstream, "duckdb": plain_duckdb, "postgresql": postgresql,
    }  # fmt: skip
    for name, contender in contenders.items():
        if options.only and name not in options.only:
            continue
        if name == "postgresql" and tool("initdb") is None:
            report.notes.append("PostgreSQL is not installed")
            continue
        if name == "voltstream" and options.data is not None:
            report.rows.append(contender(options.data, rows))
            continue
        with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder:
            report.rows.append(contender(Path(folder), rows))
    report.notes.append(
        f"DuckDB takes at most {PEER_ROWS['duckdb']:,} rows, PostgreSQL {PEER_ROWS['postgresql']:,}"
        ". Daily energy is a month of the continuous aggregate in Voltstream, of all readings in "
        f"the others. Voltstream's store may hold {MEMORY_MB} MiB; its peak includes making rows. "
        "Records are the charge detail records of a day, joined to their meter rows."
    )
    return report
