"""Who an HTTP request is of: a token, a password, or a place that is trusted."""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from voltstream.core.errors import (
    InsufficientPrivilege,
    InvalidAuthorization,
    InvalidPassword,
    VoltstreamError,
)
from voltstream.core.guesses import Guesses
from voltstream.core.passwords import is_password
from voltstream.core.ports import Gate, Sessions
from voltstream.web.answers import refusal

OWNER = "volt"
_OPEN = frozenset({"/healthz", "/readyz"})  # They tell that the server lives, and nothing else.
_LOCAL_NAMES = frozenset({"localhost", ""})


@dataclass(frozen=True, slots=True)
class EntryPolicy:
    """Who is let in without a word: this machine, unless ``asks_all``.

    Shape: ``hosts`` are names, beside those of this machine, under which browsers may reach us.
    ``near_all`` takes every address for this machine's.
    """

    asks_all: bool = False
    near_all: bool = False
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose rights a request has; with a ``source`` it may bring rows into that one only."""

    user: str
    source: str | None = None
    database: str = ""


class Entry:
    """Middleware: finds the caller of each request, or sends it away.

    Law: what a browser sends on behalf of another site is not answered, whoever is logged in.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, gate: Gate, policy: EntryPolicy) -> None:
        self._app = app
        self._sessions = sessions
        self._gate = gate
        self._policy = policy
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            _refuse_other_sites(request)
            caller = await self._caller(request)
        except (InvalidPassword, InvalidAuthorization) as error:
            await _challenge(error)(scope, receive, send)
            return
        except VoltstreamError as error:
            await refusal(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)

    async def _caller(self, request: Request) -> Caller:
        kind, _, proof = request.headers.get("authorization", "").partition(" ")
        match kind.lower():
            case "bearer":
                return self._of_token(proof.strip())
            case "basic":
                return await self._of_password(request, proof.strip())
            case "":
                return self._of_place(request)
            case _:
                raise InvalidAuthorization("only bearer tokens and passwords are understood")

    def _of_token(self, token: str) -> Caller:
        bearer = self._gate.bearer(token)
        if bearer is None:
            raise InvalidAuthorization("the token is not known, or has ended")
        return Caller(bearer.user, bearer.source, bearer.database)

    async def _of_password(self, request: Request, proof: str) -> Caller:
        if request.url.scheme != "https" and not self._is_near(request):
            raise InsufficientPrivilege(
                "a password is taken over TLS only", hint="Use https, or a token."
            )
        try:
            user, _, password = b64decode(proof, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidAuthorization("the password cannot be read") from None
        peer = request.client.host if request.client is not None else ""
        now_s = asyncio.get_running_loop().time
        wait_s = self._guesses.wait_s(peer, now_s())
        if wait_s is None:
            raise InvalidAuthorization("too many failed logins from this address")
        await asyncio.sleep(wait_s)
        standing = self._sessions.standing(user)
        if not await run_in_threadpool(is_password, password, standing.verifier):
            self._guesses.failed(peer, now_s())
            raise InvalidPassword(f'password authentication failed for user "{user}"')
        self._guesses.succeeded(peer)
        return Caller(user)

    def _of_place(self, request: Request) -> Caller:
        """Let in who is on this machine, while its owner has no password."""
        trusted = self._is_near(request) and not self._policy.asks_all
        if not trusted or self._sessions.standing(OWNER).has_password:
            raise InvalidAuthorization("log in", hint="Send a bearer token, or a password.")
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if not (_is_address(host) or host in _LOCAL_NAMES or host in self._policy.hosts):
            # A page elsewhere could have let its own name point to this machine.
            raise InsufficientPrivilege(
                f'the host "{host}" is not served', hint="Add it to auth.http_hosts."
            )
        return Caller(OWNER)

    def _is_near(self, request: Request) -> bool:
        if self._policy.near_all:
            return True
        if "forwarded" in request.headers or "x-forwarded-for" in request.headers:
            return False  # A proxy on this machine speaks for somebody else.
        peer = request.client.host if request.client is not None else ""
        try:
            return ipaddress.ip_address(peer).is_loopback
        except ValueError:
            return False


def caller_of(request: Request) -> Caller:
    found: Mapping[str, Caller] = request.scope["state"]
    return found["caller"]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_other_sites(request: Request) -> None:
    """Raises: InsufficientPrivilege (42501) for what a browser sends for another site."""
    if request.url.path == "/" and request.method == "GET":
        return  # Following a link to the page is fine; it changes nothing.
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    other = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if other or site not in ("same-origin", "none"):
        raise InsufficientPrivilege("requests from other sites are not answered")


def _challenge(error: VoltstreamError) -> JSONResponse:
    answer = {"code": error.sqlstate, "message": error.message, "hint": error.hint}
    return JSONResponse(
        answer,
        status_code=HTTPStatus.UNAUTHORIZED,
        headers={"WWW-Authenticate": 'Basic realm="voltstream", charset="UTF-8"'},
    )
