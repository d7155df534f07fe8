"""What comes with Kafka messages beside their values, as INCLUDE names it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message


def beside(kind: str, messages: list[Message]) -> pa.Array[Any]:
    """Return what INCLUDE calls ``kind``, one value for each message."""
    match kind:
        case "key":
            return pa.array([key_bytes(message) for message in messages], pa.binary())
        case "payload":
            return pa.array([message.value() for message in messages], pa.binary())
        case "partition":
            return pa.array([str(message.partition()) for message in messages], pa.string())
        case "offset":
            return pa.array(list(map(Message.offset, messages)), pa.int64()).cast(pa.string())
        case "timestamp":
            stamps = [message.timestamp() for message in messages]
            written = [None if how == TIMESTAMP_NOT_AVAILABLE else ms * 1000 for how, ms in stamps]
            return pa.array(written, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        case "header":
            pairs = [[{"key": k, "value": _bytes(v)} for k, v in _headers(m)] for m in messages]
            item = pa.struct([("key", pa.string()), ("value", pa.binary())])
            return pa.array(pairs, pa.list_(item))
        case _:
            name = kind.partition(":")[2]
            found = [dict(_headers(message)).get(name) for message in messages]
            return pa.array([_bytes(value) for value in found], pa.binary())


def _headers(message: Message) -> list[tuple[str, str | bytes | None]]:
    headers = message.headers()
    return list(headers.items()) if isinstance(headers, dict) else list(headers or [])


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def key_bytes(message: Message) -> bytes | None:
    return _bytes(message.key())
