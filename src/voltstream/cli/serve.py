"""`voltstream serve`: plug every part together and run until told to stop."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.certificates import self_signed
from voltstream.cli.chargers import gateway_ddl, gateway_options
from voltstream.cli.collecting import collect_all, collect_seldom
from voltstream.cli.config import Settings, load_settings
from voltstream.cli.gateways import (
    gateway_properties,
    keep_registry,
    share_of,
    shared_topics,
)
from voltstream.cli.mirror import keep_mirror, mirror_properties
from voltstream.cli.record_book import Book
from voltstream.cli.terminal import say
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import Clock, SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.tls import Certificate
from voltstream.ocpp.commanding import Commander
from voltstream.ocpp.doors import GatewayOptions
from voltstream.ocpp.far import FarGateways
from voltstream.ocpp.far_commands import FarCommands
from voltstream.ocpp.gateway import Gateway
from voltstream.pgwire.login import Policy
from voltstream.pgwire.server import PgServer
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.web.app import build_app
from voltstream.web.entry import EntryPolicy

DRAIN_S = 5  # How long a stop waits for HTTP requests that are being answered.
STATEMENTS_S = 1.0  # How long it waits for their statements; then it interrupts them.
INTERRUPT_S = 0.1
BACKLOG = 512  # Connections the system holds while we are busy; more wait at the client.

EXAMPLES = """
Examples:

  voltstream serve

  voltstream serve --tls --set auth.method=scram-sha-256

  voltstream serve --data /srv/volt --host 0.0.0.0 --config volt.toml

  voltstream serve --set kafka.bootstrap_override=127.0.0.1:9092
"""


class WebServer(uvicorn.Server):
    """uvicorn without its signal handlers: one place decides when the process stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RunningServer:
    """A started server: its instance and the ports it got."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()
        self.instance = Instance(
            settings.data,
            engine_options(settings),
            clock,
            ConnectorRegistry(
                settings.kafka.bootstrap_override,
                mirror=mirror_properties(settings.kafka),
                gateways=gateway_properties(settings.kafka),
            ),
        )
        self.pg_port = 0
        self.http_port = 0
        self.ocpp_port = 0

    async def __aenter__(self) -> RunningServer:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        settings = self._settings
        # Ports first: a second server on the same ports stops before it touches any data.
        http_socket = self._stack.enter_context(listen(settings.host, settings.http_port))
        self.http_port = http_socket.getsockname()[1]
        ocpp_socket: socket.socket | None = None
        if settings.ocpp.enabled:
            ocpp_socket = self._stack.enter_context(listen(settings.host, settings.ocpp_port))
            self.ocpp_port = ocpp_socket.getsockname()[1]
        instance = self.instance
        self._stack.push_async_callback(asyncio.to_thread, instance.stop)
        await asyncio.to_thread(instance.start)
        mirrored = settings.kafka.mirror is not None
        await asyncio.to_thread(keep_mirror, instance, gateway_ddl(), wanted=mirrored)
        shared = settings.kafka.gateways is not None and settings.ocpp.enabled
        await asyncio.to_thread(keep_registry, instance, gateway_ddl(), wanted=shared)
        if settings.auth.owner_password is not None:
            password = settings.auth.owner_password.get_secret_value()
            await asyncio.to_thread(instance.set_owner_password, password)
        certificate = certificate_of(settings)
        pg_server = PgServer(
            instance,
            settings.host,
            settings.pg_port,
            trust_remote=settings.trust_remote,
            certificate=certificate,
            policy=Policy(settings.auth.method, certificate is not None and settings.tls.required),
        )
        try:
            await pg_server.start()
        except OSError as error:
            raise unopened(settings.host, settings.pg_port, error) from error
        self._stack.push_async_callback(pg_server.stop)
        self.pg_port = pg_server.port
        if ocpp_socket is not None:
            await self._take_chargers(ocpp_socket)
        entry = EntryPolicy(
            asks_all=settings.auth.method != "auto",
            near_all=settings.trust_remote,
            hosts=settings.auth.http_hosts,
        )
        web = build_app(instance, instance, instance, entry, live=instance, book=Book())
        await self._serve_http(web, http_socket, certificate)

    async def _take_chargers(self, listening: socket.socket) -> None:
        instance, options = self.instance, gateway_options(self._settings)
        gateway = Gateway(instance, instance, self._clock, options, gateway_ddl())
        await gateway.start(listening)
        self._stack.push_async_callback(gateway.stop)
        far = None
        if self._settings.kafka.gateways is not None:
            far = await self._take_far(gateway, options)
        instance.commands = Commander(gateway, self._clock, far)

    async def _take_far(self, gateway: Gateway, options: GatewayOptions) -> FarCommands:
        """Read what other gateways took, and be able to ask them."""
        kafka = self._settings.kafka
        topics = shared_topics(kafka, "the server behind the gateways")
        self._stack.push_async_callback(asyncio.to_thread, topics.close)
        frames = FarGateways(gateway, topics, kafka.gateways_partitions, share_of(kafka))
        commands = FarCommands(topics, self._clock, options.call_s, kafka.gateways_partitions)
        for each in (frames, commands):
            each.start()
            self._stack.push_async_callback(each.stop)
        return commands

    async def _serve_http(
        self, web: Starlette, http_socket: socket.socket, certificate: Certificate | None
    ) -> None:
        tls = certificate.context(["http/1.1"]) if certificate is not None else None
        server = WebServer(
            uvicorn.Config(
                web,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=DRAIN_S,
                proxy_headers=False,  # Who speaks to us is who is there.
                ssl_context_factory=(lambda *_: tls) if tls is not None else None,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[http_socket]))

        async def stop() -> None:
            web.state.end_streams()
            server.should_exit = True
            await asyncio.wait([serving], timeout=STATEMENTS_S)
            while not serving.done():
                web.state.end_statements()
                await asyncio.wait([serving], timeout=INTERRUPT_S)
            await serving

        self._stack.push_async_callback(stop)


def certificate_of(settings: Settings) -> Certificate | None:
    """Return the certificate to serve with; None without TLS. Raises: InvalidParameter."""
    tls = settings.tls
    if tls.certificate is not None and tls.key is not None:
        return Certificate(tls.certificate, tls.key)
    if tls.certificate is not None or tls.key is not None:
        raise InvalidParameter("a certificate and its key come together: tls.certificate, tls.key")
    if tls.enabled:
        return Certificate(*self_signed(settings.data / "tls", settings.host))
    return None


def engine_options(settings: Settings) -> EngineOptions:
    """Tell the engine what was configured."""
    return EngineOptions(
        epoch_rows_max=settings.epoch.rows_max,
        epoch_interval_ms=settings.epoch.interval_ms,
        retention_s=settings.source.retention_s,
        transaction_idle_s=settings.writer.idle_s,
        writer_wait_s=settings.writer.wait_s,
        threads=settings.engine.threads,
        memory_mb=settings.engine.memory_mb,
        secret_key=_secret_key(settings),
        tier=settings.tier,
    )


def _secret_key(settings: Settings) -> str | None:
    if settings.secrets.key is not None:
        return settings.secrets.key.get_secret_value()
    file = settings.secrets.key_file
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(
            f'cannot read the key of the secrets in "{file}": {error}'
        ) from error


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Open a listening socket. Raises: InvalidParameter when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(BACKLOG)
        except OSError as error:
            raise unopened(host, port, error) from error
        yield listening


def unopened(host: str, port: int, error: OSError) -> InvalidParameter:
    """Explain why a port could not be opened."""
    if error.errno == errno.EADDRINUSE:
        return InvalidParameter(
            f"port {port} on {host} is in use",
            hint="Stop the other program, or choose another port (0 takes any free one).",
        )
    return InvalidParameter(f"cannot open port {port} on {host}: {error.strerror}")


async def run_until_stopped(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with RunningServer(settings, SystemClock()) as server:
        say(f"voltstream is ready; data in {settings.data}")
        say(f"  psql postgres://{USER}@{settings.host}:{server.pg_port}/{DATABASE}")
        scheme = "https" if certificate_of(settings) is not None else "http"
        say(f"  {scheme}://{settings.host}:{server.http_port}")
        if settings.ocpp.enabled:
            scheme = "wss" if settings.ocpp.tls_certificate else "ws"
            say(f"  {scheme}://{settings.host}:{server.ocpp_port}/ocpp/<charge point id>")
        collect_seldom()
        say("Ctrl-C stops.")
        await stopped.wait()
        say("Stopping.")
        collect_all()


def serve(
    data: Annotated[Path | None, typer.Option(help="Directory of the databases.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    pg_port: Annotated[int | None, typer.Option(help="PostgreSQL wire port.")] = None,
    http_port: Annotated[int | None, typer.Option(help="HTTP port.")] = None,
    ocpp_port: Annotated[int | None, typer.Option(help="Charge point port.")] = None,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Offer TLS, with a certificate made if none is set."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting by its dotted name.", metavar="KEY=VALUE"),
    ] = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    Flags win over VOLTSTREAM_* in the environment, which wins over the file. Defaults: --data
    volt-data, --host 127.0.0.1, --pg-port 4566, --http-port 8080, --ocpp-port 9000.
    """
    flags = {
        "data": data,
        "host": host,
        "pg_port": pg_port,
        "http_port": http_port,
        "ocpp_port": ocpp_port,
    }
    if tls is not None:
        assignments = [f"tls.enabled={tls}", *(assignments or ())]
    asyncio.run(run_until_stopped(load_settings(config, flags, assignments or ())))
