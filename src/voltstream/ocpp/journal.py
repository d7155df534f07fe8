"""Group commit: rows of many chargers become durable together, and then each is answered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        is_time = name in _TIMES or name.endswith("_ts")
        columns[name] = pa.array(values, _INSTANT if is_time else None)
    return pa.table(columns)
