"""Browsers that watch views over server-sent events, all in one process; prints when what came.

Usage: screens.py URL COUNT VIEWS ROWS. Prints "ready"; then takes a pusher's plan as a line of
JSON, with the batch it begins at and until when to listen, and prints what was seen of each batch.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
from bisect import bisect_left
from time import monotonic
from urllib.parse import urlsplit

from bench.contenders.pusher import CONNECTIONS

PROBES = "probes"  # The view that tells which batches an epoch has.
_EPOCH = re.compile(rb'"epoch": (\d+)')
_LINE_BYTES_MAX = 64 * 1024 * 1024


class Screen:
    """One stream, and when it was told of which epoch."""

    def __init__(self, url: str, views: str, rows: str, *, guides: bool = False) -> None:
        parts = urlsplit(url)
        self._guides = guides
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = f"/v1/live?views={views}&rows={rows}"
        self.epochs: list[int] = []  # Rising, each with its instant.
        self.instants: list[float] = []
        self.seen: dict[int, int] = {}  # The epoch of each batch, in the one that guides.
        self.received = 0
        self.began = asyncio.Event()

    async def watch(self) -> None:
        reader, writer = await asyncio.open_connection(
            self._host, self._port, limit=_LINE_BYTES_MAX
        )
        writer.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        shown = dict.fromkeys(range(CONNECTIONS), 0)
        while line := await reader.readline():
            self.received += len(line)
            if line.startswith(b"retry:"):
                self.began.set()
            if not line.startswith(b"data:"):
                continue
            found = _EPOCH.search(line)
            assert found is not None
            epoch = int(found[1])
            if not self.epochs or epoch > self.epochs[-1]:
                self.epochs.append(epoch)
                self.instants.append(monotonic())
            if self._guides and b'"insert"' in line:
                self._note(line, epoch, shown)

    def _note(self, line: bytes, epoch: int, shown: dict[int, int]) -> None:
        for _, kilowatts in json.loads(line[5:])["insert"]:
            newest = round(float(kilowatts))
            slot = (newest - 1) % CONNECTIONS
            first = shown[slot] + CONNECTIONS if shown[slot] else newest
            for number in range(first, newest + 1, CONNECTIONS):
                self.seen[number] = epoch
            shown[slot] = max(shown[slot], newest)

    def told(self, epoch: int) -> float | None:
        """Return when it was first told of this epoch or a later one."""
        place = bisect_left(self.epochs, epoch)
        return self.instants[place] if place < len(self.epochs) else None


async def _plan() -> dict[str, float]:
    line = await asyncio.to_thread(sys.stdin.readline)
    plan: dict[str, float] = json.loads(line)
    return plan


async def main() -> None:
    url, count, views, rows = sys.argv[1:]
    guide = Screen(url, PROBES, "true", guides=True)
    screens = [Screen(url, views, rows) for _ in range(int(count))]
    tasks = [asyncio.create_task(one.watch()) for one in (guide, *screens)]
    await asyncio.gather(*(one.began.wait() for one in (guide, *screens)))
    print("ready", flush=True)
    plan = await _plan()
    await asyncio.sleep(max(0.0, plan["until"] - monotonic()))
    for task in tasks:
        task.cancel()
    delays: list[float] = []
    lost = 0
    for number in range(int(plan["warm"]), int(plan["count"])):
        epoch = guide.seen.get(int(plan["first"]) + number + 1)
        due = plan["began"] + number * plan["every"]
        for screen in screens:
            at = None if epoch is None else screen.told(epoch)
            lost += at is None
            delays.append(plan["until"] - due if at is None else at - due)
    cuts = statistics.quantiles(delays, n=100, method="inclusive")
    told = {
        "p50": cuts[49], "p99": cuts[98], "most": max(delays), "lost": lost,
        "events": sum(len(one.epochs) for one in screens),
        "bytes": sum(one.received for one in screens),
    }  # fmt: skip
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
