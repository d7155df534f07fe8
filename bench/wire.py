"""The wire beside PostgreSQL's: the same rows out and in, point queries, idle connections."""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.postgresql import Postgresql, tool
from bench.server import Server
from bench.suite import Options, Report, Row

ROWS = 1_000_000
IDLE_CONNECTIONS = 200
_TABLE = (
    "CREATE TABLE {} (id bigint, name text, kw double precision, at timestamptz, "
    "cost numeric(12,3), port int)"
)
_FILL = (
    "INSERT INTO readings SELECT i, 'station-' || (i % 5000), i * 0.37, "
    "timestamptz '2026-01-01 00:00:00+00' + i * interval '1.25 seconds', (i % 100000) * 0.017, "
    "i % 8 FROM generate_series(1, {}) AS g(i)"
)
_POINTS = (
    "CREATE TABLE points (id int PRIMARY KEY, name text, kw double precision)",
    "INSERT INTO points SELECT i, 'n' || i, i * 0.5 FROM generate_series(1, 10000) AS g(i)",
)
_POINT = "\\set id random(1, 10000)\nSELECT name, kw FROM points WHERE id = :id;\n"


def bench(options: Options) -> Report:
    rows = options.rows or ROWS
    report = Report(
        "wire",
        f"psql with {rows:,} rows of 6 columns, pgbench with 4 clients; aims: 2 x PostgreSQL's "
        f"time, 2,000 queries/s, {IDLE_CONNECTIONS} connections under 100 MB",
    )
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        theirs = stack.enter_context(Postgresql(folder))
        ours = stack.enter_context(Server(folder / "data"))
        report.rows.append(_idle(ours))
        addresses = {"PostgreSQL": theirs.address, "Voltstream": ours.postgres}
        for address in addresses.values():
            _prepare(address, rows)
        for case, measure, aim in _cases(folder, rows, options.seconds):
            if not options.only or case in options.only:
                report.rows.append(_compared(case, measure, aim, addresses, options.rounds))
    return report


def _prepare(address: str, rows: int) -> None:
    with psycopg.connect(address, autocommit=True) as session:
        for text in (_TABLE.format("readings"), _TABLE.format("copied"), _FILL.format(rows)):
            session.execute(text.encode())
        for text in _POINTS:
            session.execute(text.encode())


Measure = Callable[[str], float]


def _cases(folder: Path, rows: int, seconds: int) -> list[tuple[str, Measure, str]]:
    files = {kind: folder / f"rows.{kind}" for kind in ("text", "csv")}
    script = folder / "point.sql"
    script.write_text(_POINT)

    def copied_in(kind: str) -> Measure:
        def measure(address: str) -> float:
            _psql(address, "TRUNCATE copied")
            return _timed(address, f"\\copy copied FROM '{files[kind]}' WITH (FORMAT {kind})")

        return measure

    def copied_out(kind: str) -> Measure:
        text = f"\\copy readings TO '{files[kind]}' WITH (FORMAT {kind})"
        return lambda address: _timed(address, text)

    found = [("select s", lambda address: _timed(address, "SELECT * FROM readings"), "low")]
    for kind in files:
        found.append((f"copy out {kind} s", copied_out(kind), "low"))
        found.append((f"copy in {kind} s", copied_in(kind), "low"))
    for mode in ("simple", "extended", "prepared"):
        found.append((f"{mode} queries/s", _points(script, mode, seconds), "high"))
    return found


def _psql(address: str, command: str) -> None:
    subprocess.run(["psql", "-XqAt", address, "-c", command], check=True, stdout=subprocess.DEVNULL)


def _timed(address: str, command: str) -> float:
    began = time.perf_counter()
    _psql(address, command)
    return time.perf_counter() - began


def _points(script: Path, mode: str, seconds: int) -> Measure:
    program = tool("pgbench")
    if program is None:
        raise SystemExit("pgbench is not installed: apt-get install postgresql-contrib")

    def measure(address: str) -> float:
        done = subprocess.run(
            [str(program), "-n", "-f", str(script), "-c", "4", "-j", "2", "-T", str(seconds),
             "-M", mode, address],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        assert found is not None, done.stdout
        return float(found[1])

    return measure


def _compared(case: str, measure: Measure, aim: str, addresses: dict[str, str], rounds: int) -> Row:
    """Measure both in turn; the best of each counts, as what is beside disturbs both."""
    taken: dict[str, list[float]] = {name: [] for name in addresses}
    for _ in range(rounds):
        for name, address in addresses.items():
            taken[name].append(measure(address))
    best = min if aim == "low" else max
    theirs, ours = (best(values) for values in taken.values())
    return {
        "case": case,
        "PostgreSQL": round(theirs, 2),
        "Voltstream": round(ours, 2),
        "ratio": round(ours / theirs if aim == "low" else theirs / ours, 2),
        "median": round(statistics.median(taken["Voltstream"]), 2),
    }


def _idle(server: Server) -> Row:
    """Tell what so many open sessions cost in memory."""
    before = server.rss_mb()
    with ExitStack() as stack:
        for _ in range(IDLE_CONNECTIONS):
            session = stack.enter_context(psycopg.connect(server.postgres, autocommit=True))
            session.execute("SELECT 1")
        used = server.rss_mb() - before
    return {"case": f"{IDLE_CONNECTIONS} connections, MB", "Voltstream": round(used, 1)}
