"""An engine that a gateway of a test stands on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.driver import begun
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    options = EngineOptions(epoch_interval_ms=10)
    found = Instance(
        begun(tmp_path_factory.mktemp("data")), options, SystemClock(), ConnectorRegistry(None)
    )
    found.start()
    yield found
    found.stop()
