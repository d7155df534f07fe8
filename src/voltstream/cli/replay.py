"""Recorded charging sessions, told again as the OCPP rows their chargers would have sent.

Sessions (arrival, departure, energy) are measured; what lies between is derived and the same in
every run. Two faults are made on purpose, so that alerts have something to find: stations that
fall silent and send their queue afterwards, and meters that skip samples.
"""

from __future__ import annotations

import gzip
import heapq
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from voltstream.cli.charging import Curve, fit_curve

SAMPLE_INTERVAL_S = 60
HEARTBEAT_INTERVAL_S = 240
VOLTAGE_V = 208.0
DAY_S = 86_400
LOCAL_OFFSET_S = 7 * 3600  # Both sites are in California, the extract is from its summer.

SILENCE_EVERY = 16  # One station in 16 falls silent each day.
SILENCE_S = 45 * 60
GAP_EVERY = 12  # One session in 12 loses samples.
GAP_AFTER_S = 25 * 60
GAP_S = 10 * 60

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Session:
    """One measured session. Units: seconds since 1970-01-01 UTC; Wh."""

    number: int
    charge_point_id: str
    site: str
    arrival_s: int
    departure_s: int
    delivered_wh: int
    claimed: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A row on its way: when it is delivered, and to which source."""

    at_s: int
    source: str
    row: Row


def load_sessions(folder: Path) -> list[Session]:
    """Read every day of a folder. Raises: FileNotFoundError when there is none."""
    days = sorted(folder.glob("*.ndjson.gz"))
    if not days:
        raise FileNotFoundError(f"no *.ndjson.gz in {folder}")
    records = [
        json.loads(line)
        for day in days
        for line in gzip.decompress(day.read_bytes()).decode().splitlines()
    ]
    return [session_of(number, record) for number, record in enumerate(records, start=1)]


def session_of(number: int, record: Row) -> Session:
    """Read a session as the files of examples/acn have it."""
    return Session(
        number=number,
        charge_point_id=f"{record['site']}-{record['station']}",
        site=str(record["site"]),
        arrival_s=_seconds(str(record["arrival"])),
        departure_s=_seconds(str(record["departure"])),
        delivered_wh=round(float(str(record["delivered_kwh"])) * 1000),
        claimed=bool(record["claimed"]),
    )


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@dataclass(frozen=True, slots=True)
class Station:
    """A station, its sessions in order of arrival, and when it is out of reach."""

    charge_point_id: str
    site: str
    sessions: tuple[Session, ...]
    silences: tuple[tuple[int, int], ...]


class Replay:
    """Everything the chargers of an extract send, in order of delivery.

    Law: the same sessions give the same messages; a session's registers never fall, and end at
    start plus delivered energy.
    """

    def __init__(self, sessions: Sequence[Session], *, faults: bool = True) -> None:
        self.start_s = min(_day_start_s(one.arrival_s) for one in sessions)
        last_s = max(one.departure_s for one in sessions)
        self.end_s = _day_start_s(last_s) + DAY_S
        self.stations = tuple(self._stations(sessions, faults))
        self._faults = faults

    def _stations(self, sessions: Sequence[Session], faults: bool) -> Iterator[Station]:
        in_order = sorted(sessions, key=lambda one: (one.charge_point_id, one.arrival_s))
        silent_count = 0
        for name, group in groupby(in_order, key=lambda one: one.charge_point_id):
            silences: tuple[tuple[int, int], ...] = ()
            if faults and _chance(name, SILENCE_EVERY):
                # Spread over the working day: from 07:10 of the site's clock, 75 minutes apart.
                offset_s = 7 * 3600 + 600 + (silent_count * 75 * 60) % (12 * 3600)
                silent_count += 1
                first_days = range(self.start_s, self.end_s, DAY_S)
                silences = tuple((day + offset_s, day + offset_s + SILENCE_S) for day in first_days)
            members = tuple(group)
            yield Station(name, members[0].site, members, silences)

    def messages(self) -> Iterator[Message]:
        """Yield every message once, by time of delivery."""
        streams = [self._station_messages(station) for station in self.stations]
        return heapq.merge(*streams, key=lambda message: message.at_s)

    def _station_messages(self, station: Station) -> Iterator[Message]:
        register_wh = 100_000 + zlib.crc32(station.charge_point_id.encode()) % 9_000_000
        streams = [self._liveness(station)]
        for session in station.sessions:
            streams.append(self._session_messages(session, register_wh))
            register_wh += session.delivered_wh
        merged = heapq.merge(*streams, key=lambda message: message.at_s)
        return _delay(merged, station.silences)

    def _liveness(self, station: Station) -> Iterator[Message]:
        crc = zlib.crc32(station.charge_point_id.encode())
        yield self._boot(station, crc)
        yield _status(station.charge_point_id, self.start_s + 2, "Available")
        first_s = self.start_s + 3 + crc % HEARTBEAT_INTERVAL_S
        for at_s in range(first_s, self.end_s, HEARTBEAT_INTERVAL_S):
            # A charger keeps no heartbeats for later: those of a silence were never made.
            if not any(begin <= at_s < end for begin, end in station.silences):
                yield _message("charger_heartbeats", station.charge_point_id, at_s, {})

    def _boot(self, station: Station, crc: int) -> Message:
        row: Row = {
            "vendor": "ACN",
            "model": "AC-32A" if station.site == "caltech" else "AC-32A-J",
            "serial_number": f"{crc:08x}",
            "firmware_version": f"1.{crc % 3}.{crc % 7}",
        }
        return _message("charger_boots", station.charge_point_id, self.start_s + 1, row)

    def _session_messages(self, session: Session, start_wh: int) -> Iterator[Message]:
        name, arrival_s = session.charge_point_id, session.arrival_s
        departure_s = max(session.departure_s, arrival_s + 1)
        curve = fit_curve(session.delivered_wh, departure_s - arrival_s)
        yield _status(name, arrival_s, "Preparing")
        yield _transaction(session, "START", arrival_s, start_wh)
        yield from _readings(session, curve, arrival_s, start_wh, "Transaction.Begin")
        yield _status(name, arrival_s, "Charging")
        charging = True
        for at_s in range(arrival_s + SAMPLE_INTERVAL_S, departure_s, SAMPLE_INTERVAL_S):
            if charging and at_s - arrival_s >= curve.full_s:
                charging = False
                yield _status(name, at_s, "SuspendedEV")
            if not self._skips(session, at_s - arrival_s):
                yield from _readings(session, curve, at_s, start_wh, "Sample.Periodic")
        yield from _readings(session, curve, departure_s, start_wh, "Transaction.End")
        yield _transaction(session, "STOP", departure_s, start_wh + session.delivered_wh)
        yield _status(name, departure_s, "Finishing")
        yield _status(name, departure_s, "Available")

    def _skips(self, session: Session, since_s: int) -> bool:
        in_gap = GAP_AFTER_S <= since_s < GAP_AFTER_S + GAP_S
        return in_gap and self._faults and _chance(f"gap {session.number}", GAP_EVERY)


def due_messages(messages: Iterator[Message], until_s: float, held: list[Message]) -> list[Message]:
    """Take every message due by ``until_s``; ``held`` keeps the first that is not."""
    due: list[Message] = []
    while True:
        message = held.pop() if held else next(messages, None)
        if message is None:
            return due
        if message.at_s > until_s:
            held.append(message)
            return due
        due.append(message)


def batches(
    messages: Iterator[Message], until_s: float, held: list[Message]
) -> dict[str, list[Row]]:
    """Take every message due by ``until_s``, as rows by source."""
    due: dict[str, list[Row]] = {}
    for message in due_messages(messages, until_s, held):
        due.setdefault(message.source, []).append(message.row)
    return due


def ndjson(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()


def _delay(messages: Iterator[Message], silences: Sequence[tuple[int, int]]) -> Iterator[Message]:
    """Hold what falls into a silence back to its end, as a charger's offline queue does."""
    for message in messages:
        late_s = next((end for begin, end in silences if begin <= message.at_s < end), None)
        if late_s is None:
            yield message
        else:
            row = message.row | {"received_ts": _iso(late_s)}
            yield Message(late_s, message.source, row)


def _readings(
    session: Session, curve: Curve, at_s: int, start_wh: int, context: str
) -> Iterator[Message]:
    since_s = at_s - session.arrival_s
    ends = context == "Transaction.End"
    delivered_wh = curve.total_wh if ends else curve.energy_wh(since_s)
    power_w = 0.0 if ends else round(curve.power_w(since_s), 1)
    for measurand, value, unit in (
        ("Energy.Active.Import.Register", float(start_wh + delivered_wh), "Wh"),
        ("Power.Active.Import", power_w, "W"),
        ("Current.Import", round(power_w / VOLTAGE_V, 2), "A"),
        ("Voltage", VOLTAGE_V, "V"),
    ):
        row: Row = {
            "connector_id": 1,
            "transaction_id": str(session.number),
            "measurand": measurand,
            "context": context,
            "location": "Outlet",
            "value": value,
            "unit": unit,
            "value_si": value,
            "unit_si": unit,
        }
        yield _message("charger_readings", session.charge_point_id, at_s, row)


def _transaction(session: Session, kind: str, at_s: int, register_wh: int) -> Message:
    stops = kind == "STOP"
    row: Row = {
        "connector_id": 1,
        "transaction_id": str(session.number),
        "event_type": kind,
        "id_tag": f"ACN-{session.number}" if session.claimed else "UNCLAIMED",
        "meter_wh": register_wh,
        "stop_reason": "EVDisconnected" if stops else None,
    }
    return _message("charger_transactions", session.charge_point_id, at_s, row)


def _status(charge_point_id: str, at_s: int, status: str) -> Message:
    row: Row = {"connector_id": 1, "status": status, "error_code": "NoError"}
    return _message("charger_status", charge_point_id, at_s, row)


def _message(source: str, charge_point_id: str, at_s: int, row: Row) -> Message:
    stamp = _iso(at_s)
    named: Row = {"charge_point_id": charge_point_id}
    return Message(at_s, source, named | row | {"event_ts": stamp, "received_ts": stamp})


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day_start_s(at_s: int) -> int:
    return (at_s - LOCAL_OFFSET_S) // DAY_S * DAY_S + LOCAL_OFFSET_S


def _chance(name: str, one_in: int) -> bool:
    return zlib.crc32(name.encode()) % one_in == 0
