"""The servers that connectors are tried against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.real_kafka.broker import Broker
from tests.connectors.real_kafka.given import kafka
from tests.connectors.real_postgres.given import postgresql
from tests.connectors.real_postgres.server import Server
from tests.connectors.real_registry.server import NoRegistry, Registry


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


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
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running
