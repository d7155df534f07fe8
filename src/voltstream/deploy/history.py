"""History to move: tables of a server in parts, each a range of time, and what proves a part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql

from voltstream.core.errors import InvalidParameter, UndefinedTable
from voltstream.deploy.script import Field

# What decides how values are spelled: the same on both sides, whatever their own settings.
_SPELLED = (
    "SET client_encoding TO 'UTF8'",
    "SET TimeZone TO 'UTC'",
    "SET DateStyle TO 'ISO, MDY'",
    "SET IntervalStyle TO 'postgres'",
    "SET bytea_output TO 'hex'",
    "SET extra_float_digits TO 1",
)
_DIGEST_BYTES = 16
_HYPERTABLES = (
    "SELECT hypertable_schema, hypertable_name FROM timescaledb_information.hypertables "
    "ORDER BY 1, 2"
)
_COLUMNS = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '' "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
)
_CHUNKS = (
    "SELECT primary_dimension, primary_dimension_type, "
    "COALESCE(range_start_integer::text, range_start::text), "
    "COALESCE(range_end_integer::text, range_end::text) FROM timescaledb_information.chunks "
    "WHERE hypertable_schema = %s AND hypertable_name = %s "
    "ORDER BY range_start_integer, range_start"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table whose time is in [since, until); all of them where it has no time."""

    column: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""

    @property
    def name(self) -> str:
        """Return what no other part of its table is called, and a file may be."""
        return self.since.replace(" ", "T").replace(":", "") or "all"

    @property
    def shown(self) -> str:
        return f"{self.since} to {self.until}" if self.column else "all rows"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its parts. Shape: ``fields`` are its columns that are stored, not computed."""

    schema: str
    name: str
    fields: tuple[Field, ...]
    parts: tuple[Part, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def placed(self) -> sql.Composable:
        return sql.Identifier(self.schema, self.name)

    def columns(self) -> sql.Composable:
        return sql.SQL(", ").join(sql.Identifier(field.name) for field in self.fields)

    def within(self, part: Part) -> sql.Composable:
        """Return the condition that holds for the rows of a part."""
        if not part.column:
            return sql.SQL("TRUE")
        kind = sql.SQL(part.kind)  # As the catalog spells it.
        return sql.SQL("{c} >= CAST({s} AS {k}) AND {c} < CAST({u} AS {k})").format(
            c=sql.Identifier(part.column),
            s=sql.Literal(part.since),
            u=sql.Literal(part.until),
            k=kind,
        )

    def rows(self, part: Part, columns: sql.Composable | None = None) -> sql.Composable:
        return sql.SQL("SELECT {} FROM {} WHERE {}").format(
            columns if columns is not None else self.columns(), self.placed, self.within(part)
        )


class Fingerprint:
    """What a bag of rows is known by: how many, and the sum of their hashes.

    Law: the order of rows does not matter, and a row that is there twice counts twice.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, line: bytes) -> None:
        digest = hashlib.blake2b(line, digest_size=_DIGEST_BYTES).digest()
        self._sum = (self._sum + int.from_bytes(digest)) % (1 << 8 * _DIGEST_BYTES)
        self.rows += 1

    @property
    def hash(self) -> str:
        return f"{self._sum:0{2 * _DIGEST_BYTES}x}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and (self.rows, self._sum) == (other.rows, other._sum)

    def __hash__(self) -> int:
        return hash((self.rows, self._sum))


def spell_alike(connection: psycopg.Connection) -> None:
    """Have a server spell values as every other that was told so."""
    for setting in _SPELLED:
        connection.execute(setting.encode())


def tables(connection: psycopg.Connection, names: Sequence[str]) -> list[Table]:
    """Return the tables named, or every hypertable. Raises: UndefinedTable, InvalidParameter."""
    if names:
        wanted = [_parted(name) for name in names]
    else:
        wanted = [(schema, name) for schema, name in connection.execute(_HYPERTABLES).fetchall()]
    if not wanted:
        raise InvalidParameter(
            "there is no hypertable whose history could be moved", hint="Name tables to move."
        )
    return [_table(connection, schema, name) for schema, name in wanted]


def _parted(name: str) -> tuple[str, str]:
    schema, _, bare = name.rpartition(".")
    return schema or "public", bare


def _table(connection: psycopg.Connection, schema: str, name: str) -> Table:
    columns = connection.execute(_COLUMNS, [schema, name]).fetchall()
    if not columns:
        raise UndefinedTable(
            f'there is no table "{schema}.{name}"', hint="Name a table that has rows of its own."
        )
    fields = tuple(Field(column, kind) for column, kind, computed in columns if not computed)
    chunks = connection.execute(_CHUNKS, [schema, name]).fetchall()
    parts = tuple(Part(*(str(one) for one in chunk)) for chunk in chunks)
    return Table(schema, name, fields, parts if parts or _is_parted(connection, schema, name)
                 else (Part(),))  # fmt: skip


def _is_parted(connection: psycopg.Connection, schema: str, name: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM timescaledb_information.hypertables "
        "WHERE hypertable_schema = %s AND hypertable_name = %s",
        [schema, name],
    )
    return found.fetchone() is not None


def lines(connection: psycopg.Connection, query: sql.Composable, form: str) -> Iterator[bytes]:
    """Yield the rows of a query as lines of COPY's text or csv format."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT {})").format(query, sql.SQL(form))
    with closing(connection.cursor()) as cursor, cursor.copy(statement) as copying:
        for line in copying:
            yield bytes(line)


def fingerprint(connection: psycopg.Connection, table: Table, part: Part) -> Fingerprint:
    """Read a part and return what it is known by."""
    found = Fingerprint()
    for line in lines(connection, table.rows(part), "text"):
        found.add(line)
    return found
