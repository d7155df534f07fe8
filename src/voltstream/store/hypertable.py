"""What the file remembers of hypertables, their chunks and chunk files, and how they are read.

Shape: the hot rows of table 12 are in ``_vs.t_12``; ``_vs.h_12`` is all of them, hot and from chunk
files, less what a file still has but the table no longer (``_vs.tombs``).
Units: time is microseconds since 1970, or the integer itself where a table is parted by integers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voltstream.core.schema import Schema
from voltstream.store.chunk import Part, folder_of, shape_file
from voltstream.store.columnstore import restored
from voltstream.store.database import Connection, literal, quoted

TABLES = (
    "CREATE TABLE IF NOT EXISTS _vs.hyper (oid BIGINT, id BIGINT, column_name VARCHAR, "
    "kind VARCHAR, step BIGINT, segmentby VARCHAR[], orderby VARCHAR[], compressed BOOLEAN, "
    "dimensions VARCHAR)",
    "ALTER TABLE _vs.hyper ADD COLUMN IF NOT EXISTS origin BIGINT",
    "CREATE TABLE IF NOT EXISTS _vs.chunks (id BIGINT, oid BIGINT, low BIGINT, high BIGINT, "
    "created TIMESTAMPTZ)",
    "CREATE TABLE IF NOT EXISTS _vs.parts (id BIGINT, oid BIGINT, chunk BIGINT, file VARCHAR, "
    "rows BIGINT, bytes BIGINT, bytes_before BIGINT, sha256 VARCHAR, low BIGINT, high BIGINT, "
    "shape VARCHAR, stats VARCHAR, tier VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.tombs (part BIGINT, row BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.garbage (file VARCHAR, at_us BIGINT, tier VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.tier_queue (chunk BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.chunk_versions (oid BIGINT, version BIGINT)",
    "INSERT INTO _vs.chunk_versions SELECT oid, 1 FROM _vs.hyper h WHERE NOT EXISTS "
    "(SELECT 1 FROM _vs.chunk_versions v WHERE v.oid = h.oid)",
)
PART_COLUMNS = (
    "id, oid, chunk, file, rows, bytes, bytes_before, sha256, low, high, shape, stats, tier"
)
TIERED = "tiered://"  # Files under this name come from the store that the server was given.
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Hypertable:
    """One hypertable.

    Shape: ``kind`` is the store type of its time column, ``step`` the width of a chunk;
    ``segmentby`` are columns, ``orderby`` ORDER BY items, empty where the layout is ours to choose.
    """

    oid: int
    id: int
    column: str
    kind: str
    step: int
    segmentby: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()
    compressed: bool = False
    dimensions: tuple[dict[str, Any], ...] = ()
    origin: int | None = None  # Where a chunk begins; None: at 1970, or 0.

    @property
    def by_integers(self) -> bool:
        return not (self.kind.startswith("TIMESTAMP") or self.kind == "DATE")

    @property
    def hot(self) -> str:
        return f"_vs.t_{self.oid}"

    @property
    def instant(self) -> str:
        """Return the time column in the units of chunks, as SQL."""
        return self.instant_of(quoted(self.column))

    def instant_of(self, value: str) -> str:
        if self.by_integers:
            return f"CAST({value} AS BIGINT)"
        return f"epoch_us(CAST({value} AS TIMESTAMPTZ))"

    def between(self, low: int, high: int) -> str:
        """Return a condition on the bare column, so that row groups can be skipped."""
        column = quoted(self.column)
        return f"({column} >= {self.spelled(low)} AND {column} < {self.spelled(high)})"

    def spelled(self, instant: int) -> str:
        """Return an instant as a value of the column's type."""
        if self.by_integers:
            return str(instant)
        if self.kind == "TIMESTAMP WITH TIME ZONE":
            return f"make_timestamptz({instant})"
        return f"make_timestamp({instant})"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of time of a hypertable. ``low`` is in it, ``high`` is not."""

    id: int
    oid: int
    low: int
    high: int


# --- hypertables --------------------------------------------------------------------------------


def add(connection: Connection, table: Hypertable) -> None:
    connection.execute(
        "INSERT INTO _vs.hyper VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            table.oid,
            table.id,
            table.column,
            table.kind,
            table.step,
            list(table.segmentby),
            list(table.orderby),
            table.compressed,
            json.dumps(table.dimensions),
            table.origin,
        ],
    )
    changed(connection, table.oid)
    count_hot_rows(connection)


def changed(connection: Connection, oid: int) -> None:
    """Note that what is known of a hypertable and its parts holds no longer."""
    where = f"WHERE oid = {oid}"
    if connection.execute(f"UPDATE _vs.chunk_versions SET version = version + 1 {where}") <= 0:
        connection.execute(f"INSERT INTO _vs.chunk_versions VALUES ({oid}, 1)")


def versions(connection: Connection) -> dict[int, int]:
    """Return the version of each hypertable."""
    return dict(connection.rows("SELECT oid, version FROM _vs.chunk_versions"))


def count_hot_rows(connection: Connection) -> None:
    """Make the view that counts the hot rows of every hypertable."""
    counts = [
        f"SELECT {table.oid}::BIGINT AS oid, count(*) AS rows FROM {table.hot}"
        for table in all_of(connection)
    ]
    counts.append("SELECT 0::BIGINT AS oid, 0::BIGINT AS rows WHERE FALSE")
    connection.execute(f"CREATE OR REPLACE VIEW _vs.hot_rows AS {' UNION ALL '.join(counts)}")


def change(connection: Connection, table: Hypertable) -> None:
    connection.execute(f"DELETE FROM _vs.hyper WHERE oid = {table.oid}")
    add(connection, table)


def forget(connection: Connection, oid: int) -> None:
    """Remove a hypertable with its chunks; its files go when nobody can be reading them."""
    drop_parts(connection, parts(connection, f"oid = {oid}"))
    for name in ("hyper", "chunks", "chunk_versions"):
        connection.execute(f"DELETE FROM _vs.{name} WHERE oid = {oid}")
    connection.execute(f"DROP VIEW IF EXISTS _vs.h_{oid}")
    count_hot_rows(connection)


def find(connection: Connection, oid: int) -> Hypertable | None:
    found = _read(connection, f"WHERE oid = {oid}")
    return found[0] if found else None


def all_of(connection: Connection) -> list[Hypertable]:
    return _read(connection, "ORDER BY id")


def _read(connection: Connection, tail: str) -> list[Hypertable]:
    found = connection.rows(
        "SELECT oid, id, column_name, kind, step, segmentby, orderby, compressed, dimensions, "
        "origin "
        f"FROM _vs.hyper {tail}"
    )
    return [
        Hypertable(
            oid, id_, column, kind, step, tuple(segmentby), tuple(orderby), compressed,
            tuple(json.loads(more)), origin,
        )
        for oid, id_, column, kind, step, segmentby, orderby, compressed, more, origin in found
    ]  # fmt: skip


def next_id(connection: Connection, table: str) -> int:
    return int(connection.rows(f"SELECT coalesce(max(id), 0) + 1 FROM _vs.{table}")[0][0])


def dimension(column: str, parts: int, number: int) -> dict[str, Any]:
    """Return a space dimension as it is listed."""
    return {"column_name": column, "parts": parts, "n": number}


# --- chunks -------------------------------------------------------------------------------------


def chunks(connection: Connection, oid: int) -> list[Chunk]:
    found = connection.rows(
        f"SELECT id, oid, low, high FROM _vs.chunks WHERE oid = {oid} ORDER BY low"
    )
    return [Chunk(*row) for row in found]


def open_chunks(connection: Connection, table: Hypertable, rows: str) -> tuple[int, int] | None:
    """Make the chunks that new rows need. Returns the least and greatest time among them."""
    low, high = connection.rows(f"SELECT min({table.instant}), max({table.instant}) FROM {rows}")[0]
    if low is None:
        return None
    missing = not connection.rows(
        f"SELECT 1 FROM _vs.chunks WHERE oid = {table.oid} AND low <= {low} AND high > {high}"
    )
    while missing:
        at, since = table.instant, f"({table.instant} - {table.origin or 0})"
        places = connection.rows(
            f"SELECT min({at}) FROM {rows} r WHERE NOT EXISTS (SELECT 1 FROM _vs.chunks c WHERE "
            f"c.oid = {table.oid} AND c.low <= {at} AND c.high > {at}) "
            f"GROUP BY {since} - ({since} % {table.step} + {table.step}) % {table.step} ORDER BY 1"
        )
        for (instant,) in places:  # Others of a place may lie behind a chunk that is in its way.
            _open_chunk(connection, table, int(instant))
        missing = bool(places)
    return int(low), int(high)


def _open_chunk(connection: Connection, table: Hypertable, at: int) -> None:
    """Add the chunk of an instant, cut where chunks of another width are already."""
    low = at - (at - (table.origin or 0)) % table.step
    high = low + table.step
    below, above = connection.rows(
        f"SELECT max(high) FILTER (high <= {at}), min(low) FILTER (low > {at}) FROM _vs.chunks "
        f"WHERE oid = {table.oid}"
    )[0]
    low = low if below is None else max(low, int(below))
    high = high if above is None else min(high, int(above))
    number = next_id(connection, "chunks")
    connection.execute(
        f"INSERT INTO _vs.chunks VALUES ({number}, {table.oid}, {low}, {high}, "
        "getvariable('vs_now'))"
    )


def drop_chunk(connection: Connection, chunk: Chunk) -> None:
    connection.execute(f"DELETE FROM _vs.chunks WHERE id = {chunk.id}")


def chunk_name(table: Hypertable, chunk: Chunk) -> str:
    return f"_timescaledb_internal._hyper_{table.id}_{chunk.id}_chunk"


# --- parts --------------------------------------------------------------------------------------


def parts(connection: Connection, condition: str) -> list[Part]:
    found = connection.rows(
        f"SELECT {PART_COLUMNS} FROM _vs.parts p WHERE {condition} ORDER BY low, id"
    )
    return [Part(*row) for row in found]


def add_part(connection: Connection, part: Part) -> None:
    connection.execute(
        f"INSERT INTO _vs.parts VALUES ({', '.join('?' * 13)})",
        [
            part.id, part.oid, part.chunk, part.file, part.rows, part.bytes, part.bytes_before,
            part.sha256, part.low, part.high, part.shape, part.stats, part.tier,
        ],
    )  # fmt: skip
    changed(connection, part.oid)


def place_part(connection: Connection, part: Part, tier: str | None) -> None:
    """Note that a part's file is elsewhere now; None: on the local disk."""
    place = literal(tier) if tier is not None else "NULL"
    connection.execute(f"UPDATE _vs.parts SET tier = {place} WHERE id = {part.id}")
    changed(connection, part.oid)


def add_tombs(connection: Connection, oid: int, query: str) -> None:
    """Note rows of parts that are no longer in the table: ``query`` gives part and row."""
    connection.execute(f"INSERT INTO _vs.tombs {query}")
    changed(connection, oid)


def drop_parts(connection: Connection, gone: Iterable[Part]) -> None:
    gone = list(gone)
    for oid in {part.oid for part in gone}:
        changed(connection, oid)
    for part in gone:
        connection.execute(f"DELETE FROM _vs.parts WHERE id = {part.id}")
        connection.execute(f"DELETE FROM _vs.tombs WHERE part = {part.id}")
        discard(connection, part.file, part.tier)


def discard(connection: Connection, file: str, tier: str | None = None) -> None:
    """Note a file that nothing reads from the next epoch on."""
    connection.execute(
        f"INSERT INTO _vs.garbage VALUES ({literal(file)}, epoch_us(_vs_now()), "
        f"{literal(tier) if tier is not None else 'NULL'})"
    )


def tombs(connection: Connection, oid: int) -> dict[int, int]:
    """Return how many rows of each part are no longer in the table."""
    return dict(
        connection.rows(
            "SELECT t.part, count(*) FROM _vs.tombs t JOIN _vs.parts p ON p.id = t.part "
            f"WHERE p.oid = {oid} GROUP BY ALL"
        )
    )


# --- reading ------------------------------------------------------------------------------------


def place_of(folder: Path, part: Part) -> str:
    """Return the name under which the store opens a part's file."""
    if part.tier is not None:
        return f"{TIERED}{part.file}"
    return str(folder_of(folder) / part.file)


def cold_sql(
    folder: Path, columns: Schema, chosen: Sequence[Part], holes: Iterable[int], *, marked: bool
) -> list[str]:
    """Return queries for the rows of chunk files; ``marked``: also part and row number.

    Files of one shape are one scan; one that has holes needs a scan of its own.
    """
    holed = set(holes)
    together: dict[str, list[Part]] = {}
    for part in chosen:
        scan = f"{part.shape}#{part.id}" if marked or part.id in holed else part.shape
        together.setdefault(scan, []).append(part)
    queries: list[str] = []
    for group in together.values():
        shown = restored(columns, group[0].shape)
        places = [place_of(folder, part) for part in group]
        if any(part.tier is not None for part in group):  # What is elsewhere is not opened to bind.
            places.insert(0, str(folder_of(folder) / shape_file(group[0].oid, group[0].shape)))
        files = ", ".join(literal(place) for place in places)
        number = group[0].id
        alone = marked or number in holed
        source = f"read_parquet([{files}]{', file_row_number = true' if alone else ''})"
        where = (
            f" WHERE file_row_number NOT IN (SELECT row FROM _vs.tombs WHERE part = {number})"
            if number in holed
            else ""
        )
        mark = f", {number}::BIGINT AS _part, file_row_number AS _row" if marked else ""
        queries.append(f"SELECT {shown}{mark} FROM {source}{where}")
    return queries


def whole_sql(
    connection: Connection, table: Hypertable, columns: Schema, chosen: Sequence[Part]
) -> str:
    """Return a query for the hot rows and those of some parts."""
    listed = ", ".join(quoted(column.name) for column in columns)
    hot = f"SELECT {listed} FROM {table.hot}"
    if not chosen:
        return hot
    holes = tombs(connection, table.oid)
    cold = cold_sql(connection.folder, columns, chosen, holes, marked=False)
    return " UNION ALL ".join([hot, *cold])


def make_views(connection: Connection, table: Hypertable) -> None:
    """Make the relations of all rows, and of those in chunk files with where each is."""
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    known = parts(connection, f"oid = {table.oid}")
    whole = whole_sql(connection, table, columns, known)
    connection.execute(f"CREATE OR REPLACE VIEW _vs.h_{table.oid} AS {whole}")


def marked_sql(
    connection: Connection, table: Hypertable, columns: Schema, chosen: Sequence[Part]
) -> str:
    """Return a query for the rows of parts, with ``_part`` and ``_row``."""
    holes = tombs(connection, table.oid)
    cold = cold_sql(connection.folder, columns, chosen, holes, marked=True)
    return " UNION ALL ".join(cold)
