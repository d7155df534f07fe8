"""Records that name their schema: a zero byte, the schema's number, then the value.

Source: Confluent's "Schema Registry wire format", which other registries share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from voltstream.core.ports import RawBatch, SchemaSet, WrittenSchema
from voltstream.core.schema import Schema
from voltstream.formats import columnar, documents, json_schema, lines
from voltstream.formats.avro import AvroReader, avro_reader
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.port import SqlDecoder
from voltstream.formats.protobuf import ProtobufReader, protobuf_reader
from voltstream.formats.result import Decoded, dead_letter

_FRAME_BYTES = 5
Faults = list[tuple[int, str]]


class RecordReader(Protocol):
    """Reads what was written with one schema."""

    @property
    def columns(self) -> Schema: ...

    def read(self, payloads: Sequence[bytes]) -> tuple[pa.Table, list[int], Faults]:
        """Return rows, the payload that each came from, and (payload, reason) of the others."""

    def default(self, name: str, others: Sequence[str]) -> tuple[str, str] | None:
        """Return ("alias", an older name) or ("value", text) of a field others did not know."""

    def value(self, payload: bytes) -> Any:
        """Return one value as JSON holds it. Raises: ValueError."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one schema. Shape: ``places`` are theirs in the batch, from 0."""

    written: WrittenSchema
    payloads: list[bytes]
    places: list[int]


def reader_of(written: WrittenSchema, message: str) -> RecordReader:
    """Raises: UnusableSchema."""
    if written.kind == "AVRO":
        return avro_reader(written.text, written.imports)
    if written.kind == "PROTOBUF":
        return protobuf_reader(written.descriptors, message)
    raise UnusableSchema("records of a JSON schema are read as JSON")


def ids_of(records: Sequence[bytes]) -> set[int]:
    """Return the numbers of the schemas that records name."""
    heads = {record[1:_FRAME_BYTES] for record in records if _is_framed(record)}
    return {int.from_bytes(head, "big") for head in heads}


def _is_framed(record: bytes) -> bool:
    return len(record) >= _FRAME_BYTES and record[0] == 0


def grouped(records: Sequence[bytes], schemas: SchemaSet) -> tuple[list[Group], Faults]:
    """Part records by their schema, those without one told."""
    if not schemas.framed:
        return [Group(schemas.value, list(records), list(range(len(records))))], []
    groups: dict[bytes, Group] = {}
    faults: Faults = []
    for place, record in enumerate(records):
        if not _is_framed(record):
            faults.append((place, "the record does not name its schema"))
            continue
        head = record[1:_FRAME_BYTES]
        group = groups.get(head)
        if group is None:
            number = int.from_bytes(head, "big")
            written = schemas.by_id.get(number)
            if written is None:
                faults.append((place, f"the registry has no schema {number}"))
                continue
            if written.kind != schemas.value.kind:
                faults.append((place, f"schema {number} is of the kind {written.kind}"))
                continue
            group = groups[head] = Group(written, [], [])
        group.payloads.append(record[_FRAME_BYTES:])
        group.places.append(place)
    return list(groups.values()), faults


def read(batch: RawBatch, schema: Schema, decoder: SqlDecoder, now_us: int) -> Decoded:
    """Read framed records as rows; a record that cannot be read is a dead letter, whole."""
    table, places, faults = rows(batch, schema, decoder)
    letters = [
        dead_letter(batch.position, place + 1, batch.records[place], reason, now_us)
        for place, reason in sorted(faults)
    ]
    return Decoded(table, letters, np.asarray(places, np.int64))


def rows(
    batch: RawBatch, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[int], Faults]:
    """Return rows in the order of their records, the record of each, and (record, reason)."""
    schemas = batch.schemas
    if schemas is None:
        unknown = [(at, "no schema of the record is known") for at in range(len(batch.records))]
        return columnar.cast(pa.table({}), schema, decoder)[0], [], unknown
    groups, faults = grouped(batch.records, schemas)
    tables: list[pa.Table] = []
    places: list[int] = []
    for group in groups:
        try:
            table, kept, bad = _group_rows(group, schemas, schema, decoder)
        except UnusableSchema as error:
            faults += [(place, str(error)) for place in group.places]
            continue
        faults += [(group.places[at], reason) for at, reason in bad]
        tables.append(table)
        places += [group.places[at] for at in kept]
    if not tables:
        tables = [columnar.cast(pa.table({}), schema, decoder)[0]]
    whole = pa.concat_tables([table.cast(tables[0].schema) for table in tables])
    if len(tables) > 1:
        order = np.argsort(np.asarray(places, np.int64), kind="stable")
        whole, places = whole.take(order.astype(np.int64)), [places[at] for at in order.tolist()]
    return whole, places, faults


def _group_rows(
    group: Group, schemas: SchemaSet, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[int], Faults]:
    if group.written.kind == "JSON":
        return _json_rows(group, schema, decoder)
    reader = reader_of(group.written, schemas.message)
    if schemas.framed and isinstance(reader, ProtobufReader):
        given, kept, faults = _messages(group.payloads, reader)
    else:
        given, kept, faults = reader.read(group.payloads)
    if group.written != schemas.value:
        given = _completed(given, schema, schemas)
    return _as_columns(given, kept, faults, schema, decoder)


def _messages(
    payloads: Sequence[bytes], reader: ProtobufReader
) -> tuple[pa.Table, list[int], Faults]:
    """Read messages behind their names; of another type they are refused."""
    bare = [reader.unframed(payload) for payload in payloads]
    mine = [at for at, payload in enumerate(bare) if payload is not None]
    others = [at for at, payload in enumerate(bare) if payload is None]
    given, kept, faults = reader.read([payload for payload in bare if payload is not None])
    refused = [(at, f"not a message {reader.message} but another of its file") for at in others]
    return given, [mine[at] for at in kept], refused + [(mine[at], why) for at, why in faults]


def _as_columns(
    given: pa.Table, kept: list[int], faults: Faults, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[int], Faults]:
    table, reasons = columnar.cast(given, schema, decoder)
    faults = faults + [(kept[index], reason) for index, reason in reasons]
    bad = {index for index, _ in reasons}
    return table, [at for index, at in enumerate(kept) if index not in bad], faults


def _completed(given: pa.Table, schema: Schema, schemas: SchemaSet) -> pa.Table:
    """Add fields that the writer did not know yet, as the newest schema makes them up."""
    known = [name.lower() for name in given.column_names]
    newest = reader_of(schemas.value, schemas.message)
    for column in schema:
        if column.name.lower() in known:
            continue
        match newest.default(column.name, known):
            case ("alias", name):
                given = given.append_column(column.name, given.column(_place(given, name)))
            case ("value", text):
                given = given.append_column(column.name, pa.repeat(text, len(given)))
            case _:
                continue
    return given


def _place(given: pa.Table, name: str) -> int:
    return [known.lower() for known in given.column_names].index(name.lower())


def _json_rows(
    group: Group, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[int], Faults]:
    bad = json_schema.faults(group.written.text, group.written.imports, group.payloads)
    refused = dict(bad)
    kept = [at for at in range(len(group.payloads)) if at not in refused]
    records = lines.from_documents([group.payloads[at] for at in kept])
    faults = [*bad, *((kept[number - 1], reason) for number, _, reason in records.rejected)]
    table, reasons = documents.read(records, schema, decoder)
    faults += [(kept[int(records.numbers[index]) - 1], reason) for index, reason in reasons]
    wrong = {index for index, _ in reasons}
    places = [
        kept[int(number) - 1]
        for index, number in enumerate(records.numbers.tolist())
        if index not in wrong
    ]
    return table, places, faults


def key_document(raw: bytes, schemas: SchemaSet) -> Any:
    """Return a record's key as JSON holds it. Raises: ValueError."""
    written = schemas.key
    if schemas.framed:
        if not _is_framed(raw):
            raise ValueError("the key does not name its schema")
        number = int.from_bytes(raw[1:_FRAME_BYTES], "big")
        written, raw = schemas.by_id.get(number), raw[_FRAME_BYTES:]
    if written is None:
        raise ValueError("the schema of the key is not known")
    if written.kind == "JSON":
        return json_schema.value(raw)
    try:
        reader = reader_of(written, "")
        if schemas.framed and isinstance(reader, ProtobufReader):
            raw = reader.unframed(raw) or b""
        return reader.value(raw)
    except UnusableSchema as error:
        raise ValueError(str(error)) from error


def bare(records: Sequence[bytes]) -> list[bytes]:
    """Leave the numbers of schemas out; a record without one stays as it is."""
    return [record[_FRAME_BYTES:] if _is_framed(record) else record for record in records]


Images = list[tuple[pa.Table, list[int]]]  # Rows, and the record of each.


def events(
    records: Sequence[bytes], schemas: SchemaSet, key: Sequence[str]
) -> tuple[Images, Images, Faults]:
    """Part change events into rows that come and rows that go. Source: Debezium's envelope."""
    came: Images = []
    went: Images = []
    present = [at for at, record in enumerate(records) if record]
    groups, faults = grouped([records[at] for at in present], schemas)
    faults = [(present[at], reason) for at, reason in faults]
    for group in groups:
        origins = [present[at] for at in group.places]
        try:
            given, kept, bad = reader_of(group.written, schemas.message).read(group.payloads)
        except UnusableSchema as error:
            faults += [(at, str(error)) for at in origins]
            continue
        faults += [(origins[at], reason) for at, reason in bad]
        if not {"op", "before", "after"} <= set(given.column_names):
            faults += [(origins[at], 'not a change event: it has no "op"') for at in kept]
            continue
        _part(given, [origins[at] for at in kept], key, came, went, faults)
    return came, went, faults


def _part(
    given: pa.Table,
    origins: list[int],
    key: Sequence[str],
    came: Images,
    went: Images,
    faults: Faults,
) -> None:
    images = {name: given.column(name).combine_chunks() for name in ("before", "after")}
    told = {name: image.is_valid().to_pylist() for name, image in images.items()}
    after: list[int] = []
    before: list[int] = []
    for index, op in enumerate(given.column("op").to_pylist()):
        if op not in ("c", "r", "u", "d"):
            faults.append((origins[index], f'the operation "{op}" changes no row'))
        elif op == "d":
            if told["before"][index]:
                before.append(index)
            else:
                faults.append((origins[index], 'the row that goes is not told: no "before"'))
        elif not told["after"][index]:
            faults.append((origins[index], 'the row is not told: no "after"'))
        else:
            after.append(index)
            if op == "u" and told["before"][index] and _moved(images, index, key):
                before.append(index)
    for chosen, name, found in ((after, "after", came), (before, "before", went)):
        if chosen:
            image: Any = images[name].take(pa.array(chosen))
            rows_ = pa.Table.from_struct_array(image)
            found.append((rows_, [origins[index] for index in chosen]))


def _moved(images: dict[str, Any], index: int, key: Sequence[str]) -> bool:
    """Tell whether an update gave a row another key."""
    was, becomes = images["before"][index].as_py(), images["after"][index].as_py()
    names = {name.lower(): name for name in was}
    return any(
        was[names[part.lower()]] != becomes.get(names[part.lower()])
        for part in key
        if part.lower() in names
    )


def columns_of(schemas: SchemaSet, form: str) -> Schema:
    """Return the columns that the newest schema means. Raises: UnusableSchema."""
    written = schemas.value
    if written.kind == "JSON":
        return json_schema.columns(written.text, ("after",) if form == "debezium" else ())
    reader = reader_of(written, schemas.message)
    columns = reader.columns
    if form == "debezium" and isinstance(reader, AvroReader):
        columns = reader.inner("after") or reader.inner("before") or ()
    if not columns:
        raise UnusableSchema("its schema describes no record with fields")
    return columns
