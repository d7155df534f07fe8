"""A cluster for the whole suite, started once and only when it is asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.cluster.flink import Cluster, NoCluster
from tests.connectors.real_kafka.broker import Broker
from tests.connectors.real_kafka.given import kafka
from tests.connectors.real_postgres.given import postgresql
from tests.connectors.real_postgres.server import Server

ASKED = "VOLTSTREAM_TEST_CLUSTER"
BUCKET = "flink"
START_WAIT_S = 60


def wanted() -> None:
    """Skip a test of the cluster unless it was asked for."""
    if not os.environ.get(ASKED):
        pytest.skip(f"takes a cluster of several processes: make test-cluster, or {ASKED}=1")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    wanted()
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def object_store() -> str:
    """Where a server speaks S3, once a test asks for its bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, object_store: str) -> Iterator[Cluster]:
    wanted()
    running = None
    store = {"s3.endpoint": object_store, "s3.access-key": "key", "s3.secret-key": "hidden",
             "s3.path.style.access": "true"}  # fmt: skip
    try:
        running = Cluster(tmp_path_factory.mktemp("flink") / "flink", 2, 512, **store)
        running.start()
    except NoCluster as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


@pytest.fixture
def bucket(object_store: str) -> Iterator[str]:
    """An empty bucket that the cluster reaches."""
    wanted()
    pytest.importorskip("moto", reason="moto serves S3 here")
    port = object_store.rpartition(":")[2]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end_s = time.monotonic() + START_WAIT_S
    try:
        while True:
            try:
                request = urllib.request.Request(f"{object_store}/{BUCKET}", method="PUT")
                urllib.request.urlopen(request, timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < end_s, "moto does not answer"
                time.sleep(0.1)
        yield BUCKET
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def postgres() -> Iterator[Server]:
    wanted()
    with postgresql() as running:
        yield running
