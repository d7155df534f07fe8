"""What a gateway must know again after a restart, read from the rows it once made durable."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from voltstream.ocpp import streams
from voltstream.ocpp.asking import literal
from voltstream.ocpp.charger import ABANDONED, Charger, Session
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.meter_keys import pinned
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.readings import sample_key
from voltstream.ocpp.registers import MWH_PER_WH, Register
from voltstream.ocpp.v16 import start_key, stop_key

Rows = list[tuple[Any, ...]]
ChargerNamed = Callable[[str], Charger]

_SESSIONS_DAYS = 2  # Finished sessions older than this are known by their rows only.
_TRANSACTION_COLUMNS = """
    charge_point_id, transaction_id, event_type, evse_id, connector_id, event_ts, id_tag,
    meter_wh, stop_reason, seq_no, charging_state, flags, received_ts, raw_id, corrected_ts
"""

_SAMPLE_COLUMNS = """
    charge_point_id, transaction_id, evse_id, connector_id, measurand, phase, location, context,
    event_ts, value_raw, unit
"""
_STILL_OPEN = """
    NOT EXISTS (SELECT 1 FROM charger_transactions AS s
                WHERE s.charge_point_id = t.charge_point_id
                  AND s.transaction_id = t.transaction_id AND s.event_type = 'STOP')
"""


def questions(last_us: int, only: str | None = None) -> dict[str, str]:
    """Return the queries by what they are for; ``only``: about one charger.

    Units: ``last_us``, when the last frame came, in microseconds UTC.
    """
    mine = "" if only is None else f" AND charge_point_id = {literal(only)}"
    since = f"to_timestamp({last_us // US_PER_S})"
    recent = f"received_ts > {since} - INTERVAL '{_SESSIONS_DAYS} days'"
    return {
        "boots": "SELECT DISTINCT ON (charge_point_id) charge_point_id, registration "
        f"FROM charger_boots WHERE TRUE{mine} ORDER BY charge_point_id, received_ts DESC",
        "transactions": f"SELECT {_TRANSACTION_COLUMNS} FROM charger_transactions AS t "
        f"WHERE ({recent} OR {_STILL_OPEN}){mine} ORDER BY raw_id",
        "registers": "SELECT charge_point_id, evse_id, connector_id, measurand, location, phase, "
        "event_ts, value_si, register_epoch, origin, flags FROM charger_registers "
        f"WHERE TRUE{mine}",
        "samples": f"SELECT {_SAMPLE_COLUMNS} FROM charger_readings "
        f"WHERE received_ts > {since} - INTERVAL '15 minutes' AND ordinal >= 0{mine}",
        "session_samples": f"SELECT {_SAMPLE_COLUMNS} FROM charger_readings AS t "
        f"WHERE received_ts > {since} - INTERVAL '12 hours' "
        f"AND received_ts <= {since} - INTERVAL '15 minutes' AND transaction_id IS NOT NULL "
        f"AND ordinal >= 0 AND {_STILL_OPEN}{mine}",
        "frames": "SELECT charge_point_id, content_key, reply FROM charger_frames "
        f"WHERE received_ts > {since} - INTERVAL '15 minutes' AND content_key IS NOT NULL "
        f"AND error_code IS NULL{mine} ORDER BY raw_id",
        "keys": f"{_FIRST_KEYS} WHERE TRUE{mine} ORDER BY raw_id, ordinal",
        "streams": "SELECT charge_point_id, action, payload FROM charger_notifications "
        f"WHERE action IN {streams.ACTIONS}{mine} ORDER BY raw_id",
        "status": "SELECT DISTINCT ON (charge_point_id, evse_id, connector_id) charge_point_id, "
        "evse_id, connector_id, status_raw, corrected_ts FROM charger_status "
        f"WHERE corrected_ts IS NOT NULL{mine} "
        "ORDER BY charge_point_id, evse_id, connector_id, corrected_ts DESC",
    }


_FIRST_KEYS = "SELECT charge_point_id, public_key, signed_data FROM charger_public_keys"

LAST_FRAME = "SELECT MAX(received_ts) FROM charger_frames"
LAST_NUMBER = """
SELECT COALESCE(MAX(CAST(transaction_id AS BIGINT)), 0) FROM charger_transactions
WHERE event_type = 'START' AND seq_no IS NULL AND transaction_id ~ '^[0-9]{1,10}$'
"""


def restore(answers: dict[str, Rows], charger: ChargerNamed) -> None:
    """Put everything back in the order in which it depends on each other."""
    for name, registration in answers["boots"]:
        charger(name).registration = registration
    for row in answers["transactions"]:
        _transaction(charger(row[0]), row[1:])
    for row in answers["registers"]:
        _register(charger(row[0]), row[1:])
    for name, transaction_id, *key in (*answers["session_samples"], *answers["samples"]):
        session = charger(name).sessions.get(transaction_id)
        found = sample_key(*key[:6], micros(key[6]), *key[7:])
        if session is not None:
            session.is_new(found)
        else:
            charger(name).is_new_outside_sessions(found)
    for name, content_key, reply in answers["frames"]:
        if reply is not None:
            charger(name).remember(content_key, reply)
    for name, key, data in answers["keys"]:
        pinned(charger(name).meter_keys, {"publicKey": key, "signedMeterData": data})
    for name, action, payload in answers["streams"]:
        streams.again(charger(name), action, json.loads(payload))
    for name, evse_id, connector_id, raw, at in answers["status"]:
        charger(name).connector_status[evse_id, connector_id] = (raw or "", micros(at))


def _transaction(charger: Charger, row: tuple[Any, ...]) -> None:
    (
        transaction_id, kind, evse_id, connector_id, at, id_tag, meter_wh, reason, seq_no, state,
        flags, received_at, _, corrected_at,
    ) = row  # fmt: skip
    at_us = micros(at)
    if (flags or 0) & Quality.CLOCK_SKEW and corrected_at is not None:
        charger.clock.recall(micros(corrected_at) - at_us)
    session = charger.sessions.get(transaction_id)
    if session is None:
        session = Session(transaction_id, None, None, at_us, started=False, last_us=at_us)
        charger.add_session(session)
    session.start_us = min(session.start_us, at_us)
    session.last_us = max(session.last_us, at_us)
    session.heard_us = max(session.heard_us, at_us if received_at is None else micros(received_at))
    session.evse_id = evse_id if evse_id is not None else session.evse_id
    session.connector_id = connector_id if connector_id is not None else session.connector_id
    session.id_tag = session.id_tag or id_tag
    session.charging_state = state or session.charging_state
    if seq_no is not None:
        session.seq_seen.add(seq_no)
    if kind == "START":
        session.started = True
        session.meter_start_wh = meter_wh
        if seq_no is None:
            session.start_key = start_key((evse_id, connector_id), id_tag or "", at_us, meter_wh)
    estimated = bool((flags or 0) & Quality.ESTIMATED) and reason == ABANDONED
    if kind == "STOP" and (session.stop_us is None or session.stop_is_estimated):
        session.stop_us = at_us
        session.stop_key = stop_key(at_us, meter_wh, reason)
        session.stop_is_estimated = estimated


def _register(charger: Charger, row: tuple[Any, ...]) -> None:
    evse_id, connector_id, measurand, location, phase, at, value_si, epoch, origin, flags = row
    value_mwh = round(value_si * MWH_PER_WH)
    base_mwh = None
    if (flags or 0) & Quality.SESSION_RELATIVE:
        session = charger.open_session(evse_id)
        if session is None or session.meter_start_wh is None:
            return
        base_mwh = session.meter_start_wh * MWH_PER_WH
        value_mwh += base_mwh
    boundary = origin in ("START_TX", "STOP_TX")
    key = (evse_id, connector_id, measurand, location, phase)
    charger.registers[key] = Register(
        micros(at), value_mwh, epoch=epoch or 0, boundary=boundary, base_mwh=base_mwh
    )


def micros(at: datetime) -> int:
    """Return an instant as microseconds UTC, exactly."""
    seconds = int(at.replace(microsecond=0).timestamp())
    return seconds * US_PER_S + at.microsecond
