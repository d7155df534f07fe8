"""Chunk files chosen in memory: what each can have is known before one is opened.

Units: time is microseconds since 1970, or the integer itself where a table is parted by integers.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from voltstream.store import hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection
from voltstream.store.hypertable import Hypertable

Value = int | float | str
_Span = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A column is at least, or when ``below`` at most, a value. ``column`` None: the time."""

    column: str | None
    below: bool
    value: Value


@dataclass(frozen=True, slots=True)
class Known:
    """A hypertable and its parts, by time.

    Shape: ``spans`` has each part's least and greatest values by column; ``reached`` the greatest
    time of each part and those before it, so that a search by halves finds where to begin.
    """

    table: Hypertable
    parts: tuple[Part, ...]
    spans: tuple[Mapping[str, _Span], ...]
    lows: tuple[int, ...]
    reached: tuple[int, ...]
    holes: frozenset[int]

    def chosen(self, limits: Sequence[Limit]) -> list[Part]:
        """Return the parts that may have rows within all limits."""
        first, end = 0, len(self.parts)
        for limit in limits:
            if limit.column is not None or isinstance(limit.value, str):
                continue
            if limit.below:
                end = min(end, bisect_right(self.lows, limit.value))
            else:
                first = max(first, bisect_left(self.reached, limit.value))
        return [
            part
            for part, spans in zip(self.parts[first:end], self.spans[first:end], strict=True)
            if all(_may_meet(part, spans, limit) for limit in limits)
        ]


def _may_meet(part: Part, spans: Mapping[str, _Span], limit: Limit) -> bool:
    value = limit.value
    if limit.column is None:
        if isinstance(value, str):
            return True
        return part.low <= value if limit.below else part.high >= value
    span = spans.get(limit.column)
    if span is None:
        return True
    edge = span[0] if limit.below else span[1]
    if isinstance(value, str):  # Code points and UTF-8 bytes have one order.
        return edge <= value if limit.below else edge >= value
    return float(edge) <= value if limit.below else float(edge) >= value


def known(connection: Connection, oids: Sequence[int]) -> dict[int, Known]:
    """Return what a connection's snapshot says of hypertables; other numbers are left out."""
    versions = hypertable.versions(connection)
    if connection.kept is not None:
        connection.kept.forget(frozenset(versions))
    found: dict[int, Known] = {}
    for oid in oids:
        version = versions.get(oid)
        if version is None:
            continue
        if connection.kept is None:  # What the writer sees may yet be rolled back.
            found[oid] = _read(connection, oid)
        else:
            make = partial(_read, connection, oid)
            found[oid] = connection.kept.at(oid, version, Known, make)
    return found


def _read(connection: Connection, oid: int) -> Known:
    table = hypertable.find(connection, oid)
    if table is None:
        raise LookupError(f"a hypertable {oid} has a version and no row")
    parts = tuple(hypertable.parts(connection, f"oid = {oid}"))
    return Known(
        table=table,
        parts=parts,
        spans=tuple(_spans(part) for part in parts),
        lows=tuple(part.low for part in parts),
        reached=tuple(accumulate((part.high for part in parts), max)),
        holes=frozenset(hypertable.tombs(connection, oid)),
    )


def _spans(part: Part) -> Mapping[str, _Span]:
    return {name: (low, high) for name, (low, high) in json.loads(part.stats).items()}
