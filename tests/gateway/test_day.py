"""A day of simulated sessions with every fault: each gets one record, right to the watt-hour."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.gateway.desk import NOON_US, Desk
from voltstream.ocpp import cdr
from voltstream.ocpp.energy import Point
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version
from voltstream.sim.plan import Charger, Session, fleet
from voltstream.sim.script import Message, Writer

HOURS = 10.0
CHARGERS = 60


def played(charger: Charger) -> tuple[Desk, dict[float, str]]:
    """Let a charger say all it has to; return the desk and the ids of its sessions."""
    desk = Desk(Version(charger.version))
    desk.charger.name = charger.name
    end_s = HOURS * 3600
    writer = Writer(charger, NOON_US / 1e6, sample_s=300, heartbeat_s=3600, end_s=end_s)
    script = writer.script()
    ids: dict[float, str] = {}
    for message in script.messages:
        ends = [end for begin, end in script.silences if begin <= message.at_s < end]
        if ends and message.action == "Heartbeat":
            continue
        at_s = max([message.at_s, *ends, desk.now_s])
        for _ in range(1 + message.twice + message.lost_reply):
            said(desk, message, at_s, ids)
    return desk, ids


def said(desk: Desk, message: Message, at_s: float, ids: dict[float, str]) -> None:
    key = message.session.start_s if message.session is not None else -1.0
    known = ids.get(key)
    payload = message.make(int(known) if known and known.isdigit() else known or 0)
    answer = desk.say(message.action, at_s, **payload)
    assert isinstance(answer, dict), (message.action, answer)
    if message.session is not None:
        found = answer.get("transactionId") or part_of(payload)
        if found is not None:
            ids[key] = str(found)


def part_of(payload: dict[str, Any]) -> str | None:
    info = payload.get("transactionInfo")
    return info["transactionId"] if info else None


def record(desk: Desk, transaction_id: str) -> dict[str, Any] | None:
    """Reckon a session from its rows, as the ledger does."""
    events = [
        cdr.Event(
            kind=row["event_type"], evse_id=row["evse_id"], connector_id=row["connector_id"],
            event_us=row["event_ts"], corrected_us=row["corrected_ts"], id_tag=row["id_tag"],
            id_token_type=row.get("id_token_type"), stop_reason=row.get("stop_reason"),
            seq_no=row.get("seq_no"), charging_state=row.get("charging_state"),
            offline=bool(row.get("offline")), spent_s=row.get("time_spent_charging_s"),
            remote_start_id=row.get("remote_start_id"), flags=Quality(row["flags"]),
            raw_id=row["raw_id"], received_us=row["received_ts"],
            phases_used=row.get("phases_used"),
        )
        for row in desk.rows["charger_transactions"]
        if row["transaction_id"] == transaction_id
    ]  # fmt: skip
    samples = [
        (Point(
            row["event_ts"], row["measurand"], row["context"], row["phase"], row["value_si"],
            row["origin"], Quality(row["flags"]),
        ), row["corrected_ts"])
        for row in desk.rows.get("charger_readings", [])
        if row["transaction_id"] == transaction_id and row["value_si"] is not None
    ]  # fmt: skip
    told, points = cdr.dated(events, samples)
    return cdr.build(desk.charger.name, transaction_id, told, points, cdr.Place(), {})


def off_wh(found: dict[str, Any], session: Session) -> float:
    return abs(float(found["energy_wh"]) - session.energy_wh)


@pytest.mark.parametrize("faults", [0.0, 1.0, 20.0], ids=["calm", "field", "dense"])
def test_every_session_gets_one_record_and_its_energy(faults: float) -> None:
    seen: Counter[str] = Counter()
    for charger in fleet(CHARGERS, HOURS, 2026, faults=faults, prefix="D-"):
        desk, ids = played(charger)
        assert len(ids) == len(charger.sessions)
        for session in charger.sessions:
            found = record(desk, ids[session.start_s])
            told = sorted(session.faults | charger.faults)
            if found is None:
                # Nobody said that it ended: it is still open, and nothing is billed.
                assert "no_stop" in session.faults, (charger.name, told)
                seen["open"] += 1
                continue
            seen["records"] += 1
            if charger.exact(session):
                assert off_wh(found, session) <= 1.01, (charger.name, told, found)
                seen["exact"] += 1
            elif off_wh(found, session) > 1.01:
                remarkable = found["flags"] or found["completeness"] != "COMPLETE"
                assert remarkable or found["outcome"] != "MATCHED", (charger.name, told, found)
                seen["flagged"] += 1
    assert seen["exact"] > 30
    assert faults < 20 or (seen["open"] and seen["flagged"])


def test_the_same_seed_gives_the_same_fleet() -> None:
    one, two = (list(fleet(20, 5, 7, faults=1.0, prefix="S-")) for _ in range(2))
    assert one == two
    scripts = [
        Writer(one[0], 0, sample_s=60, heartbeat_s=300, end_s=18_000).script() for _ in range(2)
    ]
    first, second = (
        [(message.at_s, message.action, message.make(1)) for message in script.messages]
        for script in scripts
    )
    assert first == second
    versions = {charger.version for charger in fleet(60, 1, 1, faults=0.0, prefix="V-")}
    assert versions == {"ocpp1.6", "ocpp2.0.1", "ocpp2.1"}
