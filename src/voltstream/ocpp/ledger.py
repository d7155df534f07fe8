"""Issues charge detail records: when a session is whole, and again when late rows change it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.ocpp import cdr, chain
from voltstream.ocpp.abandoned import abandon, forgotten
from voltstream.ocpp.asking import Asker, literal
from voltstream.ocpp.charger import Charger, Session
from voltstream.ocpp.draft import Draft
from voltstream.ocpp.energy import Point
from voltstream.ocpp.fleet import Fleet
from voltstream.ocpp.frames import document
from voltstream.ocpp.journal import Journal
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.recall import micros
from voltstream.ocpp.versions import Version

TICK_S = 1.0
SWEEP_S = 60.0  # How often sessions are looked for that nobody ended.
_TOGETHER = 500  # Sessions reckoned at a time: their rows are read in one question.
_OF_A_SESSION = frozenset({"charger_transactions", "charger_readings"})

Key = tuple[str, str]
log = logging.getLogger(__name__)
_HEAD = "SELECT chain_no, hash FROM charge_detail_records ORDER BY chain_no DESC LIMIT 1"
_LEFT_BEHIND = """
SELECT DISTINCT t.charge_point_id, t.transaction_id
FROM charger_transactions AS t
LEFT JOIN (
    SELECT charge_point_id, transaction_id, MAX(issued_at) AS issued_at
    FROM charge_detail_records GROUP BY charge_point_id, transaction_id
) AS c ON c.charge_point_id = t.charge_point_id AND c.transaction_id = t.transaction_id
WHERE t.event_type = 'STOP' AND t.transaction_id IS NOT NULL AND t.raw_id IS NOT NULL
  AND (c.issued_at IS NULL OR t.received_ts > c.issued_at)
"""
# One literal for all of them: a list of a thousand costs more to be read than to be answered.
_PAIRS = "(SELECT e ->> 0 AS c, e ->> 1 AS t FROM jsonb_array_elements({pairs}::JSONB) AS e)"
_DUE = f"JOIN {_PAIRS} AS d ON r.charge_point_id = d.c AND r.transaction_id = d.t"
_EVENTS = f"""
SELECT r.charge_point_id, r.transaction_id, r.event_type, r.evse_id, r.connector_id, r.event_ts,
       r.corrected_ts, r.id_tag, r.id_token_type, r.stop_reason, r.seq_no, r.charging_state,
       r.offline, r.time_spent_charging_s, r.remote_start_id, r.flags, r.raw_id, r.received_ts,
       r.phases_used
FROM charger_transactions AS r {_DUE} ORDER BY r.raw_id
"""
_POINTS = f"""
SELECT r.charge_point_id, r.transaction_id, r.event_ts, r.corrected_ts, r.measurand, r.context,
       r.phase, r.value_si, r.origin, r.flags, s.raw_id IS NOT NULL AS is_signed
FROM charger_readings AS r {_DUE}
LEFT JOIN (
    SELECT DISTINCT r.raw_id, r.ordinal FROM charger_signed_values AS r {_DUE}
) AS s ON s.raw_id = r.raw_id AND s.ordinal = r.ordinal
WHERE r.received_ts >= {{since}} AND r.value_si IS NOT NULL AND r.location = 'Outlet'
  AND r.measurand IN ('Energy.Active.Import.Register', 'Energy.Active.Export.Register',
                      'Energy.Active.Import.Interval', 'Power.Active.Import')
"""
_HASHES = """
SELECT f.raw_id, f.sha256 FROM charger_frames AS f
JOIN (SELECT CAST(unnest(string_to_array({ids}, ',')) AS BIGINT) AS id) AS d ON d.id = f.raw_id
WHERE f.received_ts >= {since}
"""
_PLACES = f"""
SELECT d.c, p.site, p.tariff_id, p.currency, p.power_max_w, b.ocpp_version
FROM (SELECT DISTINCT c FROM {_PAIRS} AS v) AS d
LEFT JOIN charge_points AS p ON p.charge_point_id = d.c
LEFT JOIN (
    SELECT DISTINCT ON (charge_point_id) charge_point_id, ocpp_version FROM charger_boots
    ORDER BY charge_point_id, received_ts DESC
) AS b ON b.charge_point_id = d.c
"""
_SIGNED = f"""
SELECT r.charge_point_id, r.transaction_id, r.signed_data FROM charger_signed_values AS r {_DUE}
WHERE r.received_ts >= {{since}} AND r.signed_data IS NOT NULL
ORDER BY r.event_ts, r.raw_id, r.ordinal
"""
_KEYS = "SELECT meter_serial_number, public_key FROM meter_keys"
_ISSUED = f"""
SELECT DISTINCT ON (r.charge_point_id, r.transaction_id) r.charge_point_id, r.transaction_id,
       {", ".join(f"r.{name}" for name in chain.COLUMNS)}
FROM charge_detail_records AS r {_DUE}
ORDER BY r.charge_point_id, r.transaction_id, r.version DESC
"""


class Ledger:
    """Knows which sessions wait for their record.

    Law: every session that has an end gets exactly one record that nothing supersedes; a record
    follows the one before it in the chain, also across restarts.
    """

    def __init__(
        self,
        asker: Asker,
        fleet: Fleet,
        journal: Journal,
        clock: Clock,
        *,
        settle_s: float,
        settle_gaps_s: float,
        settle_offline_s: float,
    ) -> None:
        self._asker = asker
        self._fleet = fleet
        self._journal = journal
        self._clock = clock
        self._settle_s = settle_s
        self._settle_gaps_s = settle_gaps_s
        self._settle_offline_s = settle_offline_s
        self._due: dict[Key, float] = {}
        self._head: tuple[int, str] | None = None
        self._issuing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._swept_s = clock.monotonic_s()

    async def start(self) -> None:
        """Find what was left behind, and begin. Raises: VoltstreamError."""
        for charger, transaction_id in await self._asker.rows(_LEFT_BEHIND):
            self._due[charger, transaction_id] = self._clock.monotonic_s() + self._settle_s
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def touch(self, draft: Draft) -> None:
        """Note what a message changed; called when its rows are durable."""
        for relation in _OF_A_SESSION & draft.rows.keys():
            for row in draft.rows[relation]:
                transaction_id = row.get("transaction_id")
                session = draft.charger.sessions.get(transaction_id or "")
                if session is not None and session.stop_us is not None:
                    self._schedule(draft.charger, session, draft)

    def _schedule(self, charger: Charger, session: Session, draft: Draft) -> None:
        """Wait the shorter, the surer it is that nothing more will come."""
        wait_s = self._settle_s
        if not session.started or session.stop_is_estimated or _has_gaps(session):
            is_offline = bool(draft.flags & Quality.OFFLINE) or bool(draft.payload.get("offline"))
            wait_s = self._settle_offline_s if is_offline else self._settle_gaps_s
        self._due[charger.name, session.transaction_id] = self._clock.monotonic_s() + wait_s

    def hasten(self) -> None:
        """Wait no longer for what is missing: an operator closes a period."""
        self._due = dict.fromkeys(self._due, self._clock.monotonic_s())

    async def close_forgotten(self) -> int:
        """End sessions whose end was lost, so that they get a record. Raises: VoltstreamError."""
        now_us = self._clock.now_us()
        found = list(forgotten(self._fleet.chargers(), now_us))
        drafts = []
        for charger, session in found:
            draft = Draft(charger, Version.V16, "", {}, now_us, self._fleet.next_id())
            abandon(draft, session, now_us)
            drafts.append(draft)
        rows = [row for draft in drafts for row in draft.rows["charger_transactions"]]
        if rows:
            try:
                await self._journal.commit({"charger_transactions": rows})
            except VoltstreamError:
                for charger, _ in found:
                    charger.stale = True
                raise
        for draft in drafts:
            self.touch(draft)
        return len(found)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                if self._clock.monotonic_s() - self._swept_s >= SWEEP_S:
                    self._swept_s = self._clock.monotonic_s()
                    await self.close_forgotten()
                while await self.issue():
                    pass
            except VoltstreamError as error:
                self._head = None
                log.error("charge detail records have to wait: %s", error.message)

    async def issue(self) -> int:
        """Issue what is due. Returns how many sessions were looked at. Raises: VoltstreamError."""
        async with self._issuing:  # The chain has one end.
            return await self._issue()

    async def _issue(self) -> int:
        now_s = self._clock.monotonic_s()
        keys = [key for key, due_s in self._due.items() if due_s <= now_s][:_TOGETHER]
        if not keys:
            return 0
        if self._head is None:
            rows = await self._asker.rows(_HEAD)
            self._head = (rows[0][0], rows[0][1]) if rows else (0, chain.GENESIS)
        records = await asyncio.to_thread(self._reckoned, keys)
        for key in keys:
            if self._due.get(key, now_s + 1) <= now_s:
                del self._due[key]
        if records:
            number, previous = self._head
            for record in records:
                number += 1
                record |= {"chain_no": number, "previous_hash": previous}
                previous = record["hash"] = chain.sealed(record)
            rows_ = [_stored(record) for record in records]
            try:
                await self._journal.commit({"charge_detail_records": rows_})
            except VoltstreamError:
                for key in keys:
                    self._due.setdefault(key, now_s)
                raise
            self._head = (number, previous)
        return len(keys)

    def _reckoned(self, keys: Sequence[Key]) -> list[dict[str, Any]]:
        """Reckon sessions anew; return records whose content was not issued yet."""
        pairs = literal(document(list(keys)))
        ask = self._asker.rows_now
        events: dict[Key, list[cdr.Event]] = {}
        for charger, transaction_id, *rest in ask(_EVENTS.format(pairs=pairs)):
            events.setdefault((charger, transaction_id), []).append(_event(rest))
        if not events:
            return []
        first_us = min(one.corrected_us for group in events.values() for one in group)
        since = f"to_timestamp({first_us // 1_000_000}) - INTERVAL '1 day'"
        points: dict[Key, list[tuple[Point, int]]] = {}
        for charger, transaction_id, *rest in ask(_POINTS.format(pairs=pairs, since=since)):
            points.setdefault((charger, transaction_id), []).append(_point(rest))
        ids = literal(",".join(str(one.raw_id) for group in events.values() for one in group))
        hashes = dict(ask(_HASHES.format(ids=ids, since=since)))
        places = {row[0]: cdr.Place(*row[1:]) for row in ask(_PLACES.format(pairs=pairs))}
        signed: dict[Key, list[str]] = {}
        for charger, transaction_id, data in ask(_SIGNED.format(pairs=pairs, since=since)):
            signed.setdefault((charger, transaction_id), []).append(data)
        meter_keys = dict(ask(_KEYS)) if signed else {}
        issued = {
            (row[0], row[1]): dict(zip(chain.COLUMNS, row[2:], strict=True))
            for row in ask(_ISSUED.format(pairs=pairs))
        }
        now = cdr.instant(self._clock.now_us())
        found = []
        for key, group in events.items():
            before = issued.get(key)
            place = cdr.as_issued(places.get(key[0], cdr.Place()), before)
            values = signed.get(key, ())
            proof = cdr.signed_energy(values, meter_keys)
            told, samples = cdr.dated(group, points.get(key, ()))
            seal = cdr.signed_seal(values)
            record = cdr.build(*key, told, samples, place, hashes, proof, seal)
            if record is None or (before and chain.content(before) == chain.content(record)):
                continue
            version = before["version"] + 1 if before else 1
            found.append(
                record
                | {
                    "cdr_id": cdr.cdr_number(*key, version),
                    "version": version,
                    "supersedes": before["cdr_id"] if before else None,
                    "issued_at": now,
                }
            )
        return found


def _has_gaps(session: Session) -> bool:
    seen = session.seq_seen
    return bool(seen) and max(seen) - min(seen) + 1 != len(seen)


def _stored(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as a row; instants go as microseconds."""
    return {
        name: micros(value) if name.endswith("_at") and value is not None else value
        for name, value in record.items()
    }


def _event(row: Sequence[Any]) -> cdr.Event:
    (
        kind, evse_id, connector_id, at, corrected, tag, token_type, reason, seq_no, state,
        offline, spent_s, remote_start_id, flags, raw_id, received, phases_used,
    ) = row  # fmt: skip
    return cdr.Event(
        kind, evse_id, connector_id, micros(at), micros(corrected or at), tag, token_type, reason,
        seq_no, state, bool(offline), spent_s, remote_start_id, Quality(flags or 0), raw_id or 0,
        micros(received or at), phases_used,
    )  # fmt: skip


def _point(row: Sequence[Any]) -> tuple[Point, int]:
    at, corrected, measurand, context, phase, value, origin, flags, is_signed = row
    point = Point(
        micros(at), measurand, context or "", phase, value, origin or "", Quality(flags or 0),
        bool(is_signed),
    )  # fmt: skip
    return point, micros(corrected or at)
