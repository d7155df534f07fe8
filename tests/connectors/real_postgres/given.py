"""A PostgreSQL for a test, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.connectors.real_postgres.server import NoServer, Server


@contextmanager
def postgresql() -> Iterator[Server]:
    """Give a server of its own; the test is skipped where none is installed."""
    try:
        server = Server()
    except NoServer as reason:
        pytest.skip(str(reason))
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        server.remove()
