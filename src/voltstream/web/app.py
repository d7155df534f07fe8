"""The HTTP application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Gate, Ingest, Sessions
from voltstream.web.ask import AskRoute
from voltstream.web.command import CommandRoute
from voltstream.web.entry import Entry, EntryPolicy
from voltstream.web.page import page_routes
from voltstream.web.push import PushRoute


def build_app(
    ingest: Ingest,
    sessions: Sessions,
    gate: Gate,
    policy: EntryPolicy | None = None,
    default_database: str = "volt",
) -> Starlette:
    """Wire the routes behind the entry."""

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

    push = PushRoute(ingest, gate, default_database)
    ask = AskRoute(sessions, default_database)

    # Functions, because Starlette takes an object that can be called for a whole ASGI app.
    async def push_rows(request: Request) -> Response:
        return await push(request)

    async def ask_sql(request: Request) -> Response:
        return await ask(request)

    command = CommandRoute(sessions, default_database)

    async def command_charger(request: Request) -> Response:
        return await command(request)

    routes = [
        *page_routes(),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/v1/sql", ask_sql),
        Route("/v1/sources/{name}/rows", push_rows, methods=["POST"]),
        Route("/v1/chargers/{name}/{command}", command_charger, methods=["POST"]),
    ]
    entry = Middleware(Entry, sessions=sessions, gate=gate, policy=policy or EntryPolicy())
    return Starlette(routes=routes, middleware=[entry])
