"""LISTEN, NOTIFY and UNLISTEN, and the channels that tell of changes of a relation."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.errors import InvalidParameter
from voltstream.sql.cursor import Cursor
from voltstream.sql.statements import ObjectName, Parsed

CHANGES_OF = "changes of "  # A channel of this beginning tells of the relation that it names.
_NAME_BYTES_MAX = 63  # PostgreSQL's NAMEDATALEN - 1.


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen(Parsed):
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisten(Parsed):
    """``channel`` None means all of them."""

    channel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Parsed):
    channel: str
    payload: str = ""


def parse_listen(cursor: Cursor, text: str, offset: int) -> Listen:
    """Parse LISTEN channel."""
    return Listen(text=text, offset=offset, channel=_channel(cursor))


def parse_unlisten(cursor: Cursor, text: str, offset: int) -> Unlisten:
    """Parse UNLISTEN {channel | *}."""
    channel = None if cursor.accept("*") else _channel(cursor)
    return Unlisten(text=text, offset=offset, channel=channel)


def parse_notify(cursor: Cursor, text: str, offset: int) -> Notify:
    """Parse NOTIFY channel [, 'payload']."""
    channel = _channel(cursor)
    payload = cursor.string() if cursor.accept(",") else ""
    return Notify(text=text, offset=offset, channel=channel, payload=payload)


def _channel(cursor: Cursor) -> str:
    name = cursor.identifier()
    # A name of a relation with its schema may be longer than one identifier.
    return name if name.startswith(CHANGES_OF) else cut_name(name)


def cut_name(name: str) -> str:
    """Cut an identifier as PostgreSQL does, between two characters."""
    return name.encode()[:_NAME_BYTES_MAX].decode(errors="ignore")


def watched_names(channel: str) -> tuple[ObjectName, ...]:
    """Return the names that a channel of changes may mean; none for any other channel."""
    if not channel.startswith(CHANGES_OF):
        return ()
    path = channel.removeprefix(CHANGES_OF).strip()
    schema, point, name = path.partition(".")
    return (ObjectName(name, schema), ObjectName(path)) if point else (ObjectName(path),)


def checked_channel(name: str) -> str:
    """Return a channel that can be notified. Raises: InvalidParameter (22023)."""
    if not name:
        raise InvalidParameter("channel name cannot be empty")
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise InvalidParameter("channel name too long")
    return name
