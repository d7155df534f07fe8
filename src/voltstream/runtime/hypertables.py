"""A table becomes a hypertable, and how its chunks are laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from voltstream.core.errors import (
    FeatureNotSupported,
    InvalidParameter,
    InvalidTableDefinition,
    UndefinedColumn,
    WrongObjectType,
)
from voltstream.core.ports import Notice
from voltstream.runtime import entries, tables
from voltstream.runtime.alter import alter_table
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.policies import add_policy
from voltstream.sql.statements import AlterTable, ColumnAction, CreateIndex, ObjectName
from voltstream.store import hypertable
from voltstream.store.database import quoted
from voltstream.store.hypertable import DAY_US, Hypertable

_TIMES = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE")
_INTEGERS = ("SMALLINT", "INTEGER", "BIGINT")
DEFAULT_STEP_US = 7 * DAY_US
PREFIXES = ("timescaledb.", "tsdb.")
# What a hypertable is told, under every name TimescaleDB has had for it.
_OPTIONS = {
    "compress": "columnstore", "enable_columnstore": "columnstore", "columnstore": "columnstore",
    "compress_segmentby": "segmentby", "segmentby": "segmentby", "segment_by": "segmentby",
    "compress_orderby": "orderby", "orderby": "orderby", "order_by": "orderby",
    "chunk_interval": "chunk_interval", "chunk_time_interval": "chunk_interval",
    "compress_chunk_time_interval": "ignored", "compress_chunk_interval": "ignored",
    "origin": "origin", "chunk_origin": "origin", "partition_origin": "origin",
    "partition_column": "partition_column", "partitioning_column": "partition_column",
    "hypertable": "hypertable", "create_default_indexes": "ignored", "sparse_index": "ignored",
    "index": "ignored", "compress_index": "ignored", "compress_sparse_index": "ignored",
    "direct_compress": "ignored",
    "associated_schema": "ignored", "associated_table_prefix": "ignored",
    "enable_segmentby": "ignored", "materialized_only": "ignored", "continuous": "ignored",
    "create_group_indexes": "ignored", "finalized": "ignored", "invalidate_using": "ignored",
}  # fmt: skip
_ORDER = re.compile(
    r'\s*(?:"((?:[^"]|"")+)"|(\w+))(?:\s+(ASC|DESC))?(?:\s+NULLS\s+(FIRST|LAST))?\s*', re.IGNORECASE
)


def own_options(options: Mapping[str, str]) -> dict[str, str]:
    """Return the options that are TimescaleDB's, under one name each.

    Raises: InvalidParameter (22023).
    """
    found: dict[str, str] = {}
    for key, value in options.items():
        prefix = next((p for p in PREFIXES if key.startswith(p)), None)
        if prefix is None:
            continue
        name = _OPTIONS.get(key.removeprefix(prefix))
        if name is None:
            raise InvalidParameter(f'unrecognized parameter "{key}"')
        found[name] = value
    return found


def require(epoch: Epoch, name: ObjectName) -> tuple[Entry, Hypertable]:
    """Raises: UndefinedTable, WrongObjectType (TimescaleDB has no other class for it)."""
    entry = epoch.catalog.require(name)
    table = hypertable.find(epoch.connection, entry.oid)
    if table is None:
        raise WrongObjectType(f'table "{name.name}" is not a hypertable')
    return entry, table


def create(
    epoch: Epoch,
    entry: Entry,
    column: str,
    step: int | None,
    origin: int | None = None,
    *,
    migrate: bool,
) -> tuple[Hypertable, tuple[Notice, ...]]:
    """Let a table's rows be kept in chunks. Raises: what TimescaleDB refuses."""
    connection = epoch.connection
    declared = tables.declared(entry)
    spec = next((one for one in declared.columns if one.name == column), None)
    if spec is None:
        raise UndefinedColumn(f'column "{column}" does not exist')
    kind = "TIMESTAMP WITH TIME ZONE" if spec.store_type == "TIMESTAMPTZ" else spec.store_type
    if kind not in (*_TIMES, *_INTEGERS):
        raise InvalidParameter(
            f'invalid type for dimension "{column}"',
            hint="Use an integer, timestamp, or date type.",
        )
    if kind in _INTEGERS and step is None:
        raise InvalidParameter(
            "integer dimensions require an explicit interval",
            hint="by_range('column', 86400) says how wide a chunk is.",
        )
    if step is not None and step <= 0:
        raise InvalidParameter("invalid interval: must be greater than 0")
    _refuse_keys(epoch, entry, column)
    rows = connection.rows(f"SELECT 1 FROM {entries.table_store(entry.oid)} LIMIT 1")
    if rows and not migrate:
        raise FeatureNotSupported(
            f'table "{entry.stored.name}" is not empty',
            hint="You can migrate data by specifying 'migrate_data => true' when calling this "
            "function.",
        )
    notices: tuple[Notice, ...] = ()
    if not spec.not_null and column not in declared.primary_key:
        entry = _not_null(epoch, entry, column)
        notices = (Notice(f'adding not-null constraint to column "{column}"'),)
    number = hypertable.next_id(connection, "hyper")
    table = Hypertable(entry.oid, number, column, kind, step or DEFAULT_STEP_US, origin=origin)
    epoch.flush()
    hypertable.add(connection, table)
    hypertable.open_chunks(connection, table, table.hot)
    _read_anew(epoch, entry)
    return table, notices


def _refuse_keys(epoch: Epoch, entry: Entry, column: str) -> None:
    declared = tables.declared(entry)
    keys = [key for key in (declared.primary_key, *declared.unique) if key]
    for other in epoch.catalog.dependents(entry.oid):
        if isinstance(other.parsed, CreateIndex) and other.parsed.unique:
            keys.append(other.parsed.columns)
    if any(column not in key for key in keys):
        raise InvalidTableDefinition(
            f'cannot create a unique index without the column "{column}" (used in partitioning)',
            hint="If you're creating a hypertable on a table with a primary key, ensure the "
            "partitioning column is part of the primary or composite key.",
        )


def _not_null(epoch: Epoch, entry: Entry, column: str) -> Entry:
    name = ObjectName(entry.stored.name, entry.stored.schema)
    action = ColumnAction("SET NOT NULL", column)
    alter_table(epoch, AlterTable(text="", offset=0, name=name, options={}, actions=(action,)))
    return epoch.catalog.require(name)


def _read_anew(epoch: Epoch, entry: Entry) -> None:
    """Let everything that reads the table read its chunks too; state is taken as it is."""
    connection = epoch.connection
    relation = entries.table_relation(entry.stored, tables.declared(entry), connection)
    entries.make_table_view(entry.stored, relation, connection)
    epoch.catalog = epoch.catalog.with_entry(replace(entry, relation=relation))
    for other in sorted(epoch.catalog, key=lambda one: one.oid):
        old = other.program
        if old is None or other.failed is not None or relation.delta not in old.inputs:
            continue
        again = entries.restored(other.stored, epoch.catalog, connection, epoch.functions.define)
        program = again.program
        if program is None:
            continue
        epoch.dataflow.load(connection.execute, program)
        epoch.on_rollback(partial(epoch.dataflow.add, old))
        epoch.catalog = epoch.catalog.with_entry(replace(other, program=program))


def configure(epoch: Epoch, entry: Entry, options: Mapping[str, str]) -> tuple[Notice, ...]:
    """Do ALTER TABLE … SET (timescaledb.…). Raises: InvalidParameter, UndefinedColumn."""
    given = own_options(options)
    connection = epoch.connection
    table = hypertable.find(connection, entry.oid)
    if table is None:
        raise WrongObjectType(f'table "{entry.stored.name}" is not a hypertable')
    names = {column.name for column in entry.relation.columns} if entry.relation else set()
    changed = table
    if "columnstore" in given:
        changed = replace(changed, compressed=_on(given["columnstore"]))
    if "segmentby" in given:
        columns = column_names(given["segmentby"])
        _known(columns, names)
        if table.column in columns:
            raise InvalidParameter(
                f'cannot use column "{table.column}" for both ordering and segmenting',
                hint="Use separate columns for the timescaledb.compress_orderby and "
                "timescaledb.compress_segmentby options.",
            )
        changed = replace(changed, segmentby=columns, compressed=True)
    if "orderby" in given:
        changed = replace(changed, orderby=_order_items(given["orderby"], names), compressed=True)
    if "chunk_interval" in given:
        changed = replace(changed, step=_step(epoch, given["chunk_interval"], table))
    if not changed.compressed and hypertable.parts(connection, f"oid = {table.oid}"):
        raise FeatureNotSupported(
            "cannot disable columnstore on hypertable with columnstore chunks",
            hint="Convert them first: SELECT decompress_chunk(c) FROM show_chunks('"
            f"{entry.stored.name}') c.",
        )
    hypertable.change(connection, changed)
    return ()


def _step(epoch: Epoch, text: str, table: Hypertable) -> int:
    if table.by_integers:
        return int(text)
    found = epoch.connection.rows("SELECT epoch_us(TIMESTAMP '1970-01-01' + CAST(? AS INTERVAL))",
                                  [text.strip("'")])  # fmt: skip
    return int(found[0][0])


def _origin(epoch: Epoch, text: str, by_integers: bool) -> int:
    """Raises: InvalidParameter (22023)."""
    kind = "BIGINT" if by_integers else "TIMESTAMPTZ"
    value = f"TRY_CAST(? AS {kind})"
    asked = value if by_integers else f"epoch_us({value})"
    found = epoch.connection.rows(f"SELECT {asked}", [text])[0][0]
    if found is None:
        raise InvalidParameter(
            f'invalid value for parameter "origin": "{text}"',
            hint=f"Use {'an integer' if by_integers else 'a time stamp'}.",
        )
    return int(found)


def _on(text: str) -> bool:
    return text.strip("'").lower() in ("true", "on", "1", "yes", "t")


def column_names(text: str) -> tuple[str, ...]:
    """Read a list of columns as segmentby has it."""
    if not text.strip():
        return ()
    return tuple(
        part.strip()[1:-1].replace('""', '"') if part.strip().startswith('"')
        else part.strip().lower()
        for part in text.split(",")
    )  # fmt: skip


def _known(columns: tuple[str, ...], names: set[str]) -> None:
    for column in columns:
        if column not in names:
            raise UndefinedColumn(
                f'column "{column}" does not exist',
                hint="The timescaledb.compress_segmentby option must reference valid columns.",
            )


def _order_items(text: str, names: set[str]) -> tuple[str, ...]:
    items: list[str] = []
    for part in text.split(",") if text.strip() else ():
        found = _ORDER.fullmatch(part)
        if found is None:
            raise InvalidParameter(
                f'unable to parse ordering option "{text}"',
                hint="The timescaledb.compress_orderby option must be a set of column names with "
                "sort options, separated by commas. It is the same format as an ORDER BY clause.",
            )
        column = found[1].replace('""', '"') if found[1] else found[2].lower()
        _known((column,), names)
        down = (found[3] or "ASC").upper()
        nulls = (found[4] or ("FIRST" if down == "DESC" else "LAST")).upper()
        items.append(f"{quoted(column)} {down} NULLS {nulls}")
    return tuple(items)


def create_with(epoch: Epoch, entry: Entry, options: Mapping[str, str]) -> tuple[Notice, ...]:
    """Do what CREATE TABLE … WITH (tsdb.hypertable, …) asks for."""
    given = own_options(options)
    if not given:
        return ()
    if not _on(given.get("hypertable", "false")):
        raise InvalidParameter(
            "timescaledb options requires hypertable option",
            hint='Use "timescaledb.hypertable" to enable creating a hypertable.',
        )
    columns = tables.declared(entry).columns
    column = given.get("partition_column")
    told: tuple[Notice, ...] = ()
    if column is None:
        timed = [c.name for c in columns if c.store_type in ("TIMESTAMPTZ", *_TIMES[:2])]
        if not timed:
            raise InvalidParameter(
                "partition column could not be determined",
                hint='Use "timescaledb.partition_column" to specify the column to use as '
                "partitioning column.",
            )
        column = timed[0]
        if len(timed) > 1:
            remark = f'using column "{column}" as partitioning column'
            way_out = 'Use "timescaledb.partition_column" to specify a different column.'
            told = (Notice(remark, hint=way_out),)
    elif all(c.name != column for c in columns):
        raise UndefinedColumn(f'column "{column}" does not exist')
    kind = next(c.store_type for c in columns if c.name == column)
    step = origin = None
    by_integers = kind in _INTEGERS
    if "chunk_interval" in given:
        stand_in = Hypertable(entry.oid, 0, column, "BIGINT" if by_integers else "TIMESTAMP", 1)
        step = _step(epoch, given["chunk_interval"], stand_in)
    if "origin" in given:
        origin = _origin(epoch, given["origin"].strip("'"), by_integers)
    table, notices = create(epoch, entry, column, step, origin, migrate=True)
    notices = told + notices
    entry = epoch.catalog.require(ObjectName(entry.stored.name, entry.stored.schema))
    layout = {f"tsdb.{k}": v for k, v in given.items() if k in ("segmentby", "orderby")}
    columnar = _on(given.get("columnstore", "true"))
    notices += configure(epoch, entry, {**layout, "tsdb.columnstore": str(columnar).lower()})
    if columnar and not table.by_integers:  # TimescaleDB adds this policy by itself.
        after = f"{table.step // 1_000_000} seconds"
        if table.step % DAY_US == 0:
            days = table.step // DAY_US
            after = f"{days} day{'s' if days > 1 else ''}"
        add_policy(epoch, "policy_compression", entry.oid, {"compress_after": after},
                   every_us=min(table.step // 2, DAY_US // 2))  # fmt: skip
    return notices
