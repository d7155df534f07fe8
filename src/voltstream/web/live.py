"""/v1/live: committed changes of chosen views, as server-sent events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from voltstream.core.errors import InvalidParameter, TooManyConnections, VoltstreamError
from voltstream.core.limits import LIVE_CLIENTS_MAX, LIVE_SNAPSHOT_ROWS_MAX, LIVE_VIEWS_MAX
from voltstream.core.live import Live
from voltstream.core.ports import Sessions
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of
from voltstream.web.sessions import Asking, person, run
from voltstream.web.ticks import Feed, Hub, Place, Snapshot

_BEAT_S = 15.0  # A silent stream says that it lives, and asks whether its reader still may read.
_PIECE_BYTES = 64 * 1024  # Larger events are written alone: joining them would copy them.
_AGAIN_S = 1.0  # Rows that are too many to be told as changes are sent anew at most so often.


class LiveRoute:
    """Opens streams. Shape of an id: the epoch that was told of each view, with dots between."""

    def __init__(self, sessions: Sessions, live: Live, default_database: str) -> None:
        self._sessions = sessions
        self._hub = Hub(live)
        self._default_database = default_database

    def close(self) -> None:
        """End every stream: their readers come back by themselves."""
        self._hub.close()

    async def __call__(self, request: Request) -> Response:
        feeds: list[Feed] = []
        reads = request.query_params.get("rows", "true") != "false"
        try:
            user = person(caller_of(request))
            database = request.query_params.get("database", self._default_database)
            places = _places(database, request.query_params.get("views", ""))
            if self._hub.clients >= LIVE_CLIENTS_MAX:
                raise TooManyConnections("too many clients watch views")
            feeds += [self._hub.join(place, reads=reads) for place in places]
            stream = _Stream(self._sessions, self._hub, user, feeds, reads=reads)
            # What may not be read is refused before the stream begins.
            await run_in_threadpool(stream.check)
        except VoltstreamError as error:
            for feed in feeds:
                self._hub.leave(feed, reads=reads)
            return refusal(error)
        asked = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        self._hub.clients += 1
        return StreamingResponse(
            self._closing(stream.events(asked or ""), feeds, reads),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _closing(
        self, events: AsyncIterator[bytes], feeds: list[Feed], reads: bool
    ) -> AsyncIterator[bytes]:
        try:
            async for event in events:
                yield event
        finally:
            self._hub.clients -= 1
            for feed in feeds:
                self._hub.leave(feed, reads=reads)


def _places(database: str, said: str) -> list[Place]:
    """Raises: InvalidParameter (22023)."""
    names = list(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
    if not names:
        raise InvalidParameter("no view is named", hint="Ask for /v1/live?views=alerts,other.")
    if len(names) > LIVE_VIEWS_MAX:
        raise InvalidParameter(f"a stream has {LIVE_VIEWS_MAX} views at most")
    parts = [name.rpartition(".") for name in names]
    return [Place(database, schema, name) for schema, _, name in parts]


class _Stream:
    """What one client was told so far."""

    def __init__(
        self, sessions: Sessions, hub: Hub, user: str, feeds: Sequence[Feed], *, reads: bool
    ) -> None:
        self._sessions, self._hub, self._user, self._feeds = sessions, hub, user, feeds
        self._reads = reads
        self._told: list[int | None] = [None] * len(feeds)
        self._waits = False  # For rows that were sent to others less than a second ago.

    def check(self) -> None:
        """Raises: InsufficientPrivilege (42501), UndefinedTable (42P01)."""
        for feed in self._feeds:
            text = f"SELECT 1 FROM {_spelled(feed.place)} LIMIT 0"
            run(self._sessions, feed.place.database, self._user, Asking(text))

    async def events(self, last_id: str) -> AsyncIterator[bytes]:
        self._resume(last_id)
        checked_s = time.monotonic()
        yield b"retry: 2000\n\n"
        try:
            while not self._hub.closed:
                count = self._hub.count
                self._waits = False
                async for events in self._together():
                    yield events
                if time.monotonic() - checked_s >= _BEAT_S:
                    await run_in_threadpool(self.check)
                    checked_s = time.monotonic()
                patience_s = _AGAIN_S if self._waits else _BEAT_S
                if not await self._hub.wait(count, patience_s) and not self._waits:
                    yield b": still here\n\n"
        except VoltstreamError as error:
            body = {"code": error.sqlstate, "message": error.message, "hint": error.hint}
            yield f"event: error\ndata: {json.dumps(body)}\n\n".encode()

    async def _together(self) -> AsyncIterator[bytes]:
        """Yield what all views have to tell, small events in one piece: each costs a write."""
        parts: list[bytes] = []
        for index in range(len(self._feeds)):
            async for event in self._of(index):
                if len(event) > _PIECE_BYTES:
                    yield event if not parts else b"".join([*parts, event])
                    parts.clear()
                else:
                    parts.append(event)
        if parts:
            yield b"".join(parts)

    def _resume(self, last_id: str) -> None:
        parts = last_id.split(".")
        if len(parts) != len(self._feeds) or not all(p.isascii() and p.isdigit() for p in parts):
            return
        for index, part in enumerate(parts):
            epoch = int(part[:19])
            if self._feeds[index].since(epoch) is not None:
                self._told[index] = epoch

    async def _of(self, index: int) -> AsyncIterator[bytes]:
        """Yield what one view has to tell: its rows, or what changed in them."""
        feed, told = self._feeds[index], self._told[index]
        if not self._reads:
            self._told[index] = feed.newest
            if told is not None and told != feed.newest:
                name = {"view": feed.place.shown, "epoch": feed.newest}
                yield self._event("touched", json.dumps(name))
            return
        ticks = feed.since(told) if told is not None else None
        if ticks is None or any(tick.text is None for tick in ticks):
            snapshot = await self._shared(feed)
            self._waits |= snapshot is None
            if snapshot is not None:
                self._told[index] = snapshot.epoch
                yield self._event("snapshot", snapshot.text)
            return
        for tick in ticks:
            self._told[index] = tick.last
            yield self._event("change", tick.text or "")

    def _event(self, name: str, text: str) -> bytes:
        told = ".".join(str(epoch or 0) for epoch in self._told)
        return self._hub.spelled(told, name, text)

    async def _shared(self, feed: Feed) -> Snapshot | None:
        """Return all rows, the same for all who ask within a second; None: not so soon again.

        That this reader may see them was checked: whoever may read a relation sees all its rows.
        """
        async with feed.making:
            kept = feed.snapshot
            is_young = kept is not None and time.monotonic() - kept.made_s < _AGAIN_S
            if kept is not None and (is_young or kept.epoch == feed.newest):
                if feed.leads_to_now(kept.epoch):
                    return kept
                if is_young:
                    return None
            began_s = time.monotonic()
            epoch, text = await run_in_threadpool(self._snapshot, feed.place)
            feed.begin(epoch)
            feed.snapshot = Snapshot(epoch, text, began_s)
            return feed.snapshot

    def _snapshot(self, place: Place) -> tuple[int, str]:
        """Return all rows and the epoch that they are of, as one query sees both."""
        found = run(
            self._sessions, place.database, self._user,
            Asking(
                "SELECT e.epoch, s.* FROM rw_catalog.rw_epochs AS e LEFT JOIN (SELECT true AS "
                f"_there, v.* FROM {_spelled(place)} AS v LIMIT {LIVE_SNAPSHOT_ROWS_MAX + 1}) "
                "AS s ON true",
                rows_max=LIVE_SNAPSHOT_ROWS_MAX,
            ),
        )  # fmt: skip
        rows = found.rows()
        epoch = int(str(rows[0][0]))
        shown = {
            "view": place.shown,
            "epoch": epoch,
            "columns": [{"name": c.name, "type": c.type.pg_name} for c in found.columns[2:]],
            "rows": [row[2:] for row in rows if row[1]],
            "truncated": found.truncated,
        }
        return epoch, json.dumps(shown)


def _spelled(place: Place) -> str:
    parts = [place.schema, place.name] if place.schema else [place.name]
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
