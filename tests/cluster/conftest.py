"""A cluster for the whole suite, started once and only when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster.flink import Cluster, NoCluster
from tests.connectors.real_kafka.broker import Broker, NoBroker

ASKED = "VOLTSTREAM_TEST_CLUSTER"


def _wanted() -> None:
    if not os.environ.get(ASKED):
        pytest.skip(f"takes a cluster of several processes: make test-cluster, or {ASKED}=1")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    _wanted()
    try:
        running = Broker(tmp_path_factory.mktemp("kafka"))
        running.start()
    except NoBroker as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    _wanted()
    running = None
    try:
        running = Cluster(tmp_path_factory.mktemp("flink") / "flink")
        running.start()
    except NoCluster as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()
