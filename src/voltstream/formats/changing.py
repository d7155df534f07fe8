"""Messages that change rows: upserts with tombstones, and change data capture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.ports import RawBatch
from voltstream.core.schema import Schema
from voltstream.formats import documents, pgoutput
from voltstream.formats.casts import quoted
from voltstream.formats.declared import Form
from voltstream.formats.decode import decode
from voltstream.formats.documents import pointer
from voltstream.formats.lines import from_documents
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import GONE, DeadLetter, Decoded, Integers, dead_letter

_NO_KEY = "the message has no value, and its key does not name the row that goes"


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows of one kind. ``origins``: the message of each, from 0."""

    table: pa.Table
    origins: Integers
    letters: Sequence[tuple[int, str]]  # (message, reason)


def read(
    batch: RawBatch,
    form: Form,
    key: Sequence[str],
    schema: Schema,
    decoder: SqlDecoder,
    now_us: int,
) -> Decoded:
    """Read changes of a table with the primary key ``key`` as rows, GONE telling which of them go.

    Law: the rows are in the order of their messages, so the last one of a key is what stands.
    """
    if form == "pgoutput":
        return pgoutput.read(batch, key, schema, decoder, now_us)
    if batch.encoding in ("ndjson", "declared"):  # Pushed, not from a topic.
        lines = bytes(batch.payload).removesuffix(b"\n").split(b"\n")
        batch = replace(batch, encoding="json", payload=b"", records=lines)
    if form == "upsert":
        return _upserts(batch, key, schema, decoder, now_us)
    return _debezium(batch, key, schema, decoder, now_us)


def _upserts(
    batch: RawBatch, key: Sequence[str], schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    beside = batch.beside
    if beside is None:  # Origins are told only to those who ask for what came beside.
        beside = pa.table({"key": pa.nulls(len(batch.records))})
    came = decode(replace(batch, beside=beside), schema, decoder, now_us)
    origins = came.origins if came.origins is not None else np.empty(0, np.int64)
    absent = [i for i, record in enumerate(batch.records) if not record.strip()]
    named = tuple(column for column in schema if column.name in key)
    keys = [_key_document(batch.keys[i] if batch.keys else None, named) for i in absent]
    went = _rows_of_keys(absent, keys, schema, named, decoder)
    letters = [
        dead_letter(batch.position, at + 1, _key(batch, at), reason, now_us)
        for at, reason in went.letters
    ]
    return _merged(came.table, origins, went, [*came.dead_letters, *letters])


def _key(batch: RawBatch, at: int) -> bytes:
    return (batch.keys[at] if batch.keys else None) or b""


def _key_document(raw: bytes | None, named: Schema) -> bytes:
    """Return a message's key as an object of key columns; b"" when it names none."""
    if not named:
        return b"{}"
    if raw is None:
        return b""
    text = raw.decode(errors="replace")
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict):
        inner = value.get("payload") if "schema" in value else value
        value = inner if isinstance(inner, dict) or len(named) > 1 else {named[0].name: inner}
    elif len(named) == 1:
        value = {named[0].name: value}
    return json.dumps(value).encode() if isinstance(value, dict) else b""


def _rows_of_keys(
    absent: Sequence[int],
    keys: Sequence[bytes],
    schema: Schema,
    named: Schema,
    decoder: SqlDecoder,
) -> _Read:
    """Read rows that hold a key and nothing else."""
    places = np.asarray(absent, np.int64)
    letters = [(at, _NO_KEY) for at, key in zip(absent, keys, strict=True) if not key]
    given = np.asarray([bool(key) for key in keys], bool)
    places = places[given]
    if not named:
        table = documents.read(from_documents([b"{}"] * len(places)), _optional(schema), decoder)[0]
        return _Read(table, places, letters)
    required = tuple(replace(column, not_null=True) for column in named)
    rows, faults = documents.read(from_documents([k for k in keys if k]), required, decoder)
    letters += [(int(places[index]), reason) for index, reason in faults]
    places = np.delete(places, [index for index, _ in faults])
    return _Read(_widened(rows, schema, decoder), places, letters)


def _optional(schema: Schema) -> Schema:
    return tuple(replace(column, not_null=False) for column in schema)


def _widened(rows: pa.Table, schema: Schema, decoder: SqlDecoder) -> pa.Table:
    """Add the columns that a key leaves out, NULL."""
    none = ", ".join(f"CAST(NULL AS {c.store_type}) AS c{i}" for i, c in enumerate(schema))
    shape = decoder.arrow(f"SELECT {none} WHERE FALSE", {}).schema
    columns: list[Any] = []
    kinds: list[Any] = list(shape.types)
    for column, kind in zip(schema, kinds, strict=True):
        known = column.name in rows.column_names
        columns.append(rows.column(column.name) if known else pa.nulls(len(rows), kind))
    return pa.table(columns, names=[column.name for column in schema])


def _merged(
    came: pa.Table, origins: Integers, went: _Read, letters: Sequence[DeadLetter]
) -> Decoded:
    gone = np.concatenate((np.zeros(len(came), bool), np.ones(len(went.table), bool)))
    places = np.concatenate((origins, went.origins))
    table = came
    if len(went.table):
        table = pa.concat_tables([came, went.table.cast(came.schema)])
        # Of one message that moves a row to another key, the old row goes first.
        order = np.lexsort((~gone, places)).astype(np.int64)
        table, gone, places = table.take(order), gone[order], places[order]
    return Decoded(table.append_column(GONE, pa.array(gone)), letters, places)


def _debezium(
    batch: RawBatch, key: Sequence[str], schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    records = from_documents(batch.records)
    letters = [(number - 1, reason) for number, _, reason in records.rejected]
    lines = pa.table({"n": records.numbers - 1, "line": records.texts})
    events = decoder.arrow(_events_sql([c.name for c in schema if c.name in key]), {"lines": lines})
    refused = events.filter(events.column("verdict").is_valid())
    letters += [(int(row["n"]), str(row["verdict"])) for row in refused.to_pylist()]
    named = tuple(replace(c, not_null=True) for c in schema if c.name in key)
    came = _rows_of(events, "after", schema, decoder)
    went = _rows_of(events, "before", named, decoder)
    went = replace(went, table=_widened(went.table, schema, decoder))
    dead = [
        dead_letter(batch.position, at + 1, batch.records[at], reason, now_us)
        for at, reason in sorted([*letters, *came.letters, *went.letters])
    ]
    return _merged(came.table, came.origins, went, dead)


def _rows_of(events: pa.Table, image: str, schema: Schema, decoder: SqlDecoder) -> _Read:
    chosen = events.filter(events.column(image).is_valid())
    places = chosen.column("n").to_numpy()
    texts = [str(text).encode() for text in chosen.column(image).to_pylist()]
    rows, faults = documents.read(from_documents(texts), schema, decoder)
    letters = [(int(places[index]), reason) for index, reason in faults]
    return _Read(rows, np.delete(places, [index for index, _ in faults]), letters)


def _events_sql(key: Iterable[str]) -> str:
    """Return SQL that parts Debezium's envelopes, bare or beside their schema, into images.

    An update that changes the key takes the old row away as well. Source: Debezium's
    documentation, "Change event values".
    """
    moved = " OR ".join(
        f"json_extract(was, {quoted(pointer(name))}) IS DISTINCT FROM "
        f"json_extract(becomes, {quoted(pointer(name))})"
        for name in key
    )
    return f"""
        WITH parsed AS (
            SELECT n, json_valid(line) AS valid,
                   CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS j FROM lines
        ), opened AS (
            SELECT n, valid,
                   CASE WHEN json_type(j, '$.payload') = 'OBJECT'
                        THEN json_extract(j, '$.payload') ELSE j END AS e FROM parsed
        ), imaged AS (
            SELECT n, valid, json_extract_string(e, '$.op') AS op,
                   nullif(CAST(json_extract(e, '$.before') AS VARCHAR), 'null') AS was,
                   nullif(CAST(json_extract(e, '$.after') AS VARCHAR), 'null') AS becomes
            FROM opened
        )
        SELECT n,
            CASE WHEN op IN ('c', 'r', 'u') THEN becomes END AS after,
            CASE WHEN op = 'd' THEN was
                 WHEN op = 'u' AND was IS NOT NULL AND ({moved or "FALSE"}) THEN was END AS before,
            CASE WHEN NOT valid THEN 'not valid JSON'
                 WHEN op IS NULL THEN 'not a change event: it has no "op"'
                 WHEN op NOT IN ('c', 'r', 'u', 'd')
                     THEN 'the operation "' || op || '" changes no row'
                 WHEN op = 'd' AND was IS NULL THEN 'the row that goes is not told: no "before"'
                 WHEN op <> 'd' AND becomes IS NULL THEN 'the row is not told: no "after"'
            END AS verdict
        FROM imaged ORDER BY n"""
