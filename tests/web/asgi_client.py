"""Calls an ASGI application without a socket, one request after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp


class AsgiClient:
    def __init__(
        self, app: ASGIApp, base: str = "http://localhost", peer: str = "127.0.0.1"
    ) -> None:
        self._transport = httpx.ASGITransport(app=app, client=(peer, 50_000))
        self._base = base

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return asyncio.run(self._send("GET", path, None, params, headers))

    def post(
        self, path: str, *, content: bytes, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return asyncio.run(self._send("POST", path, content, None, headers))

    async def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        client = httpx.AsyncClient(transport=self._transport, base_url=self._base)
        async with client:
            return await client.request(
                method, path, content=content, params=params, headers=headers
            )
