"""Chargers of the demo that speak OCPP: simulated ones of three versions, told by real sessions."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import replace

from voltstream.cli.replay import Replay, Station
from voltstream.sim.client import Client, Tally
from voltstream.sim.plan import Charger, Session, Version
from voltstream.sim.script import Script, Writer

VERSIONS: Sequence[Version] = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
SPEAKERS = 9
POWER_W = 6_600.0  # Of the recording's stations.
SAMPLE_S = 120  # Each is an answer that waits for an epoch; twice that long a gap would be seen.
HEARTBEAT_S = 480
AFTER_BOOT_S = 2.0
# What happens to the first session of some, by their place: one has no line for a while, one never
# gets the answer to its start, a meter starts at 0 again.
MISHAPS = {1: "offline", 2: "lost_reply", 3: "register_reset"}


class Chargers:
    """Real WebSocket clients, led by the replay: they say what is due, and it is waited for.

    Law: their stays are the recorded ones that end after the opening; of one that runs then, the
    start is told at once.
    """

    def __init__(self, url: str, replay: Replay, opening_s: float) -> None:
        self._opening_s = opening_s
        self.tally = Tally()
        chosen = _chosen(replay.stations, opening_s)
        self.names = frozenset(one.charge_point_id for one in chosen)
        self._clients = [
            self._client(url, _charger(place, station, opening_s), replay.end_s - opening_s)
            for place, station in enumerate(chosen)
        ]

    def _client(self, url: str, charger: Charger, length_s: float) -> Client:
        writer = Writer(
            charger, self._opening_s, sample_s=SAMPLE_S, heartbeat_s=HEARTBEAT_S, end_s=length_s,
        )  # fmt: skip
        whole = writer.script()
        # A charger is heard when it has booted: what began before is told next.
        kept = [
            one if one.at_s >= 0 else replace(one, at_s=AFTER_BOOT_S)
            for one in whole.messages
            if one.at_s >= 0 or one.action == "StartTransaction"
        ]
        script = Script(tuple(sorted(kept)), whole.silences)
        return Client(charger, script, url, lambda: 0.0, 1.0, self.tally)

    async def say(self, until_s: float) -> int:
        """Let all say what is due by an instant; return how many messages were answered."""
        before = self.tally.answered
        due_s = until_s - self._opening_s
        await asyncio.gather(*(client.say_until(due_s) for client in self._clients))
        return self.tally.answered - before

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))


def _chosen(stations: Sequence[Station], opening_s: float) -> list[Station]:
    """Return stations where something happens soon; cars leave from those of OCPP 1.6 first."""

    def next_s(station: Station, *, leaves: bool) -> int:
        stays = [
            one.departure_s if leaves else one.arrival_s
            for one in station.sessions
            if one.departure_s > opening_s and (one.arrival_s < opening_s) is leaves
        ]
        return min(stays, default=2**62)

    able = [one for one in stations if not one.silences]
    each = SPEAKERS // len(VERSIONS)
    leaving = sorted(able, key=lambda one: next_s(one, leaves=True))[:each]
    rest = [one for one in able if one not in leaving and not _is_taken(one, opening_s)]
    coming = sorted(rest, key=lambda one: next_s(one, leaves=False))[: SPEAKERS - each]
    # By turns, as the versions are.
    return [
        leaving[place // len(VERSIONS)] if place % len(VERSIONS) == 0
        else coming[place - place // len(VERSIONS) - 1]
        for place in range(SPEAKERS)
    ]  # fmt: skip


def _is_taken(station: Station, opening_s: float) -> bool:
    return any(one.arrival_s < opening_s < one.departure_s for one in station.sessions)


def _charger(place: int, station: Station, opening_s: float) -> Charger:
    stays: list[Session] = []
    for one in station.sessions:
        if one.departure_s <= opening_s:
            continue
        hours = (one.departure_s - one.arrival_s) / 3600
        mishap = None if stays else MISHAPS.get(place)
        stays.append(
            Session(
                start_s=one.arrival_s - opening_s,
                stop_s=one.departure_s - opening_s,
                energy_wh=float(one.delivered_wh),
                power_w=max(POWER_W, one.delivered_wh / hours * 1.25),  # It tapers at the end.
                faults=frozenset() if mishap is None else frozenset({mishap}),
            )
        )
    return Charger(
        name=station.charge_point_id,
        version=VERSIONS[place % len(VERSIONS)],
        is_dc=False,
        power_w=POWER_W,
        register_wh=float(100_000 + zlib.crc32(station.charge_point_id.encode()) % 9_000_000),
        sessions=tuple(stays),
    )
