"""One Apache Kafka broker in KRaft mode, on loopback, for as long as a test needs it."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.connectors.real_kafka.proxy import Network

POM = Path(__file__).with_name("pom.xml")
FETCH_WAIT_S = 300  # 46 MB of jars, once a machine.
START_WAIT_S = 90
STOP_WAIT_S = 20
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
# A test broker is short-lived: it compiles little and keeps little.
JVM = ("-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_SILENT = logging.getLogger("tests.kafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class NoBroker(Exception):
    """A broker cannot be had on this machine; the reason is the message."""


def jars() -> Path:
    """Return the folder of the broker's jars; Maven fetches them once. Raises: NoBroker."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoBroker(f"{program} is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "voltstream-tests" / f"kafka-{_digest(POM)}"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_WAIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBroker(f"Maven could not fetch the broker: {error}") from error
    (folder / "complete").touch()
    return folder


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


class Broker:
    """A broker of one data folder; it can be stopped, killed and started again."""

    def __init__(self, folder: Path, behind: Callable[[int], Network] | None = None) -> None:
        self._folder = folder
        self._jars = jars()
        self._port, controller = _free_ports()
        self._network = behind(self._port) if behind is not None else None
        self._config = folder / "server.properties"
        self._config.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"listeners=PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{controller}\n"
            f"advertised.listeners=PLAINTEXT://{self.address}\n"
            "controller.listener.names=CONTROLLER\n"
            f"log.dirs={folder / 'logs'}\n"
            "num.partitions=1\noffsets.topic.replication.factor=1\n"
            "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            "broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n"
            "log.cleaner.dedupe.buffer.size=2000000\nauto.create.topics.enable=true\n"
        )
        arguments = ["format", "-t", CLUSTER_ID, "-c", str(self._config)]
        subprocess.run(self._java("kafka.tools.StorageTool", *arguments), check=True,
                       capture_output=True, timeout=START_WAIT_S)  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return where clients go: the broker itself, or the network before it."""
        return f"127.0.0.1:{self._network.port if self._network is not None else self._port}"

    @property
    def network(self) -> Network:
        assert self._network is not None, "there is none before this broker"
        return self._network

    def _java(self, main: str, *arguments: str) -> list[str]:
        return ["java", *JVM, "-cp", f"{self._jars}/*", main, *arguments]

    def start(self) -> None:
        """Start and wait until it answers. Raises: NoBroker."""
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._config)), stdout=output, stderr=output
            )
        end_s = time.monotonic() + START_WAIT_S
        admin = self._admin()
        while True:
            try:
                if admin.list_topics(timeout=1).brokers:
                    return
            except KafkaException as error:
                if time.monotonic() > end_s or self._process.poll() is not None:
                    self.stop()
                    raise NoBroker(f"the broker does not answer: {error}") from error

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def create_topic(self, name: str, partitions: int) -> None:
        admin = self._admin()  # Held until it has answered.
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(START_WAIT_S)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0}, logger=_SILENT)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
