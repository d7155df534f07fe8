"""A gateway on a free port, and a client that knows nothing of it."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from voltstream.cli.chargers import gateway_ddl
from voltstream.core.clock import Clock, SystemClock
from voltstream.ocpp.asking import Asker
from voltstream.ocpp.doors import GatewayOptions
from voltstream.ocpp.gateway import Gateway
from voltstream.runtime.instance import Instance

BOOT_16 = {"chargePointVendor": "v", "chargePointModel": "m"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "v", "model": "m"}}


class Client:
    """One charger's side of a connection."""

    def __init__(self, socket_: ClientConnection) -> None:
        self.socket = socket_
        self._numbers = itertools.count(1)

    async def call(self, action: str, message_id: str = "", /, **payload: Any) -> Any:
        """Send a CALL; return the payload of the answer, or the code of the error."""
        await self.socket.send(
            json.dumps([2, message_id or str(next(self._numbers)), action, payload])
        )
        answer = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
        return answer[2]

    async def closed(self) -> int | None:
        """Wait for the end; return its code."""
        await asyncio.wait_for(self.socket.wait_closed(), 30)
        return self.socket.close_code


class Site:
    """A running gateway."""

    def __init__(self, gateway: Gateway, somebody: Asker) -> None:
        self.gateway = gateway
        self._somebody = somebody

    @asynccontextmanager
    async def client(
        self,
        name: str,
        *protocols: str,
        password: bytes | None = None,
        user: str | None = None,
        path: str | None = None,
        boot: bool = True,
    ) -> AsyncIterator[Client]:
        headers = {}
        if password is not None:
            credentials = (user or name).encode() + b":" + password
            headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
        offered = [Subprotocol(one) for one in protocols or ("ocpp1.6",)]
        url = f"ws://127.0.0.1:{self.gateway.port}{path or '/ocpp/' + name}"
        async with connect(url, subprotocols=offered, additional_headers=headers) as socket_:
            client = Client(socket_)
            if boot:
                version = offered[0] if protocols else "ocpp1.6"
                boot_payload: dict[str, Any] = BOOT_16 if version == "ocpp1.6" else BOOT_2
                await client.call("BootNotification", **boot_payload)
            yield client

    async def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Ask as a client of the database does, in a session of its own."""
        return await self._somebody.rows(sql)


@asynccontextmanager
async def site(
    instance: Instance, clock: Clock | None = None, /, **options: Any
) -> AsyncIterator[Site]:
    gateway = Gateway(
        instance, instance, clock or SystemClock(), GatewayOptions(**options), gateway_ddl()
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await gateway.start(listening)
        await (
            gateway.prepare()
        )  # Else the first handshake waits for it, on a busy machine too long.
        somebody = Asker(instance, "volt", "volt")
        try:
            yield Site(gateway, somebody)
        finally:
            somebody.close()
            await gateway.stop()
