"""The published charging pipeline on a Flink cluster of this machine, and embedded, from Kafka."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.kafka import Session, wait
from bench.processes import cpu_s
from bench.server import Server
from bench.suite import Options, Report, Row
from tests.cluster.flink import Cluster, NoCluster
from tests.cluster.published import CHARGING, DAY, OCPP_VIEWS, SEEDS, SOURCES, ocpp_day, send, spell
from tests.connectors.real_kafka.broker import Broker, NoBroker
from voltstream.cli.definitions import scripted, studied
from voltstream.deploy.drafting import Options as Deployment
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs, FlinkProgram, program_of
from voltstream.deploy.script import Script, Target, refuse
from voltstream.deploy.targets import script_for

ROWS = 1_500_000
PARTITIONS = 2
MINUTES = 120
_ROWS_A_CHARGER = 90  # Of two hours, all kinds together, nearly.
_TOPICS = {name: topic for name, topic in SOURCES.items() if name.startswith("ocpp_")}
_LOOK_S = 0.2
HEAP_MIB = 3072  # The state of two hours of 16,666 chargers is 110 MB in a checkpoint, on the heap.
_TASK_HEAP = {"taskmanager.memory.task.heap.size": "2560m"}
_TICKS = "voltstream.ticks"


def bench(options: Options) -> Report:
    chargers = (options.rows or ROWS) // _ROWS_A_CHARGER
    report = Report(
        "cluster",
        f"two hours of {chargers:,} chargers in 4 topics of {PARTITIONS} partitions to "
        f"{len(OCPP_VIEWS)} views; broker, cluster (JobManager, two TaskManagers; the job that "
        "`deploy` makes, views to topics) or server (views and raw rows on disk) on the same cores",
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
            script = _script(broker)
            views = [output.topic for output in script.outputs]
            for made in (*_TOPICS.values(), _TICKS, *views):
                broker.create_topic(made, PARTITIONS)
            rows = send(broker.address, ocpp_day(chargers, MINUTES))
            send(broker.address, [(_TICKS, "0", {"tick": spell(DAY)})])
            report.told = f"{rows:,} rows: {report.told}"
            for number in range(options.rounds):
                report.rows += _round(broker, script, folder / str(number), rows, number)
        except NoCluster as reason:
            report.notes.append(str(reason))
        finally:
            broker.stop()
    return report


def _round(broker: Broker, script: Script, folder: Path, rows: int, number: int) -> list[Row]:
    """Measure the cluster with one slot and with two, and the server beside them."""
    found = []
    cluster = Cluster(folder, 2, HEAP_MIB, **_TASK_HEAP)
    cluster.start()
    try:
        # Java has compiled nothing yet: what the first job takes is told of nobody.
        _on_cluster(broker, cluster, _program(script, f"bench-{number}-first", 2), rows)
        for slots in (1, 2):
            program = _program(script, f"bench-{number}-{slots}", slots)
            row = _on_cluster(broker, cluster, program, rows)
            found.append({"case": f"flink, parallelism {slots}", "round": number + 1, **row})
            print(f"  {found[-1]}", flush=True)
    finally:
        cluster.stop()
    found.append({"case": "embedded", "round": number + 1, **_embedded(broker, rows)})
    print(f"  {found[-1]}", flush=True)
    return found


def _script(broker: Broker) -> Script:
    """Return what `voltstream deploy` makes of the published charging pipeline."""
    with studied(scripted([SEEDS / CHARGING])) as found:
        options = Deployment(kafka=broker.address)
        script = script_for(Target.FLINK, found.catalog, found.reader, options, OCPP_VIEWS)
    refuse(script)
    return script


def _program(script: Script, group: str, slots: int) -> FlinkProgram:
    """Return a job that reads topics from their beginning, and tells a group how far it is."""
    made = program_of(script, group, {"parallelism.default": str(slots)})
    reading = f"'properties.group.id' = '{group}',\n  'scan.startup.mode' = 'earliest-offset'"
    relations = [
        text.replace("'scan.startup.mode' = 'latest-offset'", reading) for text in made.relations
    ]
    return replace(made, relations=relations)


def _on_cluster(broker: Broker, cluster: Cluster, program: FlinkProgram, rows: int) -> Row:
    jobs = FlinkJobs(FlinkGateway(cluster.gateway))
    used_s = sum(map(cpu_s, cluster.pids()))
    jobs.start(program)
    began_s = time.perf_counter()
    try:
        # Offsets are kept when a checkpoint is: all that was read until then is in the topics.
        while _kept(broker, program.name) < rows:
            time.sleep(_LOOK_S)
        took_s = time.perf_counter() - began_s
        cpu = sum(map(cpu_s, cluster.pids())) - used_s
    finally:
        jobs.cancel(program.name)
    return _row(rows, took_s, cpu)


def _kept(broker: Broker, group: str) -> int:
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group, "log_level": 0})
    try:
        places = [
            TopicPartition(topic, number)
            for topic in _TOPICS.values()
            for number in range(PARTITIONS)
        ]
        kept = consumer.committed(places, timeout=10)
        return sum(max(0, place.offset) for place in kept)
    except KafkaException:  # The group's coordinator is being made.
        return 0
    finally:
        consumer.close()


def _embedded(broker: Broker, rows: int) -> Row:
    text = (SEEDS / CHARGING).read_text().split("CREATE SINK")[0]
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
    for source in _TOPICS:
        session.execute(f"ALTER SOURCE {source} SET source_rate_limit TO DEFAULT".encode())
    wait(session, "SELECT sum(position)::BIGINT FROM rw_source_lag", rows)
    return _row(rows, time.perf_counter() - began_s, server.cpu_s() - used_s)


def _row(rows: int, took_s: float, cpu: float) -> Row:
    return {
        "rows/s": round(rows / took_s),
        "seconds": round(took_s, 1),
        "CPU s/M": round(cpu / rows * 1e6, 2),
    }
