"""History into PostgreSQL: each part one transaction, proved before it is committed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from voltstream.core.errors import HistoryDiffers, TargetRefused
from voltstream.deploy.history import Fingerprint, Part, Table, fingerprint, lines

LEDGER = "voltstream_history"
_MADE = (
    f"CREATE TABLE IF NOT EXISTS {LEDGER} (relation TEXT NOT NULL, part TEXT NOT NULL, "
    "rows BIGINT NOT NULL, hash TEXT NOT NULL, copied_at TIMESTAMPTZ NOT NULL DEFAULT now(), "
    "PRIMARY KEY (relation, part))"
)
_NOTED = f"INSERT INTO {LEDGER} (relation, part, rows, hash) VALUES (%s, %s, %s, %s)"
_FORGOTTEN = f"DELETE FROM {LEDGER} WHERE relation = %s AND part = %s"
_KNOWN = f"SELECT hash, rows FROM {LEDGER} WHERE relation = %s AND part = %s"
# One copier at a time; the connection of one that was killed gives the lock back by itself.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('voltstream_history', 0))"
_SEND_BYTES = 256 * 1024

State = Literal["copied", "there", "differs", "missing", "equal"]


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with a part, or found of it."""

    table: Table
    part: Part
    state: State
    rows: int


def begin(target: psycopg.Connection) -> None:
    """Make the table that remembers parts. Raises: TargetRefused while another copies."""
    target.execute(_MADE.encode())
    row = target.execute(_LOCK.encode()).fetchone()
    if row is None or not row[0]:
        raise TargetRefused(
            "another voltstream copies history into this database",
            hint="Wait until it has ended, then run this again: it goes on.",
        )


def copied(
    source: psycopg.Connection, target: psycopg.Connection, table: Table, *, replace: bool
) -> Iterator[Step]:
    """Copy the parts that are not there yet, and yield each when it is durable.

    Law: a part is there whole, equal to what was read, and remembered, or not at all. One whose
    source has changed since is told. Shape: with ``replace`` it is copied anew, as is one whose
    rows have changed at the target, which is read for that.
    Raises: HistoryDiffers, TargetRefused for rows that nobody remembers.
    """
    for part in table.parts:
        known = target.execute(_KNOWN.encode(), [table.full_name, part.name]).fetchone()
        if known is not None:
            ours = fingerprint(source, table, part)
            same = known == (ours.hash, ours.rows)
            if same and replace:
                same = fingerprint(target, table, part) == ours
            if same or not replace:
                yield Step(table, part, "there" if same else "differs", ours.rows)
                continue
        yield Step(table, part, "copied", _copy(source, target, table, part, replace=replace))


def compared(
    source: psycopg.Connection, target: psycopg.Connection, table: Table
) -> Iterator[Step]:
    """Read every part on both sides and say whether they are equal."""
    for part in table.parts:
        ours, theirs = fingerprint(source, table, part), fingerprint(target, table, part)
        wrong: State = "missing" if ours.rows and not theirs.rows else "differs"
        yield Step(table, part, "equal" if ours == theirs else wrong, ours.rows)


def _copy(
    source: psycopg.Connection, target: psycopg.Connection, table: Table, part: Part,
    *, replace: bool,
) -> int:  # fmt: skip
    with target.transaction():
        if replace:
            emptied = sql.SQL("DELETE FROM {} WHERE {}")
            target.execute(emptied.format(table.placed, table.within(part)))
            target.execute(_FORGOTTEN.encode(), [table.full_name, part.name])
        else:
            _need_empty(target, table, part)
        sent = _send(source, target, table, part)
        arrived = fingerprint(target, table, part)
        if arrived != sent:
            raise HistoryDiffers(
                f'rows of "{table.full_name}" are not as they were sent: {part.shown}',
                detail=f"Sent: {sent.rows} rows, hash {sent.hash}. "
                f"Arrived: {arrived.rows} rows, hash {arrived.hash}.",
                hint="Nothing of this part was kept. Has the table the same column types there?",
            )
        noted = [table.full_name, part.name, sent.rows, sent.hash]
        target.execute(_NOTED.encode(), noted)
    return sent.rows


def _need_empty(target: psycopg.Connection, table: Table, part: Part) -> None:
    query = sql.SQL("SELECT EXISTS ({})").format(table.rows(part, sql.SQL("1")))
    row = target.execute(query).fetchone()
    if row is not None and row[0]:
        raise TargetRefused(
            f'"{table.full_name}" has rows there that no copy remembers: {part.shown}',
            hint="Take them away, or let --replace do it.",
        )


def _send(
    source: psycopg.Connection, target: psycopg.Connection, table: Table, part: Part
) -> Fingerprint:
    sent = Fingerprint()
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table.placed, table.columns())
    with target.cursor() as cursor, cursor.copy(statement) as copying:
        waiting, size = [], 0
        for line in lines(source, table.rows(part), "text"):
            sent.add(line)
            waiting.append(line)
            size += len(line)
            if size >= _SEND_BYTES:
                copying.write(b"".join(waiting))
                waiting, size = [], 0
        copying.write(b"".join(waiting))
    return sent
