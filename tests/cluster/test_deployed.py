"""`voltstream deploy` and a real Flink: again, changed, anew, lost, gone on with, taken away."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from tests.cluster.conftest import BUCKET
from tests.cluster.deploying import Latest, deploy, pipeline, read_of, send_reads
from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from voltstream.core.errors import InvalidParameter, TargetRefused
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJob, FlinkJobs
from voltstream.deploy.script import NotDeployable

WAIT_S = 120
TOTALS = "totals AS SELECT meter, count(*) AS n, sum(kwh) AS kwh FROM reads GROUP BY meter"
LOUD = "loud AS SELECT n, kwh FROM reads WHERE n {}"


@pytest.fixture
def jobs(cluster: Cluster) -> Iterator[FlinkJobs]:
    running = FlinkJobs(FlinkGateway(cluster.gateway))
    yield running
    if running.live("voltstream") is not None:
        running.cancel("voltstream")


def totals(count: int) -> list[dict[str, Any]]:
    found = []
    for meter in range(7):
        rows = [read_of(number) for number in range(meter, count, 7)]
        kwh = sum(row["kwh"] for row in rows)
        found.append({"meter": meter, "n": len(rows), "kwh": kwh})
    return sorted(found, key=str)


def live(jobs: FlinkJobs) -> FlinkJob:
    job = jobs.live("voltstream")
    assert job is not None
    return job


def checkpoints(folder: Path, job: FlinkJob) -> list[Path]:
    """Return what a job could begin from, the oldest first."""
    found = (folder / job.job_id).glob("chk-*/_metadata")
    return sorted((path.parent for path in found), key=lambda path: int(path.name[4:]))


def policy(broker: Broker, topic: str) -> str:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    [told] = admin.describe_configs([resource]).values()
    return str(told.result(10)["cleanup.policy"].value)


def test_a_job_is_left_alone_gone_on_with_or_begun_anew(
    broker: Broker, cluster: Cluster, jobs: FlinkJobs, tmp_path: Path
) -> None:
    broker.create_topic("verbs.reads", 2)
    kept, out = tmp_path / "kept", tmp_path / "out"
    refused = pipeline(tmp_path, broker, "verbs.reads",
                       "v AS SELECT translate('a', 'b', 'c') AS t FROM reads")  # fmt: skip
    target = ("--target", "flink", "--out", out, "--topics", "verbs.")
    there = (*target, "--checkpoints", kept.as_uri(), "--to", cluster.gateway)
    with pytest.raises(NotDeployable, match="translate"):
        deploy(*there, "-f", refused)
    assert jobs.live("voltstream") is None and not out.exists()

    file = pipeline(tmp_path, broker, "verbs.reads", TOTALS)
    whole = (*there, "-f", file)
    daily, hourly = ("--state-ttl", "1 day"), ("--state-ttl", "1 hour")
    assert "has begun" in deploy(*whole, *daily).stdout
    first, latest = live(jobs), Latest(broker, "verbs.totals")
    assert policy(broker, "verbs.totals") == "compact"
    send_reads(broker, "verbs.reads", range(1_000), 2)
    eventually(lambda: latest.rows() == totals(1_000), WAIT_S)

    # The same again leaves the job alone.
    assert "everything already" in deploy(*whole, *daily).stdout
    assert live(jobs) == first
    same = ("diff", *target, "--checkpoints", kept.as_uri(), "-f", file)
    assert (deploy(*same, *daily).exit_code, deploy(*same, *daily).stdout) == (0, "")

    # A setting alone is a difference; the job goes on with its state.
    shorter = deploy(*same, *hourly)
    assert (shorter.exit_code, shorter.stdout) == (1, "~ setting table.exec.state.ttl\n")
    told = deploy(*whole, *hourly).stdout
    assert f"goes on from file:{kept}/savepoint-" in told
    assert live(jobs) != first
    send_reads(broker, "verbs.reads", range(1_000, 2_000), 2)
    eventually(lambda: latest.rows() == totals(2_000), WAIT_S)

    # Another view is another plan: the job that runs is left, with its state, until --afresh.
    pipeline(tmp_path, broker, "verbs.reads", TOTALS, LOUD.format(">= 1500"))
    shown = deploy(*same, *hourly)
    assert (shown.exit_code, "+ view `loud`" in shown.stdout) == (1, True)
    with pytest.raises(TargetRefused, match="runs as before") as error:
        deploy(*whole, *hourly)
    assert error.value.sqlstate == "HV000" and "--afresh" in str(error.value.hint)
    send_reads(broker, "verbs.reads", range(2_000, 3_000), 2)
    eventually(lambda: latest.rows() == totals(3_000), WAIT_S)
    told = deploy(*whole, "--afresh").stdout
    assert "has begun; the job of before is kept in" in told
    loud = Latest(broker, "verbs.loud")
    eventually(lambda: len(loud.rows()) == 1_500, WAIT_S)
    eventually(lambda: latest.rows() == totals(3_000), WAIT_S)
    assert latest.gone == 7  # Readers saw every row go before it came again.

    # Begun anew with another query no row of the old one stays.
    pipeline(tmp_path, broker, "verbs.reads", TOTALS, LOUD.format("< 10"))
    deploy(*whole, "--afresh")
    eventually(lambda: sorted(row["n"] for row in loud.rows()) == [*range(10)], WAIT_S)


def test_a_job_goes_on_after_a_lost_machine_and_is_taken_away(
    broker: Broker, cluster: Cluster, jobs: FlinkJobs, tmp_path: Path
) -> None:
    broker.create_topic("lost.reads", 2)
    kept, file = tmp_path / "kept", pipeline(tmp_path, broker, "lost.reads", TOTALS)
    target = ("--target", "flink", "--out", tmp_path / "out")
    whole = (*target, "--topics", "lost.", "--checkpoints", kept.as_uri(), "-f", file)
    to = ("--to", cluster.gateway)
    deploy(*whole, *to)
    job, latest = live(jobs), Latest(broker, "lost.totals")
    send_reads(broker, "lost.reads", range(1_000), 2)
    eventually(lambda: latest.rows() == totals(1_000), WAIT_S)
    cluster.kill_manager()  # The one that runs it: the other goes on from the last checkpoint.
    send_reads(broker, "lost.reads", range(1_000, 2_000), 2)
    cluster.add_manager()
    eventually(lambda: latest.rows() == totals(2_000), WAIT_S)
    passed = [place.name for place in checkpoints(kept, job)]
    eventually(lambda: any(p.name not in passed for p in checkpoints(kept, job)), WAIT_S)
    cluster.lose_master()
    assert jobs.live("voltstream") is None
    with pytest.raises(TargetRefused, match="not on the cluster any more") as error:
        deploy(*whole, *to)
    assert f"{job.job_id}/chk-N" in str(error.value.hint)
    send_reads(broker, "lost.reads", range(2_000, 3_000), 2)
    place = checkpoints(kept, job)[-1].as_uri()
    assert f"goes on from {place}" in deploy(*whole, *to, "--restore", place).stdout
    eventually(lambda: latest.rows() == totals(3_000), WAIT_S)
    assert latest.gone == 0  # It went on: nothing was taken away, nothing counted twice.

    away = deploy("destroy", *target, *to).stdout
    assert 'job "voltstream" is cancelled; topics stay: lost.totals' in away
    assert jobs.live("voltstream") is None and latest.rows() == totals(3_000)
    assert deploy("destroy", *target).stdout == "nothing is deployed\n"
    everything = deploy("diff", *whole).stdout.splitlines()
    assert everything and all(line.startswith("+ ") for line in everything)
    latest.close()


def test_state_that_nothing_touches_is_let_go(
    broker: Broker, cluster: Cluster, jobs: FlinkJobs, tmp_path: Path
) -> None:
    """What --state-ttl approximates: a quiet group begins anew, its row stays until then."""
    broker.create_topic("ttl.reads", 1)
    file = pipeline(tmp_path, broker, "ttl.reads", TOTALS)
    target = ("--target", "flink", "-f", file, "--topics", "ttl.", "--out", tmp_path / "out")
    with pytest.raises(InvalidParameter, match="state_ttl"):
        deploy(*target, "--to", cluster.gateway, "--state-ttl", "soon")
    done = deploy(*target, "--to", cluster.gateway, "--state-ttl", "3 seconds")
    assert "forgotten" in done.stderr.replace("\n", " ")
    latest = Latest(broker, "ttl.totals")
    send_reads(broker, "ttl.reads", range(14))
    eventually(lambda: latest.rows() == totals(14), WAIT_S)
    quiet = iter(range(7, 10_000, 7))  # Of the meter 0, while the others are quiet.

    def forgotten() -> bool:
        """Read one of meter 0, which is never quiet for three seconds."""
        send_reads(broker, "ttl.reads", range(first := next(quiet), first + 1))
        return bool(latest.rows()[0]["n"] > 12)

    eventually(forgotten, WAIT_S)
    assert [row["n"] for row in latest.rows()[1:]] == [2] * 6  # Rows stay though state is gone.
    send_reads(broker, "ttl.reads", range(1, 2))
    eventually(lambda: next(row for row in latest.rows() if row["meter"] == 1)["n"] == 1, WAIT_S)
    assert latest.gone == 0
    latest.close()


def listed(store: str) -> list[str]:
    """Return the keys of the bucket's objects."""
    with urllib.request.urlopen(f"{store}/{BUCKET}?list-type=2", timeout=10) as answer:
        text = answer.read().decode()
    return [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]


def test_checkpoints_and_savepoints_are_in_a_bucket(
    broker: Broker, cluster: Cluster, jobs: FlinkJobs, bucket: str, object_store: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    broker.create_topic("s3.reads", 1)
    file = pipeline(tmp_path, broker, "s3.reads", TOTALS)
    target = ("--target", "flink", "-f", file, "--topics", "s3.", "--out", tmp_path / "out",
              "--to", cluster.gateway, "--checkpoints", f"s3://{bucket}/fleet")  # fmt: skip
    deploy(*target)
    first, latest = live(jobs), Latest(broker, "s3.totals")
    send_reads(broker, "s3.reads", range(700))
    eventually(lambda: latest.rows() == totals(700), WAIT_S)
    made = f"fleet/{first.job_id}/chk-"
    eventually(
        lambda: any(k.startswith(made) and k.endswith("_metadata") for k in listed(object_store)),
        WAIT_S,
    )
    told = deploy(*target, "--state-ttl", "1 day").stdout.replace("\n", "")
    assert f"goes on from s3://{bucket}/fleet/savepoint-" in told
    assert any(key.startswith("fleet/savepoint-") for key in listed(object_store))
    send_reads(broker, "s3.reads", range(700, 1_400))
    eventually(lambda: latest.rows() == totals(1_400), WAIT_S)
    assert latest.gone == 0
    latest.close()


def test_what_is_not_for_a_target_is_refused_before_anything(tmp_path: Path) -> None:
    wrong = {
        ("flink", "--plain"): "--plain is not for flink",
        ("risingwave", "--jdbc", "jdbc:postgresql://h/d"): "--jdbc is not for risingwave",
        ("timescaledb", "--state-ttl", "1 day"): "--state-ttl is not for timescaledb",
    }
    for (target, *options), said in wrong.items():
        with pytest.raises(InvalidParameter, match=said) as error:
            deploy("--target", target, "-f", tmp_path / "none.sql", *options)
        assert error.value.sqlstate == "22023" and error.value.hint
