"""Gateways and the server behind them as processes, a load balancer, and chargers that persist."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

SOURCE = Path(__file__).resolve().parents[2] / "src"
AGAIN_S = 0.2
LOST = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, TimeoutError, EOFError)


class Program:
    """`voltstream …` as a process that is ready."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "voltstream", *arguments],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self._process.stdout.readline()
            assert line, f"it did not start: {said}"
            said += line
        self._said = said

    def port(self, scheme: str) -> int:
        found = re.search(rf"{scheme}://[\w.@]+:(\d+)", self._said)
        assert found is not None, self._said
        return int(found[1])

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._end()

    def _end(self) -> None:
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Balancer:
    """A port that hands each connection to the next gateway that takes it."""

    def __init__(self, ports: list[int]) -> None:
        self._ports: Iterator[int] = itertools.cycle(ports)
        self._count = len(ports)
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self._count):
            with suppress(OSError):
                far, back = await asyncio.open_connection("127.0.0.1", next(self._ports))
                for source, target in ((reader, back), (far, writer)):
                    pump = asyncio.create_task(_pump(source, target))
                    self._pumps.add(pump)
                    pump.add_done_callback(self._pumps.discard)
                return
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Charger:
    """Sends its messages in order, each until it is answered, whoever is lost meanwhile."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.commands: list[str] = []
        self.connections = 0
        self._socket: ClientConnection | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def call(self, action: str, **payload: Any) -> Any:
        """Return the answer, after as many tries as it takes."""
        while True:
            number = str(next(self._numbers))
            try:
                socket = await self._connected()
                answer = self._answers[number] = asyncio.get_running_loop().create_future()
                await socket.send(json.dumps([2, number, action, payload]))
                kind, told = await asyncio.wait_for(answer, 30)
            except LOST:
                await self.drop()
                await asyncio.sleep(AGAIN_S)
                continue
            if kind == 3:
                return told
            await asyncio.sleep(AGAIN_S)

    async def _connected(self) -> ClientConnection:
        if self._socket is None:
            url = f"ws://127.0.0.1:{self.port}/ocpp/{self.name}"
            self._socket = await connect(url, subprotocols=[Subprotocol("ocpp1.6")])
            self.connections += 1
            self._listening = asyncio.create_task(self._listen(self._socket))
        return self._socket

    async def connected(self) -> None:
        """Be connected, and stay so while nothing is said."""
        await self.call("Heartbeat")

    async def _listen(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                kind, number, *rest = json.loads(await socket.recv())
                if kind == 2:
                    self.commands.append(rest[0])
                    await socket.send(json.dumps([3, number, {"status": "Accepted"}]))
                elif number in self._answers and not self._answers[number].done():
                    self._answers[number].set_result((kind, rest[0]))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(EOFError())
        if self._socket is socket:
            self._socket = None

    async def drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()
        if self._listening is not None:
            await self._listening
