"""Avro records to Arrow columns, by the schema they were written with."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

from voltstream.core.limits import SCHEMAS_KEPT_MAX
from voltstream.core.schema import Column, Schema
from voltstream.formats.avro_types import AvroType, UnusableSchema, branches, plain, typed

_SCHEMA_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
    SchemaParseException,
    UnknownType,
)
_READ_FAULTS = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError)


class AvroReader:
    """Reads what was written with one schema."""

    def __init__(self, text: str, imports: Sequence[tuple[str, str]] = ()) -> None:
        """Raises: UnusableSchema."""
        names: dict[str, Any] = {}
        try:
            for _, other in imports:
                parse_schema(_without_meanings(json.loads(other)), names)
            written = json.loads(text)
            self._schema: Any = parse_schema(_without_meanings(written), names)
            self._names: dict[str, Any] = {}
            for _, other in imports:
                parse_schema(json.loads(other), self._names)
            whole: Any = parse_schema(written, self._names)
        except _SCHEMA_FAULTS as error:
            raise UnusableSchema(f"no Avro schema: {error}") from error
        self._named = names
        self._whole: Any = self._names.get(whole, whole) if isinstance(whole, str) else whole
        _refuse_endless(self._whole, self._names, ())
        self.is_record = isinstance(self._whole, dict) and self._whole.get("type") == "record"
        self._types: dict[str, AvroType] = {}
        if self.is_record:
            for one in self._whole["fields"]:
                self._types[one["name"]] = typed(one["type"], self._names)

    @property
    def columns(self) -> Schema:
        """Return the columns that a record is."""
        return tuple(Column(name, kind.store) for name, kind in self._types.items())

    def inner(self, field: str) -> Schema | None:
        """Return the columns of a field that is a record or null; None where it is no record."""
        for one in self._whole["fields"] if self.is_record else ():
            options = branches(one["type"])
            if one["name"] == field and len(options) == 1:
                found = options[0]
                found = self._names.get(found) if isinstance(found, str) else found
                if found is not None and found["type"] == "record":
                    return tuple(
                        Column(part["name"], typed(part["type"], self._names).store)
                        for part in found["fields"]
                    )
        return None

    def value(self, payload: bytes) -> Any:
        """Return one value as JSON holds it. Raises: ValueError."""
        try:
            return plain(self._one(payload), self._whole, self._names)
        except _READ_FAULTS as error:
            raise ValueError(_reason(error)) from error

    def read(self, payloads: Sequence[bytes]) -> tuple[pa.Table, list[int], list[tuple[int, str]]]:
        """Return rows, the payload that each came from, and (payload, reason) of the others."""
        if not self.is_record:
            return pa.table({}), [], [(at, "not a record") for at in range(len(payloads))]
        rows, places, faults = self._rows(payloads)
        try:
            return self._table(rows), places, faults
        except (pa.ArrowException, ValueError, OverflowError, TypeError):
            return self._one_by_one(rows, places, faults)

    def _rows(
        self, payloads: Sequence[bytes]
    ) -> tuple[list[Any], list[int], list[tuple[int, str]]]:
        stream = io.BytesIO(b"".join(payloads))
        ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads))).tolist()
        schema, tell = self._schema, stream.tell
        rows: list[Any] = []
        places: list[int] = []
        faults: list[tuple[int, str]] = []
        for at, end in enumerate(ends):
            try:
                row = schemaless_reader(stream, schema, None)
                whole = tell() == end
            except _READ_FAULTS:
                whole = False
            if not whole:
                # It may have read on into its neighbour: what it is, it is alone.
                stream.seek(end)
                try:
                    row = self._one(payloads[at])
                except _READ_FAULTS as error:
                    faults.append((at, _reason(error)))
                    continue
            rows.append(row)
            places.append(at)
        return rows, places, faults

    def _one(self, payload: bytes) -> Any:
        stream = io.BytesIO(payload)
        value: Any = schemaless_reader(stream, self._schema, None)
        left = len(payload) - stream.tell()
        if left:
            raise ValueError(f"{left} bytes are left after it")
        return value

    def _table(self, rows: Sequence[Any]) -> pa.Table:
        columns: list[Any] = []
        for name, kind in self._types.items():
            convert = kind.convert
            values = [row[name] for row in rows]
            if convert is not None:
                values = [None if value is None else convert(value) for value in values]
            columns.append(pa.array(values, kind.arrow))
        return pa.table(columns, names=list(self._types))

    def _one_by_one(
        self, rows: list[Any], places: list[int], faults: list[tuple[int, str]]
    ) -> tuple[pa.Table, list[int], list[tuple[int, str]]]:
        tables: list[pa.Table] = [self._table([])]
        kept: list[int] = []
        faults = list(faults)
        for at, row in zip(places, rows, strict=True):
            try:
                tables.append(self._table([row]))
                kept.append(at)
            except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
                faults.append((at, f"a value cannot be held: {error}"))
        return pa.concat_tables(tables), kept, sorted(faults)

    def default(self, name: str, others: Sequence[str]) -> tuple[str, str] | None:
        """Return how a field that a writer did not know is made up: an older name, or a value.

        ``others`` are the names that the writer knew, in lower case.
        """
        for one in self._whole["fields"] if self.is_record else ():
            if one["name"].lower() != name.lower():
                continue
            for alias in one.get("aliases", ()):
                if alias.lower() in others:
                    return "alias", alias
            if one.get("default") is not None:
                return "value", _json_default(one["default"])
        return None


def _json_default(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "not Avro of its schema: it ends too soon"
    return f"not Avro of its schema: {error}"


def _without_meanings(schema: Any) -> Any:
    """Leave out what numbers and texts mean: Arrow reads those by their units, faster."""
    if isinstance(schema, list):
        return [_without_meanings(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = dict(schema)
    if kept.get("logicalType") != "decimal":
        kept.pop("logicalType", None)
    for part in ("type", "items", "values"):
        if isinstance(kept.get(part), (dict, list)):
            kept[part] = _without_meanings(kept[part])
    if isinstance(kept.get("fields"), list):
        kept["fields"] = [_without_meanings(field) for field in kept["fields"]]
    return kept


def _refuse_endless(schema: Any, names: Mapping[str, Any], within: tuple[str, ...]) -> None:
    """Refuse what nothing bounds: the depth of a type that contains itself, which the reader
    follows on the machine's stack, and the number of an array's items that have no bytes.

    Raises: UnusableSchema.
    """
    match schema:
        case list():
            for one in schema:
                _refuse_endless(one, names, within)
        case str():
            if schema in within:
                raise UnusableSchema(f'type "{schema}" contains itself')
            if schema in names:
                _refuse_endless(names[schema], names, within)
        case dict():
            if schema.get("type") == "array" and _is_empty(schema["items"], names, ()):
                raise UnusableSchema("an array of items without bytes")
            if "name" in schema:
                within = (*within, schema["name"])
            for part in ("type", "items", "values"):
                if isinstance(schema.get(part), (dict, list, str)):
                    _refuse_endless(schema[part], names, within)
            for field in schema.get("fields", ()):
                _refuse_endless(field["type"], names, within)


def _is_empty(schema: Any, names: Mapping[str, Any], within: tuple[str, ...]) -> bool:
    if isinstance(schema, str):
        if schema in within:
            return False
        found = names.get(schema)
        return schema == "null" if found is None else _is_empty(found, names, (*within, schema))
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "record":
        inner = (*within, schema["name"])
        return all(_is_empty(field["type"], names, inner) for field in schema["fields"])
    if schema.get("type") == "fixed":
        return int(schema["size"]) == 0
    kind = schema.get("type")
    return kind == "null" or (isinstance(kind, dict) and _is_empty(kind, names, within))


@lru_cache(maxsize=SCHEMAS_KEPT_MAX)
def avro_reader(text: str, imports: tuple[tuple[str, str], ...] = ()) -> AvroReader:
    """Return the reader of a schema; compiled once. Raises: UnusableSchema."""
    return AvroReader(text, imports)
