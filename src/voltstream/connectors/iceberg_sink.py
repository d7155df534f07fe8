"""Sink target: an Iceberg table, to which rows are appended, each once.

A commit holds a batch of rows and, as a property of the table, the place of its last one. Who
comes back from a crash reads there what the table has already.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from voltstream.connectors.properties import choice, count, required, seconds
from voltstream.core.errors import FeatureNotSupported
from voltstream.core.limits import SINK_FILE_ROWS_MAX
from voltstream.core.ports import Rolling, SinkRecord, SinkRefused, SinkShape, SinkUnavailable
from voltstream.formats.declared import truth
from voltstream.formats.rows_out import arrow_rows

_Place = tuple[int, int]  # (epoch, ordinal)
# What users write, as the catalog's library calls it.
_NAMED: Mapping[str, str] = {
    "warehouse.path": "warehouse",
    "catalog.uri": "uri",
    "catalog.credential": "credential",
    "catalog.token": "token",
    "catalog.scope": "scope",
    "catalog.oauth2_server_uri": "oauth2-server-uri",
    "s3.endpoint": "s3.endpoint",
    "s3.region": "s3.region",
    "s3.access.key": "s3.access-key-id",
    "s3.secret.key": "s3.secret-access-key",
}


class IcebergSink:
    """Appends each batch as one snapshot."""

    def __init__(self, name: str, properties: Mapping[str, str], shape: SinkShape) -> None:
        owner = f'sink "{name}"'
        if importlib.util.find_spec("pyiceberg") is None:
            hint = "Install voltstream[iceberg]."
            raise FeatureNotSupported(f"{owner} needs the package pyiceberg", hint=hint)
        if shape.form != "PLAIN":
            hint = "Write FORMAT PLAIN, of a query that only grows."
            raise FeatureNotSupported(f"{owner} cannot write FORMAT {shape.form}", hint=hint)
        kind = choice(properties, "catalog.type", ("sql", "rest"), owner)
        required(properties, "catalog.uri", owner)
        self._options = {"type": kind}
        for written, known in _NAMED.items():
            if written in properties:
                self._options[known] = properties[written]
        self._catalog_name = properties.get("catalog.name", "voltstream")
        self._table_name = (
            required(properties, "database.name", owner),
            required(properties, "table.name", owner),
        )
        self._creates = truth(properties, "create_table_if_not_exists", owner) is True
        self._columns = shape.columns
        self._property = f"voltstream.sink.{properties.get('sink.identity', name)}"
        self.rolling = Rolling(
            count(properties, "max_row_count", SINK_FILE_ROWS_MAX, owner),
            seconds(properties, "rollover_seconds", "60", owner),
        )
        self._table: Any = None

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        try:
            refused = self._append(records)
        except Exception as error:  # Whatever the library, its files and its catalog raise.
            self._table = None  # Committed or not: the table tells.
            reason = str(error).partition("\n")[0][:300]
            raise SinkUnavailable(f"{type(error).__name__}: {reason}") from error
        if refused:
            raise SinkRefused(refused)

    def interrupt(self) -> None:
        return  # A commit ends by the limits of its catalog.

    def close(self) -> None:
        self._table = None

    def _append(self, records: Sequence[SinkRecord]) -> list[tuple[SinkRecord, str]]:
        table = self._opened()
        table.refresh()
        delivered = _place(table.properties.get(self._property))
        news = [one for one in records if (one.epoch, one.ordinal) > delivered]
        written = [one for one in news if one.value is not None]
        if not written:
            return []
        rows, faults = arrow_rows(self._columns, [one.value or b"" for one in written])
        last = f"{news[-1].epoch}/{news[-1].ordinal}"
        with table.transaction() as transaction:
            transaction.set_properties({self._property: last})
            if rows.num_rows:
                fitted = _fitted(rows, table.schema().as_arrow())
                told = {"voltstream.place": last, "voltstream.epoch": str(news[-1].epoch)}
                transaction.append(fitted, snapshot_properties=told)
        return [(written[at], reason) for at, reason in faults]

    def _opened(self) -> Any:
        if self._table is None:
            catalog = importlib.import_module("pyiceberg.catalog").load_catalog(
                self._catalog_name, **self._options
            )
            if self._creates:
                catalog.create_namespace_if_not_exists(self._table_name[0])
                rows, _ = arrow_rows(self._columns, [])
                catalog.create_table_if_not_exists(self._table_name, _kept(rows.schema))
            self._table = catalog.load_table(self._table_name)
        return self._table


def _place(written: str | None) -> _Place:
    """Return the place of the last record that the table holds."""
    if written is None:
        return (-1, -1)
    epoch, _, ordinal = written.partition("/")
    return int(epoch), int(ordinal)


def _kept(schema: pa.Schema) -> pa.Schema:
    """Return the types that Iceberg has: it knows no integers of two bytes."""
    narrow, wide = pa.int16(), pa.int32()
    return pa.schema([field.with_type(wide) if field.type == narrow else field for field in schema])


def _fitted(rows: pa.Table, target: pa.Schema) -> pa.Table:
    """Return rows as the table has its columns; those that a row lacks are null.

    Raises: ValueError for a column that the table lacks.
    """
    unknown = [name for name in rows.column_names if name not in target.names]
    if unknown:
        raise ValueError(f'the table has no column "{unknown[0]}"')
    columns: list[Any] = []
    for field in target:
        if field.name in rows.column_names:
            columns.append(rows.column(field.name).cast(field.type))
        else:
            columns.append(pa.nulls(rows.num_rows, field.type))
    return pa.table(columns, schema=target)
