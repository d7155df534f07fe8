"""Hot rows to chunk files and back. The relation stays the same: no delta, nothing for views.

A file is written and made durable first, and named in the transaction that takes its rows out of
the hot ones; a crash between the two leaves an orphan, which the next start sweeps.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voltstream.core.errors import InternalError, SerializationFailure
from voltstream.core.limits import CHUNK_FILE_ROWS_MAX, CHUNK_FILES_MAX
from voltstream.core.schema import Schema
from voltstream.store import chunk as files
from voltstream.store import columnstore, hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection, literal, quoted
from voltstream.store.hypertable import Chunk, Hypertable


@dataclass(frozen=True, slots=True)
class Written:
    """Files of a chunk that are not named yet, and the parts whose rows they hold too."""

    chunk: Chunk
    made: tuple[Part, ...]
    replaced: tuple[Part, ...]

    def paths(self, folder: Path) -> list[Path]:
        return [files.folder_of(folder) / part.file for part in self.made]


def has_work(connection: Connection, table: Hypertable, chunk: Chunk) -> bool:
    """Tell whether a chunk has hot rows, holes or too many files."""
    inside = table.between(chunk.low, chunk.high)
    if connection.rows(f"SELECT 1 FROM {table.hot} WHERE {inside} LIMIT 1"):
        return True
    known = hypertable.parts(connection, f"chunk = {chunk.id} AND tier IS NULL")
    holes = hypertable.tombs(connection, table.oid)
    return len(known) > CHUNK_FILES_MAX or any(part.id in holes for part in known)


def with_work(connection: Connection, table: Hypertable, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the chunks that have work. Costs as many questions as chunks have hot rows."""
    earliest, latest = connection.rows(
        f"SELECT min({table.instant}), max({table.instant}) FROM {table.hot}"
    )[0]
    untidy = {
        int(chunk)
        for (chunk,) in connection.rows(
            f"SELECT p.chunk FROM _vs.parts p WHERE p.oid = {table.oid} AND p.tier IS NULL "
            f"GROUP BY p.chunk HAVING count(*) > {CHUNK_FILES_MAX} UNION SELECT p.chunk FROM "
            "_vs.parts p JOIN _vs.tombs t ON t.part = p.id WHERE p.tier IS NULL "
            f"AND p.oid = {table.oid}"
        )
    }
    return [
        chunk
        for chunk in chunks
        if chunk.id in untidy
        or (
            earliest is not None
            and chunk.low <= latest
            and chunk.high > earliest
            and has_work(connection, table, chunk)
        )
    ]


def is_compressed(connection: Connection, chunk: Chunk) -> bool:
    return bool(connection.rows(f"SELECT 1 FROM _vs.parts WHERE chunk = {chunk.id} LIMIT 1"))


def written(connection: Connection, table: Hypertable, chunk: Chunk) -> Written:
    """Write what a chunk has outside of good files. The caller's transaction sees its rows."""
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    known = hypertable.parts(connection, f"chunk = {chunk.id} AND tier IS NULL")
    holes = hypertable.tombs(connection, table.oid)
    anew = len(known) >= CHUNK_FILES_MAX or any(part.id in holes for part in known)
    replaced = tuple(known) if anew else ()
    whole = hypertable.whole_sql(connection, table, columns, replaced)
    rows = f"(SELECT * FROM ({whole}) WHERE {table.between(chunk.low, chunk.high)})"
    made: list[Part] = []
    try:
        for condition in _slices(connection, table, chunk, rows):
            piece = f"(SELECT * FROM {rows} WHERE {condition})"
            part = _write_part(connection, table, chunk, columns, piece)
            if part is not None:
                made.append(part)
    except BaseException:
        files.remove(Written(chunk, tuple(made), ()).paths(connection.folder))
        raise
    return Written(chunk, tuple(made), replaced)


def _slices(connection: Connection, table: Hypertable, chunk: Chunk, rows: str) -> list[str]:
    """Cut a chunk so that a file has not too many rows: by its first segment column, or by time.

    By segments a question about one opens one file.
    """
    count = int(connection.rows(f"SELECT count(*) FROM {rows}")[0][0])
    pieces = max(1, -(-count // CHUNK_FILE_ROWS_MAX))
    if pieces == 1:
        return ["TRUE"]
    if table.segmentby:
        column = quoted(table.segmentby[0])
        cuts = _segment_cuts(connection, column, rows, pieces, count)
        if cuts:
            edges = [f"{column} <= {cut}" for cut in cuts]
            below = [f"NOT coalesce({edge}, FALSE)" for edge in edges]
            return [edges[0], *map(" AND ".join, zip(below, edges[1:], strict=False)), below[-1]]
    width = chunk.high - chunk.low
    ends = [chunk.low + width * number // pieces for number in range(pieces)] + [chunk.high]
    return [table.between(low, high) for low, high in itertools.pairwise(ends)]


def _segment_cuts(
    connection: Connection, column: str, rows: str, pieces: int, count: int
) -> list[str]:
    """Return the last segment of each file but the last; none where a segment is too large."""
    found = connection.rows(
        f"SELECT CAST({column} AS VARCHAR), n, before // {-(-count // pieces)} FROM (SELECT "
        f"{column}, count(*) AS n, sum(count(*)) OVER (ORDER BY {column} NULLS LAST) - count(*) "
        f"AS before FROM {rows} GROUP BY {column}) ORDER BY {column} NULLS LAST"
    )
    kind = connection.describe(f"SELECT {column} FROM {rows}")[0].store_type
    if any(int(n) > CHUNK_FILE_ROWS_MAX // 2 for _, n, _ in found):
        return []
    last = {int(piece): text for text, _, piece in found if text is not None}
    return [f"CAST({literal(text)} AS {kind})" for text in list(last.values())[:-1]]


def _write_part(
    connection: Connection, table: Hypertable, chunk: Chunk, columns: Schema, rows: str
) -> Part | None:
    low, high, count = connection.rows(
        f"SELECT min({table.instant}), max({table.instant}), count(*) FROM {rows}"
    )[0]
    if not count:
        return None
    laid = columnstore.layout(
        connection, rows, columns, table.segmentby, table.orderby, table.column
    )
    name = files.file_name(table.oid, f"{chunk.id}-{uuid.uuid4().hex[:12]}")
    path = files.folder_of(connection.folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        rows_written, before = columnstore.write(connection, rows, columns, laid, path)
        files.durable(path)
        if rows_written != count:
            raise InternalError(f"a chunk file has {rows_written} rows of {count}")
        stats = json.dumps(columnstore.statistics(path, columns))
        size = path.stat().st_size
        return Part(
            0, table.oid, chunk.id, name, int(count), size, before, files.digest(path),
            int(low), int(high), laid.shape, stats,
        )  # fmt: skip
    except BaseException:
        files.remove([path])
        raise


def register(connection: Connection, table: Hypertable, done: Written) -> None:
    """Let files take the place of the rows they hold, in the caller's transaction.

    Raises: SerializationFailure when the rows are no longer those that were written.
    """
    chunk = done.chunk
    holes = hypertable.tombs(connection, table.oid)
    kept = sum(part.rows - holes.get(part.id, 0) for part in done.replaced)
    inside = table.between(chunk.low, chunk.high)
    gone = max(connection.execute(f"DELETE FROM {table.hot} WHERE {inside}"), 0)
    if gone + kept != sum(part.rows for part in done.made):
        raise SerializationFailure("the chunk has changed while it was written")
    hypertable.drop_parts(connection, done.replaced)
    for part in done.made:
        number = hypertable.next_id(connection, "parts")
        hypertable.add_part(connection, replace(part, id=number))
    hypertable.make_views(connection, table)


def decompress(connection: Connection, table: Hypertable, chunk: Chunk) -> None:
    """Make all rows of a chunk hot again."""
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    thaw_parts(connection, table, columns, hypertable.parts(connection, f"chunk = {chunk.id}"))


def decompress_all(connection: Connection, table: Hypertable) -> None:
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    thaw_parts(connection, table, columns, hypertable.parts(connection, f"oid = {table.oid}"))


def thaw_parts(
    connection: Connection, table: Hypertable, columns: Schema, gone: Sequence[Part]
) -> None:
    if not gone:
        return
    holes = hypertable.tombs(connection, table.oid)
    cold = hypertable.cold_sql(connection.folder, columns, gone, holes, marked=False)
    listed = ", ".join(quoted(column.name) for column in columns)
    for query in cold:
        connection.execute(f"INSERT INTO {table.hot} ({listed}) {query}")
    hypertable.drop_parts(connection, gone)
    hypertable.make_views(connection, table)


def forget_chunk(connection: Connection, table: Hypertable, chunk: Chunk) -> None:
    """Drop a chunk's rows. They leave no delta: views keep what they know."""
    connection.execute(f"DELETE FROM {table.hot} WHERE {table.between(chunk.low, chunk.high)}")
    hypertable.drop_parts(connection, hypertable.parts(connection, f"chunk = {chunk.id}"))
    hypertable.drop_chunk(connection, chunk)
