"""The PostgreSQL server: sockets and threads around the pure protocol."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import itertools
import logging
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from voltstream.core.errors import (
    AdminShutdown,
    IdleInTransactionTimeout,
    IdleSessionTimeout,
    InternalError,
    InvalidAuthorization,
    TooManyConnections,
    VoltstreamError,
)
from voltstream.core.guesses import Guesses
from voltstream.core.limits import CONNECTIONS_MAX, STARTING_CONNECTIONS_MAX
from voltstream.core.ports import Session, Sessions
from voltstream.core.tls import Certificate
from voltstream.pgwire.channel import ALPN, begins_with_tls, hold, listen, read_on, secure
from voltstream.pgwire.entrance import Admitted
from voltstream.pgwire.login import Line, Login, Policy, demanded
from voltstream.pgwire.protocol import Conversation
from voltstream.pgwire.startup import Credentials

T = TypeVar("T")
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
    line: Line
    process_id: int
    secret: bytes = b""
    session: Session | None = None
    has_waited: bool = False
    waiting: asyncio.Task[None] | None = None  # While it waits for its client.
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    told: asyncio.Event = field(default_factory=asyncio.Event)  # Notifications wait.

    @property
    def secured(self) -> bool:
        return self.line.secured

    @property
    def offers_tls(self) -> bool:
        return self.server.offers_tls and not self.line.secured

    def demand(self, credentials: Credentials) -> Login | None:
        return self.server.demand(self.line, credentials)

    def admit(self, credentials: Credentials, key_bytes: int) -> Admitted:
        self.secret = secrets.token_bytes(key_bytes)
        self.session = self.server.open_session(self.line, self.process_id, credentials)
        self.session.on_notification(self.ring)
        return Admitted(self.session, self.process_id, self.secret)

    @property
    def listens(self) -> bool:
        return self.session is not None and self.session.listening

    def ring(self) -> None:
        """Wake who waits for the client, from any thread."""
        with suppress(RuntimeError):  # The server has stopped.
            self.loop.call_soon_threadsafe(self.told.set)

    def cancel(self, process_id: int, secret: bytes) -> None:
        self.server.cancel(process_id, secret)


class PgServer:
    """Serves sessions on a port.

    Shape: ``port`` 0 takes a free one; ``port`` tells it after ``start``. ``trust_remote`` takes
    every address for near: for networks that are themselves the boundary.
    """

    def __init__(
        self,
        sessions: Sessions,
        host: str = "127.0.0.1",
        port: int = 4566,
        *,
        trust_remote: bool = False,
        connections_max: int = CONNECTIONS_MAX,
        certificate: Certificate | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._sessions = sessions
        self._trust_remote = trust_remote
        self._connections_max = connections_max
        self._certificate = certificate
        self._tls = certificate.context([ALPN]) if certificate is not None else None
        self._policy = policy or Policy()
        self._guesses = Guesses()
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
        self._server = await listen(self._accept, self.host, self.port, READ_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse new clients, stop statements, tell every client 57P01 and close."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            if connection.waiting is not None:
                connection.waiting.cancel()
            if connection.session is not None:
                with suppress(VoltstreamError):  # The others still must be interrupted.
                    connection.session.interrupt()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def offers_tls(self) -> bool:
        return self._tls is not None

    def demand(self, line: Line, credentials: Credentials) -> Login | None:
        """Say what a client must prove. Raises: 28000 for strangers."""
        return demanded(credentials, line, self._policy, self._sessions.standing)

    def open_session(self, line: Line, process_id: int, credentials: Credentials) -> Session:
        """Let a client in. Raises: 53300 when full, 28000, 3D000."""
        if len(self._connections) > self._connections_max:
            raise TooManyConnections("sorry, too many clients already")
        return self._sessions.open(
            database=credentials.database,
            user=credentials.user,
            options=credentials.options,
            process_id=process_id,
            client=line.peer,
        )

    def cancel(self, process_id: int, secret: bytes) -> None:
        """Interrupt the statement of the connection with this key."""
        connection = self._connections.get(process_id)
        if connection is None or connection.session is None or not connection.secret:
            return
        if hmac.compare_digest(connection.secret, secret):
            connection.session.interrupt()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = _Connection(self, self._line_of(writer), next(self._process_ids))
        if len(self._connections) >= self._connections_max + STARTING_CONNECTIONS_MAX:
            writer.close()  # A flood: it is not even told.
            return
        self._connections[connection.process_id] = connection
        conversation = Conversation(connection)
        try:
            _send_at_once(writer)
            # The client went, or patience at shutdown ended: what is left to say is said below.
            with suppress(ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
                await self._converse(connection, conversation, reader, writer)
        finally:
            del self._connections[connection.process_id]
            await self._part(conversation, writer)

    def _line_of(self, writer: asyncio.StreamWriter) -> Line:
        name = writer.get_extra_info("peername")
        peer = name[0] if isinstance(name, tuple) else ""
        return Line(peer, near=self._trust_remote or _is_loopback(peer))

    async def _converse(
        self,
        connection: _Connection,
        conversation: Conversation,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        now_s = asyncio.get_running_loop().time
        ends_s = now_s() + STARTUP_S

        async def told() -> None:
            writer.write(await self._in_thread(conversation.meanwhile))
            await writer.drain()

        if await begins_with_tls(writer, STARTUP_S) and self._tls is not None:
            await self._secure(connection, writer, ends_s - now_s(), direct=True)
        else:
            read_on(writer)
        while not conversation.finished and not self._stopping.is_set():
            session = connection.session
            patience_s = session.idle_limit_s() if session is not None else ends_s - now_s()
            data = await self._read(connection, reader, patience_s, told)
            if data is None:
                conversation.farewell = _too_idle(connection)
                return
            if not data or not await self._turn(conversation, connection):
                return
            if connection.offers_tls and session is None:
                hold(writer)
            answer = conversation.receive(data)
            chunk, ended = begun(answer)
            try:
                writer.write(chunk)
                while not ended:
                    chunk, ended = await self._next_chunk(connection, answer, reader)
                    writer.write(chunk)
                    await writer.drain()  # A slow reader waits here and holds one chunk.
                await writer.drain()
            finally:
                if not ended:  # Lets go of what a half-read answer holds.
                    await self._in_thread(answer.close)
            if conversation.denied:
                self._guesses.failed(connection.line.peer, now_s())
            elif connection.has_waited and session is None and connection.session is not None:
                self._guesses.succeeded(connection.line.peer)
            if conversation.wants_tls:
                conversation.wants_tls = False
                await self._secure(connection, writer, ends_s - now_s(), direct=False)
            elif session is None:
                read_on(writer)

    async def _secure(
        self,
        connection: _Connection,
        writer: asyncio.StreamWriter,
        patience_s: float,
        *,
        direct: bool,
    ) -> None:
        if self._certificate is None or self._tls is None:
            raise InternalError("TLS was promised without a certificate")
        try:
            self._certificate.refresh()
        except VoltstreamError as error:
            _LOG.error("the certificate is not renewed: %s", error.message)
        binding = self._certificate.binding
        await secure(writer, self._tls, patience_s, direct=direct)
        connection.line = replace(connection.line, secured=True, binding=binding)

    async def _turn(self, conversation: Conversation, connection: _Connection) -> bool:
        """Let an address that guesses wait, once, before its next proof is looked at."""
        if not conversation.logging_in or connection.has_waited:
            return True
        connection.has_waited = True
        now_s = asyncio.get_running_loop().time()
        wait_s = self._guesses.wait_s(connection.line.peer, now_s)
        if wait_s is None:
            conversation.farewell = InvalidAuthorization(
                "too many failed logins from this address", hint="Try again in a minute."
            )
            return False
        if wait_s:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
        return not self._stopping.is_set()

    async def _read(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        patience_s: float | None,
        told: Callable[[], Awaitable[None]],
    ) -> bytes | None:
        """Return what the client sends; b"" when it went, None when late.

        ``told`` is run when notifications come meanwhile: a client that does not take them is not
        read from either.
        """
        connection.waiting = asyncio.current_task()
        try:
            if connection.listens:
                reading = self._read_or_tell(connection, reader, told)
            else:
                reading = reader.read(READ_BYTES)
            return await (reading if patience_s is None else asyncio.wait_for(reading, patience_s))
        except TimeoutError:
            return None
        finally:
            connection.waiting = None

    async def _read_or_tell(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        told: Callable[[], Awaitable[None]],
    ) -> bytes:
        reading = asyncio.ensure_future(reader.read(READ_BYTES))
        ringing = asyncio.ensure_future(connection.told.wait())
        try:
            while True:
                await asyncio.wait({reading, ringing}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    return reading.result()
                connection.told.clear()
                await told()
                ringing = asyncio.ensure_future(connection.told.wait())
        finally:
            for task in (reading, ringing):
                task.cancel()

    async def _next_chunk(
        self,
        connection: _Connection,
        answer: Generator[bytes, None, None],
        reader: asyncio.StreamReader,
    ) -> tuple[bytes, bool]:
        """Make the next chunk in a thread; stop the statement when its client is gone."""
        making = asyncio.get_running_loop().run_in_executor(self._threads, gathered, answer)
        while True:
            done, _ = await asyncio.wait({making}, timeout=GONE_CHECK_S)
            if done:
                return making.result()
            if reader.at_eof() and connection.session is not None:
                connection.session.interrupt()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _part(self, conversation: Conversation, writer: asyncio.StreamWriter) -> None:
        farewell = conversation.farewell
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


def _too_idle(connection: _Connection) -> VoltstreamError | None:
    if connection.session is None:
        return None  # PostgreSQL, too, closes who never says who it is without a word.
    if connection.session.status != "I":
        return IdleInTransactionTimeout("terminating connection due to idle-in-transaction timeout")
    return IdleSessionTimeout("terminating connection due to idle-session timeout")


def begun(answer: Generator[bytes, None, None]) -> tuple[bytes, bool]:
    """Return what of an answer is at hand, and whether that is all of it."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        # What follows may take long, or is one of very many: not on the loop.
        if not piece or size >= ANSWER_BYTES:
            return b"".join(pieces), False
    return b"".join(pieces), True


def gathered(answer: Generator[bytes, None, None]) -> tuple[bytes, bool]:
    """Return the next pieces of an answer as one chunk, and whether it has ended."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer:
        pieces.append(piece)
        size += len(piece)
        if size >= ANSWER_BYTES:
            return b"".join(pieces), False
    return b"".join(pieces), True


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
