"""What ALTER changes of a source: columns it gains, its watermark and its rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voltstream.core.errors import (
    DuplicateColumn,
    FeatureNotSupported,
    InvalidTableDefinition,
    WrongObjectType,
)
from voltstream.runtime import arrivals, entries
from voltstream.runtime.catalog import Entry, public_name
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.pace import check_rates
from voltstream.sql.source_text import with_columns, with_watermark
from voltstream.sql.statements import (
    AlterObject,
    ColumnAction,
    ColumnSpec,
    CreateSource,
    CreateTable,
)
from voltstream.sql.watermarks import declared
from voltstream.store.database import quoted
from voltstream.store.ledger import set_definition, set_properties


def alter(epoch: Epoch, entry: Entry, actions: Sequence[ColumnAction]) -> Entry:
    """Add columns to a source, NULL in its old rows, or let its watermark go on by another rule.

    Views stay as they are.
    """
    for action in actions:
        if action.verb == "WATERMARK":
            entry = _set_watermark(epoch, entry, action.text or "")
    return _add_columns(epoch, entry, [one for one in actions if one.verb != "WATERMARK"])


def _set_watermark(epoch: Epoch, entry: Entry, text: str) -> Entry:
    parsed = entry.parsed
    if not isinstance(parsed, CreateSource):
        raise WrongObjectType(f'"{entry.stored.name}" is not a table or a source')
    check_watermark(epoch, entry, text, entries.source_store(entry.oid))
    properties = {**entry.stored.properties, "watermark": text}
    written = with_watermark(entry.stored.definition, text)
    parsed = replace(parsed, properties={**parsed.properties, "watermark": text}, text=written)
    stored = replace(entry.stored, definition=written, properties=properties)
    set_definition(epoch.connection, stored)
    set_properties(epoch.connection, entry.oid, properties)
    arrivals.restart_watermark(epoch.connection, entry.oid, properties)
    return replace(entry, stored=stored, parsed=parsed)


def check_watermark(epoch: Epoch, entry: Entry, text: str, store: str) -> None:
    """Raises: InvalidTableDefinition (42P16) where there is no watermark over the column."""
    column = declared(text)[0]
    parsed = entry.parsed
    if not isinstance(parsed, CreateTable | CreateSource):
        raise WrongObjectType(f'"{entry.stored.name}" is not a table or a source')
    of_table = parsed.watermark if isinstance(parsed, CreateTable) else None
    known = of_table or parsed.properties.get("watermark")
    if known is None or declared(known)[0] != column:
        raise InvalidTableDefinition(
            f'{entry.kind} "{entry.stored.name}" has no watermark for column "{column}"',
            hint=f"Declare it in CREATE {entry.kind.upper()}: WATERMARK FOR column AS "
            "column - INTERVAL '…'.",
        )
    arrivals.check_mark(epoch.connection, text, parsed.columns, store)


def _add_columns(epoch: Epoch, entry: Entry, actions: Sequence[ColumnAction]) -> Entry:
    parsed = entry.parsed
    if not isinstance(parsed, CreateSource) or any(one.verb != "ADD" for one in actions):
        raise WrongObjectType(
            f'"{entry.stored.name}" is not a table or cannot be altered',
            hint=f"Make the {entry.kind} anew with the columns you want.",
        )
    added = [spec for action in actions if (spec := _added(parsed, entry, action)) is not None]
    if not added:
        return entry
    epoch.flush()
    connection = epoch.connection
    text = with_columns(entry.stored.definition, added)
    parsed = replace(parsed, columns=(*parsed.columns, *added), text=text)
    stored = replace(entry.stored, definition=text)
    set_definition(connection, stored)
    store = entries.source_store(entry.oid)
    for spec in added:
        connection.execute(f"ALTER TABLE {store} ADD COLUMN {quoted(spec.name)} {spec.store_type}")
    listed = entries.column_list([column.name for column in parsed.columns])
    shown = public_name(stored.schema, stored.name)
    connection.execute(f"CREATE OR REPLACE VIEW {shown} AS SELECT {listed} FROM {store}")
    relation = entries.source_relation(stored, parsed, connection)
    epoch.forget_delta(relation.delta)
    arrivals.make_arrival_delta(connection, relation, parsed)
    return replace(entry, stored=stored, parsed=parsed, relation=relation)


def _added(parsed: CreateSource, entry: Entry, action: ColumnAction) -> ColumnSpec | None:
    spec = action.spec
    if spec is None:
        raise InvalidTableDefinition("ADD COLUMN has no column")
    if any(known.name == spec.name for known in parsed.columns):
        if action.lenient:
            return None
        name = entry.stored.name
        raise DuplicateColumn(f'column "{spec.name}" of relation "{name}" already exists')
    if spec.generated_text is not None or spec.default_text is not None or spec.not_null:
        raise FeatureNotSupported(
            "a new column of a source has a name and a type",
            hint="Compute it in a view, or make the source anew.",
        )
    return spec


def limit_rate(epoch: Epoch, entry: Entry, parsed: AlterObject) -> None:
    """Keep how fast a connector may be. Raises: WrongObjectType, InvalidParameter."""
    name = parsed.verb.lower()
    kinds = {"source_rate_limit": ("source", "table"), "sink_rate_limit": ("sink",)}[name]
    if entry.kind not in kinds or "connector" not in entry.stored.properties:
        raise WrongObjectType(f'"{entry.stored.name}" has no connector that {name} could slow')
    properties = {**entry.stored.properties, name: parsed.value}
    check_rates(properties)
    set_properties(epoch.connection, entry.oid, properties)
    stored = replace(entry.stored, properties=properties)
    epoch.catalog = epoch.catalog.with_entry(replace(entry, stored=stored))
