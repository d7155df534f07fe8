"""The HTTP application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import HTTP_REQUESTS_PER_S
from voltstream.core.live import Live
from voltstream.core.ports import Gate, Ingest, Sessions
from voltstream.core.records import RecordBook
from voltstream.web.alerts import AlertRoutes
from voltstream.web.command import CommandRoute
from voltstream.web.entry import Entry, EntryPolicy
from voltstream.web.guard import Guarded
from voltstream.web.ledger import LedgerRoutes
from voltstream.web.live import LiveRoute
from voltstream.web.metrics import MetricsRoute
from voltstream.web.open_sessions import OpenSessions
from voltstream.web.openapi import description
from voltstream.web.pace import Pace
from voltstream.web.page import page_routes
from voltstream.web.push import PushRoute
from voltstream.web.sql import SqlRoute

_Answering = Callable[[Request], Awaitable[Response]]


def build_app(
    ingest: Ingest,
    sessions: Sessions,
    gate: Gate,
    policy: EntryPolicy | None = None,
    default_database: str = "volt",
    *,
    live: Live | None = None,
    book: RecordBook | None = None,
    requests_per_s: float = HTTP_REQUESTS_PER_S,
) -> Starlette:
    """Wire the routes behind the entry."""
    sessions = opened = OpenSessions(sessions)

    async def alive(request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n")

    def open_and_close() -> None:
        sessions.open(database=default_database, user="volt", options={}).close()

    async def ready(request: Request) -> Response:
        del request
        try:
            await run_in_threadpool(open_and_close)
        except VoltstreamError as error:
            answer = {"code": error.sqlstate, "message": error.message, "hint": error.hint}
            return JSONResponse(answer, status_code=503)
        return PlainTextResponse("ready\n")

    async def described(request: Request) -> Response:
        del request
        return JSONResponse(description())

    routes = [
        *page_routes(),
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/openapi.json", described, methods=["GET"]),
        _route("/metrics", MetricsRoute(sessions, default_database), "GET"),
        _route("/v1/sql", SqlRoute(sessions, default_database), "GET", "POST"),
        *AlertRoutes(sessions, default_database).routes(),
        _route("/v1/sources/{name}/rows", PushRoute(ingest, gate, default_database), "POST"),
        _route("/v1/chargers/{name}/{command}", CommandRoute(sessions, default_database), "POST"),
    ]
    stream = LiveRoute(sessions, live, default_database) if live is not None else None
    if book is not None:
        routes += LedgerRoutes(sessions, book, default_database).routes()
    if stream is not None:
        routes.append(_route("/v1/live", stream, "GET"))
    entry = Middleware(Entry, sessions=sessions, gate=gate, policy=policy or EntryPolicy())
    pace = Middleware(Pace, per_s=requests_per_s)
    app = Starlette(routes=routes, middleware=[Middleware(Guarded), pace, entry])
    app.state.end_streams = stream.close if stream is not None else lambda: None
    app.state.end_statements = opened.end
    return app


def _route(path: str, answer: _Answering, *methods: str) -> Route:
    # A function, because Starlette takes an object that can be called for a whole ASGI app.
    async def called(request: Request) -> Response:
        return await answer(request)

    return Route(path, called, methods=list(methods))
