"""Filling a program with the rows that its inputs hold already.

Law: a view that is filled piece by piece is the view filled at once: a piece is a delta as any
other. Pieces are for what lies in chunk files, which may be far more than memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from voltstream.core.errors import InternalError
from voltstream.core.limits import BACKFILL_PIECE_ROWS, BACKFILL_PIECES_MAX
from voltstream.runtime import arrivals, entries
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.thawing import is_hypertable
from voltstream.sql.catalog import Relation
from voltstream.sql.program import Program
from voltstream.sql.statements import CreateSource
from voltstream.store import hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection


def start(epoch: Epoch, program: Program, *, kept: bool = True) -> None:
    """Set a program up and fill it with all existing rows of its inputs.

    ``kept``: its output is wanted afterwards, which only a filling at once leaves.
    """
    inputs = [entry for entry in epoch.catalog if _feeds(entry, program)]
    epoch.on_rollback(lambda: epoch.dataflow.remove(program.oid))
    connection = epoch.connection
    pieces = [] if kept else _pieces(connection, program, inputs)
    counts = _show(connection, inputs, pieces)
    epoch.dataflow.create(connection.execute, program, counts)
    for piece in pieces[1:]:
        counts = _show(connection, inputs, [piece])
        epoch.dataflow.fill(connection.execute, program, counts)
    for entry in inputs:
        if entry.relation is not None:
            _show_nothing(connection, entry, entry.relation)


def _feeds(entry: Entry, program: Program) -> bool:
    return entry.relation is not None and entry.relation.delta in program.inputs


def _show(connection: Connection, inputs: Sequence[Entry], pieces: Sequence[str]) -> dict[str, int]:
    """Let deltas show what inputs hold, or one its first piece. Returns how many rows each has."""
    counts: dict[str, int] = {}
    for entry in inputs:
        relation = entry.relation
        if relation is None:
            continue
        listed = entries.column_list(relation.stable)
        if relation.arrival:
            counts[relation.delta] = arrivals.show_all_rows(connection, relation)
        elif is_hypertable(relation):  # Read where it lies: a copy may be larger than the disk.
            rows = f"({pieces[0]})" if pieces else relation.stored
            _drop_delta(connection, relation)
            whole = f"SELECT {listed}, 1::INTEGER AS _w FROM {rows}"
            connection.execute(f"CREATE TEMP VIEW {relation.delta} AS {whole}")
            counts[relation.delta] = connection.execute(f"SELECT count(*) FROM {rows}")
        else:
            counts[relation.delta] = connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {relation.delta} AS SELECT "
                f"{listed}, 1::INTEGER AS _w FROM {relation.stored}"
            )
    return counts


def _show_nothing(connection: Connection, entry: Entry, relation: Relation) -> None:
    if isinstance(entry.parsed, CreateSource):
        arrivals.make_arrival_delta(connection, relation, entry.parsed)
    elif is_hypertable(relation):
        _drop_delta(connection, relation)
        entries.make_base_delta(connection, relation)
    else:
        connection.execute(f"DELETE FROM {relation.delta}")


def _drop_delta(connection: Connection, relation: Relation) -> None:
    """Drop a delta, be it a table or a view."""
    kind = connection.rows(
        "SELECT table_type FROM information_schema.tables WHERE table_catalog = 'temp' "
        "AND table_name = ?",
        [relation.delta],
    )
    for (one,) in kind:
        connection.execute(f"DROP {'VIEW' if one == 'VIEW' else 'TABLE'} temp.{relation.delta}")


# --- pieces -------------------------------------------------------------------------------------


def _pieces(connection: Connection, program: Program, inputs: Sequence[Entry]) -> list[str]:
    """Cut the rows of the only input by time; no pieces where they have to be seen together."""
    relation = inputs[0].relation if len(inputs) == 1 else None
    if relation is None or not is_hypertable(relation):
        return []
    closes = program.timers or program.watermarks or program.ticks or program.departs
    steps = (*program.initial, *program.steps)
    whole = re.compile(rf"\b[ht]_{relation.oid}\b")
    if closes or any(whole.search(step.sql) for step in steps):
        return []
    table = hypertable.find(connection, inputs[0].oid)
    if table is None:
        raise InternalError(f"a hypertable {inputs[0].oid} is not known")
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    holes = hypertable.tombs(connection, table.oid)
    cold = [
        " UNION ALL ".join(
            hypertable.cold_sql(connection.folder, columns, parts, holes, marked=False)
        )
        for parts in _grouped(hypertable.parts(connection, f"oid = {table.oid}"))
    ]
    return [*cold, f"SELECT {entries.column_list(relation.stable)} FROM {table.hot}"]


def _grouped(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Put files together, in the order of time, that have rows enough for a piece."""
    most = max(BACKFILL_PIECE_ROWS, sum(part.rows for part in parts) // BACKFILL_PIECES_MAX)
    held: list[Part] = []
    for part in parts:
        held.append(part)
        if sum(one.rows for one in held) >= most:
            yield held
            held = []
    if held:
        yield held
