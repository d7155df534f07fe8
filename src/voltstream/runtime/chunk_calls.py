"""Functions over hypertables and their chunks, as TimescaleDB names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from voltstream.core.errors import (
    DuplicateObject,
    FeatureNotSupported,
    InvalidParameter,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import compaction, hypertables, policies
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.finding import find_chunk
from voltstream.runtime.results import told
from voltstream.store import hypertable
from voltstream.store.hypertable import Chunk, Hypertable


def create_hypertable(epoch: Epoch, given: Arguments) -> Outcome:
    entry = epoch.catalog.require(given.relation("relation"), "table")
    known = hypertable.find(epoch.connection, entry.oid)
    schema, name = entry.key
    column, generalized = _dimension_column(given)
    by_integers = _is_integer(entry, column)
    notices: tuple[Notice, ...] = ()
    if known is not None:
        if not given.flag("if_not_exists"):
            raise DuplicateObject(f'table "{name}" is already a hypertable')
        notices = (Notice(f'table "{name}" is already a hypertable, skipping'),)
        number = known.id
    else:
        if given.dimension is not None:
            step = given.dimension.width("partition_interval", by_integers)
            origin = given.dimension.origin("partition_origin", by_integers)
        else:
            step = given.width("chunk_time_interval", by_integers)
            origin = given.origin("chunk_time_origin", by_integers)
        made, notices = hypertables.create(
            epoch, entry, column, step, origin, migrate=given.flag("migrate_data")
        )
        number = made.id
    created = "f" if known is not None else "t"
    text = f"({number},{created})" if generalized else f"({number},{schema},{name},{created})"
    return replace(told("create_hypertable", [text]), notices=notices)


def _dimension_column(given: Arguments) -> tuple[str, bool]:
    """Return the time column, and whether it was given as by_range(…)."""
    if given.dimension is None:
        given.required("dimension")
        return str(given.value("dimension")), False
    if given.dimension.function == "by_hash":
        raise InvalidParameter(
            "cannot create a hypertable partitioned by hash alone",
            hint="Use by_range on a time column, then add_dimension(…, by_hash(…)).",
        )
    return str(given.dimension.value("column_name")), True


def _is_integer(entry: Entry, column: str) -> bool:
    columns = entry.relation.columns if entry.relation is not None else ()
    kinds = {known.name: known.store_type for known in columns}
    return kinds.get(column, "") in ("SMALLINT", "INTEGER", "BIGINT")


def add_dimension(epoch: Epoch, given: Arguments) -> Outcome:
    """Accept a space dimension: one machine has no use for it, but it is listed."""
    name = given.relation("hypertable")
    entry, table = hypertables.require(epoch, name)
    inner = given.dimension
    column = str(given.value("dimension") if inner is None else inner.value("column_name"))
    if entry.relation is None or all(c.name != column for c in entry.relation.columns):
        raise InvalidParameter(f'column "{column}" does not exist')
    count = (given if inner is None else inner).value("number_partitions") or 2
    made = hypertable.dimension(column, int(count), len(table.dimensions) + 1)
    hypertable.change(epoch.connection, replace(table, dimensions=(*table.dimensions, made)))
    remark = Notice(f'dimension "{column}" is kept as a note: chunks are cut by time')
    number = table.id * 100 + len(table.dimensions) + 1
    return replace(told("add_dimension", [f"({number},t)"]), notices=(remark,))


def set_chunk_time_interval(epoch: Epoch, given: Arguments) -> Outcome:
    _, table = hypertables.require(epoch, given.relation("hypertable"))
    step = given.width("chunk_time_interval", table.by_integers)
    if step is None or step <= 0:
        raise InvalidParameter("invalid interval: must be greater than 0")
    origin = given.origin("chunk_time_origin", table.by_integers)
    changed = replace(table, step=step, origin=table.origin if origin is None else origin)
    hypertable.change(epoch.connection, changed)
    return told("set_chunk_time_interval", [""])


# --- chunks -------------------------------------------------------------------------------------


def chosen(epoch: Epoch, given: Arguments) -> tuple[Entry, Hypertable, list[Chunk]]:
    """Return the chunks of a relation between the bounds of a call."""
    entry, table = hypertables.require(epoch, given.relation("relation"))
    older, newer = given.cutoff("older_than", table), given.cutoff("newer_than", table)
    before, after = given.cutoff("created_before", table), given.cutoff("created_after", table)
    if older is not None and newer is not None and older <= newer:
        raise InvalidParameter(
            "invalid time range",
            hint="When both older_than and newer_than are specified, older_than must refer to a "
            "time that is more recent than newer_than so that a valid overlapping range is "
            "specified.",
        )
    created = dict(
        epoch.connection.rows(
            f"SELECT id, epoch_us(created) FROM _vs.chunks WHERE oid = {table.oid}"
        )
    )
    found = [
        chunk
        for chunk in hypertable.chunks(epoch.connection, table.oid)
        if (older is None or chunk.high <= older)
        and (newer is None or chunk.low >= newer)
        and (before is None or created[chunk.id] < before)
        and (after is None or created[chunk.id] >= after)
    ]
    return entry, table, found


def show_chunks(epoch: Epoch, given: Arguments) -> Outcome:
    _, table, found = chosen(epoch, given)
    return told("show_chunks", [hypertable.chunk_name(table, chunk) for chunk in found])


def drop_chunks(epoch: Epoch, given: Arguments) -> Outcome:
    bounds = ("older_than", "newer_than", "created_before", "created_after")
    if all(given.text_of(name) is None for name in bounds):
        raise InvalidParameter(
            "invalid time range for dropping chunks",
            hint="At least one of older_than and newer_than must be provided.",
        )
    _, table, found = chosen(epoch, given)
    for chunk in found:
        policies.forget(epoch, table, chunk)
    return told("drop_chunks", [hypertable.chunk_name(table, chunk) for chunk in found])


def _given_chunk(epoch: Epoch, given: Arguments, name: str) -> tuple[Hypertable, Chunk]:
    return find_chunk(epoch, str(given.value(name)))


def _compress(epoch: Epoch, table: Hypertable, chunk: Chunk, *, lenient: bool) -> list[Notice]:
    shown = hypertable.chunk_name(table, chunk).partition(".")[2]
    if not table.compressed:
        entry = epoch.catalog.by_oid(table.oid)
        name = entry.stored.name if entry is not None else ""
        raise FeatureNotSupported(
            f'columnstore not enabled on "{name}"',
            detail="It is not possible to convert chunks to columnstore on a hypertable or "
            "continuous aggregate that does not have columnstore enabled.",
            hint="Enable columnstore using ALTER TABLE/MATERIALIZED VIEW with the "
            "timescaledb.enable_columnstore option.",
        )
    if compaction.has_work(epoch.connection, table, chunk):
        policies.compress(epoch, table, chunk)
        return []
    if not compaction.is_compressed(epoch.connection, chunk):
        return []
    message = f'chunk "{shown}" is already converted to columnstore'
    if not lenient:
        raise DuplicateObject(message)
    return [Notice(message)]


def _decompress(epoch: Epoch, table: Hypertable, chunk: Chunk, *, lenient: bool) -> list[Notice]:
    shown = hypertable.chunk_name(table, chunk).partition(".")[2]
    if not compaction.is_compressed(epoch.connection, chunk):
        message = f'chunk "{shown}" is not converted to columnstore'
        if not lenient:
            raise DuplicateObject(message)
        return [Notice(message)]
    epoch.touch(table.oid, (chunk.low, chunk.high))
    compaction.decompress(epoch.connection, table, chunk)
    return []


def compress_chunk(epoch: Epoch, given: Arguments) -> Outcome:
    table, chunk = _given_chunk(epoch, given, "uncompressed_chunk")
    lenient = given.flag("if_not_compressed", default=True)
    notices = _compress(epoch, table, chunk, lenient=lenient)
    return replace(
        told("compress_chunk", [hypertable.chunk_name(table, chunk)]), notices=tuple(notices)
    )


def decompress_chunk(epoch: Epoch, given: Arguments) -> Outcome:
    table, chunk = _given_chunk(epoch, given, "uncompressed_chunk")
    lenient = given.flag("if_compressed", default=True)
    notices = _decompress(epoch, table, chunk, lenient=lenient)
    return replace(
        told("decompress_chunk", [hypertable.chunk_name(table, chunk)]), notices=tuple(notices)
    )


def convert_to_columnstore(epoch: Epoch, given: Arguments) -> Outcome:
    table, chunk = _given_chunk(epoch, given, "chunk")
    lenient = given.flag("if_not_columnstore", default=True)
    return Outcome("CALL", notices=tuple(_compress(epoch, table, chunk, lenient=lenient)))


def convert_to_rowstore(epoch: Epoch, given: Arguments) -> Outcome:
    table, chunk = _given_chunk(epoch, given, "chunk")
    lenient = given.flag("if_columnstore", default=True)
    return Outcome("CALL", notices=tuple(_decompress(epoch, table, chunk, lenient=lenient)))


def for_each(function: str, names: Iterable[str], one: Callable[[str], Outcome]) -> Outcome:
    """Call a function for each chunk of FROM show_chunks(…)."""
    notices: list[Notice] = []
    answers: list[str] = []
    for name in names:
        outcome = one(name)
        notices.extend(outcome.notices)
        answers.append(name)
    return replace(told(function, answers), notices=tuple(notices))


FUNCTIONS: Mapping[str, Callable[[Epoch, Arguments], Outcome]] = {
    "create_hypertable": create_hypertable,
    "add_dimension": add_dimension,
    "set_chunk_time_interval": set_chunk_time_interval,
    "show_chunks": show_chunks,
    "drop_chunks": drop_chunks,
    "compress_chunk": compress_chunk,
    "decompress_chunk": decompress_chunk,
    "convert_to_columnstore": convert_to_columnstore,
    "convert_to_rowstore": convert_to_rowstore,
}
