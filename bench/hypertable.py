"""Years of readings: ingest while chunks are compressed, bytes a row, and four questions.

Rows are those of chargers with two connectors and five measurands every ten seconds: registers in
Wh, power in W, current and voltage with one decimal, times with jitter.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg
import pyarrow as pa
from pyarrow import csv

from bench.postgresql import Postgresql, tool
from bench.suite import Options, Report, Row
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.ports import Session
from voltstream.runtime import tables
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.database import Connection

ROWS = 20_000_000
PEER_ROWS = {"duckdb": 20_000_000, "postgresql": 2_000_000}  # What others take of many rows.
MEMORY_MB = 1024  # What Voltstream's store may hold: the aim is a process of 2 GB.
CONNECTORS = 200
STEP_S = 10
BATCH_STEPS = 120
START = datetime(2026, 1, 1, tzinfo=UTC)
MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage",
              "SoC")  # fmt: skip
UNITS = ("Wh", "W", "A", "V", "Percent")
ROWS_A_STEP = CONNECTORS * len(MEASURANDS)
DDL = (
    "CREATE TABLE meter_values (time TIMESTAMPTZ NOT NULL, charger_id TEXT NOT NULL, "
    "connector_id INTEGER NOT NULL, measurand TEXT NOT NULL, value DOUBLE PRECISION, unit TEXT)"
)


def feed(rows: int) -> Iterator[pa.Table]:
    """Yield batches in the order of time. Law: a seed makes the same rows again."""
    chance = np.random.default_rng(7)
    register = chance.integers(10_000, 90_000_000, CONNECTORS).astype(np.float64)
    level = chance.uniform(3_600, 22_000, CONNECTORS)
    chargers = pa.array([f"CP-{c // 2:05}" for c in range(CONNECTORS)]).dictionary_encode()
    for first in range(0, rows // ROWS_A_STEP, BATCH_STEPS):
        values = np.empty((BATCH_STEPS, CONNECTORS, len(MEASURANDS)))
        for step in range(BATCH_STEPS):
            level = np.clip(level * chance.lognormal(0, 0.01, CONNECTORS), 1_400, 22_000)
            power = np.round(level)
            register += np.round(power * STEP_S / 3600)
            volts = np.round(chance.normal(230, 1.5, CONNECTORS), 1)
            charge = np.minimum(100, (first + step) // 90 % 101)
            values[step] = np.stack(
                [register, power, np.round(power / volts, 1), volts,
                 np.full(CONNECTORS, charge)], axis=1
            )  # fmt: skip
        steps = first + np.arange(BATCH_STEPS)
        jitter = chance.integers(0, 900, (BATCH_STEPS, CONNECTORS))
        at_ms = int(START.timestamp() * 1000) + steps[:, None] * STEP_S * 1000 + jitter
        yield _table(at_ms, values, chargers)


def _table(at_ms: np.ndarray, values: np.ndarray, chargers: Any) -> pa.Table:
    wide = len(MEASURANDS)
    connectors = np.tile(np.repeat(np.arange(CONNECTORS), wide), BATCH_STEPS)
    kinds = pa.array(np.tile(np.arange(wide), BATCH_STEPS * CONNECTORS), pa.int32())
    return pa.table(
        {
            "time": pa.array(np.repeat(at_ms.ravel(), wide) * 1000, pa.timestamp("us", "UTC")),
            "charger_id": chargers.take(pa.array(connectors, pa.int64())).cast(pa.string()),
            "connector_id": pa.array((connectors % 2 + 1).astype(np.int32)),
            "measurand": pa.DictionaryArray.from_arrays(kinds, list(MEASURANDS)).cast(pa.string()),
            "value": pa.array(values.ravel()),
            "unit": pa.DictionaryArray.from_arrays(kinds, list(UNITS)).cast(pa.string()),
        }
    )


RECORDS = (
    "CREATE TABLE records (id BIGINT, charger_id TEXT, connector_id INTEGER, "
    "started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ)"
)
SESSIONS_A_DAY = 6  # Of a connector, an hour each, every four hours.


def records(end: datetime) -> str:
    """Return the statement that fills ``records`` with the sessions of the last day."""
    day = last_day(end)
    rows = [
        f"({connector * SESSIONS_A_DAY + n}, 'CP-{connector // 2:05}', {connector % 2 + 1}, "
        f"'{day + timedelta(hours=4 * n)}', '{day + timedelta(hours=4 * n + 1)}')"
        for connector in range(CONNECTORS)
        for n in range(SESSIONS_A_DAY)
    ]
    return f"INSERT INTO records VALUES {', '.join(rows)}"


def last_day(end: datetime) -> datetime:
    """Return the last day that is whole, or the first there is."""
    return max(START, end.replace(hour=0, minute=0, second=0) - timedelta(days=1))


def questions(end: datetime) -> dict[str, str]:
    where = "charger_id = 'CP-00042' AND connector_id = 1"
    power = f"SELECT time, value FROM meter_values WHERE {where} AND measurand = '{MEASURANDS[1]}'"
    day = last_day(end)
    hour = end - timedelta(hours=1)
    spelled = "TIMESTAMPTZ '{:%Y-%m-%d %H:%M:%S}+00'"
    from_day, to_day = spelled.format(day), spelled.format(day + timedelta(days=1))
    return {
        "last hour": f"SELECT * FROM meter_values WHERE {where} AND time >= "
        + spelled.format(hour),
        "day of power": f"{power} AND time >= {from_day} AND time < {to_day}",
        "records": "SELECT r.id, count(*), max(m.value) - min(m.value) FROM records r "
        "JOIN meter_values m ON m.charger_id = r.charger_id AND m.connector_id = r.connector_id "
        "AND m.time >= r.started_at AND m.time < r.ended_at "
        f"WHERE m.measurand = '{MEASURANDS[0]}' AND m.time >= {from_day} AND m.time < {to_day} "
        "GROUP BY r.id",
    }


DAILY = (
    "SELECT time_bucket('1 day', time) AS day, charger_id, connector_id, max(value) - min(value) "
    f"AS wh FROM meter_values WHERE measurand = '{MEASURANDS[0]}' "
    "GROUP BY day, charger_id, connector_id"
)


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
    clock = ManualClock()
    clock.set(START)
    options = EngineOptions(memory_mb=MEMORY_MB)
    instance = Instance(folder, options, clock, ConnectorRegistry(None))
    instance.start()
    try:
        session = instance.open(database="volt", user="volt", options={})
        _run(session, f"{DDL} WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day', "
                      "tsdb.segmentby = 'charger_id, connector_id')")  # fmt: skip
        _run(session, "SELECT alter_job(1000, schedule_interval => INTERVAL '1 second', "
                      "config => '{\"compress_after\": \"1 hour\"}')")  # fmt: skip
        engine = instance.engine("volt")
        entry = engine.catalog.get(None, "meter_values")
        assert entry is not None
        count, seconds, cpu_s = 0, 0.0, 0.0
        for batch in feed(rows):
            clock.set(START + timedelta(seconds=count // ROWS_A_STEP * STEP_S))
            started, used_s = time.perf_counter(), time.process_time()
            engine.loop.run_statement(
                lambda epoch, one=batch: tables.keep_arrived(epoch, entry, one)  # type: ignore[misc]
            ).result()
            seconds += time.perf_counter() - started
            cpu_s += time.process_time() - used_s
            count += batch.num_rows
        end = START + timedelta(seconds=count // ROWS_A_STEP * STEP_S)
        clock.set(end)
        used_s = time.process_time()
        engine.jobs.run_due()  # The last whole day; what came since is hot.
        cpu_s += time.process_time() - used_s
        found: Row = {
            "store": "Voltstream", "rows": count, "ingest rows/s": round(count / seconds),
            "CPU s per 1M": cpu_s / count * 1e6,
        }  # fmt: skip
        found |= _asked(session, engine.reader(), end)
        session.close()
    finally:
        instance.stop()
    found["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return found


def _asked(session: Session, reader: Connection, end: datetime) -> Row:
    """Ask the questions of a server whose rows are in."""
    _run(session, f"CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS {DAILY}")
    _run(session, RECORDS)
    _run(session, records(end))
    files = reader.rows("SELECT coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM _vs.parts")
    reader.close()
    compressed, size = int(files[0][0]), int(files[0][1])
    found: Row = {
        "compressed rows": compressed,
        "bytes/row": size / compressed if compressed else None,
    }
    for name, text in questions(end).items():
        _timed(found, name, lambda text=text: _run(session, text))  # type: ignore[misc]
    month = f"SELECT * FROM daily WHERE day >= TIMESTAMPTZ '{end - timedelta(days=30)}'"
    _timed(found, "daily energy", lambda: _run(session, month))
    return found


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
        end = START + timedelta(seconds=count // ROWS_A_STEP * STEP_S)
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
        end = START + timedelta(seconds=count // ROWS_A_STEP * STEP_S)
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
        with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder:
            report.rows.append(contender(Path(folder), rows))
    report.notes.append(
        f"DuckDB takes at most {PEER_ROWS['duckdb']:,} rows, PostgreSQL {PEER_ROWS['postgresql']:,}"
        ". Daily energy is a month of the continuous aggregate in Voltstream, of all readings in "
        f"the others. Voltstream's store may hold {MEMORY_MB} MiB; its peak includes making rows. "
        "Records are the charge detail records of a day, joined to their meter rows."
    )
    return report
