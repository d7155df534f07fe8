"""The tables in which roles and rights are remembered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from voltstream.store.database import Connection

TABLES = (
    "CREATE TABLE IF NOT EXISTS _vs.roles (oid BIGINT, body VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.memberships (role BIGINT, member BIGINT, grantor BIGINT, "
    "admin BOOLEAN)",
    "ALTER TABLE _vs.memberships ADD COLUMN IF NOT EXISTS inherits BOOLEAN",
    "ALTER TABLE _vs.memberships ADD COLUMN IF NOT EXISTS may_set BOOLEAN DEFAULT true",
    "CREATE TABLE IF NOT EXISTS _vs.tokens (name VARCHAR, body VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.rights (kind VARCHAR, oid BIGINT, schema VARCHAR, "
    "owner BIGINT, acl VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.server_key (key BLOB)",
    "CREATE TABLE IF NOT EXISTS _vs.standards (owner BIGINT, schema VARCHAR, kind VARCHAR, "
    "acl VARCHAR)",
)


def read(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    """Return every row of one of the tables, in the order of its columns."""
    return connection.rows(f"SELECT * FROM _vs.{table} ORDER BY ALL")


def server_key(connection: Connection) -> bytes:
    """Return 32 bytes of chance that are this file's own, made when they are first asked for."""
    if not connection.rows("SELECT 1 FROM _vs.server_key"):
        key = secrets.token_bytes(32)
        connection.execute("INSERT INTO _vs.server_key VALUES (?)", [key])
    return bytes(connection.rows("SELECT key FROM _vs.server_key")[0][0])


def rewrite(connection: Connection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Put rows in the place of what a table holds: these tables are small and change seldom."""
    connection.execute(f"DELETE FROM _vs.{table}")
    for row in rows:
        places = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO _vs.{table} VALUES ({places})", row)
