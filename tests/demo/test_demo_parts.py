"""What the demo is made of: chargers that are led, and a grid on a script."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from voltstream.cli.demo_chargers import SPEAKERS, VERSIONS, Chargers
from voltstream.cli.demo_feed import OPENING_S
from voltstream.cli.demo_grid import OUTAGE_S, SAG_S, DemoGrid
from voltstream.cli.replay import DAY_S, Replay, load_sessions

SESSIONS = Path(__file__).parents[2] / "examples" / "acn" / "sessions"


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay(load_sessions(SESSIONS))


def _answer(frame: list[Any]) -> Any:
    return {"transactionId": 7, "idTagInfo": {"status": "Accepted"}} if frame[2] else {}


def test_chargers_of_three_versions_say_what_is_due_and_no_more(replay: Replay) -> None:
    heard: list[tuple[str, str, list[Any]]] = []

    async def listen(socket: ServerConnection) -> None:
        name = socket.request.path if socket.request is not None else ""
        async for text in socket:
            frame = json.loads(text)
            heard.append((str(socket.subprotocol), name, frame))
            await socket.send(json.dumps([3, frame[1], _answer(frame)]))

    async def led() -> list[int]:
        opening_s = replay.start_s + OPENING_S
        subprotocols: Any = list(VERSIONS)
        async with serve(listen, "127.0.0.1", 0, subprotocols=subprotocols) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            chargers = Chargers(f"ws://127.0.0.1:{port}", replay, opening_s)
            counts = [await chargers.say(opening_s + s) for s in (0, 60, 60, 3600)]
            await chargers.close()
            return counts

    counts = asyncio.run(led())
    assert counts[0] == SPEAKERS  # All boot; cars that are there already are told of next.
    assert counts[2] == 0  # An instant is told once.
    assert counts[3] > 100
    assert {version for version, _, _ in heard} == set(VERSIONS)
    assert len({name for _, name, _ in heard}) == SPEAKERS
    first = {name: frame[2] for _, name, frame in reversed(heard)}
    assert set(first.values()) == {"BootNotification"}  # Who has not booted is refused.
    actions = {frame[2] for _, _, frame in heard}
    assert {"StartTransaction", "StopTransaction", "TransactionEvent", "MeterValues"} <= actions


def test_the_grid_follows_its_script(replay: Replay) -> None:
    show_s = replay.start_s + OPENING_S
    grid = DemoGrid(replay.start_s, 1, show_s)
    told = grid.due(show_s + 6 * 3600)
    reads, events = told["ami.interval_reads"], told["ami.meter_events"]
    assert grid.due(show_s + 6 * 3600) == {}
    rows = [
        (str(meter), at.timestamp() - show_s, volts)
        for meter, at, volts in zip(
            *(reads[name].to_pylist() for name in ("meter_id", "interval_start", "voltage_v")),
            strict=True,
        )
    ]
    assert max(since_s for _, since_s, _ in rows) < DAY_S
    # The outage: events of its meters, and no read of them while it lasts.
    out = set(events["meter_id"].to_pylist())
    lit = {meter for meter, since_s, _ in rows if OUTAGE_S[0] < since_s < OUTAGE_S[1]}
    assert len(({meter for meter, _, _ in rows} - lit) & out) > 20
    sagging = {
        meter for meter, since_s, volts in rows
        if SAG_S[0] <= since_s < SAG_S[1] and 150 < (volts or 0) < 207
    }  # fmt: skip
    assert len(sagging) > 10
