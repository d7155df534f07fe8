"""`voltstream sim`: charge points that do not exist, for a demo, a test or a load."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from voltstream.cli.terminal import say
from voltstream.core.errors import InvalidParameter
from voltstream.sim.client import Tally
from voltstream.sim.fleet import Course, simulate
from voltstream.sim.plan import Charger, fleet, recorded

EXAMPLES = """
Examples:

  voltstream sim chargers --count 20 --seconds 60 --speed 60

  voltstream sim chargers --count 200 --faults 1 --seed 7 --truth truth.ndjson

  voltstream sim chargers --sessions examples/acn/sessions --speed 600
"""
_REPORT_S = 5.0


def sim(
    what: Annotated[Literal["chargers"], typer.Argument(help="What is simulated.")],
    url: Annotated[
        str, typer.Option(help="Where chargers connect to.")
    ] = "ws://127.0.0.1:9000/ocpp",
    count: Annotated[int, typer.Option(min=1, help="How many chargers.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long it runs.")] = 60.0,
    speed: Annotated[float, typer.Option(min=0.01, help="Times as fast as it happens.")] = 60.0,
    sample: Annotated[float, typer.Option(min=1, help="Seconds between meter values.")] = 60.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same messages.")] = 1,
    faults: Annotated[
        float, typer.Option(min=0, help="Times as many faults as in the field.")
    ] = 0.0,
    sessions: Annotated[
        Path | None, typer.Option(help="Folder of recorded sessions (examples/acn/sessions).")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="File for the true energy of each finished session.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="What every charger's id begins with.")] = "SIM-",
) -> None:
    """Run simulated chargers: real WebSocket clients of OCPP 1.6, 2.0.1 and 2.1."""
    del what
    chargers = _chargers(sessions, count, seconds * speed / 3600, seed, faults, prefix)
    course = Course(url=url, speed=speed, seconds=seconds, sample_s=sample)
    last_s = 0.0

    def report(tally: Tally, elapsed_s: float) -> None:
        nonlocal last_s
        if elapsed_s - last_s >= _REPORT_S:
            last_s = elapsed_s
            say(f"{elapsed_s:5.0f} s  {_line(tally)}")

    tally = asyncio.run(simulate(chargers, course, report))
    say(f"{len(chargers):,} chargers: {_line(tally)}")
    if truth is not None:
        lines = (json.dumps(one) + "\n" for one in tally.told)
        truth.write_text("".join(lines), encoding="utf-8")


def _chargers(
    sessions: Path | None, count: int, hours: float, seed: int, faults: float, prefix: str
) -> list[Charger]:
    if sessions is None:
        return list(fleet(count, hours, seed, faults=faults, prefix=prefix))
    try:
        return recorded(sessions, seed, faults=faults, prefix=prefix)[:count]
    except FileNotFoundError as error:
        raise InvalidParameter(f'no recorded sessions in "{sessions}"') from error


def _line(tally: Tally) -> str:
    ordered = sorted(tally.latencies_s)
    p50, p99 = (
        (ordered[len(ordered) * share // 100] * 1000 if ordered else 0.0) for share in (50, 99)
    )
    return (
        f"{tally.answered:,} messages answered ({tally.refused} refused), {tally.connects:,} "
        f"connections, {len(tally.told):,} sessions finished; answer {p50:.0f} ms (median), "
        f"{p99:.0f} ms (p99)"
    )
