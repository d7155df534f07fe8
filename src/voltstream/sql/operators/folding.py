"""A keyed state that is large and has its keys in no order: found by a hash, or kept as a log.

Law: a key's row is what its rows in state and log make together. Where nobody reads a view's
delta its old rows need not be known: what comes is appended to the log, readers merge, and the
log is folded into the state when it has reached a part of it. So a row costs its share of a
fold, whatever the size of the state. Two keys of one hash are told apart by the keys.
docs/design/performance.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voltstream.sql.operators.keys import PLACE, near
from voltstream.sql.operators.stream import Writer
from voltstream.sql.plan import column_list
from voltstream.sql.program import Folding, Form, KeyedState

HASH = "_vs_hash"  # Of a row's keys, kept with it.
TURN = "_vs_turn"  # Which of a key's rows came first.
NEAR: tuple[Form, ...] = ("near",)
HASHED: tuple[Form, ...] = ("hashed",)
LOG: tuple[Form, ...] = ("log",)
_CHECKED = 64  # Rows of a state whose hashes are compared at a start.


@dataclass(frozen=True)
class Merging:
    """How a state's rows of one key become one.

    Shape: ``columns`` are the state's, without the hash; ``merged`` prints the query of them and
    the hash over a bracketed query that has the turn as well; ``fresh`` has a delta's rows.
    """

    state: str
    fresh: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    merged: Callable[[str], str]
    shown: str  # What the operator shows of them.
    operator: str


def hash_of(keys: tuple[str, ...]) -> str:
    return f'hash({column_list(keys)}) AS "{HASH}"'


def with_hash(query: str, keys: tuple[str, ...]) -> str:
    return f"SELECT *, {hash_of(keys)} FROM ({query})"


def by_hash(rows: str, touched: str, shown: str) -> str:
    """Print the query of the rows whose keys may be those of ``touched``; ``shown`` is over r."""
    same = f'r."{HASH}" = d."{HASH}"'
    return f"SELECT {shown} FROM {rows} AS r SEMI JOIN {touched} AS d ON {same}"


def keyed_state(
    table: str, fresh: str, keys: tuple[str, ...], folding: Folding | None = None
) -> KeyedState:
    """Describe a state with hashes; they are checked at a start, for the store may hash anew."""
    now = f"hash({column_list(keys)})"
    tables = (table,) if folding is None else (table, folding.log)
    few = " UNION ALL ".join(
        f'SELECT 1 FROM (SELECT * FROM {t} LIMIT {_CHECKED}) WHERE "{HASH}" <> {now}'
        for t in tables
    )
    return KeyedState(
        table,
        f"SELECT count(*) FROM ({near(table, fresh, keys, 'TRUE AS _one', unique=True)})",
        f"SELECT count(*) FROM ({few})",
        tuple(f'UPDATE {t} SET "{HASH}" = {now}' for t in tables),
        folding,
    )


def folded(writer: Writer, merging: Merging, read: str, content: Callable[[str], str]) -> Folding:
    """Declare the log of a view's root.

    Shape: ``read`` names the view's content, ``content`` prints it over the state or what stands
    for it.
    """
    state = merging.state
    columns = column_list((*merging.columns, HASH))
    log = writer.state("log", f"SELECT {columns} FROM {merging.fresh}")
    writer.run(
        f"INSERT INTO {log} SELECT {columns} FROM {merging.fresh}",
        (merging.fresh,),
        merging.operator,
        state=state,
        forms=LOG,
    )
    ahead = f"SELECT {columns}, rowid AS {TURN} FROM {log}"
    known = by_hash(state, log, f"{column_list((*merging.columns, HASH), 'r')}, -1 AS {TURN}")
    same = f'r."{HASH}" = d."{HASH}"'
    both = (
        f"(SELECT {columns} FROM {state} AS r ANTI JOIN {log} AS d ON {same} UNION ALL "
        f"{merging.merged(f'({known} UNION ALL {ahead})')})"
    )
    old = f"fold_{writer.oid}"
    statements = (
        f"CREATE OR REPLACE TEMP TABLE {old} AS "
        + by_hash(state, log, f'{columns}, -1 AS {TURN}, r.rowid AS "{PLACE}"'),
        f'DELETE FROM {state} WHERE rowid IN (SELECT "{PLACE}" FROM {old})',
        f"INSERT INTO {state} "
        + merging.merged(f'(SELECT * EXCLUDE ("{PLACE}") FROM {old} UNION ALL {ahead})'),
        f"DELETE FROM {log}",
        f"DROP TABLE {old}",
    )
    near_view, log_view = (
        f"CREATE OR REPLACE VIEW {read} AS {content(rows)}" for rows in (state, both)
    )
    return Folding(log, merging.operator, statements, near_view, log_view)
