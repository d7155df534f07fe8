"""Measure: python -m bench [NAME …] [--rows N] [--rounds R] [--seconds S] [--record]."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from bench import history, show
from bench.suite import Options

# Each is a module of this package with a function bench(Options) -> Report.
NAMES = {
    "ocpp": "throughput of the charging pipeline beside loops by hand, chdb and DuckDB in batch",
    "freshness": "from POST to visible in psql, at 20,000 rows/s",
    "live": "50 browsers that watch views while 20,000 rows/s come, and what they cost (--rounds)",
    "page": "the live page of 10,000 chargers and 35,633 meters in Chromium (--rows: chargers)",
    "state": "epoch time against 10^4 to 5 x 10^6 keys of state (--rows: the largest)",
    "meters": "5,000,000 meters at 33,000 reads/s (--rows: how many meters)",
    "nexmark": "Nexmark q0 to q22, events/s each (--rows: events; --only q4,q5)",
    "hypertable": "ingest with compression, bytes a row, questions; beside DuckDB, PostgreSQL",
    "wire": "rows out and in, point queries and idle connections, beside PostgreSQL",
    "gateway": "connected charge points: steady load, peak, reconnect storm (--rows: how many)",
    "kafka": "from a broker on the same machine to views, and from a table to a topic",
    "cluster": "the published pipeline on a Flink cluster of this machine, embedded beside it",
    "cdc": "changes of a PostgreSQL table to a view over the table that follows it",
    "formats": "messages that name their schema to columns (--rows; --only avro,protobuf,json)",
    "simbench": "a day of 35,633 real meters through the ami pack (--only reads,again,dst,outages)",
    "acn": "months of real charging sessions, their energy checked (--only 2019-05,… or all)",
    "epochs": "CPU of an epoch of one message with the ocpp pack (--rows: chargers)",
    "idle": "CPU and memory with 50 views and no input",
}
DEFAULT = ("ocpp", "freshness")


def main() -> None:
    listed = "\n".join(f"  {name:10s} {told}" for name, told in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="bench",
        description=f"Measure. Benchmarks:\n{listed}\nwithout a name: {' '.join(DEFAULT)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[[], *NAMES, "all"], metavar="NAME")
    parser.add_argument("--rows", type=int, help="input rows, where a benchmark has a choice")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of contenders in turn")
    parser.add_argument("--seconds", type=int, default=10, help="length of the steady runs")
    parser.add_argument("--only", default="", help="contenders or cases, with commas")
    parser.add_argument("--data", type=Path, help="hypertable: keep the rows there, or go on")
    parser.add_argument("--account", action="store_true", help="time per kind of statement")
    parser.add_argument("--record", action="store_true", help="append to bench/history.jsonl")
    chosen = parser.parse_args()
    options = Options(
        rows=chosen.rows,
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        only=frozenset(name for name in chosen.only.split(",") if name),
        account=chosen.account,
        data=chosen.data,
    )
    names = list(NAMES) if "all" in chosen.names else chosen.names or list(DEFAULT)
    for name in names:
        report = importlib.import_module(f"bench.{name}").bench(options)
        print("\n" + "\n".join(show.lines(report)), flush=True)
        if chosen.record:
            history.record(report)


if __name__ == "__main__":
    main()
