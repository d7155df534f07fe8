"""The servers that connectors are tried against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.real_postgres.server import NoServer, Server


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
