"""Secrets: sealed on disk, told to connectors alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.test_webhook_sink import Endpoint, serving
from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import DependentObjects, InvalidParameter, UndefinedObject
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.vault import Vault

TELLTALE = "never on disk, never shown"
KEY = "a key from the environment"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as server:
        yield server


def opened(folder: Path, key: str | None) -> Engine:
    engine = Engine.__new__(Engine)
    engine.clock = SystemClock()
    engine.notices = []
    options = EngineOptions(secret_key=key)
    engine.instance = Instance(folder, options, engine.clock, ConnectorRegistry())
    engine.instance.start()
    engine.session = engine.instance.open(database="volt", user="volt", options={})
    return engine


def test_a_connector_is_told_and_nobody_else(endpoint: Endpoint, tmp_path: Path) -> None:
    engine = opened(tmp_path, KEY)
    engine.run(
        f"CREATE SECRET hook_key WITH (backend = 'meta') AS '{TELLTALE}'; "
        f"CREATE CONNECTION hooks WITH (type = 'webhook', url = '{endpoint.url}', "
        "header.apikey = SECRET hook_key); "
        "CREATE TABLE t (n INT PRIMARY KEY); "
        "CREATE SINK s FROM t WITH (connector = 'webhook', connection = hooks, "
        "secret = SECRET public.hook_key) FORMAT PLAIN ENCODE JSON; "
        "INSERT INTO t VALUES (1)"
    )
    eventually(lambda: len(endpoint.got) == 1)
    headers, _ = endpoint.got[0]
    assert headers["webhook-signature"].startswith("v1,")
    with pytest.raises(DependentObjects):
        engine.run("DROP SECRET hook_key")
    for shown in ("SHOW CREATE SINK s", "SELECT * FROM rw_secrets", "SHOW SECRETS"):
        assert TELLTALE not in str(engine.run(shown))
    with pytest.raises(UndefinedObject, match='secret "other"'):
        engine.run("CREATE SOURCE x (a INT) WITH (connector = 'none', token = SECRET other)")
    engine.close()
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(TELLTALE.encode() in content for content in files)


def test_another_key_opens_all_but_what_needs_the_secret(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    engine = opened(tmp_path, KEY)
    engine.run(
        f"CREATE SECRET k WITH (backend = 'meta') AS '{TELLTALE}'; CREATE TABLE t (n INT); "
        f"CREATE SINK s FROM t WITH (connector = 'webhook', url = '{endpoint.url}', "
        "secret = SECRET k) FORMAT PLAIN ENCODE JSON"
    )
    engine.close()
    engine = opened(tmp_path, "some other key entirely")
    engine.run("INSERT INTO t VALUES (1)")
    eventually(lambda: engine.run("SELECT state FROM rw_sinks") == [("failed",)])
    [(detail,)] = engine.run("SELECT detail FROM rw_sinks")
    assert "another key" in str(detail)
    engine.close()
    engine = opened(tmp_path, KEY)
    eventually(lambda: endpoint.bodies() == [{"n": 1}])
    engine.close()


def test_without_a_key_there_is_one_for_its_owner_alone(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal("x")
    assert Vault(tmp_path).unseal(sealed, "s") == "x"
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidParameter):
        Vault(tmp_path, "short")
