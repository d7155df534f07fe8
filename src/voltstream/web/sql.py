"""/v1/sql: one statement, read-only unless it says otherwise, its rows as JSON, CSV or Arrow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from voltstream.core.errors import InvalidParameter, TooManyConnections, VoltstreamError
from voltstream.core.limits import (
    HTTP_BODY_BYTES_MAX,
    HTTP_ROWS_DEFAULT,
    HTTP_ROWS_MAX,
    HTTP_STATEMENT_S_DEFAULT,
    HTTP_STATEMENT_S_MAX,
    HTTP_STATEMENTS_MAX,
)
from voltstream.core.ports import Sessions
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of
from voltstream.web.results import answered, wanted_format
from voltstream.web.sessions import Asking, person, run

_FIELDS = frozenset({
    "sql", "parameters", "database", "limit", "timeout_s", "write", "format", "search_path",
})  # fmt: skip


class SqlRoute:
    """GET takes its statement from ``q``; POST takes a JSON object, and may change data.

    Law: a form of another site cannot send what POST takes, since its media type is JSON.
    """

    def __init__(self, sessions: Sessions, default_database: str) -> None:
        self._sessions = sessions
        self._default_database = default_database
        self._running = 0

    async def __call__(self, request: Request) -> Response:
        try:
            user = person(caller_of(request))
            said = await _said(request)
            form = wanted_format(_text(said, "format"), request.headers.get("accept", ""))
            database = _text(said, "database") or self._default_database
            asking = _asking(said)
            if self._running >= HTTP_STATEMENTS_MAX:
                raise TooManyConnections("too many statements of HTTP clients are running")
            self._running += 1
            try:
                found = await run_in_threadpool(run, self._sessions, database, user, asking)
                return await run_in_threadpool(answered, found, form)
            finally:
                self._running -= 1
        except VoltstreamError as error:
            return refusal(error)


async def _said(request: Request) -> Mapping[str, object]:
    if request.method != "POST":
        asked: dict[str, object] = dict(request.query_params)
        asked["sql"] = asked.pop("q", "")
        for name in ("limit", "timeout_s"):
            if name in asked:
                asked[name] = _number(str(asked[name]), name)
        asked.pop("parameters", None)
        asked.pop("write", None)
        return asked
    return await json_object(request, _FIELDS)


async def json_object(request: Request, known: frozenset[str]) -> Mapping[str, object]:
    """Read the body of a POST. Raises: InvalidParameter (22023)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise InvalidParameter(
            "the body must be JSON", hint="Send it with Content-Type: application/json."
        )
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > HTTP_BODY_BYTES_MAX:
            raise InvalidParameter(f"the body is longer than {HTTP_BODY_BYTES_MAX} bytes")
    try:
        found = json.loads(body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidParameter("the body must be a JSON object")
    for name in found:
        if name not in known:
            raise InvalidParameter(
                f'the field "{name}" is not known', hint=f"Known are {', '.join(sorted(known))}."
            )
    return found


def _asking(said: Mapping[str, object]) -> Asking:
    values = said.get("parameters", [])
    if not isinstance(values, list):
        raise InvalidParameter('"parameters" must be an array')
    write = said.get("write", False)
    if not isinstance(write, bool):
        raise InvalidParameter('"write" must be true or false')
    return Asking(
        text=_text(said, "sql") or "",
        values=values,
        writes=write,
        search_path=_text(said, "search_path"),
        rows_max=int(_bounded(said, "limit", HTTP_ROWS_DEFAULT, HTTP_ROWS_MAX)),
        timeout_s=_bounded(said, "timeout_s", HTTP_STATEMENT_S_DEFAULT, HTTP_STATEMENT_S_MAX),
    )


def _text(said: Mapping[str, object], name: str) -> str | None:
    value = said.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidParameter(f'"{name}" must be a text')
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise InvalidParameter(f'"{name}" has a character that no text has here')
    return value


def _number(text: str, name: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise InvalidParameter(f'"{name}" must be a number') from None


def _bounded(said: Mapping[str, object], name: str, default: float, most: float) -> float:
    value = said.get(name, default)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number or not 0 < float(str(value)) <= most:
        raise InvalidParameter(f'"{name}" must be a number above 0 and up to {most:g}')
    if name == "limit" and float(str(value)) != int(float(str(value))):
        raise InvalidParameter('"limit" must be a whole number')
    return float(str(value))
