"""What happens with a delta inside its epoch: it goes into a table, or into a subscription's log.

A sink INTO a table and the table's own views become true together: the epoch goes round again with
the rows that the sink has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from voltstream.core.errors import DatatypeMismatch, UndefinedColumn, WrongObjectType
from voltstream.runtime import entries, tables
from voltstream.runtime.catalog import Entry, Names
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.retention import retention_s
from voltstream.sql.changes import ORDINAL, Compiling, arriving_rows
from voltstream.sql.groups import group_columns
from voltstream.sql.program import Program
from voltstream.sql.statements import CreateSink, CreateSubscription, CreateView
from voltstream.store.database import literal, quoted

_ARRIVING = "_arriving"
_SWEEP_EPOCHS = 1_000  # How often a subscription's log forgets what is past its retention.
_KEPT_S = 86_400  # A subscription without a retention keeps a day.


@dataclass(slots=True)
class _Sweeps:
    """When a log forgets: its own epochs may never be every thousandth."""

    due: int = 0

    def begins(self, epoch: int) -> bool:
        """Tell whether this epoch sweeps; then others do not for a while."""
        if epoch < self.due:
            return False
        self.due = epoch + _SWEEP_EPOCHS
        return True


def attached(entry: Entry, catalog_entry: Callable[[CreateSubscription], Entry | None]) -> Entry:
    """Complete an entry with what follows its delta."""
    match entry.parsed:
        case CreateSink(into=into) if into is not None:
            return replace(entry, follow=lambda epoch: _into_table(epoch, entry))
        case CreateSubscription() as parsed:
            source = catalog_entry(parsed)
            sql = _log_sql(entry, source) if source is not None else ""
            sweeps = _Sweeps()
            return replace(entry, follow=lambda epoch: _into_log(epoch, entry, sql, sweeps))
        case _:
            return entry


# --- CREATE SINK … INTO -------------------------------------------------------------------------


def mapping(entry: Entry, table: Entry) -> Mapping[str, str]:
    """Return which column of the sink fills which of the table.

    By the list after INTO, or by name where every name fits, or by place.
    Raises: UndefinedColumn, DatatypeMismatch, WrongObjectType.
    """
    parsed, program = entry.parsed, entry.program
    if not isinstance(parsed, CreateSink) or program is None:
        raise WrongObjectType(f'"{entry.stored.name}" is not a sink')
    given = [name for name, _ in program.emit_columns]
    takes = [s.name for s in tables.declared(table).columns if s.generated_text is None]
    wanted = list(parsed.into_columns) or takes
    for name in wanted:
        if name not in takes:
            raise UndefinedColumn(
                f'column "{name}" of relation "{table.stored.name}" does not exist'
            )
    if not parsed.into_columns and set(given) <= set(takes):
        return {name: name for name in given}
    if len(given) > len(wanted):
        raise DatatypeMismatch(
            f"the sink has {len(given)} columns, the table takes {len(wanted)}",
            hint="Name the columns: INTO table (column, …).",
        )
    return dict(zip(wanted, given, strict=False))


def _into_table(epoch: Epoch, entry: Entry) -> None:
    parsed, program = entry.parsed, entry.program
    if not isinstance(parsed, CreateSink) or parsed.into is None or program is None:
        return
    table = epoch.catalog.require(parsed.into, "table")
    names = mapping(entry, table)
    connection = epoch.connection
    emitted = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in program.emit_columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_ARRIVING} AS SELECT *, row_number() OVER () AS {ORDINAL} "
        f"FROM (SELECT {emitted}, _w FROM {program.output})"
    )
    compiling = Compiling(Names(epoch.catalog, connection.describe), connection)
    target = tables.target(table)
    _set_refused_apart(epoch, table, names)
    if not program.append_only:
        gone = f"(SELECT * FROM {_ARRIVING}, generate_series(1, -_w) WHERE _w < 0)"
        tables.take_out(epoch, table, arriving_rows(gone, names, target, compiling), list(names))
    come = f"(SELECT * FROM {_ARRIVING}, generate_series(1, _w) WHERE _w > 0)"
    tables.insert(epoch, table, arriving_rows(come, names, target, compiling))


def _set_refused_apart(epoch: Epoch, table: Entry, names: Mapping[str, str]) -> None:
    """Keep rows as dead letters that have NULL where the table has none; they do not come in."""
    declared = tables.declared(table)
    needed = [
        names[spec.name]
        for spec in declared.columns
        if spec.name in names and (spec.not_null or spec.name in declared.primary_key)
    ]
    if not needed:
        return
    refused = " OR ".join(f"{quoted(name)} IS NULL" for name in needed)
    row = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in names.values())
    reason = f"NULL in a column of table {table.stored.name} that is NOT NULL"
    epoch.connection.execute(
        'INSERT INTO _vs.dead_letters (source, position, raw, reason, "at") '
        f"SELECT {literal(table.stored.name)}, '', "
        f"encode(to_json(struct_pack({row}))::VARCHAR), {literal(reason)}, "
        f"CAST(getvariable('vs_now') AS TIMESTAMPTZ) FROM {_ARRIVING} WHERE _w > 0 AND ({refused})"
    )
    epoch.connection.execute(f"DELETE FROM {_ARRIVING} WHERE {refused}")


# --- subscriptions ------------------------------------------------------------------------------


def log_table(oid: int) -> str:
    return f"_vs.sub_{oid}"


def make_log(epoch: Epoch, program: Program) -> None:
    epoch.connection.execute(
        f"CREATE TABLE {log_table(program.oid)} AS SELECT 0::BIGINT AS _epoch, 0::BIGINT AS _seq, "
        f"0::BIGINT AS _at, ''::VARCHAR AS _op, {_emitted(program)} FROM {program.output} LIMIT 0"
    )


def _emitted(program: Program) -> str:
    return ", ".join(f"{sql} AS {quoted(name)}" for name, sql in program.emit_columns)


def _log_sql(entry: Entry, source: Entry) -> str:
    """Return the rows of one epoch as a log has them: what goes before what comes, key by key."""
    program = entry.program
    if program is None:
        return ""
    columns = [name for name, _ in program.emit_columns]
    key = [name for name in _key(source) if name in columns]
    partition = f"PARTITION BY {entries.column_list(key)}" if key else ""
    both = (
        f"bool_or(_w > 0) OVER ({partition}) AND bool_or(_w < 0) OVER ({partition})"
        if key
        else "false"
    )
    order = "".join(f"{quoted(name)}, " for name in key) + "_w, " + entries.column_list(columns)
    return (
        f"SELECT row_number() OVER (ORDER BY {order}) AS _seq, "
        f"CASE WHEN _w > 0 THEN CASE WHEN _both THEN 'UpdateInsert' ELSE 'Insert' END "
        f"ELSE CASE WHEN _both THEN 'UpdateDelete' ELSE 'Delete' END END AS _op, * EXCLUDE (_both) "
        f"FROM (SELECT *, {both} AS _both FROM (SELECT {_emitted(program)}, _w "
        f"FROM {program.output})), generate_series(1, abs(_w))"
    )


def _key(source: Entry) -> tuple[str, ...]:
    if isinstance(source.parsed, CreateView):
        return group_columns(source.parsed.query)
    return source.relation.key if source.relation is not None else ()


def _into_log(epoch: Epoch, entry: Entry, sql: str, sweeps: _Sweeps) -> None:
    program = entry.program
    if program is None or not sql:
        return
    connection = epoch.connection
    columns = entries.column_list([name for name, _ in program.emit_columns])
    log = log_table(entry.oid)
    now_ms = epoch.row.now_us // 1000
    connection.execute(
        f"INSERT INTO {log} SELECT {epoch.number}, _seq + coalesce((SELECT max(_seq) FROM {log} "
        f"WHERE _epoch = {epoch.number}), 0), {now_ms}, _op, {columns} FROM ({sql})"
    )
    if sweeps.begins(epoch.number):
        kept_s = retention_s(entry.stored.properties.get("retention"), _KEPT_S)
        if kept_s is not None:
            connection.execute(f"DELETE FROM {log} WHERE _at < {now_ms - kept_s * 1000}")
