"""One batch of bytes to one Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np
import pyarrow as pa

from voltstream.core.errors import InvalidParameter
from voltstream.core.packed import packed
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Schema
from voltstream.formats import columnar, delimited, documents, framed, lines
from voltstream.formats.metering import read as metering
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import DeadLetter, Decoded, dead_letter

_REST = "the record was taken before this was written after it"


def decode(batch: RawBatch, schema: Schema, decoder: SqlDecoder, now_us: int) -> Decoded:
    """Read a batch as rows of ``schema``. Dead letters are dated ``now_us``.

    Law: a record is read, or refused, the same alone as in any company.
    """
    match batch.encoding:
        case "ndjson" | "declared":
            return _json(lines.from_lines(batch.payload), batch, schema, decoder, now_us)
        case "json":
            return _json(lines.from_documents(batch.records), batch, schema, decoder, now_us)
        case "csv":
            return delimited.read(batch, schema, decoder, now_us)
        case "arrow":
            given = batch.table if batch.table is not None else pa.table({})
            return columnar.read(given, batch.position, schema, decoder, now_us)
        case "framed":
            return framed.read(batch, schema, decoder, now_us)
        case "metering":
            if batch.metering is None:
                raise InvalidParameter("a meter format is not said")
            return metering.read(batch, batch.metering, schema, decoder, now_us)
        case "bytes":
            return _bytes(batch, schema, decoder, now_us)
        case "rest":
            nothing = columnar.read(pa.table({}), "", schema, decoder, now_us).table
            raw = bytes(batch.payload).rstrip(b"\r\n")
            letter = dead_letter(batch.position, 1, raw, _REST, now_us)
            return Decoded(nothing, [letter] if raw.strip() else [])
        case _:
            assert_never(batch.encoding)


def decode_together(
    batches: Sequence[RawBatch], schema: Schema, decoder: SqlDecoder, now_us: int
) -> list[Decoded]:
    """Read batches of one source; small ones of JSON in one call, for a call has its price.

    Law: each is read as it is alone.
    """
    if len(batches) < 2 or not all(_is_json(batch) for batch in batches):
        return [decode(batch, schema, decoder, now_us) for batch in batches]
    cut = [
        lines.from_documents(batch.records)
        if batch.encoding == "json"
        else lines.from_lines(batch.payload)
        for batch in batches
    ]
    table, faults = None, list[tuple[int, str]]()
    if not any(records.rejected for records in cut):
        texts = pa.concat_arrays([records.texts.cast(pa.large_string()) for records in cut])
        numbers = np.arange(1, len(texts) + 1, dtype=np.int64)
        table, faults = documents.read(lines.Records(texts, numbers), schema, decoder)
    if table is None or faults:  # A dead letter must name its place in its own batch.
        return [decode(batch, schema, decoder, now_us) for batch in batches]
    found: list[Decoded] = []
    first = 0
    for batch, records in zip(batches, cut, strict=True):
        origins = None if batch.beside is None else records.numbers - 1
        found.append(Decoded(table.slice(first, len(records.texts)), origins=origins))
        first += len(records.texts)
    return found


def _is_json(batch: RawBatch) -> bool:
    return batch.encoding in ("ndjson", "declared", "json")


def _bytes(batch: RawBatch, schema: Schema, decoder: SqlDecoder, now_us: int) -> Decoded:
    """Take each record whole as the value of the only column."""
    [column] = schema
    given = pa.table({column.name: packed(batch.records).array.cast(pa.binary())})
    decoded = columnar.read(given, batch.position, schema, decoder, now_us)
    origins = np.arange(len(batch.records), dtype=np.int64)
    return Decoded(decoded.table, decoded.dead_letters, origins)


def _json(
    records: lines.Records, batch: RawBatch, schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    table, reasons = documents.read(records, schema, decoder)
    letters: list[tuple[int, DeadLetter]] = []
    for number, raw, reason in records.rejected:
        letters.append((number, dead_letter(batch.position, number, raw, reason, now_us)))
    for index, reason in reasons:
        number = int(records.numbers[index])
        raw = records.raw(index)
        letters.append((number, dead_letter(batch.position, number, raw, reason, now_us)))
    letters.sort(key=lambda letter: letter[0])
    origins = None
    if batch.beside is not None:
        origins = np.delete(records.numbers, [index for index, _ in reasons]) - 1
    return Decoded(table, [letter for _, letter in letters], origins)
