"""Reads server-sent events of an ASGI application without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    data: Any


class Stream:
    """One open stream; ``status`` is that of its answer."""

    def __init__(self, parts: asyncio.Queue[Message]) -> None:
        self._parts = parts
        self._text = ""
        self.status = 0

    async def begin(self) -> None:
        message = await asyncio.wait_for(self._parts.get(), _PATIENCE_S)
        self.status = message["status"]

    async def next(self) -> Event:
        """Return the next event; comments and what is not an event are left out."""
        while True:
            block, found, rest = self._text.partition("\n\n")
            if not found:
                message = await asyncio.wait_for(self._parts.get(), _PATIENCE_S)
                self._text += message["body"].decode()
                continue
            self._text = rest
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
            )
            if "data" in fields:
                data = json.loads(fields["data"])
                return Event(fields.get("id", ""), fields["event"], data)


@asynccontextmanager
async def streamed(
    app: ASGIApp, views: str, headers: Mapping[str, str] | None = None, **more: str
) -> AsyncIterator[Stream]:
    parts: asyncio.Queue[Message] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": "/v1/live", "raw_path": b"/v1/live",
        "query_string": urlencode({"views": views, **more}).encode(), "http_version": "1.1",
        "scheme": "http", "client": ("127.0.0.1", 50_000), "server": ("localhost", 80),
        "headers": [
            (b"host", b"localhost"),
            *((k.encode(), v.encode()) for k, v in (headers or {}).items()),
        ],
    }  # fmt: skip
    answering = asyncio.ensure_future(app(scope, receive, parts.put))
    stream = Stream(parts)
    try:
        await stream.begin()
        yield stream
    finally:
        gone.set()
        await asyncio.wait_for(answering, _PATIENCE_S)
