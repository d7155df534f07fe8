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
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Session
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.database import Connection

# In the order of their making: what reads another object has a greater number.
_OBJECTS = (
    "SELECT schema_name, definition FROM ("
    "SELECT id, schema_name, definition FROM rw_catalog.rw_sources UNION ALL "
    "SELECT id, schema_name, definition FROM rw_catalog.rw_tables UNION ALL "
    "SELECT id, schema_name, definition FROM rw_catalog.rw_views UNION ALL "
    "SELECT id, schema_name, definition FROM rw_catalog.rw_materialized_views UNION ALL "
    "SELECT id, schema_name, definition FROM rw_catalog.rw_sinks UNION ALL "
    "SELECT id, schema_name, definition FROM rw_catalog.rw_functions) AS objects "
    "WHERE schema_name NOT IN ('voltstream', 'pg_catalog', 'rw_catalog', 'information_schema') "
    "ORDER BY id"
)
_HYPERTABLES = (
    "SELECT hypertable_schema, hypertable_name, column_name, time_interval::text, "
    "integer_interval FROM timescaledb_information.dimensions WHERE dimension_number = 1"
)


@dataclass(frozen=True)
class Studied:
    """A catalog, and a connection that knows its relations' columns."""

    catalog: Catalog
    reader: Connection


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
                yield Studied(engine.catalog, reader)
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
    """Ask a server for its definitions, as statements in the order of their making."""
    found: list[str] = []
    schemas = {"public"}
    for schema, definition in connection.execute(_OBJECTS).fetchall():
        if schema not in schemas:
            schemas.add(schema)
            found.append(f"CREATE SCHEMA {_quoted(schema)}")
        path = "public" if schema == "public" else f"{_quoted(schema)}, public"
        found += [f"SET search_path TO {path}", definition]
    for schema, name, column, interval, integers in connection.execute(_HYPERTABLES).fetchall():
        step = f"INTERVAL '{interval}'" if interval is not None else str(integers)
        table = f"{_quoted(schema)}.{_quoted(name)}".replace("'", "''")
        time = str(column).replace("'", "''")
        at = found.index(next(text for text in found if _creates(text, name))) + 1
        found.insert(at, f"SELECT create_hypertable('{table}', by_range('{time}', {step}))")
    return found


def _creates(text: str, name: str) -> bool:
    head = text.split("(", 1)[0].lower().replace('"', "")
    return head.startswith("create table") and head.split()[-1].split(".")[-1] == name.lower()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
