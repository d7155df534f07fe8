"""The published charging pipeline on a Flink cluster of this machine, and embedded, from Kafka."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.kafka import Session, wait
from bench.processes import cpu_s
from bench.server import Server
from bench.suite import Options, Report, Row
from tests.cluster.flink import Cluster, NoCluster
from tests.cluster.published import (
    DAY,
    SEEDS,
    SOURCES,
    TABLES,
    TICKS,
    VIEWS,
    ocpp_day,
    program,
    send,
    spell,
    topic,
)
from tests.connectors.real_kafka.broker import Broker, NoBroker
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs

ROWS = 600_000
PARTITIONS = 2
MINUTES = 120
_ROWS_A_CHARGER = 90  # Of two hours, all kinds together, nearly.
_CHARGING = [name for name in SOURCES if name.startswith("ocpp_")]
_VIEWS = list(VIEWS)[: list(VIEWS).index("transformer_summary")]
_LOOK_S = 0.2


def bench(options: Options) -> Report:
    chargers = (options.rows or ROWS) // _ROWS_A_CHARGER
    report = Report(
        "cluster",
        f"two hours of {chargers:,} chargers in 4 topics of {PARTITIONS} partitions to "
        f"{len(_VIEWS)} views; broker, cluster (JobManager, two TaskManagers, checkpoints each "
        "second, views to topics) or server (views and raw rows on disk) on the "
        "same cores",
        bar="rows/s",
    )
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as name:
        folder = Path(name)
        (folder / "kafka").mkdir()
        try:
            broker = Broker(folder / "kafka")
            broker.start()
        except NoBroker as reason:
            report.notes.append(str(reason))
            return report
        try:
            for made in (*(SOURCES[source][0] for source in SOURCES), *TABLES, *map(topic, VIEWS)):
                broker.create_topic(made, PARTITIONS)
            rows = send(broker.address, ocpp_day(chargers, MINUTES))
            send(broker.address, [(TICKS, "0", {"k": 0, "at": spell(DAY)})])
            report.told = f"{rows:,} rows: {report.told}"
            for number in range(options.rounds):
                report.rows += _round(broker, folder / str(number), rows, number)
        except NoCluster as reason:
            report.notes.append(str(reason))
        finally:
            broker.stop()
    return report


def _round(broker: Broker, folder: Path, rows: int, number: int) -> list[Row]:
    """Measure the cluster with one slot and with two, and the server beside them."""
    found = []
    cluster = Cluster(folder)
    cluster.start()
    try:
        # Java has compiled nothing yet: what the first job takes is told of nobody.
        _on_cluster(broker, cluster, rows, 2, f"bench-{number}-first")
        for slots in (1, 2):
            row = _on_cluster(broker, cluster, rows, slots, f"bench-{number}-{slots}")
            found.append({"case": f"flink, parallelism {slots}", "round": number + 1, **row})
            print(f"  {found[-1]}", flush=True)
    finally:
        cluster.stop()
    found.append({"case": "embedded", "round": number + 1, **_embedded(broker, rows)})
    print(f"  {found[-1]}", flush=True)
    return found


def _on_cluster(broker: Broker, cluster: Cluster, rows: int, slots: int, group: str) -> Row:
    jobs = FlinkJobs(FlinkGateway(cluster.gateway))
    used_s = sum(map(cpu_s, cluster.pids()))
    jobs.start(program(broker.address, _VIEWS, group, **{"parallelism.default": str(slots)}))
    began_s = time.perf_counter()
    try:
        # Offsets are kept when a checkpoint is: all that was read until then is in the topics.
        while _kept(broker, group) < rows:
            time.sleep(_LOOK_S)
        took_s = time.perf_counter() - began_s
        cpu = sum(map(cpu_s, cluster.pids())) - used_s
    finally:
        jobs.cancel("published")
    return _row(rows, took_s, cpu)


def _kept(broker: Broker, group: str) -> int:
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group, "log_level": 0})
    try:
        places = [
            TopicPartition(SOURCES[source][0], number)
            for source in _CHARGING
            for number in range(PARTITIONS)
        ]
        kept = consumer.committed(places, timeout=10)
        return sum(max(0, place.offset) for place in kept)
    except KafkaException:  # The group's coordinator is being made.
        return 0
    finally:
        consumer.close()


def _embedded(broker: Broker, rows: int) -> Row:
    text = (SEEDS / "ocpp_streaming.sql").read_text().split("CREATE SINK")[0]
    text = text.replace("kafka:9092", broker.address)
    text = text.replace(
        "scan.startup.mode = 'latest'", "scan.startup.mode = 'earliest', source_rate_limit = 0"
    )
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        session.execute(text.encode())
        return _read(session, server, rows)


def _read(session: Session, server: Server, rows: int) -> Row:
    began_s, used_s = time.perf_counter(), server.cpu_s()
    for source in _CHARGING:
        session.execute(f"ALTER SOURCE {source} SET source_rate_limit TO DEFAULT".encode())
    wait(session, "SELECT sum(position)::BIGINT FROM rw_source_lag", rows)
    return _row(rows, time.perf_counter() - began_s, server.cpu_s() - used_s)


def _row(rows: int, took_s: float, cpu: float) -> Row:
    return {
        "rows/s": round(rows / took_s),
        "seconds": round(took_s, 1),
        "CPU s/M": round(cpu / rows * 1e6, 2),
    }
