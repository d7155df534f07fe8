"""A link without a database: what is in the log before what is answered, and by whom alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from voltstream.core.clock import ManualClock
from voltstream.core.errors import TargetUnavailable
from voltstream.ocpp.edge_link import EdgeLink
from voltstream.ocpp.link import Pace
from voltstream.ocpp.registry import CHARGERS, SECRETS, TOKENS, Registry
from voltstream.ocpp.vendors import Vendors
from voltstream.ocpp.versions import Version

NOON_US = 1_780_315_200_000_000
START: dict[str, Any] = {
    "connectorId": 1,
    "idTag": "t",
    "meterStart": 5,
    "timestamp": "2026-06-01T12:00:00Z",
}


class Place:
    """A link, its log and what it sent, in the order in which they happened."""

    def __init__(self, name: str = "CP-1", registry: Registry | None = None) -> None:
        self.happened: list[tuple[str, Any]] = []
        self.broken = False
        clock = ManualClock(NOON_US)
        self.registry = registry or Registry(
            clock, unknown_chargers="Accepted", unknown_tokens="auto"
        )
        self.link = EdgeLink(name, Version.V16, 7, self._send, self._append, self.registry, clock,
                             Pace(300, 60, 30.0), strict=False)  # fmt: skip
        self._count = 0

    async def _append(self, key: str, record: Mapping[str, Any]) -> None:
        if self.broken:
            raise TargetUnavailable("no replica answers")
        self.happened.append(("logged", {**record, "key": key}))

    async def _send(self, text: str) -> None:
        self.happened.append(("sent", json.loads(text)))

    async def say(self, action: str, number: str = "", /, **payload: Any) -> Any:
        self._count += 1
        await self.link.take(json.dumps([2, number or str(self._count), action, payload]))
        return self.happened[-1][1]


def test_a_message_is_logged_before_it_is_answered() -> None:
    async def run() -> None:
        place = Place()
        answer = await place.say("StartTransaction", **START)
        assert [kind for kind, _ in place.happened] == ["logged", "sent"]
        record = place.happened[0][1]
        assert (record["key"], record["connection"], record["at"]) == ("CP-1", 7, NOON_US)
        assert record["number"] == answer[2]["transactionId"] > 0
        assert record["verdict"] == ["Accepted", None, None]

    asyncio.run(run())


def test_what_cannot_be_logged_is_refused_and_taken_when_it_comes_again() -> None:
    async def run() -> None:
        place = Place()
        place.broken = True
        assert (await place.say("StartTransaction", "9", **START))[:3] == [4, "9", "InternalError"]
        assert [kind for kind, _ in place.happened] == ["sent"]
        place.broken = False
        assert (await place.say("StartTransaction", "9", **START))[0] == 3
        assert [kind for kind, _ in place.happened] == ["sent", "logged", "sent"]

    asyncio.run(run())


def test_every_gateway_gives_the_same_start_the_same_id() -> None:
    async def run() -> None:
        here, there, other = Place(), Place(), Place("CP-2")
        ids = [(await one.say("StartTransaction", **START))[2]["transactionId"]
               for one in (here, there, other)]  # fmt: skip
        again = await here.say("StartTransaction", **START)
        later = await here.say("StartTransaction", **{**START, "meterStart": 6})
        assert ids[0] == ids[1] == again[2]["transactionId"]
        assert len({*ids, later[2]["transactionId"]}) == 3

    asyncio.run(run())


def test_what_a_vendor_was_answered_stands_in_the_log() -> None:
    async def run() -> None:
        vendors = Vendors({"v": ["known"]})
        place = Place(
            registry=Registry(
                ManualClock(NOON_US),
                unknown_chargers="Accepted",
                unknown_tokens="auto",
                vendors=vendors,
            )
        )
        for message, said in (("known", "Accepted"), ("other", "UnknownMessageId")):
            answer = await place.say("DataTransfer", message, vendorId="v", messageId=message)
            assert answer[2] == {"status": said}
        logged = [record["transfer"] for kind, record in place.happened if kind == "logged"]
        assert logged == ["Accepted", "UnknownMessageId"]

    asyncio.run(run())


def test_the_registry_decides_and_follows_its_topics() -> None:
    registry = Registry(ManualClock(NOON_US), unknown_chargers="Pending", unknown_tokens="auto")
    assert registry.verdict("any").status == "Accepted"  # An empty list lets everybody charge.
    registry.take(TOKENS, b"1", {"id_token": "Card", "status": "Blocked"})
    assert registry.verdict("CARD").status == "Blocked"
    assert registry.verdict("other").status == "Unknown"
    registry.take(TOKENS, b"1", None)
    assert registry.verdict("other").status == "Accepted"

    assert registry.registered("CP-1") is None and registry.registration("CP-1") == "Pending"
    registry.take(CHARGERS, b"1", {"charge_point_id": "CP-1", "registration": "Accepted"})
    registry.take(SECRETS, b"1", {"charge_point_id": "CP-1", "secret_hash": "h",
                                  "security_profile": 2})  # fmt: skip
    known = registry.registered("CP-1")
    assert known is not None
    assert (known.registration, known.secret_hash, known.security_profile) == ("Accepted", "h", 2)

    async def run() -> None:
        early, known = Place("CP-2", registry), Place("CP-1", registry)
        assert (await early.say("Heartbeat"))[2] == "SecurityError"  # Its boot is not accepted.
        assert (await known.say("Heartbeat"))[0] == 3

    asyncio.run(run())
