"""Meters: latest read per meter and 15-minute sums per transformer, epoch by epoch, in process.

Options: meters=N, windows=W (past quarter hours that every meter has a read in), epochs=E,
rows=R (reads an epoch), every=S (seconds between epochs; 0: one after the other).
"""

from __future__ import annotations

import resource
import statistics
import time
from concurrent.futures import Future
from pathlib import Path

import duckdb

from bench.account import Account
from bench.contenders.meter import arguments, peak_rss_mb, tell
from bench.contenders.voltstream import table
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch, Receipt, Session
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions

TABLES = """
CREATE TABLE meters (meter_id VARCHAR PRIMARY KEY, transformer_id VARCHAR);
CREATE SOURCE reads (meter_id VARCHAR, read_at TIMESTAMPTZ, wh BIGINT, voltage DOUBLE PRECISION);
"""
VIEWS = {
    "latest_read": """
        SELECT DISTINCT ON (meter_id) meter_id, read_at, wh, voltage
        FROM reads ORDER BY meter_id, read_at DESC""",
    "transformer_15min": """
        SELECT m.transformer_id, r.window_start, sum(r.wh) AS wh, count(*) AS reads,
               max(r.voltage) AS voltage_max
        FROM TUMBLE(reads, read_at, INTERVAL '15 minutes') AS r
        JOIN meters AS m ON r.meter_id = m.meter_id
        GROUP BY m.transformer_id, r.window_start""",
    "meter_15min": """
        SELECT meter_id, window_start, sum(wh) AS wh, count(*) AS reads, max(voltage) AS voltage_max
        FROM TUMBLE(reads, read_at, INTERVAL '15 minutes')
        GROUP BY meter_id, window_start""",
}
_WARM_EPOCHS = 2
_NAME = "'M-' || lpad(i::VARCHAR, 8, '0')"
_INSERT_ROWS = 1_000_000
_LINES = """
SELECT '{{"meter_id":"M-' || lpad((hash(i, {seed}) % {meters})::VARCHAR, 8, '0')
    || '","read_at":"' || strftime(make_timestamp({at_us} + i), '%Y-%m-%dT%H:%M:%S.%fZ')
    || '","wh":' || hash(i, {seed} + 1) % 500 || ',"voltage":'
    || round(225 + hash(i, {seed} + 2) % 100 / 10.0, 1) || '}}' || chr(10) AS line
FROM range({rows}) AS t(i)
"""


class Fleet:
    """An engine that knows the meters and what they have read so far."""

    def __init__(self, folder: Path, views: list[str]) -> None:
        self.account = Account()
        self.account.open()
        self.instance = Instance(folder, EngineOptions(), SystemClock(), ConnectorRegistry(None))
        self.instance.start()
        self.session = self.instance.open(database=DEFAULT_DATABASE, user="bench", options={})
        self._views = views
        self._maker = duckdb.connect()
        self.run(TABLES)

    def run(self, sql: str) -> None:
        for statement in self.session.parse(sql):
            self.session.execute(statement)

    def load(self, meters: int, windows: int) -> float:
        """Fill the tables, then create the views over them. Returns seconds of the latter."""
        for first in range(0, meters, _INSERT_ROWS):
            last = min(meters, first + _INSERT_ROWS) - 1
            numbers = f"generate_series({first}, {last}) AS g(i)"
            self.run(
                f"INSERT INTO meters SELECT {_NAME}, 'T-' || lpad((i / 50)::VARCHAR, 7, '0') "
                f"FROM {numbers}"
            )
        for window in range(windows, 0, -1):
            for first in range(0, meters, _INSERT_ROWS):
                last = min(meters, first + _INSERT_ROWS) - 1
                self.run(
                    f"INSERT INTO reads SELECT {_NAME}, now() - INTERVAL '{window * 15} minutes', "
                    f"i % 500, 230.0 FROM generate_series({first}, {last}) AS g(i)"
                )
        began = time.perf_counter()
        for view in self._views:
            self.run(f"CREATE MATERIALIZED VIEW {view} AS {VIEWS[view]}")
        return time.perf_counter() - began

    def lines(self, meters: int, rows: int, seed: int) -> bytes:
        """Return reads of meters chosen at random, as NDJSON."""
        at_us = time.time_ns() // 1000
        sql = _LINES.format(meters=meters, rows=rows, seed=seed, at_us=at_us)
        found = self._maker.sql(sql).to_arrow_table()
        return "".join(found["line"].to_pylist()).encode()

    def submit(self, payload: bytes) -> Future[Receipt]:
        return self.instance.submit(DEFAULT_DATABASE, "reads", RawBatch("ndjson", payload))

    def check(self) -> None:
        """Compare every view with its query. Raises: SystemExit."""
        for view in self._views:
            query = VIEWS[view]
            wrong = count(
                self.session,
                f"SELECT (SELECT count(*) FROM (SELECT * FROM {view} EXCEPT ALL ({query})) AS a) + "
                f"(SELECT count(*) FROM (({query}) EXCEPT ALL SELECT * FROM {view}) AS b) AS n",
            )
            if wrong:
                raise SystemExit(f"{view} differs from its query in {wrong} rows")

    def spent(self) -> dict[str, float]:
        """Return seconds per object since the account was cleared."""
        return self.account.by_object(self.names())

    def names(self) -> dict[int, str]:
        catalog = self.instance.engine(DEFAULT_DATABASE).catalog
        return {entry.oid: entry.stored.name for entry in catalog}

    def stop(self) -> None:
        self.session.close()
        self.instance.stop()


def count(session: Session, sql: str) -> int:
    return int(table(session, sql).column(0)[0].as_py())


def quantile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    _, out, options = arguments()
    meters, windows = int(options["meters"]), int(options["windows"])
    epochs, rows, every = int(options["epochs"]), int(options["rows"]), float(options["every"])
    fleet = Fleet(out / "data", options["views"].split(","))
    backfill_s = fleet.load(meters, windows)
    batches = [fleet.lines(meters, rows, 1000 * n) for n in range(epochs + _WARM_EPOCHS)]
    for batch in batches[:_WARM_EPOCHS]:
        fleet.submit(batch).result()
    fleet.account.clear()
    cpu_s = _cpu_s()
    began = time.perf_counter()
    took = _steady(fleet, batches[_WARM_EPOCHS:], began, every)
    seconds = time.perf_counter() - began
    result: dict[str, object] = {
        "rows": rows * epochs,
        "seconds": seconds,
        "cpu_s": _cpu_s() - cpu_s,
        "rss_mb": peak_rss_mb(),
        "backfill_s": backfill_s,
        "p50_ms": quantile(took, 50) * 1e3,
        "p99_ms": quantile(took, 99) * 1e3,
        "max_ms": max(took) * 1e3,
        "spent_ms": {name: spent / epochs * 1e3 for name, spent in fleet.spent().items()},
    }
    if options.get("account"):
        result["account"] = "\n".join(fleet.account.lines(30, fleet.names()))
    fleet.check()
    fleet.stop()
    tell(result)


def _steady(fleet: Fleet, batches: list[bytes], began: float, every: float) -> list[float]:
    """Push on the beat. Returns each batch's seconds from due to durable."""
    took: list[float] = []
    pending: list[Future[Receipt]] = []
    for number, batch in enumerate(batches):
        if every:
            due = began + number * every
            time.sleep(max(0.0, due - time.perf_counter()))
        else:
            due = time.perf_counter()
        future = fleet.submit(batch)
        future.add_done_callback(
            lambda _, due=due: took.append(time.perf_counter() - due)  # type: ignore[misc]
        )
        pending.append(future)
        if not every:
            future.result()
    for future in pending:
        future.result()
    return took


if __name__ == "__main__":
    main()
