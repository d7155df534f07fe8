"""The HTTP application."""

from __future__ import annotations

from importlib import resources

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from voltstream.core.errors import InsufficientPrivilege, VoltstreamError
from voltstream.core.ports import Ingest, Sessions
from voltstream.web.answers import refusal
from voltstream.web.ask import AskRoute
from voltstream.web.push import PushRoute

_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)


class SameSiteOnly:
    """Refuses what a browser sends on behalf of another site: here, everyone local is owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _from_elsewhere(scope):
            error = InsufficientPrivilege("requests from other sites are not answered")
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _from_elsewhere(scope: Scope) -> bool:
    if scope["path"] == "/":  # Following a link to the page is fine; it changes nothing.
        return False
    origins = {value for name, value in scope["headers"] if name == b"sec-fetch-site"}
    return bool(origins - {b"same-origin", b"none"})


def build_app(ingest: Ingest, sessions: Sessions, default_database: str = "volt") -> Starlette:
    """Wire the routes."""
    page = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")

    async def show_page(request: Request) -> Response:
        del request
        return HTMLResponse(page, headers={"Content-Security-Policy": _PAGE_POLICY})

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

    push = PushRoute(ingest, default_database)
    ask = AskRoute(sessions, default_database)

    # Functions, because Starlette takes an object that can be called for a whole ASGI app.
    async def push_rows(request: Request) -> Response:
        return await push(request)

    async def ask_sql(request: Request) -> Response:
        return await ask(request)

    routes = [
        Route("/", show_page),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/v1/sql", ask_sql),
        Route("/v1/sources/{name}/rows", push_rows, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(SameSiteOnly)])
