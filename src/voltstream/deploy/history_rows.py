"""Rows of COPY's csv as Arrow tables of their declared types, and what such rows are known by."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
from psycopg import sql

from voltstream.core.limits import HISTORY_FILE_ROWS_MAX
from voltstream.deploy.history import Fingerprint, Part, Table, lines
from voltstream.deploy.script import Field

_BLOCK_BYTES = 8 * 1024 * 1024  # Read of csv before it is made columns.
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_NULL = "\\N"
_PLAIN: dict[str, pa.DataType] = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How columns are asked for, and the Arrow types that they are given."""

    fields: Sequence[Field]

    def select(self) -> sql.Composable:
        """Return the select list: instants as times of UTC, which csv readers know."""
        return sql.SQL(", ").join(
            sql.SQL("{0} AT TIME ZONE 'UTC' AS {0}").format(sql.Identifier(field.name))
            if field.type == "timestamp with time zone"
            else sql.Identifier(field.name)
            for field in self.fields
        )

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(field.name, arrow_type(field.type)) for field in self.fields])

    def tables(self, texts: Iterable[bytes]) -> Iterator[pa.Table]:
        """Yield lines of csv as tables, a block of text each."""
        waiting: list[bytes] = []
        size = 0
        for line in texts:
            waiting.append(line)
            size += len(line)
            if size >= _BLOCK_BYTES:
                yield self._table(b"".join(waiting))
                waiting, size = [], 0
        if waiting:
            yield self._table(b"".join(waiting))

    def _table(self, text: bytes) -> pa.Table:
        read = {
            field.name: pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type
            for field in self.schema
        }
        found = pc_csv.read_csv(
            io.BytesIO(text),
            read_options=pc_csv.ReadOptions(
                column_names=self.schema.names, block_size=len(text) + 1, use_threads=False
            ),
            parse_options=pc_csv.ParseOptions(newlines_in_values=True),
            convert_options=pc_csv.ConvertOptions(
                column_types=read,
                null_values=[_NULL],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        columns = [
            pc.assume_timezone(found.column(field.name), "UTC")
            if pa.types.is_timestamp(field.type) and field.type.tz
            else found.column(field.name)
            for field in self.schema
        ]
        return pa.table(columns, schema=self.schema)


def arrow_type(kind: str) -> pa.DataType:
    """Return a column's type in files; what Parquet has no type for is text."""
    numeric = _NUMERIC.fullmatch(kind)
    if numeric is not None and int(numeric[1]) <= 38:
        return pa.decimal128(int(numeric[1]), int(numeric[2]))
    found = _PLAIN.get(kind)
    return found if found is not None else pa.string()


def add_rows(found: Fingerprint, table: pa.Table) -> None:
    """Add rows to what a bag of rows is known by, each as its values, NULL apart from them.

    Law: it is the same for a table that was written to a file and read back.
    """
    columns = [
        (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column)
        .cast(pa.string())
        .to_pylist()
        for column in table.columns
    ]
    for row in zip(*columns, strict=True):
        spelled = "\x1f".join("\x00" if value is None else value for value in row)
        found.add(spelled.encode())


def part_fingerprint(source: psycopg.Connection, table: Table, part: Part) -> Fingerprint:
    """Read a part and return what its rows are known by once they are in files."""
    found = Fingerprint()
    for rows in part_rows(source, table, part):
        add_rows(found, rows)
    return found


def part_rows(source: psycopg.Connection, table: Table, part: Part) -> Iterator[pa.Table]:
    """Read a part as tables that are as long as files may be."""
    shape = Shape(table.fields)
    query = table.rows(part, shape.select())
    waiting: list[pa.Table] = []
    for found in shape.tables(lines(source, query, f"csv, NULL '{_NULL}'")):
        waiting.append(found)
        if sum(one.num_rows for one in waiting) >= HISTORY_FILE_ROWS_MAX:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
