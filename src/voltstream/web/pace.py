"""How many requests an address may send: a bucket of tokens for each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from voltstream.core.limits import HTTP_PEERS_MAX, HTTP_REQUESTS_BURST, HTTP_REQUESTS_PER_S

_FREE = ("/healthz", "/readyz")
_PUSHED = "/v1/sources/"  # Rows wait for the writer, and their senders with them.


class Pace:
    """Middleware: sends away who asks too often (429), with the time after which to ask again."""

    def __init__(
        self,
        app: ASGIApp,
        per_s: float = HTTP_REQUESTS_PER_S,
        burst: float = HTTP_REQUESTS_BURST,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._per_s, self._burst, self._now_s = per_s, burst, now_s
        self._peers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path not in _FREE and not path.startswith(_PUSHED):
            peer = scope["client"][0] if scope.get("client") else ""
            wait_s = self._taken(peer)
            if wait_s:
                answer = {"code": "54000", "message": "too many requests", "hint": None}
                headers = {"Retry-After": str(round(wait_s + 0.5))}
                await JSONResponse(answer, 429, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _taken(self, peer: str) -> float:
        """Take a token of an address. Returns how long to wait where there is none."""
        now_s = self._now_s()
        left, then_s = self._peers.pop(peer, (self._burst, now_s))
        left = min(self._burst, left + (now_s - then_s) * self._per_s)
        enough = left >= 1
        self._peers[peer] = (left - 1 if enough else left, now_s)
        if len(self._peers) > HTTP_PEERS_MAX:
            self._peers.popitem(last=False)
        return 0 if enough else (1 - left) / self._per_s
