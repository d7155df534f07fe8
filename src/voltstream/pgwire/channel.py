"""One client's bytes: held until it is known whether they are TLS, and made TLS when asked."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable

ALPN = "postgresql"
_TLS_HANDSHAKE = b"\x16"  # The first byte of a ClientHello; no startup packet begins so.

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Held(asyncio.StreamReaderProtocol):
    """Reads nothing until it is told to: the first byte decides who reads."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()
        super().connection_made(transport)


async def listen(accept: Accept, host: str, port: int, limit: int) -> asyncio.Server:
    """Open a port; ``accept`` gets each client before any of its bytes is read."""
    loop = asyncio.get_running_loop()

    def made() -> _Held:
        return _Held(asyncio.StreamReader(limit=limit, loop=loop), accept, loop=loop)

    return await loop.create_server(made, host, port)


async def begins_with_tls(writer: asyncio.StreamWriter, patience_s: float) -> bool:
    """Tell what a held client sends first, without taking it. Raises: TimeoutError."""
    channel = writer.get_extra_info("socket")
    loop = asyncio.get_running_loop()
    with socket.socket(fileno=os.dup(channel.fileno())) as peeking:
        ready = loop.create_future()

        def tell() -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(peeking.fileno(), tell)
        try:
            await asyncio.wait_for(ready, patience_s)
        finally:
            loop.remove_reader(peeking.fileno())
        return peeking.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE


def hold(writer: asyncio.StreamWriter) -> None:
    """Let no more bytes come: those behind a request for TLS are not ours to read."""
    transport = writer.transport
    if isinstance(transport, asyncio.ReadTransport):
        transport.pause_reading()


def read_on(writer: asyncio.StreamWriter) -> None:
    """Let a held client's bytes come."""
    transport = writer.transport
    if isinstance(transport, asyncio.ReadTransport):
        transport.resume_reading()


async def secure(
    writer: asyncio.StreamWriter, context: ssl.SSLContext, patience_s: float, *, direct: bool
) -> None:
    """Make the connection TLS. Raises: ssl.SSLError, ConnectionError, TimeoutError.

    Who begins with TLS directly must speak of our protocol: the port could be taken for another's.
    """
    await writer.start_tls(context, ssl_handshake_timeout=max(patience_s, 0.1))
    if direct and writer.get_extra_info("ssl_object").selected_alpn_protocol() != ALPN:
        raise ConnectionAbortedError("direct TLS without ALPN")
