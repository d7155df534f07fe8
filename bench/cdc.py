"""Changes of a PostgreSQL table to a view over the table that follows it."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from bench.server import Server
from bench.suite import Options, Report, Row
from tests.connectors.real_postgres.server import NoServer
from tests.connectors.real_postgres.server import Server as Origin

ROWS = 500_000
KEYS = 100_000
_LOOK_S = 0.05
_UPDATED = (
    "UPDATE meters SET kwh = kwh + 1, turns = turns + 1 WHERE id >= {first} AND id < {first} + {n}"
)
_TRANSACTION_ROWS = 1_000
Session = psycopg.Connection[tuple[object, ...]]


def bench(options: Options) -> Report:
    changes = options.rows or ROWS
    report = Report(
        "cdc",
        f"{changes:,} updates of {KEYS:,} rows in transactions of {_TRANSACTION_ROWS:,}, made "
        "before they are followed; origin and server on the same cores; aim: 50,000 changes/s",
        bar="changes/s",
    )
    try:
        origin = Origin()
    except NoServer as reason:
        report.notes.append(str(reason))
        return report
    origin.start()
    report.bar = ""
    try:
        for case in ("one table", "shared"):
            if not options.only or case in options.only:
                runs = [_round(origin, changes, case) for _ in range(options.rounds)]
                report.rows += _told(case, runs)
    finally:
        origin.stop("immediate")
        origin.remove()
    return report


def _told(case: str, runs: list[Row]) -> list[Row]:
    rows: list[Row] = []
    for name in ("copied rows/s", "changes/s", "CPU s/M changes"):
        values = [float(str(run[name])) for run in runs]
        median, lowest, highest = statistics.median(values), min(values), max(values)
        rows.append(
            {
                "source": case,
                "what": name,
                "median": round(median, 2),
                "lowest": lowest,
                "highest": highest,
            }
        )
    return rows


def _definitions(case: str, port: int) -> tuple[str, str]:
    """Return what makes the table, and what its connector belongs to."""
    place = (
        f"hostname = '127.0.0.1', port = '{port}', username = 'volt', database.name = 'postgres'"
    )
    if case == "shared":
        return (
            f"CREATE SOURCE origin WITH (connector = 'postgres-cdc', {place}); "
            "CREATE TABLE meters (*) FROM origin TABLE 'public.meters'",
            "SOURCE origin",
        )
    return (
        "CREATE TABLE meters (id BIGINT PRIMARY KEY, feeder TEXT, kwh FLOAT8, turns INT) "
        f"WITH (connector = 'postgres-cdc', {place}, table.name = 'meters')",
        "TABLE meters",
    )


def _round(origin: Origin, changes: int, case: str) -> Row:
    definitions, reader = _definitions(case, origin.port)
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        origin.connect() as there,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as here,
    ):
        there.execute("DROP TABLE IF EXISTS meters")
        there.execute("CREATE TABLE meters (id BIGINT PRIMARY KEY, feeder TEXT, kwh FLOAT8, "
                      "turns INT)")  # fmt: skip
        there.execute(f"INSERT INTO meters SELECT i, 'f' || i % 700, i * 0.5, 0 "
                      f"FROM generate_series(0, {KEYS - 1}) i".encode())  # fmt: skip
        began_s = time.perf_counter()
        for definition in definitions.split("; "):
            here.execute(definition.encode())
        _wait(here, "SELECT count(*) FROM meters", KEYS)
        copied_s = time.perf_counter() - began_s
        here.execute(b"CREATE MATERIALIZED VIEW by_feeder AS SELECT feeder, sum(kwh) AS kwh, "
                     b"sum(turns)::BIGINT AS turns FROM meters GROUP BY feeder")  # fmt: skip
        here.execute(f"ALTER {reader} SET source_rate_limit TO 0".encode())
        first = 0
        for _ in range(0, changes, _TRANSACTION_ROWS):
            there.execute(_UPDATED.format(first=first, n=_TRANSACTION_ROWS).encode())
            first = (first + _TRANSACTION_ROWS) % KEYS
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        here.execute(f"ALTER {reader} SET source_rate_limit TO DEFAULT".encode())
        _wait(here, "SELECT sum(turns)::BIGINT FROM by_feeder", changes)
        followed_s, used_s = time.perf_counter() - began_s, server.cpu_s() - cpu_s
        here.execute(f"DROP {reader} CASCADE".encode())
    _forget(origin)
    return {
        "copied rows/s": round(KEYS / copied_s),
        "changes/s": round(changes / followed_s),
        "CPU s/M changes": round(used_s / changes * 1e6, 2),
    }


def _forget(origin: Origin) -> None:
    """Drop the slot, once the server that read it is gone."""
    with origin.connect() as there:
        while there.execute("SELECT 1 FROM pg_replication_slots WHERE active").fetchone():
            time.sleep(_LOOK_S)
        there.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        there.execute("DROP PUBLICATION IF EXISTS rw_publication")


def _wait(session: Session, query: str, value: int) -> None:
    while True:
        row = session.execute(query.encode()).fetchone()
        if row is not None and row[0] is not None and int(str(row[0])) >= value:
            return
        time.sleep(_LOOK_S)
