"""The doors that charge points come in by: WebSocket, passwords, one connection for each."""

from __future__ import annotations

import asyncio
import hmac
import http
import ipaddress
import logging
import socket
import ssl
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import (
    OCPP_CONNECTIONS_MAX,
    OCPP_EARLY_BYTES_MAX,
    OCPP_INBOUND_MAX,
    OCPP_MESSAGE_BYTES_MAX,
)
from voltstream.ocpp.conversation import Conversation
from voltstream.ocpp.draft import Row
from voltstream.ocpp.fleet import Registered
from voltstream.ocpp.frames import Json
from voltstream.ocpp.identity import allowed, basic_credentials, charger_id
from voltstream.ocpp.overload import Overload
from voltstream.ocpp.passwords import PasswordCheck
from voltstream.ocpp.tokens import Policy
from voltstream.ocpp.versions import Version, negotiate

HANDSHAKE_S = 10.0  # A handshake that trickles in is cut off.
FAREWELL_S = 1.0  # How long a stop waits for chargers to close their side.
REPLACED = 4000  # Close code of a connection that a newer one of the same charger replaces.
_FAILURES_KEPT = 10_000
_FAILURE_S_MAX = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How a gateway behaves. Units: s.

    Shape: ``anonymous`` says whether profile 0 is let in: never, from this machine, or always;
    ``data_transfer`` has the messages of each vendor that are accepted, none for all of them.
    """

    host: str = "127.0.0.1"
    port: int = 9000
    database: str = "volt"
    user: str = "volt"
    anonymous: str = "local"
    strict: bool = False
    unknown_chargers: str = "Accepted"
    unknown_tokens: Policy = "auto"
    heartbeat_s: int = 300
    retry_s: int = 60
    call_s: float = 30.0
    data_transfer: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ping_s: float = 45.0
    settle_s: float = 5.0
    settle_gaps_s: float = 600.0
    settle_offline_s: float = 86_400.0
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was let in, and how."""

    name: str
    profile: int


class Held(Protocol):
    """What the doors know of a connection that came in."""

    connection_id: int
    conversation: Conversation

    async def take(self, text: str) -> None: ...

    async def call(self, message_id: str, action: str, payload: Mapping[str, Any]) -> Json: ...

    @property
    def version(self) -> Version: ...

    def closed(self) -> None: ...


HeldLink = TypeVar("HeldLink", bound=Held)


class Doors(ABC, Generic[HeldLink]):
    """Takes connections, keeps one link for each charger, and closes what is replaced."""

    def __init__(self, clock: Clock, options: GatewayOptions) -> None:
        self._options = options
        self._clock = clock
        self.links: dict[str, tuple[HeldLink, ServerConnection]] = {}
        self._admitted: dict[ServerConnection, Admission] = {}
        self._passwords = PasswordCheck()
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._server: Server | None = None
        self._ending = asyncio.Event()
        self._guests: WeakSet[ServerConnection] = WeakSet()

    @abstractmethod
    async def prepare(self) -> None:
        """Be ready to let somebody in. Raises: VoltstreamError."""

    @abstractmethod
    async def registered(self, name: str) -> Registered | None:
        """Return what is known of a charger. Raises: VoltstreamError."""

    @abstractmethod
    def link(self, name: str, version: Version, socket_: ServerConnection) -> HeldLink:
        """Return the link of a connection that was let in."""

    @abstractmethod
    async def welcome(self, link: HeldLink) -> bool:
        """Do what comes before its first message; False: the connection cannot be taken."""

    @abstractmethod
    def note(self, row: Row) -> None:
        """Keep what happened to a connection."""

    @property
    def port(self) -> int:
        if self._server is None:
            return self._options.port
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def open(self, listening: socket.socket) -> None:
        """Begin to take connections."""
        options = self._options
        deflate = ServerPerMessageDeflateFactory(
            server_no_context_takeover=True, client_no_context_takeover=True
        )
        self._server = await serve(
            self._connected,
            sock=listening,
            ssl=options.tls,
            select_subprotocol=_select,
            process_request=self._admit,
            # 2.x requires compression; without context takeover an idle connection holds nothing.
            extensions=[deflate],
            compression=None,
            open_timeout=HANDSHAKE_S,
            ping_interval=options.ping_s,
            ping_timeout=options.ping_s,
            close_timeout=5,
            max_size=OCPP_MESSAGE_BYTES_MAX,
            max_queue=OCPP_INBOUND_MAX,
            server_header=None,
            create_connection=_noting(self._guests),
            logger=log,
        )

    async def close(self) -> None:
        """Tell everybody that we go (1001), and take nobody any more."""
        self._ending.set()
        if self._server is not None:
            await self._farewell(self._server)

    async def _farewell(self, server: Server) -> None:
        """Close every connection at the same time; cut off who does not answer."""
        server.close(code=1001, reason="the server is shutting down")
        waiting = asyncio.ensure_future(server.wait_closed())
        await asyncio.wait([waiting], timeout=FAREWELL_S)
        for guest in list(self._guests):
            guest.transport.abort()
        await waiting

    # --- the handshake --------------------------------------------------------------------------

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Let a charger in, or answer 401, 404, 426 or 503."""
        if len(self._admitted) >= OCPP_CONNECTIONS_MAX:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "full\n")
        name = charger_id(request.path)
        if name is None:
            return connection.respond(http.HTTPStatus.NOT_FOUND, "no charge point id\n")
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return connection.respond(http.HTTPStatus.UPGRADE_REQUIRED, "OCPP over WebSocket\n")
        try:
            await self.prepare()
            profile = await self._profile(connection, request, name)
        except VoltstreamError as error:
            log.error("a charge point cannot be let in: %s", error.message)
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "try again\n")
        if profile is None:
            await self._refused(connection, name)
            answer = connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
            answer.headers["WWW-Authenticate"] = 'Basic realm="ocpp"'
            return answer
        self._admitted[connection] = Admission(name, profile)
        return None

    async def _profile(
        self, connection: ServerConnection, request: Request, name: str
    ) -> int | None:
        """Return the security profile that a charger came with; None: it may not come so."""
        known = await self.registered(name)
        least = known.security_profile if known is not None else 0
        secret = known.secret_hash if known is not None else None
        secure = self._options.tls is not None
        if name in _certified(connection):
            return 3
        header = _single(request.headers, "Authorization")
        given = basic_credentials(header)
        anonymous = secret is None and least == 0 and self._anonymous(connection)
        if given is not None:
            user, password = given
            right = await asyncio.to_thread(self._passwords.matches, name, password, secret)
            same = hmac.compare_digest(user, name.encode())
            profile = 2 if secure else 1
            if right and same and least <= profile:
                self._failures.pop(name, None)
                return profile
            # Whoever may come without a password may bring one that nobody knows.
            return 0 if anonymous and same else None
        return 0 if anonymous and header is None else None

    def _anonymous(self, connection: ServerConnection) -> bool:
        if self._options.anonymous == "local":
            return _is_local(connection.remote_address)
        return self._options.anonymous == "always"

    async def _refused(self, connection: ServerConnection, name: str) -> None:
        """Note a failed login, and let the next answer take longer."""
        failures = self._failures[name] = self._failures.pop(name, 0) + 1
        if len(self._failures) > _FAILURES_KEPT:
            self._failures.popitem(last=False)
        self._note(name, 0, connection, "refused", "credentials", None, None)
        with suppress(TimeoutError):
            wait_s = min(0.1 * 2 ** min(failures, 10), _FAILURE_S_MAX)
            await asyncio.wait_for(self._ending.wait(), wait_s)

    # --- connections ----------------------------------------------------------------------------

    async def _connected(self, socket_: ServerConnection) -> None:
        admission = self._admitted.get(socket_)
        try:
            if admission is not None:
                await self._serve(socket_, admission)
        except ConnectionClosed:
            pass
        finally:
            self._admitted.pop(socket_, None)

    async def _serve(self, socket_: ServerConnection, admission: Admission) -> None:
        version = negotiate([socket_.subprotocol] if socket_.subprotocol else [])
        if version is None:
            # The standard wants the handshake completed, without a subprotocol, and then closed.
            await socket_.close(1002, "no OCPP version in common")
            return
        if not allowed(admission.name, version):
            await socket_.close(1008, f"{version.value} allows no such charge point id")
            return
        name = admission.name
        link = self.link(name, version, socket_)
        before = self.links.get(name)
        self.links[name] = (link, socket_)
        if before is not None:
            before[0].closed()
            closing = asyncio.create_task(before[1].close(REPLACED, "connected again"))
            closing.add_done_callback(lambda task: task.exception())
        self._note(name, link.connection_id, socket_, "connected", None, version, admission.profile)
        reason = "closed"
        try:
            if await self.welcome(link):
                reason = await self._read(socket_, link)
            else:
                reason = "not taken"
                await socket_.close(1013, "try again later")
        finally:
            link.closed()
            if self.links.get(name, (None, None))[0] is link:
                del self.links[name]
            code = socket_.close_code
            detail = f"{reason} ({code})" if code is not None else reason
            self._note(
                name, link.connection_id, socket_, "disconnected", detail, version,
                admission.profile,
            )  # fmt: skip

    async def _read(self, socket_: ServerConnection, link: HeldLink) -> str:
        """Take messages until the connection ends; say why it did."""
        overload = Overload()
        while True:
            try:
                message = await socket_.recv()
            except ConnectionClosed as closed:
                return "replaced" if closed.sent and closed.sent.code == REPLACED else "closed"
            if isinstance(message, bytes):
                await socket_.close(1003, "OCPP is text")
                return "binary frame"
            if not link.conversation.accepted and len(message) > OCPP_EARLY_BYTES_MAX:
                await socket_.close(1009, "too long before the boot is accepted")
                return "message too long"
            await link.take(message)
            waiting = len(socket_.recv_messages.frames)
            if overload.lasts(waiting, self._clock.monotonic_s()):
                await socket_.close(1008, "too many messages")
                return "overload"

    def _note(
        self,
        name: str,
        connection_id: int,
        socket_: ServerConnection,
        event: str,
        reason: str | None,
        version: Version | None,
        profile: int | None,
    ) -> None:
        row = {
            "charge_point_id": name,
            "connection_id": connection_id,
            "event": event,
            "reason": reason,
            "ocpp_version": version.value if version is not None else None,
            "security_profile": profile,
            "address": str(_host(socket_.remote_address)),
            "received_ts": self._clock.now_us(),
        }
        self.note(row)


def _noting(guests: WeakSet[ServerConnection]) -> type[ServerConnection]:
    """Return a connection that is known before its handshake, which may trickle in."""

    class Guest(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            guests.add(self)

    return Guest


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    version = negotiate(offered)
    return Subprotocol(version.value) if version is not None else None


def _single(headers: Headers, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else ("" if values else None)


def _host(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) else "local"


def _is_local(address: Any) -> bool:
    try:
        return ipaddress.ip_address(_host(address)).is_loopback
    except ValueError:
        return True


def _certified(connection: ServerConnection) -> frozenset[str]:
    """Return the names in the client's certificate: its chain was checked by the handshake."""
    security = connection.transport.get_extra_info("ssl_object")
    if security is None:
        return frozenset()
    certificate = security.getpeercert() or {}
    names = [value for part in certificate.get("subject", ()) for key, value in part
             if key == "commonName"]  # fmt: skip
    names += [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    return frozenset(names)
