"""Measure: python -m bench [--rows N] [--seconds S] [--account]."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from bench.account import Account
from bench.floor import run_floor
from bench.generate import PROBE, meter_batches, probe
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch, Receipt, Session
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions

_BATCH_ROWS = 122_880
_FRESH_BATCH = 1_000
_FRESH_RATE = 20_000
_SETTLE_S = 30  # How long the last batches may take to show before they count as lost.
_LOOK = f"SELECT power_kw FROM active_session_power WHERE session = '{PROBE}'"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--seconds", type=int, default=10, help="length of the freshness run")
    arguments.add_argument("--account", action="store_true", help="time per kind of statement")
    chosen = arguments.parse_args()
    account = Account() if chosen.account else None
    if account is not None:
        account.open()
    batches = meter_batches(chosen.rows, _BATCH_ROWS)
    size = sum(map(len, batches)) / chosen.rows
    print(f"{chosen.rows:,} meter rows of {size:.0f} bytes, 8 views, a database on disk")
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder:
        floor = chosen.rows / run_floor(Path(folder), batches)
        instance = Instance(
            Path(folder) / "data", EngineOptions(), SystemClock(), ConnectorRegistry(None)
        )
        instance.start()
        session = instance.open(database=DEFAULT_DATABASE, user="bench", options={})
        try:
            _run(session, (Path(__file__).parent / "pipeline.sql").read_text())
            if account is not None:
                account.clear()
            ours = chosen.rows / _throughput(instance, batches)
            print(f"voltstream  {ours:>12,.0f} rows/s")
            print(f"floor A     {floor:>12,.0f} rows/s   ratio {ours / floor:.2f}", flush=True)
            if account is not None:
                print(*account.lines(20), sep="\n", flush=True)
            _report(_freshness(instance, session, chosen.seconds))
        finally:
            session.close()
            instance.stop()


def _run(session: Session, sql: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for statement in session.parse(sql):
        outcome = session.execute(statement)
        if outcome.rows is None:
            continue
        try:
            for batch in outcome.rows.batches():
                rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        finally:
            outcome.rows.close()
    return rows


def _submit(instance: Instance, payload: bytes) -> Future[Receipt]:
    return instance.submit(DEFAULT_DATABASE, "meter_readings", RawBatch("ndjson", payload))


def _throughput(instance: Instance, batches: list[bytes]) -> float:
    """Push every batch; ``submit`` itself bounds how many are on their way."""
    began = time.perf_counter()
    receipts = [future.result() for future in [_submit(instance, batch) for batch in batches]]
    took = time.perf_counter() - began
    dead = sum(receipt.dead_letters for receipt in receipts)
    if dead:
        raise SystemExit(f"{dead} of the rows were refused")
    print(f"{len({receipt.epoch for receipt in receipts})} epochs in {took:.2f} s")
    return took


def _freshness(instance: Instance, session: Session, seconds: int) -> list[float]:
    """Push at a steady rate; return per batch the seconds from submit to seen in a view."""
    count = seconds * _FRESH_RATE // _FRESH_BATCH
    batches = meter_batches(count * (_FRESH_BATCH - 1), _FRESH_BATCH - 1)
    sent: list[float] = []
    sender = threading.Thread(target=_send, args=(instance, batches, sent))
    sender.start()
    delays: list[float] = []
    until = time.perf_counter() + seconds + _SETTLE_S
    while len(delays) < count and time.perf_counter() < until:
        found = _run(session, _LOOK)
        seen = time.perf_counter()
        newest = round(float(str(found[0][0]))) if found else 0
        delays += [seen - sent[number] for number in range(len(delays), newest)]
        time.sleep(0.002)
    sender.join()
    if len(delays) < count:
        raise SystemExit(f"{count - len(delays)} of {count} batches were not seen in time")
    return delays


def _send(instance: Instance, batches: list[bytes], sent: list[float]) -> None:
    """Send on the beat: a late batch counts from when it was due."""
    began = time.perf_counter()
    for number, batch in enumerate(batches):
        due = began + number * _FRESH_BATCH / _FRESH_RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        sent.append(due)
        _submit(instance, batch + probe(number + 1))


def _report(delays: list[float]) -> None:
    cuts = statistics.quantiles(delays, n=100, method="inclusive")
    rate = f"{_FRESH_RATE:,} rows/s, {len(delays)} batches"
    print(
        f"freshness   p50 {cuts[49] * 1e3:.0f} ms  p99 {cuts[98] * 1e3:.0f} ms  "
        f"max {max(delays) * 1e3:.0f} ms   ({rate})"
    )


if __name__ == "__main__":
    main()
