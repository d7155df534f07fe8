"""A PostgreSQL server that tables follow: its publication, its tables and their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from voltstream.connectors.postgres_log import insert, relation
from voltstream.connectors.properties import required
from voltstream.core.errors import InvalidParameter, OriginUnavailable, UndefinedTable
from voltstream.core.origins import OriginTable
from voltstream.formats.declared import truth

SNAPSHOT_ROWS = 20_000  # Of one batch.
_SETTINGS = (
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres "
    "-c bytea_output=hex -c extra_float_digits=1"
)
_COPIED_OID = 1  # Of no table: the slot's own messages tell theirs.
# pgoutput does not send a generated column: it would stay as the copy left it.
_COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attnum FROM pg_attribute "
    "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' "
    "ORDER BY attnum"
)


class PostgresOrigin:
    """What properties say of a server: how to reach it, and what it publishes.

    Raises: InvalidParameter (22023) naming the property that is missing or wrong.
    """

    def __init__(self, properties: Mapping[str, str], owner: str) -> None:
        self.publication = properties.get("publication.name", "rw_publication")
        self._creates = truth(properties, "publication.create.enable", owner) is not False
        self._target = {
            "host": required(properties, "hostname", owner),
            "port": properties.get("port", "5432"),
            "user": required(properties, "username", owner),
            "password": properties.get("password", ""),
            "dbname": required(properties, "database.name", owner),
            "sslmode": properties.get("ssl.mode", "prefer"),
            "connect_timeout": "5",
            "application_name": "voltstream",
        }
        check(owner, "port", self._target["port"], r"\d+")
        check(owner, "publication.name", self.publication, r"\w{1,63}")

    @property
    def host(self) -> str:
        return self._target["host"]

    @contextmanager
    def connected(self, *, replication: bool = False) -> Iterator[psycopg.Connection[Any]]:
        settings = {**self._target, "options": _SETTINGS}
        if replication:
            settings["replication"] = "database"
        connection = psycopg.connect(make_conninfo("", **settings), autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def make_publication(self, connection: psycopg.Connection[Any]) -> bool:
        """Make the publication, of no table, where there is none. Returns whether it did."""
        known = "SELECT 1 FROM pg_publication WHERE pubname = %s"
        if not self._creates or connection.execute(known, [self.publication]).fetchone():
            return False
        name = sql.Identifier(self.publication)
        connection.execute(sql.SQL("CREATE PUBLICATION {}").format(name))
        return True

    def publish(self, connection: psycopg.Connection[Any], schema: str, table: str) -> None:
        """Let the publication tell of a table, if it does not yet.

        Raises: InvalidParameter where that is not ours to do.
        """
        known = connection.execute(
            "SELECT 1 FROM pg_publication_tables WHERE pubname = %s AND schemaname = %s "
            "AND tablename = %s",
            [self.publication, schema, table],
        ).fetchone()
        if known is not None:
            return
        if not self._creates:
            raise InvalidParameter(
                f'publication "{self.publication}" does not tell of table "{schema}.{table}"',
                hint="Add it at the origin: ALTER PUBLICATION … ADD TABLE …",
            )
        form = "CREATE PUBLICATION {} FOR TABLE {}"
        there = "SELECT 1 FROM pg_publication WHERE pubname = %s"
        if connection.execute(there, [self.publication]).fetchone():
            form = "ALTER PUBLICATION {} ADD TABLE {}"
        name = sql.Identifier(self.publication)
        connection.execute(sql.SQL(form).format(name, sql.Identifier(schema, table)))

    def copy(self, snapshot: str, schema: str, table: str) -> Iterator[list[bytes]]:
        """Read a table's rows as an exported snapshot has them, as messages of the stream."""
        with self.connected() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
            names = [name for name, _, _ in columns_of(connection, schema, table)]
            head = relation(_COPIED_OID, schema, table, names)
            # As the stream spells values: a cast to text spells some otherwise.
            spelled = sql.SQL("CASE WHEN {0} IS DISTINCT FROM NULL THEN format('%s', {0}) END")
            listed = sql.SQL(", ").join(spelled.format(sql.Identifier(name)) for name in names)
            select_all = sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(schema, table))
            with connection.cursor(name="voltstream_copy") as cursor:
                cursor.itersize = SNAPSHOT_ROWS
                cursor.execute(select_all)
                while rows := cursor.fetchmany(SNAPSHOT_ROWS):
                    yield [head, *(insert(_COPIED_OID, row) for row in rows)]


def columns_of(
    connection: psycopg.Connection[Any], schema: str, table: str
) -> Sequence[tuple[str, str, int]]:
    """Return (name, type, number) of the columns that the stream tells of.

    Raises: psycopg.errors.UndefinedTable.
    """
    name = sql.Identifier(schema, table).as_string(connection)
    return connection.execute(_COLUMNS, [name]).fetchall()


def check(owner: str, name: str, value: str, form: str) -> None:
    """Raises: InvalidParameter (22023) where a property is not of a form."""
    if not re.fullmatch(form, value):
        raise InvalidParameter(f'{owner} cannot take "{value}" as "{name}"')


def parted(table: str) -> tuple[str, str]:
    """Return the schema and the name of a table as users write it."""
    schema, _, name = table.rpartition(".")
    return schema or "public", name


def described(properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
    """Ask for a table's columns and key.

    Raises: InvalidParameter (22023), OriginUnavailable (08006), UndefinedTable (42P01).
    """
    origin = PostgresOrigin(properties, owner)
    schema, name = parted(table)
    try:
        with origin.connected() as connection:
            columns = columns_of(connection, schema, name)
            relation = sql.Identifier(schema, name).as_string(connection)
            key = [row[0] for row in connection.execute(_KEY, [relation])]
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        message = f'{owner}: table "{schema}.{name}" does not exist at the origin'
        raise UndefinedTable(message) from error
    except psycopg.Error as error:
        raise OriginUnavailable(f"{owner}: {reason(error)}") from error
    return OriginTable([(column, _ours(kind)) for column, kind, _ in columns], key)


def reason(error: psycopg.Error) -> str:
    """Return an error's first line."""
    lines = str(error).splitlines()
    return lines[0] if lines else "lost"


_KEY = (
    "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
    "AND a.attnum = ANY (i.indkey) WHERE i.indrelid = %s::regclass AND i.indisprimary "
    "ORDER BY array_position(i.indkey::int2[], a.attnum)"
)
_OURS = {
    "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT", "boolean": "BOOLEAN",
    "real": "REAL", "double precision": "DOUBLE PRECISION", "numeric": "NUMERIC",
    "date": "DATE", "time without time zone": "TIME", "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ", "interval": "INTERVAL", "uuid": "UUID",
    "json": "JSON", "jsonb": "JSONB", "bytea": "BYTEA",
}  # fmt: skip
_MODIFIED = re.compile(r"\(([\d,]+)\)")


def _ours(kind: str) -> str:
    """Return what a type of the origin is here: text where there is none like it."""
    bare = kind.removesuffix("[]")
    modifier = _MODIFIED.search(bare)
    plain = _MODIFIED.sub("", bare)
    ours = _OURS.get(plain, "VARCHAR")
    if plain == "numeric" and modifier is not None:
        ours = f"NUMERIC({modifier[1]})"
    return ours + "[]" * kind.count("[]")
