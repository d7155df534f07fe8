"""What simulated chargers are like and what happens to them: drawn from a seed, nothing else."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

Version = Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]

# Shares and probabilities of a fleet in the field; those of faults are per session or charger.
_VERSIONS: Sequence[Version] = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
_VERSION_SHARES = (70, 25, 5)
_DC_SHARE = 0.3
_OF_CHARGER = {
    "kwh_unit": 0.20,
    "no_defaults": 0.30,
    "per_phase": 0.10,
    "clock_off": 0.10,
    "session_relative": 0.02,
    "running_seq": 0.05,
    "no_rtc": 0.01,
}
_OF_SESSION = {
    "lost_reply": 0.01,
    "twice": 0.005,
    "offline": 0.03,
    "reboot": 0.005,
    "power_loss": 0.003,
    "register_reset": 0.0005,
    "zero_placeholder": 0.005,
    "creep": 0.05,
    "transaction_data": 0.50,
    "no_stop": 0.005,
    "bad_enum": 0.01,
    "seq_gap": 0.005,
    "start_twice": 0.002,
}
FAULTS = frozenset(_OF_CHARGER) | frozenset(_OF_SESSION)
# With one of these a session's energy cannot be told exactly from what is sent.
INEXACT = frozenset({"register_reset", "no_stop", "power_loss", "zero_placeholder"})


@dataclass(frozen=True, slots=True)
class Session:
    """One stay of a car. Units: seconds since the plan's begin, Wh, W."""

    start_s: float
    stop_s: float
    energy_wh: float
    power_w: float
    faults: frozenset[str] = frozenset()

    def energy_at(self, since_s: float) -> float:
        """Return the energy so far. Law: never falls; whole at the end of the stay."""
        if since_s >= self.stop_s - self.start_s:
            return self.energy_wh
        flat_s = 0.8 * self.energy_wh / self.power_w * 3600
        if since_s <= flat_s:
            return self.power_w * since_s / 3600
        return min(self.energy_wh, 0.8 * self.energy_wh + (since_s - flat_s) * self.power_w / 7200)

    def power_at(self, since_s: float) -> float:
        before, after = self.energy_at(since_s), self.energy_at(since_s + 1)
        return (after - before) * 3600


@dataclass(frozen=True, slots=True)
class Charger:
    """One simulated charger."""

    name: str
    version: Version
    is_dc: bool
    power_w: float
    register_wh: float
    clock_off_s: float = 0.0
    faults: frozenset[str] = frozenset()
    sessions: tuple[Session, ...] = field(default=())

    def exact(self, session: Session) -> bool:
        """Tell whether what is sent allows to know the session's energy to the watt-hour."""
        return not session.faults & INEXACT and "session_relative" not in self.faults


def fleet(count: int, hours: float, seed: int, *, faults: float, prefix: str) -> Iterator[Charger]:
    """Yield chargers and their sessions; ``faults`` is times as many as in the field.

    Law: the same arguments give the same fleet.
    """
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        charger = _charger(f"{prefix}{number:05}", chance, faults=faults)
        sessions = tuple(_sessions(charger, hours * 3600, chance, faults=faults))
        yield replace(charger, sessions=sessions)


def _charger(name: str, chance: random.Random, *, faults: float) -> Charger:
    [version] = chance.choices(_VERSIONS, _VERSION_SHARES)
    is_dc = chance.random() < _DC_SHARE
    drawn = _drawn(_OF_CHARGER, chance, faults)
    if version == "ocpp1.6":
        drawn -= {"running_seq"}
    else:
        drawn -= {"session_relative"}
    return Charger(
        name=name,
        version=version,
        is_dc=is_dc,
        power_w=chance.choice((50_000, 150_000, 350_000) if is_dc else (7_400, 11_000, 22_000)),
        register_wh=float(chance.randrange(100_000, 9_000_000)),
        clock_off_s=chance.uniform(2, 120) if "clock_off" in drawn else 0.0,
        faults=drawn,
    )


def _sessions(
    charger: Charger, end_s: float, chance: random.Random, *, faults: float
) -> Iterator[Session]:
    """Yield stays with pauses between them; at AC the car is full long before it leaves."""
    at_s = chance.uniform(30, 1800)
    while True:
        if charger.is_dc:
            energy_wh = chance.uniform(15_000, 45_000)
            stay_s = energy_wh / charger.power_w * 3600 * 1.4 + chance.uniform(120, 600)
            pause_s = chance.uniform(900, 7200)
        else:
            energy_wh = chance.uniform(4_000, 25_000)
            stay_s = energy_wh / charger.power_w * 3600 * chance.uniform(1.3, 2.2)
            pause_s = chance.uniform(1800, 14_400)
        if at_s + stay_s > end_s - 60:
            return
        drawn = _drawn(_OF_SESSION, chance, faults)
        yield Session(
            start_s=round(at_s),
            stop_s=round(at_s + stay_s),
            energy_wh=float(round(energy_wh)),
            power_w=charger.power_w * 0.95,
            faults=drawn,
        )
        at_s += stay_s + pause_s


def _drawn(shares: dict[str, float], chance: random.Random, factor: float) -> frozenset[str]:
    return frozenset(name for name, share in shares.items() if chance.random() < share * factor)


def recorded(folder: Path, seed: int, *, faults: float, prefix: str) -> list[Charger]:
    """Return the stations of recorded sessions (examples/acn); time counts from the first arrival.

    Raises: FileNotFoundError when there is no recording.
    """
    days = sorted(folder.glob("*.ndjson.gz"))
    if not days:
        raise FileNotFoundError(f"no *.ndjson.gz in {folder}")
    stays: dict[str, list[tuple[float, float, float]]] = {}
    for day in days:
        for line in gzip.decompress(day.read_bytes()).decode().splitlines():
            one = json.loads(line)
            arrival, departure = (
                datetime.fromisoformat(one[key]).timestamp() for key in ("arrival", "departure")
            )
            name = f"{prefix}{one['site']}-{one['station']}"
            stays.setdefault(name, []).append((arrival, departure, one["delivered_kwh"] * 1000))
    begin_s = min(arrival for group in stays.values() for arrival, _, _ in group) - 60
    found = []
    for name, group in sorted(stays.items()):
        chance = random.Random(f"{seed}/{name}")
        charger = replace(_charger(name, chance, faults=faults), is_dc=False, power_w=7_400)
        sessions, free_s = [], 0.0
        for arrival, departure, energy_wh in sorted(group):
            start_s = max(arrival - begin_s, free_s)
            stop_s = max(departure - begin_s, start_s + 60)
            needed_w = energy_wh / (stop_s - start_s) * 3600 * 1.25  # A taper at the end.
            drawn = _drawn(_OF_SESSION, chance, faults)
            sessions.append(
                Session(round(start_s), round(stop_s), float(round(energy_wh)),
                        max(6_600.0, needed_w), drawn)
            )  # fmt: skip
            free_s = stop_s + 5
        found.append(replace(charger, sessions=tuple(sessions)))
    return found
