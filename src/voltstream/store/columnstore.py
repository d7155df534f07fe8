"""Rows as sorted Parquet: which types a file has, in which order rows lie, how columns are coded.

Law: a file read back through ``restored`` gives the very rows that went in, bit for bit; what makes
it small is chosen by measuring the first rows of each file, not by rule.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from voltstream.core.limits import CHUNK_GROUP_ROWS as GROUP
from voltstream.core.schema import Column, Schema
from voltstream.store.database import Connection, quoted

ZSTD_LEVEL = 9  # 5 M readings: level 3 takes 2.86 B/row, 9 2.78, 15 2.64 at three times the time.
_SCALES = range(7)  # Decimal places that are tried for a float: 0 to 6.
_PAGE_BYTES = 64 * 1024 * 1024  # One page for each column of a row group: ZSTD sees all of it.
_SAMPLE_ROWS = 50_000
_FEW_VALUES = 64  # A text column with no more values may part a segment's rows.
# Types that other readers of Parquet lack, or that Arrow carries as something else.
_AS_TEXT = ("UUID", "INTERVAL", "HUGEINT", "UHUGEINT", "JSON", "BIT", "ENUM", "TIME WITH")
_TIMES = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_CODINGS = ("PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BINARY_PACKED", "DICTIONARY")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one file lie.

    Shape: ``types`` are the file's types of the columns that differ from the table's, by name;
    ``order`` are ORDER BY items; ``segments`` are the columns that get a bloom filter, and between
    whose values row groups are cut. ``millis`` are times without parts of a millisecond.
    """

    types: tuple[tuple[str, str], ...]
    order: tuple[str, ...]
    segments: tuple[str, ...]
    millis: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """Return a text that two files share when one scan can read both."""
        return ",".join(f"{name}={kind}" for name, kind in self.types)


def restored(columns: Schema, shape: str) -> str:
    """Return the select list that turns a file's columns into the table's."""
    changed = {part.rpartition("=")[0] for part in shape.split(",") if part}
    return ", ".join(
        f"CAST({quoted(c.name)} AS {c.store_type}) AS {quoted(c.name)}"
        if c.name in changed
        else quoted(c.name)
        for c in columns
    )


def _stored(columns: Schema, types: dict[str, str]) -> str:
    return ", ".join(
        f"CAST({quoted(c.name)} AS {types[c.name]}) AS {quoted(c.name)}"
        if c.name in types
        else quoted(c.name)
        for c in columns
    )


def layout(
    connection: Connection,
    rows: str,
    columns: Schema,
    segmentby: Sequence[str],
    orderby: Sequence[str],
    time: str,
) -> Layout:
    """Choose types and order for the rows of a relation.

    ``orderby`` are the user's ORDER BY items; without them rows lie by time, and columns of few
    values part each segment where that makes the file smaller.
    """
    types = {
        column.name: "VARCHAR"
        for column in columns
        if column.store_type.upper().startswith(_AS_TEXT)
    }
    types |= _scaled(connection, rows, columns)
    millis = _millis(connection, rows, columns)
    segments = [quoted(name) for name in segmentby]
    if orderby:
        ordered = (*segments, *orderby)
        return Layout(tuple(sorted(types.items())), ordered, tuple(segmentby), millis)
    plain = (*segments, quoted(time))
    few = _few_valued(connection, rows, columns, segmentby)
    order = plain
    if few:
        parted = (*segments, *few, quoted(time))
        sample = f"(SELECT * FROM {rows} LIMIT {_SAMPLE_ROWS})"
        sizes = []
        for candidate in (plain, parted):
            tried = Layout(tuple(types.items()), candidate, (), millis)
            sql = _sorted_sql(sample, columns, tried)
            sizes.append(_measured(_narrowed(connection.arrow(sql)[1], tried)))
        order = parted if sizes[1] < sizes[0] else plain
    return Layout(tuple(sorted(types.items())), order, tuple(segmentby), millis)


def _millis(connection: Connection, rows: str, columns: Schema) -> tuple[str, ...]:
    """Find the times that are whole milliseconds: what jitters in them takes two bytes, not three.

    Other readers, and the store, read both units as one type.
    """
    times = [c.name for c in columns if c.store_type in _TIMES]
    if not times:
        return ()
    tests = ", ".join(f"bool_and(epoch_us({quoted(t)}) % 1000 = 0)" for t in times)
    whole = connection.rows(f"SELECT {tests} FROM {rows}")[0]
    return tuple(name for name, fit in zip(times, whole, strict=True) if fit)


def _narrowed(table: pa.Table, laid: Layout) -> pa.Table:
    for name in laid.millis:
        place = table.schema.get_field_index(name)
        kind = pa.timestamp("ms", table.schema.field(place).type.tz)
        table = table.set_column(place, name, table.column(place).cast(kind))
    return table


def _scaled(connection: Connection, rows: str, columns: Schema) -> dict[str, str]:
    """Find the floats that are decimals with few places: as integers they are half as large."""
    floats = [column.name for column in columns if column.store_type == "DOUBLE"]
    found: dict[str, str] = {}
    for name in floats:
        column = quoted(name)
        tests = ", ".join(_exact(column, scale) for scale in _SCALES)
        sample = f"(SELECT {column} FROM {rows} WHERE {column} IS NOT NULL LIMIT {_SAMPLE_ROWS})"
        fits = connection.rows(f"SELECT {tests} FROM {sample}")[0]
        for scale, fit in zip(_SCALES, fits, strict=True):
            if fit and connection.rows(f"SELECT {_exact(column, scale)} FROM {rows}")[0][0]:
                found[name] = f"DECIMAL(18,{scale})"
                break
    return found


def _exact(column: str, scale: int) -> str:
    decimal = f"TRY_CAST({column} AS DECIMAL(18,{scale}))"
    same = f"coalesce(CAST({decimal} AS DOUBLE) = {column}, FALSE)"
    return f"bool_and({column} IS NULL OR ({same} AND NOT ({column} = 0 AND signbit({column}))))"


def _few_valued(
    connection: Connection, rows: str, columns: Schema, segmentby: Sequence[str]
) -> list[str]:
    texts = [c.name for c in columns if c.store_type == "VARCHAR" and c.name not in segmentby]
    if not texts:
        return []
    counts = ", ".join(f"approx_count_distinct({quoted(name)})" for name in texts)
    sample = f"(SELECT * FROM {rows} LIMIT {_SAMPLE_ROWS})"
    found = connection.rows(f"SELECT {counts} FROM {sample}")[0]
    few = sorted((n, name) for name, n in zip(texts, found, strict=True) if 1 < n <= _FEW_VALUES)
    return [quoted(name) for _, name in few]


def _sorted_sql(rows: str, columns: Schema, laid: Layout) -> str:
    return (
        f"SELECT {_stored(columns, dict(laid.types))} FROM {rows} ORDER BY {', '.join(laid.order)}"
    )


def write(
    connection: Connection,
    rows: str,
    columns: Schema,
    laid: Layout,
    path: Path,
) -> tuple[int, int]:
    """Write the rows of a relation, sorted, to a new file. Returns how many, and their bytes."""
    writer: pq.ParquetWriter | None = None
    count = size = 0
    try:
        for table in _groups(connection.batches(_sorted_sql(rows, columns, laid), GROUP), laid):
            if writer is None:
                writer = _writer(path, table, laid.segments)
            writer.write_table(table, row_group_size=GROUP)
            count += table.num_rows
            size += table.nbytes
    finally:
        if writer is not None:
            writer.close()
    return count, size


def _groups(batches: Iterator[pa.Table], laid: Layout) -> Iterator[pa.Table]:
    """Cut sorted rows into row groups, between two segments where one is not too far off.

    So one segment's rows are in one group, and what repeats within a segment is found again.
    """
    rest: pa.Table | None = None
    for batch in batches:
        held = _narrowed(batch, laid)
        if rest is not None:
            held = pa.concat_tables([rest, held])
        while held.num_rows >= GROUP:
            group = held.slice(0, GROUP)
            end = _last_segment(group, laid.segments)
            if end > GROUP // 2:
                group = group.slice(0, end)
            yield group
            held = held.slice(group.num_rows)
        rest = held
    if rest is not None and rest.num_rows:
        yield rest


def _last_segment(table: pa.Table, segments: Sequence[str]) -> int:
    """Return where the last segment of sorted rows begins."""
    begins = 0
    for name in segments:
        column: Any = table.column(name).combine_chunks()
        last = column[-1]
        same = pc.equal(column, last) if last.is_valid else pc.is_null(column)
        others = np.flatnonzero(~pc.fill_null(same, False).to_numpy(zero_copy_only=False))
        if len(others):
            begins = max(begins, int(others[-1]) + 1)
    return begins


def _writer(where: Any, sample: pa.Table, segments: Sequence[str]) -> pq.ParquetWriter:
    dictionaries: list[str] = []
    codings: dict[str, str] = {}
    for field in sample.schema:
        coding = _coding(sample.select([field.name]))
        if coding == "DICTIONARY":
            dictionaries.append(field.name)
        else:
            codings[field.name] = coding
    blooms = {
        name: {"ndv": min(len(sample.column(name).unique()) * 4 + 16, GROUP)}
        for name in segments
        if not pa.types.is_boolean(sample.schema.field(name).type)
    }
    return _opened(where, sample.schema, dictionaries, codings, blooms)


def _opened(
    where: Any,
    schema: pa.Schema,
    dictionaries: Sequence[str],
    codings: dict[str, str],
    blooms: dict[str, dict[str, int]],
) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        where,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=list(dictionaries),  # type: ignore[arg-type]  # The stubs know bool only.
        column_encoding=codings or None,
        data_page_version="2.0",
        data_page_size=_PAGE_BYTES,
        dictionary_pagesize_limit=_PAGE_BYTES,
        store_decimal_as_integer=True,
        write_page_checksum=True,
        # NaN is in no statistics but greater than all: a reader must not skip over it.
        write_statistics=[f.name for f in schema if not pa.types.is_floating(f.type)],
        bloom_filter_options=blooms or None,
    )


def _coding(column: pa.Table) -> str:
    """Return the coding that makes a column's first rows smallest."""
    kind = column.schema.field(0).type
    split = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    timed = pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_date32(kind)
    if pa.types.is_nested(kind) or pa.types.is_boolean(kind):
        return "DICTIONARY" if pa.types.is_nested(kind) else "PLAIN"
    if not split and not timed:
        return _smallest(column, ("DICTIONARY", "PLAIN"))
    if pa.types.is_floating(kind):
        return _smallest(column, ("BYTE_STREAM_SPLIT", "PLAIN", "DICTIONARY"))
    if pa.types.is_decimal(kind) and kind.precision > 18:
        # 16 bytes a value: DuckDB reads no BYTE_STREAM_SPLIT of these, though Parquet has it.
        return _smallest(column, ("PLAIN", "DICTIONARY"))
    return _smallest(column, _CODINGS)


def _smallest(column: pa.Table, codings: Sequence[str]) -> str:
    part = column.slice(0, _SAMPLE_ROWS)
    sizes = [(_sized(part, coding), number) for number, coding in enumerate(codings)]
    return codings[min(sizes)[1]]


def _sized(column: pa.Table, coding: str) -> int:
    name = column.schema.field(0).name
    plain = coding == "DICTIONARY"
    sink = io.BytesIO()
    codings = {} if plain else {name: coding}
    with _opened(sink, column.schema, [name] if plain else [], codings, {}) as writer:
        writer.write_table(column)
    return sink.tell()


def _measured(table: pa.Table) -> int:
    """Return how many bytes rows take in this order."""
    sink = io.BytesIO()
    with _writer(sink, table, ()) as writer:
        writer.write_table(table)
    return sink.tell()


def write_empty(model: Path, path: Path) -> None:
    """Write a file without rows that has the columns of another."""
    pq.write_table(pq.read_schema(model).empty_table(), path, store_decimal_as_integer=True)


def statistics(path: Path, columns: Schema) -> dict[str, tuple[str, str]]:
    """Return least and greatest value of each column that has them, as text."""
    meta = pq.read_metadata(path)
    found: dict[str, tuple[str, str]] = {}
    names = {column.name: column for column in columns}
    for place in range(meta.num_columns):
        name = meta.schema.column(place).path
        if name not in names or not _comparable(names[name]):
            continue
        groups = [meta.row_group(g).column(place).statistics for g in range(meta.num_row_groups)]
        spans = [(one.min, one.max) for one in groups if one is not None and one.has_min_max]
        if len(spans) == len(groups):  # Else a group has NULLs only, or values too long to keep.
            lows: list[Any] = [low for low, _ in spans]
            highs: list[Any] = [high for _, high in spans]
            found[name] = (str(min(lows)), str(max(highs)))
    return found


def _comparable(column: Column) -> bool:
    kind = column.store_type.upper()
    numeric = kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UINTEGER", "DOUBLE", "FLOAT")
    return numeric or kind == "VARCHAR" or kind.startswith("DECIMAL")
