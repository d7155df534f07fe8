"""What is known of a job when its cluster fails in the middle; the rest is in tests/cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from voltstream.cli.app import app
from voltstream.core.errors import TargetRefused, TargetUnavailable
from voltstream.deploy.flink_deployed import Beginning, Begun, load, put
from voltstream.deploy.flink_gateway import FlinkAnswer, FlinkGateway, FlinkSession
from voltstream.deploy.flink_jobs import FlinkJobs
from voltstream.deploy.script import Part, Script, Statement, Target

NAME = "voltstream"
SAVEPOINT = "file:/kept/savepoint-1"
SILENT = "silent"


class Cluster(FlinkGateway):
    """One that decides what becomes of each job, and a clock that goes on with every wait.

    Shape: ``becomes`` has the state of each job in the order in which they are executed; SILENT
    for one whose gateway stops answering.
    """

    def __init__(self, *becomes: str) -> None:
        super().__init__("http://flink:8083")
        self.becomes, self.states = list(becomes), dict[str, str]()
        self.stopped, self.now_s = "FINISHED", 0.0

    def version(self) -> str:
        return "2.3.0"

    @contextmanager
    def session(self, settings: Mapping[str, str]) -> Iterator[FlinkSession]:
        yield Session(self)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def jobs(self) -> FlinkJobs:
        return FlinkJobs(self, lambda: self.now_s, self.wait)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        if SILENT in self.states.values():
            raise TargetUnavailable("Flink does not answer")
        if statement == "SHOW JOBS":
            return [(job_id, NAME, state) for job_id, state in self.states.items()]
        if statement.startswith("STOP JOB"):
            self.states[statement.split("'")[1]] = self.stopped
            return [(SAVEPOINT,)]
        return [("plan",)]


class Session(FlinkSession):
    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "")
        self._cluster = cluster

    def run(self, statement: str) -> FlinkAnswer:
        rows, job_id = self._cluster.run(statement), None
        if statement.startswith("EXECUTE"):
            job_id = f"job{len(self._cluster.states) + 1}"
            self._cluster.states[job_id] = self._cluster.becomes.pop(0)
        return FlinkAnswer((), rows, job_id)


def script(view: str) -> Script:
    insert = Statement("t", "t", "insert", f"INSERT INTO t SELECT {view}", part=Part.FLOW)
    table = Statement("t", "t", "table", "CREATE TABLE t (a INT)")
    return Script(Target.FLINK, (), (table, insert))


def begun(folder: Path) -> Begun:
    found = load(folder)
    assert found is not None
    return found


def deployed(cluster: Cluster, folder: Path, view: str, afresh: bool = False) -> str:
    return put(cluster.jobs(), NAME, folder, script(view), True, Beginning(afresh))


@pytest.mark.parametrize("state", [SILENT, "INITIALIZING"])
def test_a_job_that_does_not_go_on_leaves_a_savepoint_that_is_told(
    tmp_path: Path, state: str
) -> None:
    """The gateway is gone, or the job waits for slots."""
    cluster = Cluster("RUNNING", state)
    deployed(cluster, tmp_path, "1")
    with pytest.raises(TargetUnavailable) as error:
        deployed(cluster, tmp_path, "2")
    assert f"--restore {SAVEPOINT}" in str(error.value.hint)
    assert ("slots" in str(error.value.hint)) == (state != SILENT)


def test_a_job_that_does_not_end_has_a_savepoint_that_is_told(tmp_path: Path) -> None:
    cluster = Cluster("RUNNING")
    deployed(cluster, tmp_path, "1")
    cluster.stopped = "RUNNING"
    with pytest.raises(TargetUnavailable, match="has not ended") as error:
        deployed(cluster, tmp_path, "2")
    assert f"--restore {SAVEPOINT}" in str(error.value.hint)


def test_a_refused_upgrade_is_told_with_the_job_that_runs_again(tmp_path: Path) -> None:
    cluster = Cluster("RUNNING", "FAILED", "RUNNING")
    deployed(cluster, tmp_path, "1")
    first = begun(tmp_path)
    with pytest.raises(TargetRefused, match="runs as before"):
        deployed(cluster, tmp_path, "2")
    assert cluster.states == {"job1": "FINISHED", "job2": "FAILED", "job3": "RUNNING"}
    assert begun(tmp_path) == Begun("job3", first.program, first.topics)


def test_nothing_runs_again_and_the_savepoint_is_told(tmp_path: Path) -> None:
    cluster = Cluster("RUNNING", "FAILED", "FAILED")
    deployed(cluster, tmp_path, "1")
    with pytest.raises(TargetRefused, match="ended at once") as error:
        deployed(cluster, tmp_path, "2")
    assert f"--restore {SAVEPOINT}" in str(error.value.hint)


def test_a_job_that_does_not_begin_anew_tells_where_the_one_of_before_is(tmp_path: Path) -> None:
    cluster = Cluster("RUNNING", "FAILED")
    deployed(cluster, tmp_path, "1")
    with pytest.raises(TargetRefused, match="ended at once") as error:
        deployed(cluster, tmp_path, "2", afresh=True)
    assert f"the job of before is kept in {SAVEPOINT}" in str(error.value.hint)


def test_a_first_job_that_is_refused_is_known_no_more(tmp_path: Path) -> None:
    cluster = Cluster("FAILED", "RUNNING")
    with pytest.raises(TargetRefused, match="ended at once"):
        deployed(cluster, tmp_path, "1")
    assert load(tmp_path) is None
    assert deployed(cluster, tmp_path, "2") == "job job2 has begun"


def test_a_first_job_that_is_not_waited_for_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted while it waits for slots: it is gone on with, and taken away."""
    cluster = Cluster("INITIALIZING", "RUNNING")

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(cluster, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            deployed(cluster, tmp_path, "1")
    assert begun(tmp_path).job_id == "job1"
    cluster.states["job1"] = "RUNNING"
    assert deployed(cluster, tmp_path, "1") == f"job job2 goes on from {SAVEPOINT}"

    monkeypatch.setattr("voltstream.cli.deploy.FlinkGateway", lambda url: cluster)
    away = ["deploy", "destroy", "--target", "flink", "--out", str(tmp_path)]
    away += ["--to", "http://flink:8083"]
    assert not (tmp_path / "manifest.json").exists()
    assert "is cancelled" in CliRunner().invoke(app, away).stdout
    assert cluster.states["job2"] == "FINISHED" and load(tmp_path) is None
    assert CliRunner().invoke(app, away).stdout == "nothing is deployed\n"
