"""`voltstream gateway`: take charge points for a server that others take them for too."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from voltstream.cli.chargers import gateway_options
from voltstream.cli.collecting import collect_seldom
from voltstream.cli.config import Settings, load_settings
from voltstream.cli.gateways import shared_topics
from voltstream.cli.serve import WebServer, listen
from voltstream.cli.terminal import say
from voltstream.core.clock import SystemClock
from voltstream.core.gateway_status import GatewayStatus
from voltstream.ocpp.edge import EdgeGateway
from voltstream.web.gateway_status import status_app

EXAMPLES = """
Examples:

  voltstream gateway --brokers 127.0.0.1:9092 --status-port 9100

  voltstream gateway --brokers kafka:9092 --host 0.0.0.0 --ocpp-port 9001 --config volt.toml
"""


async def _run(settings: Settings, status_port: int | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    topics = shared_topics(settings.kafka, "the gateway")
    try:
        async with AsyncExitStack() as stack:
            listening = stack.enter_context(listen(settings.host, settings.ocpp_port))
            running = EdgeGateway(
                topics,
                SystemClock(),
                gateway_options(settings),
                settings.kafka.gateways_partitions,
            )
            if status_port is not None:
                await _tell(stack, settings, status_port, running.status)
            await running.start(listening)
            scheme = "wss" if settings.ocpp.tls_certificate else "ws"
            say(f"voltstream gateway is ready; topics at {settings.kafka.gateways}")
            say(f"  {scheme}://{settings.host}:{running.port}/ocpp/<charge point id>")
            collect_seldom()
            say("Ctrl-C stops.")
            await stopped.wait()
            say("Stopping.")
            await running.stop()
    finally:
        await asyncio.to_thread(topics.close)


async def _tell(
    stack: AsyncExitStack, settings: Settings, port: int, status: Callable[[], GatewayStatus]
) -> None:
    """Answer who watches the gateway, from before its doors open until they are closed."""
    listening = stack.enter_context(listen(settings.host, port))
    server = WebServer(uvicorn.Config(status_app(status), log_config=None, access_log=False,
                                      timeout_graceful_shutdown=1))  # fmt: skip
    serving = asyncio.create_task(server.serve(sockets=[listening]))

    async def stop() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    say(f"  http://{settings.host}:{listening.getsockname()[1]}/readyz")


def gateway(
    brokers: Annotated[
        str | None, typer.Option(help="host:port of the Kafka brokers that gateways share.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    ocpp_port: Annotated[int | None, typer.Option(help="Charge point port.")] = None,
    status_port: Annotated[
        int | None, typer.Option(help="Port of /healthz, /readyz and /metrics; none without it.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting by its dotted name.", metavar="KEY=VALUE"),
    ] = None,
) -> None:
    """Take charge points without a database: one of several, behind a load balancer.

    A message is answered when every in-sync replica of the topic has it. The server behind reads
    the topics: `voltstream serve --set kafka.gateways=HOST:PORT`.
    """
    chosen = list(assignments or ())
    if brokers is not None:
        chosen.append(f"kafka.gateways={brokers}")
    flags = {"host": host, "ocpp_port": ocpp_port}
    asyncio.run(_run(load_settings(config, flags, chosen), status_port))
