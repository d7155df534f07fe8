"""Push a replay into a server at a multiple of its own pace."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from voltstream.cli.demo_grid import DemoGrid
from voltstream.cli.replay import DAY_S, Message, Replay, Row, due_messages, ndjson
from voltstream.cli.replay_clock import ReplayClock
from voltstream.core.ports import Ingest, RawBatch, Receipt

STEP_S = 0.1  # Rows of a tenth of a second travel together, about one epoch.
STEP_S_MAX = 2.0  # What a slow step makes up for; beyond that the day becomes longer.
BATCH_ROWS_MAX = 20_000  # ~6 MB of NDJSON: a backlog is cut into batches a push may carry.
FRESHNESS_SAMPLES = 512  # The last minute or so; older ones are forgotten.
ANSWER_WAIT_S = 300.0  # A machine that is busy elsewhere is no reason to end the show.
OPENING_S = 7 * 3600 + 600  # People drive to work, and in a minute the first car leaves.

Tell = Callable[[float], Future[int]]  # Lets chargers say what is due; counts messages.


class Feed:
    """The way of the recorded rows into the server.

    Law: the replay clock reaches an instant once every row up to it is durable, and never before
    (chargers that speak for themselves are one step behind);
    a server that cannot keep up slows the day down instead of losing rows.
    """

    def __init__(
        self,
        replay: Replay,
        ingest: Ingest,
        clock: ReplayClock,
        *,
        database: str,
        speed: float,
        speakers: frozenset[str] = frozenset(),
        tell: Tell | None = None,
    ) -> None:
        self._messages = replay.messages()
        self.grid: DemoGrid | None = None  # It comes while the chargers are at work already.
        self._speakers = speakers  # Chargers that speak OCPP themselves.
        self._tell = tell
        self._held: list[Message] = []
        self._end_s = replay.end_s
        self._ingest = ingest
        self._clock = clock
        self._database = database
        self._speed = speed
        self._at_s = float(replay.start_s)
        self._last_step_s = clock.monotonic_s()
        self._freshness_ms: deque[float] = deque(maxlen=FRESHNESS_SAMPLES)
        self.rows = 0
        self._is_open = False  # Before, no charger has connected.
        self.messages = 0  # OCPP messages that were answered.
        self.dead_letters = 0

    @property
    def at_s(self) -> float:
        """The instant up to which everything is durable."""
        return self._at_s

    @property
    def day_start_s(self) -> float:
        """The midnight before, by the sites' own clock (the recording starts at one)."""
        return self._end_s - math.ceil((self._end_s - self._at_s) / DAY_S) * DAY_S

    def seconds(self) -> float:
        """Return real time, for measuring."""
        return self._clock.monotonic_s()

    @property
    def finished(self) -> bool:
        return self._at_s >= self._end_s

    def freshness_ms(self, share: float = 0.5) -> float:
        """Return a quantile of the time from pushing a batch to its rows being in every view."""
        ordered = sorted(self._freshness_ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0

    def open(self) -> None:
        """Catch up with the morning: the day's first hours in one go."""
        self._advance(self._at_s + OPENING_S)
        self._is_open = True
        self._freshness_ms.clear()  # A backlog says nothing about freshness.
        self._last_step_s = self._clock.monotonic_s()

    def step(self) -> None:
        """Send what has become due, wait until it is durable, rest until the next step."""
        rest_s = self._last_step_s + STEP_S - self._clock.monotonic_s()
        if rest_s > 0:
            time.sleep(rest_s)
        now_s = self._clock.monotonic_s()
        # After a long pause the day goes on from where it stands, or steps would only grow.
        elapsed_s = min(now_s - self._last_step_s, STEP_S_MAX)
        self._last_step_s = now_s
        if not self.finished:
            self._advance(min(self._at_s + elapsed_s * self._speed, self._end_s))

    def _advance(self, until_s: float) -> None:
        pushed_s = self._clock.monotonic_s()
        # Beside what is pushed, in the same epochs; by the clock no message comes too early.
        told = self._tell(self._at_s) if self._tell is not None and self._is_open else None
        rows: dict[str, list[Row]] = {}
        for message in due_messages(self._messages, until_s, self._held):
            if message.row["charge_point_id"] not in self._speakers:
                rows.setdefault(message.source, []).append(message.row)
        answers = [
            self._push(source, some[first : first + BATCH_ROWS_MAX])
            for source, some in rows.items()
            for first in range(0, len(some), BATCH_ROWS_MAX)
        ]
        for source, table in self.grid.due(until_s).items() if self.grid is not None else ():
            batch = RawBatch("arrow", table=table, position="replay")
            answers.append(self._ingest.submit(self._database, source, batch))
        for answer in answers:
            receipt = answer.result(timeout=ANSWER_WAIT_S)
            self.rows += receipt.rows
            self.dead_letters += receipt.dead_letters
            self._freshness_ms.append((self._clock.monotonic_s() - pushed_s) * 1000)
        if told is not None:
            self.messages += told.result(timeout=ANSWER_WAIT_S)
        self._at_s = until_s
        self._clock.reach(until_s)

    def _push(self, source: str, rows: list[Row]) -> Future[Receipt]:
        batch = RawBatch("ndjson", payload=ndjson(rows), position="replay")
        return self._ingest.submit(self._database, source, batch)
