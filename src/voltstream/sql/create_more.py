"""CREATE AGGREGATE, SUBSCRIPTION, SECRET, CONNECTION, USER and TOKEN."""

from __future__ import annotations

from collections.abc import Callable

from voltstream.sql.create_function import parse_aggregate, parse_function
from voltstream.sql.cursor import Cursor
from voltstream.sql.options import parse_with
from voltstream.sql.roles import parse_create_role, parse_create_token, parse_create_user
from voltstream.sql.statements import (
    CreateConnection,
    CreateSecret,
    CreateSubscription,
    Parsed,
)


def _subscription(cursor: Cursor, text: str, offset: int) -> CreateSubscription:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    cursor.expect("FROM")
    source = cursor.object_name()
    return CreateSubscription(
        text=text, offset=offset, name=name, from_name=source, properties=parse_with(cursor),
        if_not_exists=lenient,
    )  # fmt: skip


def _secret(cursor: Cursor, text: str, offset: int) -> CreateSecret:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    meta_backend(cursor)
    cursor.expect("AS")
    return CreateSecret(
        text=text, offset=offset, name=name, value=cursor.string(), if_not_exists=lenient
    )


def meta_backend(cursor: Cursor) -> None:
    """Read WITH (backend = 'meta'). Raises: FeatureNotSupported for another."""
    if parse_with(cursor).get("backend", "meta") != "meta":
        raise cursor.unsupported("a secret kept elsewhere", "Use backend = 'meta'.")


def _connection(cursor: Cursor, text: str, offset: int) -> CreateConnection:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    return CreateConnection(
        text=text, offset=offset, name=name, properties=parse_with(cursor), if_not_exists=lenient
    )


KINDS: tuple[tuple[str, Callable[[Cursor, str, int], Parsed]], ...] = (
    ("FUNCTION", parse_function),
    ("AGGREGATE", parse_aggregate),
    ("SUBSCRIPTION", _subscription),
    ("SECRET", _secret),
    ("CONNECTION", _connection),
    ("USER", parse_create_user),
    ("ROLE", parse_create_role),
    ("TOKEN", parse_create_token),
)
