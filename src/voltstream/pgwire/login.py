"""How a client proves who it is: what is asked of whom, and the messages of it. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from voltstream.core.errors import InvalidAuthorization, InvalidPassword, ProtocolViolation
from voltstream.core.passwords import is_password
from voltstream.core.ports import Standing
from voltstream.pgwire.messages import message
from voltstream.pgwire.scram import ScramServer, WrongProof
from voltstream.pgwire.startup import Credentials

Method = Literal["auto", "scram-sha-256", "password"]
PASSWORD_BYTES_MAX = 1024  # One answer of a login. Longer: 08P01.


@dataclass(frozen=True, slots=True)
class Line:
    """How a client is connected.

    Shape: ``near`` is a place that may be trusted: this machine, or a network declared so.
    ``binding`` is the digest of the certificate it saw, empty without TLS.
    """

    peer: str
    near: bool
    secured: bool = False
    binding: bytes = b""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator asks for. ``tls_required``: of clients that are not near."""

    method: Method = "auto"
    tls_required: bool = False


class ScramLogin:
    """SASL with SCRAM-SHA-256, and -PLUS over TLS."""

    def __init__(self, user: str, scram: ScramServer) -> None:
        self._user = user
        self._scram = scram
        self._begun = False
        self.done = False

    def begin(self) -> bytes:
        names = b"".join(name.encode() + b"\0" for name in self._scram.mechanisms)
        return _request(10, names + b"\0")

    def answer(self, data: bytes) -> bytes:
        """Raises: InvalidPassword (28P01), ProtocolViolation (08P01)."""
        if not self._begun:
            self._begun = True
            return _request(11, self._scram.first(*_initial(data)))
        try:
            proof = self._scram.final(data)
        except WrongProof:
            raise wrong_password(self._user) from None
        self.done = True
        return _request(12, proof)


class PasswordLogin:
    """The password itself; asked for over TLS only."""

    def __init__(self, user: str, standing: Standing) -> None:
        self._user = user
        self._standing = standing
        self.done = False

    def begin(self) -> bytes:
        return _request(3)

    def answer(self, data: bytes) -> bytes:
        """Raises: InvalidPassword (28P01), ProtocolViolation (08P01)."""
        if not data.endswith(b"\0"):
            raise ProtocolViolation("invalid password packet size")
        try:
            password = data[:-1].decode()
        except UnicodeDecodeError:
            password = ""
        # A password is always computed on: how long it takes tells nothing of the user.
        if not is_password(password or " ", self._standing.verifier) or not password:
            raise wrong_password(self._user)
        self.done = True
        return b""


Login = ScramLogin | PasswordLogin


def demanded(
    credentials: Credentials, line: Line, policy: Policy, standing_of: Callable[[str], Standing]
) -> Login | None:
    """Return what a client must prove; None lets it in as who it says it is.

    Raises: InvalidAuthorization (28000) where no proof would do.
    """
    standing = standing_of(credentials.user)
    if line.near and policy.method == "auto" and not standing.has_password:
        return None
    if not line.near and policy.tls_required and not line.secured:
        raise InvalidAuthorization(
            f'no way in for host "{line.peer}", user "{credentials.user}", database '
            f'"{credentials.database}", no encryption',
            hint="Connect with sslmode=require or better.",
        )
    if not line.near and not standing.any_password:
        raise InvalidAuthorization(
            f'no way in for host "{line.peer}", user "{credentials.user}"',
            hint="No role has a password: only clients on the server's own machine are let in.",
        )
    if policy.method == "password" and line.secured:
        return PasswordLogin(credentials.user, standing)
    return ScramLogin(credentials.user, ScramServer(standing.verifier, line.binding))


def wrong_password(user: str) -> InvalidPassword:
    return InvalidPassword(f'password authentication failed for user "{user}"')


def _request(kind: int, body: bytes = b"") -> bytes:
    return message(b"R", struct.pack("!i", kind) + body)


def _initial(data: bytes) -> tuple[str, bytes]:
    """Read SASLInitialResponse: the mechanism, and the first message with its length."""
    name, terminator, rest = data.partition(b"\0")
    if not terminator or len(rest) < 4:
        raise ProtocolViolation("malformed SASL message")
    (size,) = struct.unpack_from("!i", rest)
    first = rest[4:]
    if size != len(first):
        raise ProtocolViolation("malformed SASL message")
    return name.decode("ascii", "replace"), first
