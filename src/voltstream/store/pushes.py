"""Batches that clients have named, so that one sent twice is taken once."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.store.database import Connection

TABLES = (
    "CREATE TABLE IF NOT EXISTS _vs.pushes (source BIGINT, name VARCHAR, digest VARCHAR, "
    'rows BIGINT, dead_letters BIGINT, epoch BIGINT, "at" TIMESTAMPTZ)',
)


@dataclass(frozen=True, slots=True)
class Push:
    """What became of a named batch. ``digest`` tells another body under the same name."""

    source: int
    name: str
    digest: str
    rows: int
    dead_letters: int
    epoch: int


def find_push(connection: Connection, source: int, name: str) -> Push | None:
    found = connection.rows(
        "SELECT source, name, digest, rows, dead_letters, epoch FROM _vs.pushes "
        "WHERE source = ? AND name = ?",
        [source, name],
    )
    return Push(*found[0]) if found else None


def keep_push(connection: Connection, push: Push, now_us: int) -> None:
    connection.execute(
        "INSERT INTO _vs.pushes VALUES (?, ?, ?, ?, ?, ?, make_timestamptz(?))",
        [push.source, push.name, push.digest, push.rows, push.dead_letters, push.epoch, now_us],
    )


def forget_pushes(connection: Connection, before_us: int) -> None:
    connection.execute(f'DELETE FROM _vs.pushes WHERE "at" < make_timestamptz({before_us})')
