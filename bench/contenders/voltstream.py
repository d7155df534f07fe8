"""Voltstream in process: bytes of all sources handed to the engine, eight views always current."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from bench.account import Account
from bench.contenders.meter import Span, arguments, tell
from bench.feed import SOURCES, Feed, FeedReader, load_feed
from bench.ocpp_truth import VIEWS
from voltstream.cli.replay_clock import ReplayClock
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.limits import EPOCHS_TOGETHER_MAX
from voltstream.core.ports import RawBatch, Receipt, Session
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions

PIPELINE = Path(__file__).parent.parent / "pipeline.sql"


def main() -> None:
    data, out, options = arguments()
    feed = load_feed(data)
    clock = ReplayClock(feed.start_us / 1e6)
    instance = Instance(out / "data", EngineOptions(), clock, ConnectorRegistry(None))
    account = Account() if options.get("account") else None
    if account is not None:
        account.open()
    instance.start()
    session = instance.open(database=DEFAULT_DATABASE, user="bench", options={})
    for statement in session.parse(PIPELINE.read_text()):
        session.execute(statement)
    if account is not None:
        account.clear()
    span = Span()
    epochs = _push(instance, clock, feed, serial=account is not None)
    for view in VIEWS:
        found = table(session, f"SELECT * FROM {view}")
        parquet.write_table(found, out / f"{view}.parquet")
    result = span.end(feed.rows, epochs=epochs)
    names = {entry.oid: entry.stored.name for entry in instance.engine(DEFAULT_DATABASE).catalog}
    session.close()
    instance.stop()
    result["file_mb"] = (out / "data" / DEFAULT_DATABASE / "volt.duckdb").stat().st_size / 2**20
    if account is not None:
        result["account"] = "\n".join(account.lines(30, names))
    tell(result)


def _push(instance: Instance, clock: ReplayClock, feed: Feed, *, serial: bool) -> int:
    """Push every slice. The engine's NOW() follows the rows that are durable."""
    reader = FeedReader(feed)
    loop = instance.engine(DEFAULT_DATABASE).loop
    receipts: list[Future[Receipt]] = []
    together = EPOCHS_TOGETHER_MAX if serial else len(feed.slices)
    for first in range(0, len(feed.slices), together):
        # Nothing runs beside what is being accounted for: first all is read, then it is applied.
        may_go = threading.Event()
        held = loop.run_chore(partial(_until, may_go)) if serial else None
        for number in range(first, min(first + together, len(feed.slices))):
            for source in SOURCES:
                payload = reader.read(number, source)
                if payload:
                    batch = RawBatch("ndjson", payload)
                    receipts.append(instance.submit(DEFAULT_DATABASE, source, batch))
            receipts[-1].add_done_callback(partial(_reach, clock, feed.slice_end_us[number]))
        if held is not None:
            while loop._waiting._decoding:
                time.sleep(0.001)
            may_go.set()
            wait(receipts)
    done = [receipt.result() for receipt in receipts]
    clock.reach(feed.end_us / 1e6)  # An epoch for the timers: its NOW() is the instant compared at.
    loop.run_statement(lambda _: None).result()
    dead = sum(receipt.dead_letters for receipt in done)
    if dead:
        raise SystemExit(f"{dead} of the rows were refused")
    return len({receipt.epoch for receipt in done})


def _until(may_go: threading.Event, _: object) -> bool:
    return may_go.wait()


def _reach(clock: ReplayClock, at_us: int, _: Future[Receipt]) -> None:
    clock.reach(at_us / 1e6)


def table(session: Session, sql: str) -> pa.Table:
    """Run a query; the rows with the columns' own names."""
    [statement] = session.parse(sql)
    stream = session.execute(statement).rows
    assert stream is not None
    try:
        batches = list(stream.batches())
        names = [column.name for column in stream.columns]
    finally:
        stream.close()
    if not batches:
        return pa.table({name: pa.nulls(0) for name in names})
    return pa.Table.from_batches(batches).rename_columns(names)


if __name__ == "__main__":
    main()
