"""Apache Kafka on the same machine: from the broker to fresh views, and from a table to it."""

from __future__ import annotations

import http.client
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from confluent_kafka import Producer

from bench.contenders.voltstream import PIPELINE
from bench.feed import SOURCES, Feed, FeedReader
from bench.feed_maker import ocpp_feed
from bench.server import Server
from bench.suite import Options, Report, Row
from tests.connectors.real_kafka.broker import Broker, NoBroker

ROWS = 1_000_000
PARTITIONS = 8
KEYS = 10_000
_LOOK_S = 0.05
_STATION = re.compile(rb'"station":"CP-(\d+)"')
_CREATED = re.compile(r"(CREATE SOURCE (\w+) \(.*?\n\));", re.DOTALL)
Session = psycopg.Connection[tuple[object, ...]]


def bench(options: Options) -> Report:
    feed = ocpp_feed(options.rows or ROWS)
    report = Report(
        "kafka",
        f"{feed.rows:,} rows of 4 topics with {PARTITIONS} partitions each to 8 views; broker, "
        "server and (for HTTP) client on the same cores; aim: 400,000 rows/s",
        bar="rows/s",
    )
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as name:
        try:
            broker = Broker(Path(name))
            broker.start()
        except NoBroker as reason:
            report.notes.append(str(reason))
            return report
        try:
            _produce(broker, feed)
            cases: tuple[tuple[str, Callable[[], Row]], ...] = (
                ("kafka to views", lambda: _read(broker, feed)),
                ("HTTP to views", lambda: _pushed(feed)),
                ("view to kafka", lambda: _written(broker, feed)),
                ("results to a serving node", lambda: _served(broker, feed)),
            )
            for case, measure in cases:
                if not options.only or case in options.only:
                    report.rows.append(_median(case, [measure() for _ in range(options.rounds)]))
                    print(f"  {report.rows[-1]}", flush=True)
        finally:
            broker.stop()
    return report


def _median(case: str, runs: list[Row]) -> Row:
    rates = [float(str(row["rows/s"])) for row in runs]
    cpu = [float(str(row["server CPU s/M"])) for row in runs]
    return {
        "case": case,
        "rows/s": round(statistics.median(rates)),
        "lowest": round(min(rates)),
        "highest": round(max(rates)),
        "server CPU s/M": round(statistics.median(cpu), 2),
    }


def _produce(broker: Broker, feed: Feed) -> None:
    """Write every line to the topic of its source, a station's lines in order in one partition."""
    producer = Producer(
        {"bootstrap.servers": broker.address, "linger.ms": 50, "compression.type": "lz4"}
    )
    reader = FeedReader(feed)
    for source in SOURCES:
        broker.create_topic(source, PARTITIONS)
        for number in range(len(feed.slices)):
            for line in bytes(reader.read(number, source)).splitlines():
                found = _STATION.search(line)
                partition = int(found[1]) % PARTITIONS if found else 0
                while True:
                    try:
                        producer.produce(source, line, partition=partition)
                        break
                    except BufferError:
                        producer.poll(0.1)
            producer.poll(0)
    producer.flush()


def _prepared(session: Session, broker: Broker | None) -> None:
    """Make the pipeline; sources of a broker wait until they are let go."""
    text = PIPELINE.read_text()
    if broker is not None:
        text = _CREATED.sub(
            lambda found: (
                f"{found[1]} WITH (connector = 'kafka', topic = '{found[2]}', "
                f"properties.bootstrap.server = '{broker.address}', source_rate_limit = 0);"
            ),
            text,
        )
    session.execute(text.encode())


def _read(broker: Broker, feed: Feed) -> Row:
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        _prepared(session, broker)
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        for source in SOURCES:
            session.execute(f"ALTER SOURCE {source} SET source_rate_limit TO DEFAULT".encode())
        wait(session, "SELECT sum(position)::BIGINT FROM rw_source_lag", feed.rows)
        return _row(feed.rows, time.perf_counter() - began_s, server.cpu_s() - cpu_s)


def _pushed(feed: Feed) -> Row:
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        _prepared(session, None)
        parts = urlsplit(server.http)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        reader = FeedReader(feed)
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        for number in range(len(feed.slices)):
            for source in SOURCES:
                payload = reader.read(number, source)
                if payload:
                    connection.request("POST", f"/v1/sources/{source}/rows", payload)
                    answer = connection.getresponse()
                    if answer.status != 200:
                        raise SystemExit(f"refused: {answer.read()!r}")
                    answer.read()
        return _row(feed.rows, time.perf_counter() - began_s, server.cpu_s() - cpu_s)


def _written(broker: Broker, feed: Feed) -> Row:
    """Send the meter readings of a table to a topic."""
    rows = min(feed.rows, 300_000)
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        session.execute(b"CREATE TABLE r (station VARCHAR, value DOUBLE PRECISION, at TIMESTAMPTZ)")
        session.execute(
            f"INSERT INTO r SELECT 'CP-' || i % 10000, i * 0.5, now() FROM "
            f"generate_series(1, {rows}) AS g(i)".encode()
        )
        topic = f"out-{time.monotonic_ns()}"
        broker.create_topic(topic, PARTITIONS)
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        session.execute(
            f"CREATE SINK s FROM r WITH (connector = 'kafka', topic = '{topic}', "
            f"primary_key = 'station', properties.bootstrap.server = '{broker.address}')".encode()
        )
        wait(session, "SELECT CASE WHEN pending = 0 THEN 1 ELSE 0 END FROM rw_sinks", 1)
        return _row(rows, time.perf_counter() - began_s, server.cpu_s() - cpu_s)


def _served(broker: Broker, feed: Feed) -> Row:
    """Read a topic of results as a serving node does: a table by its key, and a view of it."""
    rows, topic = min(feed.rows, 500_000), f"results-{time.monotonic_ns()}"
    broker.create_topic(topic, PARTITIONS)
    _changes(broker, topic, rows)
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        began_s, cpu_s = time.perf_counter(), server.cpu_s()
        session.execute(
            "CREATE TABLE energy__rows (station VARCHAR PRIMARY KEY, energy_kwh NUMERIC(18, 3), "
            "sessions BIGINT, state VARCHAR, changed_at TIMESTAMPTZ) WITH (connector = 'kafka', "
            f"topic = '{topic}', properties.bootstrap.server = '{broker.address}', "
            "scan.startup.mode = 'earliest') FORMAT UPSERT ENCODE JSON; "
            "CREATE MATERIALIZED VIEW energy AS SELECT *, changed_at < NOW() - INTERVAL '1 hour' "
            "AS is_old FROM energy__rows".encode()
        )
        wait(session, "SELECT sum(position)::BIGINT FROM rw_source_lag", rows)
        return _row(rows, time.perf_counter() - began_s, server.cpu_s() - cpu_s)


def _changes(broker: Broker, topic: str, rows: int) -> None:
    """Write changes of 10,000 rows as Flink writes them, a row's in order in one partition."""
    producer = Producer(
        {"bootstrap.servers": broker.address, "linger.ms": 50, "compression.type": "lz4",
         "queue.buffering.max.messages": rows}
    )  # fmt: skip
    for number in range(rows):
        station = f"CP-{number % KEYS}"
        value = {
            "station": station, "energy_kwh": number / 8, "sessions": number // KEYS,
            "state": ("Charging", "Available")[number // KEYS % 2],
            "changed_at": f"2026-03-02T08:{number // KEYS % 60:02}:00.5Z",
        }  # fmt: skip
        key = json.dumps({"station": station})
        producer.produce(topic, json.dumps(value), key=key)
        producer.poll(0)
    producer.flush()


def wait(session: Session, query: str, value: int) -> None:
    while True:
        row = session.execute(query.encode()).fetchone()
        if row is not None and row[0] is not None and int(str(row[0])) >= value:
            return
        time.sleep(_LOOK_S)


def _row(rows: int, seconds: float, cpu_s: float) -> Row:
    return {"rows/s": round(rows / seconds), "server CPU s/M": round(cpu_s / rows * 1e6, 2)}
