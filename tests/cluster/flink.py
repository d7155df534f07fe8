"""Apache Flink on loopback: a session cluster of several processes, and its SQL Gateway."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

VERSION = "2.3.0"
POM = Path(__file__).with_name("pom.xml")
S3_POM = Path(__file__).with_name("pom_s3.xml")
FETCH_WAIT_S = 900  # A quarter of a gigabyte, once a machine.
START_WAIT_S = 300
STOP_WAIT_S = 20
LOOK_S = 0.2
# Java 17 keeps these closed; Flink's serializers and its compiler of SQL open them.
_OPENED = (
    *(f"jdk.compiler/com.sun.tools.javac.{part}" for part in ("api", "file", "parser", "tree")),
    "jdk.compiler/com.sun.tools.javac.util",
    *(f"java.base/java.{part}" for part in ("lang", "net", "io", "nio", "text", "time", "util")),
    "java.base/sun.nio.ch",
    "java.base/java.lang.reflect",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
)
JVM = ("-XX:+UseSerialGC", "-Djava.awt.headless=true")
# What a TaskManager is told of its memory: it never works it out itself.
TASK_MANAGER: Mapping[str, str] = {
    "taskmanager.cpu.cores": "1.0",
    "taskmanager.memory.framework.heap.size": "96m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.task.heap.size": "352m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.managed.size": "128m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.jvm-metaspace.size": "192m",
    "taskmanager.memory.jvm-overhead.min": "96m",
    "taskmanager.memory.jvm-overhead.max": "96m",
}


class NoCluster(Exception):
    """A cluster cannot be had on this machine; the reason is the message."""


def home() -> tuple[Path, Path]:
    """Return the folders of Flink and of its connectors, fetched once. Raises: NoCluster."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoCluster(f"{program} is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voltstream-tests"
    flink = cache / f"flink-{VERSION}"
    jars = cache / f"flink-jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
    pip = [str(flink / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    _fetch(
        flink,
        [sys.executable, "-m", "venv", str(flink)],
        # The package of the jars alone: nothing here is written in PyFlink.
        [*pip, f"apache-flink-libraries=={VERSION}"],
    )
    _fetch(jars, _copying(POM, jars))
    [unpacked] = flink.glob("lib/python*/site-packages/pyflink")
    return unpacked, jars


def s3_plugin() -> Path:
    """Return a folder of plugins with Flink's file system of S3. Raises: NoCluster."""
    cache = home()[1].parent
    plugins = cache / f"flink-s3-{hashlib.sha256(S3_POM.read_bytes()).hexdigest()[:16]}"
    _fetch(plugins, _copying(S3_POM, plugins / "s3"))
    return plugins


def _copying(pom: Path, folder: Path) -> list[str]:
    copy = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    return [*copy, f"-DoutputDirectory={folder}", "-DexcludeTransitive=true"]


def _fetch(folder: Path, *commands: list[str]) -> None:
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_WAIT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoCluster(f"Flink could not be fetched: {error}") from error
    (folder / "complete").touch()


class Cluster:
    """One JobManager, TaskManagers that can be killed and started, and a SQL Gateway."""

    def __init__(self, folder: Path, slots: int = 2, heap_mib: int = 512, **settings: str) -> None:
        self._folder, self._heap_mib = folder, heap_mib
        self._home, self._jars = home()
        self._plugins = s3_plugin()
        self._rest, self._rpc, self._gateway = _free_ports(3)
        self._managers: dict[str, subprocess.Popen[bytes]] = {}
        self._made = 0
        self._others: list[subprocess.Popen[bytes]] = []
        self._slots = slots
        told = {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.rpc.port": str(self._rpc),
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": str(slots),
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": str(self._rest),
            "sql-gateway.endpoint.rest.address": "127.0.0.1",
            "sql-gateway.endpoint.rest.bind-address": "127.0.0.1",
            "sql-gateway.endpoint.rest.port": str(self._gateway),
            "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (folder / "savepoints").as_uri(),
            # A killed TaskManager is missed soon, because its port is closed; one that is only
            # slow, on a machine that has more to do, is waited for.
            "heartbeat.interval": "1000",
            "heartbeat.timeout": "30000",
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000",
            "restart-strategy.fixed-delay.delay": "1 s",
            **TASK_MANAGER,
            **settings,
        }
        (folder / "conf").mkdir(parents=True)
        (folder / "conf" / "config.yaml").write_text(
            "".join(f'{name}: "{value}"\n' for name, value in told.items())
        )
        (folder / "conf" / "log4j.properties").write_text(
            "rootLogger.level = INFO\nrootLogger.appenderRef.console.ref = Console\n"
            "appender.console.name = Console\nappender.console.type = CONSOLE\n"
            "appender.console.layout.type = PatternLayout\n"
            "appender.console.layout.pattern = %d{HH:mm:ss,SSS} %p %c{1} %m%n\n"
        )
        self._pool = urllib3.PoolManager(retries=False, timeout=10)

    @property
    def gateway(self) -> str:
        """Return the address of the SQL Gateway."""
        return f"http://127.0.0.1:{self._gateway}"

    @property
    def rest(self) -> str:
        """Return the address of the JobManager's REST API."""
        return f"http://127.0.0.1:{self._rest}"

    def start(self, managers: int = 2) -> None:
        """Start everything and wait until it answers. Raises: NoCluster."""
        self._others.append(self._java("gateway", "org.apache.flink.table.gateway.SqlGateway"))
        self._start_master()  # The last of these: the one that can be lost.
        for _ in range(managers):
            self.add_manager()
        self._wait(f"{self.gateway}/v1/info", "productName", self._others)
        self.wait_for_slots(managers * self._slots)

    def add_manager(self) -> None:
        entry = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
        self._made += 1
        name = f"manager-{self._made}"
        told = [*self._told(), f"-Dtaskmanager.resource-id={name}"]
        self._managers[name] = self._java("taskmanager", entry, *told)

    def kill_manager(self) -> None:
        """End without a word the TaskManager that has most to do."""
        answer = self._pool.request("GET", f"{self.rest}/taskmanagers")
        known = {one["id"]: one["freeSlots"] for one in json.loads(answer.data)["taskmanagers"]}
        busiest = min(self._managers, key=lambda name: known.get(name, self._slots))
        victim = self._managers.pop(busiest)
        victim.kill()
        victim.wait()

    def lose_master(self) -> None:
        """End the JobManager without a word and start another, which knows of no job."""
        master = self._others.pop()
        master.kill()
        master.wait()
        slots = len(self._managers) * self._slots
        self._start_master()
        self.wait_for_slots(slots)

    def _start_master(self) -> None:
        runtime = "org.apache.flink.runtime"
        entry = f"{runtime}.entrypoint.StandaloneSessionClusterEntrypoint"
        self._others.append(self._java("jobmanager", entry, *self._told()))

    def restarts(self, job: str) -> int:
        """Return how often the running job of that name began again after a loss."""
        told = self._asked("/jobs/overview")["jobs"]
        [job_id] = [one["jid"] for one in told if one["name"] == job and one["end-time"] == -1]
        [metric] = self._asked(f"/jobs/{job_id}/metrics?get=numRestarts") or [{"value": 0}]
        return int(metric["value"])

    def told(self) -> str:
        """Return what running jobs are at, for a test that fails: tasks, records, losses."""
        lines = list[str]()
        for one in self._asked("/jobs/overview")["jobs"]:
            if one["end-time"] != -1:
                continue
            lines.append(f"{one['name']}: {one['state']}")
            for task in self._asked(f"/jobs/{one['jid']}")["vertices"]:
                seen = task["metrics"]
                counted = f"{seen['read-records']} read, {seen['write-records']} written"
                lines.append(f"  {task['status']} x{task['parallelism']} {counted}: {task['name']}")
            history = self._asked(f"/jobs/{one['jid']}/exceptions")["exceptionHistory"]
            lines += [loss["stacktrace"][:500] for loss in history["entries"][:3]]
        return "\n".join(lines)

    def _asked(self, path: str) -> Any:
        return self._pool.request("GET", self.rest + path).json()

    def wait_for_slots(self, count: int) -> None:
        """Wait until the TaskManagers have registered so many. Raises: NoCluster."""
        self._wait(f"{self.rest}/overview", f'"slots-total":{count},', self._others)

    def pids(self) -> list[int]:
        return [each.pid for each in (*self._others, *self._managers.values())]

    def stop(self) -> None:
        running = (*self._managers.values(), *self._others)
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._managers, self._others = {}, []

    def _told(self) -> list[str]:
        return ["--configDir", str(self._folder / "conf")]

    def _java(self, name: str, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        opened = (
            f"--add-{how}={each}=ALL-UNNAMED" for each in _OPENED for how in ("exports", "opens")
        )
        command = ["java", *JVM, f"-Xmx{self._heap_mib}m", "-XX:MaxMetaspaceSize=512m", *opened]
        command += [f"-Dlog4j.configurationFile={self._folder / 'conf' / 'log4j.properties'}"]
        command += ["-cp", f"{self._home / 'lib'}/*:{self._jars}/*", main, *arguments]
        environment = {
            **os.environ,
            "FLINK_CONF_DIR": str(self._folder / "conf"),
            "FLINK_LIB_DIR": str(self._home / "lib"),
            "FLINK_PLUGINS_DIR": str(self._plugins),
        }
        with (self._folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    def _wait(self, url: str, word: str, alive: list[subprocess.Popen[bytes]]) -> None:
        end_s = time.monotonic() + START_WAIT_S
        while True:
            try:
                if word in self._pool.request("GET", url).data.decode():
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if time.monotonic() > end_s or any(each.poll() is not None for each in alive):
                self.stop()
                raise NoCluster(f"Flink does not answer at {url}; see the logs in {self._folder}")
            time.sleep(LOOK_S)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
