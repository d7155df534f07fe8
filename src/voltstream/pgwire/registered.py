"""Names of objects as the numbers that clients get in binary: regclass, regtype and their kin.

Shape: the store keeps the name that was looked up; a number is found by asking the session for it
when rows are sent. Law: a name that no object has any more is sent as 0, which is shown as "-".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import pyarrow as pa

from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import FewRows, Session
from voltstream.core.schema import Schema
from voltstream.core.types import Kind
from voltstream.pgwire.declared import REGISTERED
from voltstream.pgwire.rows import Batch
from voltstream.pgwire.wire_types import column_type

Numbers = Callable[[Kind, Sequence[str]], dict[str, int]]


def numbers_of(session: Session) -> Numbers:
    """Return what asks a session for the numbers of names, each once for a batch."""

    def find(kind: Kind, names: Sequence[str]) -> dict[str, int]:
        asked = [name for name in names if not name.isdigit() and name != "-"]
        found = {name: int(name) if name.isdigit() else 0 for name in names}
        try:
            return found | _looked_up(session, kind, asked)
        except VoltstreamError:  # One of them is gone.
            for name in asked:
                with suppress(VoltstreamError):
                    found |= _looked_up(session, kind, [name])
        return found

    return find


def _looked_up(session: Session, kind: Kind, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    numbers = (f"{_quoted(name)}::{kind.pg_name}::oid" for name in names)
    rows = session.execute(session.parse("SELECT " + ", ".join(numbers))[0]).rows
    if rows is None:
        return {}
    first = next(iter(rows.batches()))
    rows.close()
    return {name: first.column(at)[0].as_py() for at, name in enumerate(names)}


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def numbered(batch: Batch, columns: Schema, formats: Sequence[int], numbers: Numbers) -> Batch:
    """Return a batch whose names of objects are numbers, written in digits, where it is binary."""
    if isinstance(batch, FewRows):
        return batch
    made: pa.RecordBatch = batch
    for place, (column, binary) in enumerate(zip(columns, formats, strict=True)):
        kind = column_type(column)
        if not binary or kind.kind not in REGISTERED or kind.array_depth:
            continue
        names = batch.column(place).cast(pa.string()).to_pylist()
        known = numbers(kind.kind, sorted({name for name in names if name is not None}))
        digits = pa.array([None if n is None else str(known[n]) for n in names], pa.string())
        made = made.set_column(place, batch.schema.field(place).name, digits)
    return made
