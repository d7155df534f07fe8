"""The servers that connectors are tried against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.real_kafka.broker import Broker, NoBroker
from tests.connectors.real_postgres.server import NoServer, Server
from tests.connectors.real_registry.server import NoRegistry, Registry


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    try:
        running = Server()
    except NoServer as reason:
        pytest.skip(str(reason))
    running.start()
    yield running
    running.stop("immediate")
    running.remove()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    try:
        running = Registry(tmp_path_factory.mktemp("registry"))
    except NoRegistry as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    try:
        running = Broker(tmp_path_factory.mktemp("kafka"))
        running.start()
    except NoBroker as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()
