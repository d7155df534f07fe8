"""Values as Debezium spells them in JSON and nobody else: bytes in base64, documents as texts."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats import documents
from voltstream.formats.lines import from_documents
from voltstream.formats.port import SqlDecoder


def read(
    texts: Sequence[bytes], schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Read images of rows. Shape: the rows, and (image, reason) of those that are none."""
    spelled = tuple(replace(one, store_type="VARCHAR") if _is_raw(one) else one for one in schema)
    rows, faults = documents.read(from_documents(texts), spelled, decoder)
    for at, column in enumerate(schema):
        if column.type.kind in (Kind.JSON, Kind.JSONB) and not column.type.array_depth:
            opened = [_opened(text) for text in rows.column(at).to_pylist()]
            rows = rows.set_column(at, column.name, pa.array(opened, pa.string()))
        if not _is_raw(column):
            continue
        given = rows.column(at).to_pylist()
        values = [None if text is None else _decoded(text) for text in given]
        bad = [i for i, value in enumerate(values) if value is None and given[i] is not None]
        rows = rows.set_column(at, column.name, pa.array(values, pa.binary()))
        if bad:
            places = np.delete(np.arange(len(texts)), [place for place, _ in faults])
            reason = f'column "{column.name}": not base64'
            faults = sorted([*faults, *((int(places[i]), reason) for i in bad)])
            rows = rows.take(np.delete(np.arange(len(rows)), bad))
    return rows, faults


def _is_raw(column: Column) -> bool:
    return column.type.kind is Kind.BYTEA and not column.type.array_depth


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _opened(text: str | None) -> str | None:
    """Return the document that a text holds, where the column of the origin is one."""
    if text is None or not text.startswith('"'):
        return text
    inner = str(json.loads(text))
    try:
        json.loads(inner)
    except ValueError:
        return text
    return inner
