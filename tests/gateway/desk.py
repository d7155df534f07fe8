"""A charge point at a desk: messages in, answers and rows out, without socket or database."""

from __future__ import annotations

import json
from typing import Any

from voltstream.ocpp import dispatch
from voltstream.ocpp.archive import content_key
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.conversation import Conversation, Refusal, Request
from voltstream.ocpp.draft import Draft, Row
from voltstream.ocpp.frames import document
from voltstream.ocpp.instants import spell_instant
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.tokens import Verdict
from voltstream.ocpp.v16 import Numbers
from voltstream.ocpp.vendors import Vendors
from voltstream.ocpp.versions import Version

NOON_US = 1_780_315_200_000_000  # 2026-06-01T12:00:00Z
WH = "Energy.Active.Import.Register"


def clock(seconds: float) -> str:
    """Return the time so many seconds after noon, as a charger writes it."""
    return spell_instant(NOON_US + round(seconds * 1e6))


class Desk:
    """One charger of one version. ``now_s`` counts from noon."""

    def __init__(
        self,
        version: Version = Version.V16,
        *,
        strict: bool = False,
        vendors: Vendors | None = None,
    ) -> None:
        self.version = version
        self.charger = Charger("CP-1")
        self.charger.registration = "Accepted"
        self.now_s = 0.0
        self.verdict = Verdict()
        self.rows: dict[str, list[Row]] = {}
        self.numbers = Numbers(0, 0)
        self.flags = Quality.OK
        self._strict = strict
        self._vendors = vendors or Vendors({})
        self._count = 0

    def say(self, action: str, at: float | None = None, /, **payload: Any) -> Any:
        """Send a CALL; return the payload of its answer, or the code of the error."""
        if at is not None:
            self.now_s = at
        self._count += 1
        conversation = Conversation(self.version, strict=self._strict, accepted=True)
        kind = 6 if action == "NotifyPeriodicEventStream" else 2
        event = conversation.receive(json.dumps([kind, str(self._count), action, payload]))
        if isinstance(event, Refusal):
            return event.code
        assert isinstance(event, Request), event
        key = content_key(action, event.payload)
        if key is not None and key in self.charger.recent:
            self.flags = Quality.DUPLICATE
            return json.loads(self.charger.recent[key])
        draft = Draft(
            charger=self.charger,
            version=self.version,
            action=action,
            payload=event.payload,
            received_us=NOON_US + round(self.now_s * 1e6),
            raw_id=self._count,
            flags=event.flags,
            verdict=self.verdict,
            transfer=self._vendors.status(event.payload),
        )
        answer = dispatch.handle(draft, self.numbers)
        self.flags = draft.flags
        for relation, rows in draft.rows.items():
            self.rows.setdefault(relation, []).extend(rows)
        if key is not None:
            self.charger.remember(key, document(answer))
        return answer

    # --- words of 1.6 ---------------------------------------------------------------------------

    def start(self, at: float, wh: Any = 0, connector: int = 1, tag: str = "TAG") -> int:
        answer = self.say(
            "StartTransaction", at, connectorId=connector, idTag=tag, timestamp=clock(at),
            meterStart=wh,
        )  # fmt: skip
        return int(answer["transactionId"])

    def meter(self, at: float, *values: Any, connector: int = 1, **fields: Any) -> Any:
        """Send MeterValues: each value a register in Wh, or a whole sampled value."""
        sampled = [one if isinstance(one, dict) else {"value": str(one)} for one in values]
        return self.say(
            "MeterValues", at, connectorId=connector,
            meterValue=[{"timestamp": clock(at), "sampledValue": sampled}], **fields,
        )  # fmt: skip

    def stop(self, at: float, number: int, wh: Any, **fields: Any) -> Any:
        return self.say(
            "StopTransaction", at, transactionId=number, timestamp=clock(at), meterStop=wh,
            **fields,
        )  # fmt: skip

    # --- words of 2.x ---------------------------------------------------------------------------

    def event(
        self, kind: str, at: float, seq: int, *values: Any, tx: str = "tx-1", **fields: Any
    ) -> Any:
        """Send a TransactionEvent: each value a register in Wh, or a whole sampled value."""
        info = {"transactionId": tx} | fields.pop("info", {})
        given: dict[str, Any] = {
            "evse": {"id": 1, "connectorId": 1}, "triggerReason": "ChargingStateChanged",
        } | fields  # fmt: skip
        if values:
            sampled = [one if isinstance(one, dict) else {"value": one} for one in values]
            given["meterValue"] = [{"timestamp": clock(at), "sampledValue": sampled}]
        return self.say(
            "TransactionEvent", at, eventType=kind, timestamp=clock(at),
            seqNo=seq, transactionInfo=info,
            **{key: value for key, value in given.items() if value is not None},
        )  # fmt: skip

    # --- what came of it ------------------------------------------------------------------------

    def readings(self, measurand: str = WH) -> list[Row]:
        found = self.rows.get("charger_readings", [])
        return [row for row in found if row["measurand"] == measurand]

    def transactions(self, kind: str) -> list[Row]:
        found = self.rows.get("charger_transactions", [])
        return [row for row in found if row["event_type"] == kind]

    def energy_wh(self) -> float:
        """Return the sum of accepted steps of the import register."""
        return sum(row["delta_wh"] or 0.0 for row in self.readings())


def flags_of(row: Row) -> Quality:
    return Quality(row["flags"])
