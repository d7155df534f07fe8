"""Chunk files to a remote store and back. The relation stays the same: no delta.

A file is named in the garbage list, copied, and then named as tiered in the transaction that takes
it off that list; so a crash leaves a copy that is swept, or one that is used.
"""

from __future__ import annotations

from collections.abc import Callable

from voltstream.core.errors import StorageFault, WrongObjectType
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import compaction
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.finding import find_chunk
from voltstream.runtime.results import told
from voltstream.store import chunk as files
from voltstream.store import columnstore, hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection, literal
from voltstream.store.hypertable import Chunk, Hypertable

TIER = "object_store"
Chore = Callable[[Callable[[Connection], bool]], bool]


def tier_chunk(epoch: Epoch, given: Arguments) -> Outcome:
    """Queue a chunk: it is compressed and moved beside the epochs, within seconds."""
    table, chunk = find_chunk(epoch, str(given.value("chunk")))
    _ = epoch.connection.tier.remote
    _refuse_rows_alone(table)
    queue(epoch.connection, chunk)
    return told("tier_chunk", [hypertable.chunk_name(table, chunk)])


def _refuse_rows_alone(table: Hypertable) -> None:
    if not table.compressed:
        raise WrongObjectType(
            "only chunks of a hypertable with columnstore enabled can be tiered",
            hint="ALTER TABLE … SET (timescaledb.enable_columnstore) first.",
        )


def queue(connection: Connection, chunk: Chunk) -> None:
    connection.execute(f"DELETE FROM _vs.tier_queue WHERE chunk = {chunk.id}")
    connection.execute(f"INSERT INTO _vs.tier_queue VALUES ({chunk.id})")


def queued(connection: Connection) -> list[tuple[Hypertable, Chunk]]:
    found: list[tuple[Hypertable, Chunk]] = []
    numbers = {int(n) for (n,) in connection.rows("SELECT chunk FROM _vs.tier_queue")}
    for table in hypertable.all_of(connection) if numbers else ():
        found += [(table, c) for c in hypertable.chunks(connection, table.oid) if c.id in numbers]
    return found


def untier_chunk(epoch: Epoch, given: Arguments) -> Outcome:
    """Bring the files of a chunk back to the local disk."""
    connection = epoch.connection
    table, chunk = find_chunk(epoch, str(given.value("chunk")))
    name = hypertable.chunk_name(table, chunk)
    connection.execute(f"DELETE FROM _vs.tier_queue WHERE chunk = {chunk.id}")
    parts = hypertable.parts(connection, f"chunk = {chunk.id} AND tier IS NOT NULL")
    if not parts:
        remark = Notice(f'chunk "{name}" is not tiered')
        return Outcome("CALL", notices=(remark,))
    epoch.touch(table.oid, (chunk.low, chunk.high))
    for part in parts:
        path = files.folder_of(connection.folder) / part.file
        connection.tier.remote.fetch(part.file, path)
        files.verified(path, part)
        hypertable.place_part(connection, part, None)
        hypertable.discard(connection, part.file, TIER)
    hypertable.make_views(connection, table)
    return Outcome("CALL")


def move(table: Hypertable, chunk: Chunk, reader: Connection, chore: Chore) -> bool:
    """Copy the files of a chunk and use the copies. Returns whether all are tiered."""
    for part in hypertable.parts(reader, f"chunk = {chunk.id} AND tier IS NULL"):
        path = files.folder_of(reader.folder) / part.file
        empty = files.folder_of(reader.folder) / files.shape_file(part.oid, part.shape)
        if not empty.exists():
            columnstore.write_empty(path, empty)
            files.durable(empty)
        chore(lambda writer, one=part: _intend(writer, one))  # type: ignore[misc]
        reader.tier.remote.put(part.file, path)
        if reader.tier.remote.size(part.file) != part.bytes:
            raise StorageFault(f'"{part.file}" did not arrive whole in {reader.tier.remote.url}')
        chore(lambda writer, one=part: _use(writer, table, one))  # type: ignore[misc]
    return chore(lambda writer: _done(writer, table, chunk))


def _intend(writer: Connection, part: Part) -> bool:
    hypertable.discard(writer, part.file, TIER)
    return True


def _use(writer: Connection, table: Hypertable, part: Part) -> bool:
    """Name the copy, unless the part has gone meanwhile: then it is swept."""
    if not hypertable.parts(writer, f"id = {part.id} AND tier IS NULL"):
        return False
    hypertable.place_part(writer, part, TIER)
    writer.execute(
        f"DELETE FROM _vs.garbage WHERE file = {literal(part.file)} AND tier IS NOT NULL"
    )
    hypertable.discard(writer, part.file)
    hypertable.make_views(writer, table)
    return True


def _done(writer: Connection, table: Hypertable, chunk: Chunk) -> bool:
    if compaction.has_work(writer, table, chunk):
        return False  # Rows came meanwhile: it stays in the queue.
    writer.execute(f"DELETE FROM _vs.tier_queue WHERE chunk = {chunk.id}")
    return True


FUNCTIONS = {"tier_chunk": tier_chunk, "untier_chunk": untier_chunk}
