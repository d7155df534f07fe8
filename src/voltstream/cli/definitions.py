"""Definitions of scripts or of a server, in a database that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.check import CheckedConnectors
from voltstream.cli.script import split_script
from voltstream.cli.sql_client import readable
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Session
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.database import Connection

# In the order of their making: what reads another object has a greater number.
_KINDS = ("sources", "tables", "views", "materialized_views", "sinks", "indexes", "functions",
          "connections")  # fmt: skip
_OBJECTS = (
    "SELECT id, schema, name, definition FROM ("
    + " UNION ".join(  # A table with a connector is among the sources too.
        f"SELECT id, schema, name, definition FROM rw_catalog.rw_{kind}" for kind in _KINDS
    )
    + ") AS objects WHERE schema <> 'voltstream' ORDER BY id"
)
_SECRETS = "SELECT schema, name FROM rw_catalog.rw_secrets ORDER BY id"
_PATHS = (  # Where names without a schema were found; the object's own schema is known.
    "SELECT DISTINCT objid, schema FROM rw_catalog.rw_depend JOIN rw_catalog.rw_relations "
    "ON refobjid = id WHERE schema NOT IN ('voltstream', 'public') ORDER BY 1, 2"
)
_COMMENTED = ("SOURCE", "TABLE", "VIEW", "MATERIALIZED VIEW")
_COMMENTS = (
    "SELECT kind, schema, name, attname, description FROM ("
    + " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, id, schema, name "
        f"FROM rw_catalog.rw_{kind.lower().replace(' ', '_')}s"
        for kind in _COMMENTED
    )
    + ") AS objects JOIN pg_catalog.pg_description d ON d.objoid = id "
    "LEFT JOIN pg_catalog.pg_attribute a ON d.objsubid > 0 AND attrelid = id "
    "AND attnum = d.objsubid "
    "WHERE schema <> 'voltstream' ORDER BY id, d.objsubid"
)
_HYPERTABLES = (
    "SELECT hypertable_schema, hypertable_name, column_name, time_interval::text, "
    "integer_interval FROM timescaledb_information.dimensions WHERE dimension_number = 1"
)
_SEGMENTS = (
    "SELECT hypertable_schema, hypertable_name, attname "
    "FROM timescaledb_information.compression_settings "
    "WHERE segmentby_column_index IS NOT NULL ORDER BY segmentby_column_index"
)


@dataclass(frozen=True)
class Studied:
    """A catalog, a connection that knows its relations' columns, and a session to ask for rows."""

    catalog: Catalog
    reader: Connection
    session: Session


@contextmanager
def studied(statements: Sequence[str]) -> Iterator[Studied]:
    """Give a catalog in which statements took effect; no source runs and no row is touched.

    Raises: what a statement raises.
    """
    with tempfile.TemporaryDirectory(prefix="voltstream-deploy-") as folder:
        instance = Instance(Path(folder), EngineOptions(), SystemClock(), CheckedConnectors())
        instance.start()
        try:
            session = instance.open(database=DATABASE, user=USER, options={})
            for text in statements:
                _run(session, text)
            engine = instance.engine(DATABASE)
            reader = engine.reader()
            try:
                yield Studied(engine.catalog, reader, session)
            finally:
                reader.close()
                session.close()
        finally:
            instance.stop()


def _run(session: Session, text: str) -> None:
    for statement in session.parse(text):
        rows = session.execute(statement).rows
        if rows is not None:
            rows.close()


def scripted(files: Sequence[Path]) -> list[str]:
    """Return the statements of scripts. Raises: InvalidParameter for one that cannot be read."""
    found: list[str] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidParameter(f'cannot read "{file}": {error}') from error
        found += [statement for _, statement in split_script(text)]
    return found


def told(connection: psycopg.Connection) -> list[str]:
    """Ask a server for its definitions, as statements in the order of their making.

    Raises: what the server raises.
    """
    try:
        return _told(connection)
    except psycopg.Error as error:
        raise readable(error) from error


def _told(connection: psycopg.Connection) -> list[str]:
    parted = _parted(connection)
    found: list[str] = []
    schemas = {"public"}
    for schema, name in connection.execute(_SECRETS).fetchall():
        found += [*_schema(schema, schemas), _secret(schema, name)]
    read: dict[int, list[str]] = {}
    for oid, schema in connection.execute(_PATHS.encode()).fetchall():
        read.setdefault(oid, []).append(schema)
    for oid, schema, name, definition in connection.execute(_OBJECTS.encode()).fetchall():
        found += _schema(schema, schemas)
        path = ", ".join(map(_quoted, dict.fromkeys([schema, *read.get(oid, ()), "public"])))
        found += [f"SET search_path TO {path}", definition, *parted.get((schema, name), ())]
    return [*found, *_remarks(connection)]


def _schema(name: str, known: set[str]) -> list[str]:
    """Return what makes a schema that is not known yet."""
    if name in known:
        return []
    known.add(name)
    return [f"CREATE SCHEMA {_quoted(name)}"]


def _secret(schema: str, name: str) -> str:
    """Return a secret of that name: what it holds no server tells, and nobody here asks."""
    return f"CREATE SECRET {_quoted(schema)}.{_quoted(name)} WITH (backend = 'meta') AS 'unknown'"


def _remarks(connection: psycopg.Connection) -> list[str]:
    """Return the statements that comment on relations and columns."""
    found: list[str] = []
    for kind, schema, name, column, text in connection.execute(_COMMENTS.encode()).fetchall():
        place = f"{kind} {_quoted(schema)}.{_quoted(name)}"
        if column is not None:
            place = f"COLUMN {_quoted(schema)}.{_quoted(name)}.{_quoted(column)}"
        said = text.replace("'", "''")
        found.append(f"COMMENT ON {place} IS '{said}'")
    return found


def _parted(connection: psycopg.Connection) -> dict[tuple[str, str], list[str]]:
    """Return what makes hypertables of tables, by schema and name."""
    found: dict[tuple[str, str], list[str]] = {}
    for schema, name, column, interval, whole in connection.execute(_HYPERTABLES).fetchall():
        step = f"INTERVAL '{interval}'" if interval is not None else str(whole)
        table = f"{_quoted(schema)}.{_quoted(name)}".replace("'", "''")
        time = str(column).replace("'", "''")
        text = (
            f"SELECT create_hypertable('{table}', by_range('{time}', {step}), "
            "if_not_exists => true)"  # One whose WITH says so is one already.
        )
        found[schema, name] = [text]
    segments: dict[tuple[str, str], list[str]] = {}
    for schema, name, column in connection.execute(_SEGMENTS).fetchall():
        segments.setdefault((schema, name), []).append(_quoted(column))
    for (schema, name), columns in segments.items():
        listed = ", ".join(columns).replace("'", "''")
        found.setdefault((schema, name), []).append(
            f"ALTER TABLE {_quoted(schema)}.{_quoted(name)} SET (timescaledb.compress, "
            f"timescaledb.compress_segmentby = '{listed}')"
        )
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
