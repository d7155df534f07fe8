"""Group commit: rows of many chargers become durable together, and then each is answered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import pyarrow as pa

from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import OCPP_GROUP_ROWS_MAX
from voltstream.core.ports import JointIngest, RawBatch
from voltstream.ocpp.draft import Row

GATHER_S = 0.005  # How long the first message of a group waits for company while nothing runs.
_TIMES = frozenset({"at", "as_of", "started_at", "stopped_at", "issued_at"})
_INSTANT = pa.timestamp("us", "UTC")

Rows = Mapping[str, Sequence[Row]]


@dataclass(slots=True)
class _Entry:
    rows: Rows
    count: int
    done: asyncio.Future[None] = field(default_factory=asyncio.Future)


class Journal:
    """Writes rows in the order in which they were put.

    Law: ``commit`` returns when the rows are on disk, all of them, and raises when none are.
    """

    def __init__(self, ingest: JointIngest, database: str) -> None:
        self._ingest = ingest
        self._database = database
        self._waiting: deque[_Entry] = deque()
        self._filled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, then end."""
        while self._waiting:
            await asyncio.sleep(GATHER_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def commit(self, rows: Rows) -> None:
        """Make rows durable. Raises: VoltstreamError; then nothing of them was kept."""
        await self.put(rows)

    def put(self, rows: Rows) -> asyncio.Future[None]:
        """Queue rows; nobody need wait for the future."""
        entry = _Entry(rows, sum(map(len, rows.values())))
        self._waiting.append(entry)
        self._filled.set()
        return entry.done

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(GATHER_S)
            while self._waiting:
                await self._write(self._group())
            self._filled.clear()

    def _group(self) -> list[_Entry]:
        group: list[_Entry] = []
        count = 0
        while self._waiting and count < OCPP_GROUP_ROWS_MAX:
            count += self._waiting[0].count
            group.append(self._waiting.popleft())
        return group

    async def _write(self, group: list[_Entry]) -> None:
        merged: dict[str, list[Row]] = {}
        for entry in group:
            for relation, rows in entry.rows.items():
                merged.setdefault(relation, []).extend(rows)
        try:
            batches = {
                relation: RawBatch("arrow", table=table_of(rows), position="ocpp")
                for relation, rows in merged.items()
                if rows
            }
            if batches:
                # Full: submit_together waits, on a thread.
                future = await asyncio.to_thread(
                    self._ingest.submit_together, self._database, batches
                )
                await asyncio.wrap_future(future)
        except (VoltstreamError, pa.ArrowException) as error:
            for entry in group:
                _settle(entry, error)
        else:
            for entry in group:
                _settle(entry, None)


def _settle(entry: _Entry, error: Exception | None) -> None:
    if entry.done.done():
        return
    if error is None:
        entry.done.set_result(None)
    else:
        entry.done.set_exception(error)
        entry.done.exception()  # Who does not wait need not hear of it.


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Return rows as columns. Units: instants come as microseconds since 1970-01-01 UTC."""
    shapes: dict[tuple[str, ...], list[Row]] = {}
    places: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        shape = tuple(row)
        shapes.setdefault(shape, []).append(row)
        places.setdefault(shape, []).append(place)
    if len(shapes) == 1:  # Rows of one kind of message, nearly always.
        [names] = shapes
        return _typed(dict(zip(names, _turned(names, rows), strict=True)))
    columns: dict[str, list[Any]] = {}
    for shape, alike in shapes.items():
        for name, values in zip(shape, _turned(shape, alike), strict=True):
            column = columns.setdefault(name, [None] * len(rows))
            for place, value in zip(places[shape], values, strict=True):
                column[place] = value
    return _typed(columns)


def _turned(names: Sequence[str], rows: Sequence[Row]) -> Iterable[Sequence[Any]]:
    """Return the columns of rows that all have these names."""
    if len(names) == 1:
        return [[row[names[0]] for row in rows]]
    return zip(*map(itemgetter(*names), rows), strict=True)


def _typed(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        is_time = name in _TIMES or name.endswith("_ts")
        arrays[name] = pa.array(values, _INSTANT if is_time else None)
    return pa.table(arrays)
