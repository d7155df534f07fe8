"""Many simulated chargers in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voltstream.sim.client import Client, Tally
from voltstream.sim.plan import Charger
from voltstream.sim.script import Writer


@dataclass(frozen=True, slots=True)
class Course:
    """How a simulation runs. Units: s; ``speed`` is times real pace."""

    url: str
    speed: float
    seconds: float
    sample_s: float = 60.0
    heartbeat_s: float = 300.0
    connect_s: float = 5.0  # Chargers connect one after another within so long.


async def simulate(
    chargers: Sequence[Charger], course: Course, report: Callable[[Tally, float], None]
) -> Tally:
    """Let every charger follow its script; the plan ends now by the wall clock, or at full pace
    when it runs in real time."""
    tally = Tally()
    length_s = course.seconds * course.speed
    began_s = time.monotonic()
    # Faster than real time, the plan lies in the past: nobody may send from the future.
    begin_s = time.time() - (length_s - course.seconds if course.speed > 1 else 0.0)

    def now_s() -> float:
        return (time.monotonic() - began_s) * course.speed

    async def one(index: int, charger: Charger) -> None:
        await asyncio.sleep(course.connect_s * index / max(len(chargers), 1))
        writer = Writer(
            charger, begin_s, sample_s=course.sample_s, heartbeat_s=course.heartbeat_s,
            end_s=length_s,
        )  # fmt: skip
        await Client(charger, writer.script(), course.url, now_s, course.speed, tally).run()

    tasks = [asyncio.create_task(one(index, charger)) for index, charger in enumerate(chargers)]
    waiting = asyncio.gather(*tasks)
    while not waiting.done():
        await asyncio.wait([waiting], timeout=1.0)
        report(tally, time.monotonic() - began_s)
    await waiting
    return tally
