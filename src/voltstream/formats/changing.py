"""Messages that change rows: upserts with tombstones, and change data capture."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.ports import RawBatch, SchemaSet
from voltstream.core.schema import Schema
from voltstream.formats import columnar, debezium_values, documents, framed, pgoutput
from voltstream.formats.change_events import canal_sql, debezium_sql, maxwell_sql
from voltstream.formats.declared import Form
from voltstream.formats.decode import decode
from voltstream.formats.lines import from_documents
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import GONE, DeadLetter, Decoded, Integers, dead_letter

ReadImages = Callable[[Sequence[bytes], Schema, SqlDecoder], tuple[pa.Table, list[tuple[int, str]]]]
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
    if form in ("maxwell", "canal"):
        return _others(batch, form, key, schema, decoder, now_us)
    if batch.encoding == "framed" and batch.schemas is not None:
        if batch.schemas.value.kind != "JSON":
            return _framed_debezium(batch, batch.schemas, key, schema, decoder, now_us)
        batch = replace(batch, encoding="json", records=framed.bare(batch.records))
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
    keys = [_key_document(_key_of(batch, i), named) for i in absent]
    went = _rows_of_keys(absent, keys, schema, named, decoder)
    letters = [
        dead_letter(batch.position, at + 1, _key(batch, at), reason, now_us)
        for at, reason in went.letters
    ]
    return _merged(came.table, origins, went, [*came.dead_letters, *letters])


def _key_of(batch: RawBatch, at: int) -> bytes | None:
    """Return a message's key as JSON or text, whatever schema it was written with."""
    raw = batch.keys[at] if batch.keys else None
    if raw is None or batch.schemas is None or batch.schemas.key is None:
        return raw
    try:
        return json.dumps(framed.key_document(raw, batch.schemas)).encode()
    except ValueError:
        return raw


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
    sql = debezium_sql([c.name for c in schema if c.name in key])
    return _events(batch, sql, key, schema, decoder, now_us, debezium_values.read)


def _others(
    batch: RawBatch,
    form: Form,
    key: Sequence[str],
    schema: Schema,
    decoder: SqlDecoder,
    now_us: int,
) -> Decoded:
    names = [c.name for c in schema if c.name in key]
    sql = maxwell_sql(names) if form == "maxwell" else canal_sql(names)
    return _events(batch, sql, key, schema, decoder, now_us)


def _read_images(
    texts: Sequence[bytes], schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[tuple[int, str]]]:
    return documents.read(from_documents(texts), schema, decoder)


def _events(
    batch: RawBatch,
    sql: str,
    key: Sequence[str],
    schema: Schema,
    decoder: SqlDecoder,
    now_us: int,
    read_images: ReadImages = _read_images,
) -> Decoded:
    """Read change events that a statement over ``lines`` parts into rows that come and go."""
    present = [at for at, record in enumerate(batch.records) if record.strip()]
    # What follows a delete to let a compacting topic forget its key is no event.
    records = from_documents([batch.records[at] for at in present])
    letters = [(present[number - 1], reason) for number, _, reason in records.rejected]
    places = np.asarray(present, np.int64)[records.numbers - 1]
    lines = pa.table({"n": places, "line": records.texts})
    events = decoder.arrow(sql, {"lines": lines})
    refused = events.filter(events.column("verdict").is_valid())
    letters += [(int(row["n"]), str(row["verdict"])) for row in refused.to_pylist()]
    named = tuple(replace(c, not_null=True) for c in schema if c.name in key)
    came = _rows_of(events, "after", schema, decoder, read_images)
    went = _rows_of(events, "before", named, decoder, read_images)
    return _changes(batch, came, went, letters, schema, decoder, now_us)


def _changes(
    batch: RawBatch,
    came: _Read,
    went: _Read,
    letters: Sequence[tuple[int, str]],
    schema: Schema,
    decoder: SqlDecoder,
    now_us: int,
) -> Decoded:
    went = replace(went, table=_widened(went.table, schema, decoder))
    dead = [
        dead_letter(batch.position, at + 1, batch.records[at], reason, now_us)
        for at, reason in sorted([*letters, *came.letters, *went.letters])
    ]
    return _merged(came.table, came.origins, went, dead)


def _framed_debezium(
    batch: RawBatch,
    schemas: SchemaSet,
    key: Sequence[str],
    schema: Schema,
    decoder: SqlDecoder,
    now_us: int,
) -> Decoded:
    """Read change events whose images are records of the envelope's own schema."""
    named = tuple(replace(c, not_null=True) for c in schema if c.name in key)
    came, went, letters = framed.events(batch.records, schemas, [c.name for c in named])
    tables = []
    for images, wanted in ((came, schema), (went, named)):
        parts, places, faults = [columnar.cast(pa.table({}), wanted, decoder)[0]], [], []
        for given, origins in images:
            table, reasons = columnar.cast(given, wanted, decoder)
            faults += [(origins[index], reason) for index, reason in reasons]
            bad = {index for index, _ in reasons}
            places += [at for index, at in enumerate(origins) if index not in bad]
            parts.append(table)
        order = np.argsort(np.asarray(places, np.int64), kind="stable").astype(np.int64)
        whole = pa.concat_tables([part.cast(parts[0].schema) for part in parts]).take(order)
        tables.append(_Read(whole, np.asarray(places, np.int64)[order], faults))
    return _changes(batch, tables[0], tables[1], letters, schema, decoder, now_us)


def _rows_of(
    events: pa.Table, image: str, schema: Schema, decoder: SqlDecoder, read_images: ReadImages
) -> _Read:
    chosen = events.filter(events.column(image).is_valid())
    places = chosen.column("n").to_numpy()
    texts = [str(text).encode() for text in chosen.column(image).to_pylist()]
    rows, faults = read_images(texts, schema, decoder)
    letters = [(int(places[index]), reason) for index, reason in faults]
    return _Read(rows, np.delete(places, [index for index, _ in faults]), letters)
