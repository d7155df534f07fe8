"""The way in: encryption, who the client says it is, and what it must prove for that.

Source: PostgreSQL manual, chapter "Frontend/Backend Protocol", section "Start-up".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from voltstream.core.errors import InternalError, ProtocolViolation
from voltstream.core.ports import Session
from voltstream.pgwire import messages as m
from voltstream.pgwire.login import Login
from voltstream.pgwire.startup import (
    LONG_KEY_BYTES,
    SHORT_KEY_BYTES,
    Credentials,
    credentials_of,
    version_spoken,
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A session and the key that cancels its statements."""

    session: Session
    process_id: int
    secret: bytes


class Desk(Protocol):
    """The server's side of a conversation."""

    @property
    def offers_tls(self) -> bool:
        """Tell whether the connection can become TLS: there is a certificate, and it is not yet."""

    @property
    def secured(self) -> bool: ...

    def demand(self, credentials: Credentials) -> Login | None:
        """Say what the client must prove; None for nothing. Raises: 28000, 53300."""

    def admit(self, credentials: Credentials, key_bytes: int) -> Admitted:
        """Open a session. Raises: 3D000, 28000, 53300."""

    def cancel(self, process_id: int, secret: bytes) -> None:
        """Interrupt the session with this key; a wrong key does nothing."""


class Entrance:
    """What is said before there is a session. ``admitted`` is set when the client is let in."""

    def __init__(self, desk: Desk) -> None:
        self.finished = False
        self.wants_tls = False  # The client was told yes: its next byte is TLS.
        self.admitted: Admitted | None = None
        self._desk = desk
        self._login: Login | None = None
        self._credentials: Credentials | None = None
        self._minor = 0

    @property
    def logging_in(self) -> bool:
        """Tell whether the next message is part of a proof."""
        return self._login is not None and self.admitted is None

    def answer(self, message: m.FrontendMessage, *, alone: bool) -> Iterator[bytes]:
        """Yield the answer to a message; ``alone`` says that nothing has come behind it.

        Raises: ProtocolViolation (08P01), and what the desk raises.
        """
        self.wants_tls = False
        match message:
            case m.SslRequest() | m.GssRequest() if self._desk.secured:
                raise ProtocolViolation("a request for encryption comes before all else, once")
            case m.SslRequest() if self._desk.offers_tls:
                if not alone:
                    # What comes before TLS could be put in by somebody in between.
                    raise ProtocolViolation("received unencrypted data after SSL request")
                self.wants_tls = True
                yield b"S"
            case m.SslRequest() | m.GssRequest():
                yield b"N"
            case m.CancelRequest(process_id=process_id, secret=secret):
                self.finished = True
                self._desk.cancel(process_id, secret)
            case m.Startup():
                yield from self._greet(message)
            case m.Password(data=data) if self._login is not None:
                yield self._login.answer(data)
                if self._login.done:
                    self._enter()
            case m.Terminate():
                self.finished = True
            case _ if self._login is not None:
                raise ProtocolViolation("expected SASL response or password message")
            case _:
                raise ProtocolViolation("unexpected message before startup")

    def _greet(self, message: m.Startup) -> Iterator[bytes]:
        unknown = [name for name in message.parameters if name.startswith("_pq_.")]
        self._minor = version_spoken(message.minor)
        if self._minor != message.minor or unknown:
            yield m.negotiate_version(self._minor, unknown)
        self._credentials = credentials_of(message.parameters)
        self._login = self._desk.demand(self._credentials)
        if self._login is not None:
            yield self._login.begin()
        else:
            self._enter()

    def _enter(self) -> None:
        if self._credentials is None:
            raise InternalError("nobody has said who it is")
        key_bytes = LONG_KEY_BYTES if self._minor >= 2 else SHORT_KEY_BYTES
        self.admitted = self._desk.admit(self._credentials, key_bytes)
