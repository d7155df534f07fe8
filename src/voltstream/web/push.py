"""POST /v1/sources/<name>/rows: rows in, an answer once they are durable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voltstream.core.errors import (
    BadCopyFormat,
    InsufficientPrivilege,
    InvalidParameter,
    LimitExceeded,
    VoltstreamError,
)
from voltstream.core.limits import PUSH_BYTES_MAX, PUSH_KEY_CHARACTERS_MAX
from voltstream.core.ports import Gate, Ingest, RawBatch
from voltstream.formats.metering.form import is_meter_format, meter_form
from voltstream.web.answers import refusal
from voltstream.web.entry import Caller, caller_of

_BLANKS = " \t\r\n"
_HEADERS = {"header=present": True, "header=absent": False}  # RFC 4180, 3.


class PushRoute:
    """Takes NDJSON, a JSON array (application/json), CSV (text/csv), or what a source declares."""

    def __init__(self, ingest: Ingest, gate: Gate, default_database: str) -> None:
        self._ingest = ingest
        self._gate = gate
        self._default_database = default_database

    async def __call__(self, request: Request) -> Response:
        database = request.query_params.get("database", self._default_database)
        source = request.path_params["name"]
        try:
            self._allow(caller_of(request), database, source)  # Before its bytes are taken.
            name = _key(request.headers.get("idempotency-key", ""))
            body = await _body(request)
            batch = _of_meters(request.query_params, body) or raw_batch(
                request.headers.get("content-type", ""), body
            )
            batch = replace(batch, name=name)
            # Full: submit() waits, on a thread, and the client with it.
            future = await run_in_threadpool(self._ingest.submit, database, source, batch)
            receipt = await asyncio.wrap_future(future)
        except VoltstreamError as error:
            return refusal(error)
        return JSONResponse(
            {"rows": receipt.rows, "dead_letters": receipt.dead_letters, "epoch": receipt.epoch}
        )

    def _allow(self, caller: Caller, database: str, source: str) -> None:
        """Raises: InsufficientPrivilege (42501)."""
        if caller.source is not None:
            named = source if "." in source else f"public.{source}"
            if (named, database) != (caller.source, caller.database):
                raise InsufficientPrivilege(f'the token is not for source "{source}"')
        self._gate.allow_push(caller.user, database, source)


def _of_meters(said: Mapping[str, str], body: bytes) -> RawBatch | None:
    """Take a body as the head-end's format that ``?encode=`` names. Raises: InvalidParameter."""
    encode = said.get("encode", "").lower()
    if not encode:
        return None
    if not is_meter_format(encode):
        raise InvalidParameter(
            f'"{encode}" is no format of meters',
            hint="What is JSON or CSV is said by Content-Type, all else by the source.",
        )
    form = meter_form(encode, said, "the request")
    return RawBatch("metering", body, position="http", metering=form)


def _key(written: str) -> str:
    """Return what the client calls the batch. Raises: InvalidParameter (22023)."""
    if len(written) > PUSH_KEY_CHARACTERS_MAX:
        raise InvalidParameter(
            f"an idempotency key has {PUSH_KEY_CHARACTERS_MAX} characters at most"
        )
    return written


async def _body(request: Request) -> bytes:
    """Read the body. Raises: LimitExceeded as soon as it is known to be too long."""
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdigit() else 0
    parts: list[bytes] = []
    if size <= PUSH_BYTES_MAX:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > PUSH_BYTES_MAX:
                break
            parts.append(part)
    if size > PUSH_BYTES_MAX:
        raise LimitExceeded(
            f"the body is longer than {PUSH_BYTES_MAX} bytes", hint="Send the rows in parts."
        )
    return parts[0] if len(parts) == 1 else b"".join(parts)


def raw_batch(content_type: str, body: bytes) -> RawBatch:
    """Wrap a body by its media type; what names neither CSV nor JSON is what the source declares.

    Raises: BadCopyFormat when a JSON array does not parse as a whole.
    """
    media, *parameters = content_type.replace(" ", "").lower().split(";")
    if media == "text/csv":
        header = _HEADERS.get(next((p for p in parameters if p.startswith("header=")), ""))
        return RawBatch("csv", body, position="http", header=header)
    if media == "application/json" and body.lstrip()[:1] == b"[":
        return RawBatch("json", records=_elements(body), position="http")
    return RawBatch("ndjson" if "json" in media else "declared", body, position="http")


def _elements(body: bytes) -> list[bytes]:
    """Cut a JSON array into its elements' own text, so that no number changes on the way."""
    try:
        text = body.decode().strip()
        return _cut(text)
    except ValueError as error:  # Also what is not UTF-8.
        hint = "Send one JSON array of objects, or one object per line."
        raise BadCopyFormat(f"the body is not a JSON array: {error}", hint=hint) from error


def _cut(text: str) -> list[bytes]:
    decoder = json.JSONDecoder()
    elements: list[bytes] = []
    at = _past_blanks(text, 1)
    if text[at : at + 1] == "]" and at + 1 == len(text):
        return elements
    while True:
        _, end = decoder.raw_decode(text, at)
        elements.append(text[at:end].encode())
        at = _past_blanks(text, end)
        if text[at : at + 1] == "]" and at + 1 == len(text):
            return elements
        if text[at : at + 1] != ",":
            raise ValueError(f"unexpected text at character {at + 1}")
        at = _past_blanks(text, at + 1)


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at
