"""Every command to a charger, by SQL and by HTTP: the reply is a row, and both are kept."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.gateway.examples import schema_of, smallest
from tests.gateway.site import BOOT_2, BOOT_16
from tests.gateway.test_commands import GIVEN, PROFILE_2, PROFILE_16
from voltstream.cli.config import load_settings
from voltstream.cli.serve import RunningServer
from voltstream.core.clock import SystemClock
from voltstream.ocpp.commands import PARAMETERS
from voltstream.ocpp.versions import Version

Way = Callable[[Any, str, str, list[Any]], Any]
PORTS = {"pg_port": 0, "http_port": 0, "ocpp_port": 0}


def arguments(version: Version, function: str) -> list[str | None]:
    """Return the arguments behind the charge point, in order."""
    profile = json.dumps(PROFILE_16 if version is Version.V16 else PROFILE_2)
    given = {"ocpp_set_charging_profile": {"profile": profile}} | GIVEN
    return [given[function].get(name) for name in PARAMETERS[function]]


async def obey(socket: ClientConnection, version: Version, asked: list[str]) -> None:
    """Answer every command with the smallest reply that its schema allows."""
    async for text in socket:
        _, number, action, _ = json.loads(text)
        asked.append(action)
        schema = schema_of(version, f"{action}Response")
        await socket.send(json.dumps([3, number, smallest(schema, schema)]))


def by_sql(session: psycopg.Connection[Any], charger: str, function: str, given: list[Any]) -> Any:
    marks = ", ".join(["%s"] * (len(given) + 1))
    query = f"SELECT {function}({marks})".encode()
    with psycopg.ClientCursor(session) as cursor:
        row = cursor.execute(query, [charger, *given]).fetchone()
        names = [column.name for column in cursor.description or ()]
    assert row is not None
    return dict(zip(names, row, strict=True))


def by_http(port: int, charger: str, function: str, given: list[Any]) -> Any:
    url = f"http://127.0.0.1:{port}/v1/chargers/{charger}/{function.removeprefix('ocpp_')}"
    request = urllib.request.Request(url, data=json.dumps(given).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True)


def kept_of(session: psycopg.Connection[Any], charger: str) -> list[tuple[Any, ...]]:
    return session.execute(
        "SELECT state, COUNT(*) FROM charger_commands WHERE charge_point_id = %s "
        "GROUP BY state ORDER BY state",
        [charger],
    ).fetchall()


def test_every_command_by_sql_and_by_http(tmp_path: Path) -> None:
    async def one(server: RunningServer, version: Version) -> None:
        name = f"CMD-{version.name}"
        asked: list[str] = []
        url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp/{name}"
        # The first connection waits until the gateway has made its relations, or comes again.
        offered = [Subprotocol(version.value)]
        async for socket in connect(url, subprotocols=offered, open_timeout=60):
            boot = BOOT_16 if version is Version.V16 else BOOT_2
            await socket.send(json.dumps([2, "1", "BootNotification", boot]))
            await socket.recv()
            obeying = asyncio.create_task(obey(socket, version, asked))
            url = f"host=127.0.0.1 port={server.pg_port} user=volt dbname=volt"
            with await asyncio.to_thread(connected, url) as session:
                ways: list[tuple[Way, Any]] = [(by_http, server.http_port), (by_sql, session)]
                for function in sorted(PARAMETERS):
                    given = arguments(version, function)
                    for way, where in ways:
                        row = await asyncio.to_thread(way, where, name, function, given)
                        assert row["state"] == "answered", (version, function, row)
                        assert row["action"] == asked[-1]
                        assert json.loads(row["reply"]) is not None
                kept = await asyncio.to_thread(kept_of, session, name)
            assert kept == [("answered", len(asked)), ("sent", len(asked))]
            obeying.cancel()
            return

    async def work() -> None:
        settings = load_settings(None, {"data": tmp_path, **PORTS})
        async with RunningServer(settings, SystemClock()) as server:
            await asyncio.gather(*(one(server, version) for version in Version))

    asyncio.run(asyncio.wait_for(work(), 240))
