"""The PostgreSQL server: sockets and threads around the pure protocol."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import itertools
import logging
import secrets
import socket
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from voltstream.core.errors import (
    AdminShutdown,
    InvalidAuthorization,
    TooManyConnections,
    VoltstreamError,
)
from voltstream.core.limits import CONNECTIONS_MAX
from voltstream.core.ports import Session, Sessions
from voltstream.pgwire.protocol import Admitted, Conversation
from voltstream.pgwire.startup import Credentials

_LOG = logging.getLogger(__name__)

READ_BYTES = 256 * 1024  # One read of a socket. More waits in the kernel: COPY slows its sender.
ANSWER_BYTES = 64 * 1024  # Gathered before a write, so that small rows cost no system call each.
STARTUP_S = 60  # A connection that says nothing useful for so long is closed, as PostgreSQL does.
GONE_CHECK_S = 1.0  # How soon a statement stops after its client has gone.
STOP_S = 5.0  # Patience with running statements at shutdown; then their connections are cut.


@dataclass(slots=True)
class _Connection:
    """One socket and what is known of it; the desk of its own conversation."""

    server: PgServer
    peer: str
    process_id: int
    secret: int
    session: Session | None = None

    def admit(self, credentials: Credentials) -> Admitted:
        self.session = self.server.open_session(self.peer, self.process_id, credentials)
        return Admitted(self.session, self.process_id, self.secret)

    def cancel(self, process_id: int, secret: int) -> None:
        self.server.cancel(process_id, secret)


class PgServer:
    """Serves sessions on a port. Users on this machine are let in under any name.

    Shape: ``port`` 0 takes a free one; ``port`` tells it after ``start``.
    ``trust_remote`` lets in every address: for networks that are themselves the boundary.
    """

    def __init__(
        self,
        sessions: Sessions,
        host: str = "127.0.0.1",
        port: int = 4566,
        *,
        trust_remote: bool = False,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self.host = host
        self.port = port
        self._sessions = sessions
        self._trust_remote = trust_remote
        self._connections_max = connections_max
        self._connections: dict[int, _Connection] = {}
        self._process_ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._stopping = asyncio.Event()
        # Session calls block, so each connection may hold a thread; idle ones hold none. The
        # spare threads refuse clients and carry cancel requests while all slots are busy.
        self._threads = ThreadPoolExecutor(connections_max + 8, thread_name_prefix="pgwire")

    async def start(self) -> None:
        """Listen. Raises: OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse new clients, stop statements, tell every client 57P01 and close."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            if connection.session is not None:
                with suppress(VoltstreamError):  # The others still must be interrupted.
                    connection.session.interrupt()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def open_session(self, peer: str, process_id: int, credentials: Credentials) -> Session:
        """Let a client in. Raises: 53300 when full, 28000 for strangers, 3D000."""
        if len(self._connections) > self._connections_max:
            raise TooManyConnections("sorry, too many clients already")
        if not self._trust_remote and not _is_loopback(peer):
            raise InvalidAuthorization(
                f'no way in for host "{peer}", user "{credentials.user}"',
                hint="Only clients on the server's own machine are trusted.",
            )
        return self._sessions.open(
            database=credentials.database,
            user=credentials.user,
            options=credentials.options,
            process_id=process_id,
            client=peer,
        )

    def cancel(self, process_id: int, secret: int) -> None:
        """Interrupt the statement of the connection with this key."""
        connection = self._connections.get(process_id)
        if connection is None or connection.session is None:
            return
        if hmac.compare_digest(connection.secret.to_bytes(4), secret.to_bytes(4)):
            connection.session.interrupt()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        peer = writer.get_extra_info("peername")
        process_id = next(self._process_ids)
        connection = _Connection(
            self, peer[0] if isinstance(peer, tuple) else "", process_id, secrets.randbits(32)
        )
        self._connections[process_id] = connection
        conversation = Conversation(connection)
        try:
            _send_at_once(writer)
            # The client went, or patience at shutdown ended: what is left to say is said below.
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._converse(connection, conversation, reader, writer)
        finally:
            del self._connections[process_id]
            await self._part(conversation, writer)

    async def _converse(
        self,
        connection: _Connection,
        conversation: Conversation,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while not conversation.finished and not self._stopping.is_set():
            data = await self._read(reader, None if connection.session else STARTUP_S)
            if not data:
                return
            answer = conversation.receive(data)
            try:
                while chunk := await self._next_chunk(connection, answer, reader):
                    writer.write(chunk)
                    await writer.drain()  # A slow reader waits here and holds one chunk.
            finally:
                await self._in_thread(answer.close)  # Lets go of what a half-read answer holds.

    async def _read(self, reader: asyncio.StreamReader, patience_s: float | None) -> bytes:
        """Return what the client sends; nothing when it went, was too slow or the server stops."""
        reading = asyncio.ensure_future(reader.read(READ_BYTES))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(
                {reading, stopping}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            return reading.result() if reading.done() else b""
        finally:
            reading.cancel()
            stopping.cancel()

    async def _next_chunk(
        self,
        connection: _Connection,
        answer: Generator[bytes, None, None],
        reader: asyncio.StreamReader,
    ) -> bytes:
        """Make the next chunk in a thread; stop the statement when its client is gone."""
        making = asyncio.get_running_loop().run_in_executor(self._threads, gathered, answer)
        while True:
            done, _ = await asyncio.wait({making}, timeout=GONE_CHECK_S)
            if done:
                return making.result()
            if reader.at_eof() and connection.session is not None:
                connection.session.interrupt()

    async def _in_thread(self, call: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _part(self, conversation: Conversation, writer: asyncio.StreamWriter) -> None:
        farewell = None
        if self._stopping.is_set() and not conversation.finished:
            farewell = AdminShutdown("terminating connection due to administrator command")
        try:
            last_words = await asyncio.get_running_loop().run_in_executor(
                self._threads, conversation.close, farewell
            )
            with suppress(ConnectionError, TimeoutError):  # It may not listen any more.
                writer.write(last_words)
                await asyncio.wait_for(writer.drain(), STOP_S)
        except VoltstreamError:
            _LOG.exception("a session did not close")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def gathered(answer: Generator[bytes, None, None]) -> bytes:
    """Return the next pieces of an answer as one chunk; empty at its end."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size >= ANSWER_BYTES:
            break
    return b"".join(pieces)


def _is_loopback(peer: str) -> bool:
    if not peer:
        return True  # A Unix socket.
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _send_at_once(writer: asyncio.StreamWriter) -> None:
    channel = writer.get_extra_info("socket")
    if channel is not None and channel.family in (socket.AF_INET, socket.AF_INET6):
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
