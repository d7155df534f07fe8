"""/v1/alerts: what is open, what happened, and what people say to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.limits import HTTP_ROWS_DEFAULT
from voltstream.core.ports import Sessions
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of
from voltstream.web.results import Found
from voltstream.web.sessions import Asking, person, run
from voltstream.web.sql import json_object

_SAYINGS = {
    "acknowledge": "acknowledge_alert", "unacknowledge": "unacknowledge_alert",
    "comment": "comment_alert",
}  # fmt: skip
_FILTERS = ("rule", "entity", "severity")
_NUMBER_MAX = 2**63 - 1
_Asked = Callable[[Mapping[str, str]], Asking]


class AlertRoutes:
    """Asks the relations of alerts in the caller's name."""

    def __init__(self, sessions: Sessions, default_database: str) -> None:
        self._sessions = sessions
        self._default_database = default_database

    def routes(self) -> list[Route]:
        async def alerts(request: Request) -> Response:
            return await self._list(request, _open_alerts)

        async def events(request: Request) -> Response:
            return await self._list(request, _events)

        async def say(request: Request) -> Response:
            return await self._say(request)

        return [
            Route("/v1/alerts", alerts, methods=["GET"]),
            Route("/v1/alerts/events", events, methods=["GET"]),
            Route("/v1/alerts/{alert_id:int}/{saying}", say, methods=["POST"]),
        ]

    async def _list(self, request: Request, asked: _Asked) -> Response:
        try:
            user = person(caller_of(request))
            asking = asked(request.query_params)
            found = await self._run(request, user, asking)
        except VoltstreamError as error:
            return refusal(error)
        return JSONResponse({"rows": _objects(found), "truncated": found.truncated})

    async def _say(self, request: Request) -> Response:
        try:
            user = person(caller_of(request))
            function = _SAYINGS.get(request.path_params["saying"])
            if function is None:
                return JSONResponse({"message": "there is no such action"}, status_code=404)
            said = await json_object(request, frozenset({"comment"}))
            asking = _saying(function, request.path_params["alert_id"], said.get("comment"))
            found = await self._run(request, user, asking)
        except VoltstreamError as error:
            return refusal(error)
        return JSONResponse({"alert_id": int(str(found.rows()[0][0]))})

    async def _run(self, request: Request, user: str, asking: Asking) -> Found:
        database = request.query_params.get("database", self._default_database)
        return await run_in_threadpool(run, self._sessions, database, user, asking)


def _objects(found: Found) -> list[dict[str, object]]:
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows()]


def _filters(said: Mapping[str, str]) -> tuple[list[str], list[object]]:
    conditions, values = list[str](), list[object]()
    for name in _FILTERS:
        if name in said:
            values.append(said[name])
            conditions.append(f"{name} = ${len(values)}")
    return conditions, values


def _whole(said: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = said.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= most):
        raise InvalidParameter(f'"{name}" must be a whole number up to {most}')
    return int(text)


def _open_alerts(said: Mapping[str, str]) -> Asking:
    conditions, values = _filters(said)
    for name, test in (
        ("acknowledged", "acknowledged_at IS {}NULL"),
        ("suppressed", "suppressed_by IS {}NULL"),
    ):
        if name in said:
            if said[name] not in ("true", "false"):
                raise InvalidParameter(f'"{name}" must be true or false')
            conditions.append(test.format("NOT " if said[name] == "true" else ""))
    return _asking("alerts", conditions, values, "opened_at DESC, alert_id DESC", said)


def _events(said: Mapping[str, str]) -> Asking:
    conditions, values = _filters(said)
    if "alert_id" in said:
        conditions.append(f"alert_id = {_whole(said, 'alert_id', 0, _NUMBER_MAX)}")
    after = _whole(said, "after", 0, _NUMBER_MAX)
    return _asking("alert_events", [*conditions, f"event_id > {after}"], values, "event_id", said)


def _asking(
    table: str, conditions: list[str], values: list[object], order: str, said: Mapping[str, str]
) -> Asking:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    limit = _whole(said, "limit", HTTP_ROWS_DEFAULT, HTTP_ROWS_DEFAULT)
    text = f"SELECT * FROM voltstream.{table}{where} ORDER BY {order} LIMIT {limit + 1}"
    return Asking(text, values, rows_max=max(limit, 1))


def _saying(function: str, alert_id: int, comment: object) -> Asking:
    """Raises: InvalidParameter (22023)."""
    if alert_id > _NUMBER_MAX:
        raise InvalidParameter("the number of the alert is too large")
    if comment is not None and (not isinstance(comment, str) or "\0" in comment):
        raise InvalidParameter('"comment" must be a text')
    if function == "comment_alert" and not comment:
        raise InvalidParameter('a comment needs "comment"')
    if comment is None or function == "unacknowledge_alert":
        return Asking(f"SELECT {function}({alert_id})", writes=True)
    return Asking(f"SELECT {function}({alert_id}, $1)", [comment], writes=True)
