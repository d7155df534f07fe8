"""The live page: files built beforehand, shipped in the package."""

from __future__ import annotations

import hashlib
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# Nothing inline and nothing from elsewhere: what a value shown says can never run.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
_FIRST = "index.html"


def page_routes() -> list[Route]:
    """Serve the page at / and its files below /assets.

    Law: a browser asks again each time and is told when nothing changed, so that after an upgrade
    no old page talks to a new server.
    """
    routes = []
    for entry in resources.files(__package__).joinpath("assets").iterdir():
        kind = _KINDS.get("." + entry.name.rpartition(".")[2])
        if kind is None:
            continue
        path = "/" if entry.name == _FIRST else f"/assets/{entry.name}"
        routes.append(_route(path, entry.read_bytes(), kind))
    return routes


def _route(path: str, content: bytes, kind: str) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Type": kind,
        "Cache-Control": "no-cache",
        "ETag": tag,
    }

    async def show(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers)

    return Route(path, show)
