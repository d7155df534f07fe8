"""/healthz, /readyz and /metrics of a gateway without a database."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from voltstream.core.gateway_status import GatewayStatus
from voltstream.web.metrics import MEDIA


def status_app(status: Callable[[], GatewayStatus]) -> Starlette:
    """Return what answers who watches a gateway."""

    async def alive(request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n")

    async def ready(request: Request) -> Response:
        del request
        found = status()
        if found.ready:
            return PlainTextResponse("ready\n")
        return PlainTextResponse(f"{found.trouble}\n", status_code=503)

    async def metrics(request: Request) -> Response:
        del request
        return PlainTextResponse("".join(_lines(status())), media_type=MEDIA)

    return Starlette(
        routes=[
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
        ]
    )


def _lines(status: GatewayStatus) -> Iterator[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    for name, kind, about, value in (
        ("voltstream_gateway_ready", "gauge", "1 while chargers are taken.", int(status.ready)),
        ("voltstream_gateway_connected", "gauge", "Chargers connected.", status.connected),
        ("voltstream_gateway_appended_total", "counter", "Records in the log.", status.appended),
        ("voltstream_gateway_failed_total", "counter", "Records not taken.", status.failed),
        ("voltstream_gateway_waiting", "gauge", "Records on their way.", status.waiting),
        ("voltstream_gateway_commands_total", "counter", "Commands run.", status.commands),
        ("process_cpu_seconds_total", "counter", "User and system time.",
         used.ru_utime + used.ru_stime),
        ("process_max_resident_memory_bytes", "gauge", "Most memory at a time.",
         used.ru_maxrss * 1024),
    ):  # fmt: skip
        yield f"# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {value}\n"
