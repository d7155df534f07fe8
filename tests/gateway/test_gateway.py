"""The gateway over sockets: who is let in, what is stored, and how connections end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.gateway.site import BOOT_16, Site, site
from voltstream.core.errors import StorageFault
from voltstream.ocpp.doors import FAREWELL_S
from voltstream.ocpp.passwords import hashed
from voltstream.runtime.instance import Instance

PASSWORD = b"sixteen-bytes-at-least"
STAMP = "2026-06-01T12:00:00Z"
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 120))


async def refusal(where: Site, name: str, **how: Any) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with where.client(name, **how):
            pass
    return caught.value.response.status_code


def test_a_session_of_each_version_becomes_rows(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            async with where.client("S-16") as one:
                start = await one.call(
                    "StartTransaction", connectorId=1, idTag="T", meterStart=100, timestamp=STAMP
                )
                await one.call(
                    "StopTransaction", transactionId=start["transactionId"], meterStop=350,
                    timestamp="2026-06-01T13:00:00Z",
                )  # fmt: skip
            for protocol in ("ocpp2.0.1", "ocpp2.1"):
                async with where.client("S-" + protocol, protocol) as two:
                    for number, kind in enumerate(("Started", "Ended")):
                        value = {"timestamp": STAMP, "sampledValue": [{"value": 5.5 + number}]}
                        await two.call(
                            "TransactionEvent", eventType=kind, timestamp=STAMP, seqNo=number,
                            triggerReason="Authorized", transactionInfo={"transactionId": "x"},
                            evse={"id": 1}, meterValue=[value],
                        )  # fmt: skip
            found = await where.rows(
                "SELECT charge_point_id, SUM(delta_wh) FROM charger_readings "
                "WHERE charge_point_id LIKE 'S-%' GROUP BY 1 ORDER BY 1"
            )
            assert found == [("S-16", 250.0), ("S-ocpp2.0.1", 1.0), ("S-ocpp2.1", 1.0)]
            frames = await where.rows(
                "SELECT action, reply IS NOT NULL FROM charger_frames "
                "WHERE charge_point_id = 'S-16' ORDER BY raw_id"
            )
            assert frames == [
                ("BootNotification", True),
                ("StartTransaction", True),
                ("StopTransaction", True),
            ]

    run(work())


def test_a_message_sent_again_after_a_lost_answer_leaves_one_row(instance: Instance) -> None:
    async def work() -> None:
        start = {"connectorId": 1, "idTag": "T", "meterStart": 1, "timestamp": STAMP}
        async with site(instance) as where:
            async with where.client("AGAIN") as one:
                first = await one.call("StartTransaction", **start)
                values = [{"timestamp": STAMP, "sampledValue": [{"value": "7"}]}]
                for _ in range(2):
                    assert await one.call("MeterValues", connectorId=1, meterValue=values) == {}
            async with where.client("AGAIN", boot=False) as one:
                assert await one.call("StartTransaction", **start) == first
        # The same in a gateway that knows only what was stored.
        async with site(instance) as where, where.client("AGAIN", boot=False) as one:
            assert await one.call("StartTransaction", **start) == first
            assert await one.call("MeterValues", connectorId=1, meterValue=values) == {}
            other = await one.call("StartTransaction", **start | {"idTag": "U"})
            assert other["transactionId"] > first["transactionId"]
            found = await where.rows(
                "SELECT event_type, COUNT(*) FROM charger_transactions "
                "WHERE charge_point_id = 'AGAIN' GROUP BY 1 ORDER BY 1"
            )
            assert found == [("START", 2)]
            readings = await where.rows(
                "SELECT COUNT(*) FROM charger_readings "
                "WHERE charge_point_id = 'AGAIN' AND origin = 'METER_VALUES'"
            )
            assert readings == [(1,)]

    run(work())


def test_the_state_of_a_session_survives_a_restart(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where, where.client("RESTART", "ocpp2.0.1") as one:
            await _event(one, "Started", 0, 100.0, evse={"id": 1, "connectorId": 1})
        async with site(instance) as where:
            async with where.client("RESTART", "ocpp2.0.1", boot=False) as one:
                await _event(one, "Ended", 1, 140.0)
            found = await where.rows(
                "SELECT event_type, evse_id, connector_id, meter_wh FROM charger_transactions "
                "WHERE charge_point_id = 'RESTART' ORDER BY raw_id"
            )
            assert found == [("START", 1, 1, 100), ("STOP", 1, 1, 140)]
            energy = await where.rows(
                "SELECT SUM(delta_wh) FROM charger_readings WHERE charge_point_id = 'RESTART'"
            )
            assert energy == [(40.0,)]

    run(work())


async def _event(client: Any, kind: str, number: int, wh: float, **fields: Any) -> None:
    stamp = f"2026-06-01T12:0{number}:00Z"
    value = {"timestamp": stamp, "sampledValue": [{"value": wh}]}
    answer = await client.call(
        "TransactionEvent", eventType=kind, timestamp=stamp, seqNo=number, meterValue=[value],
        triggerReason="Authorized", transactionInfo={"transactionId": "x"}, **fields,
    )  # fmt: skip
    assert answer == {}


def test_what_cannot_be_stored_is_an_internal_error_and_may_come_again(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        start = {"connectorId": 1, "idTag": "T", "meterStart": 1, "timestamp": STAMP}
        async with site(instance) as where, where.client("DISK") as one:

            def full(*_: object) -> None:
                raise StorageFault("the disk is full")

            with monkeypatch.context() as patch:
                patch.setattr(instance, "submit_together", full)
                assert await one.call("StartTransaction", "a", **start) == "InternalError"
            answer = await one.call("StartTransaction", "a", **start)
            assert answer["idTagInfo"] == {"status": "Accepted"}
            found = await where.rows(
                "SELECT transaction_id FROM charger_transactions WHERE charge_point_id = 'DISK'"
            )
            assert found == [(str(answer["transactionId"]),)]

    run(work())


def test_tc_a_01_to_a_03_and_085_basic_authentication(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, anonymous="never") as where:
            assert await refusal(where, "SECRET") == 401
            raw = bytes(range(190, 210))
            for name, text in (("SECRET", PASSWORD.decode()), ("RAW", raw.hex())):
                await where.rows(
                    "INSERT INTO charge_point_secrets VALUES "
                    f"('{name}', '{hashed(text)}', 1, NOW())"
                )
            await asyncio.sleep(1.1)
            assert await refusal(where, "SECRET", password=b"wrong-wrong-wrong") == 401
            assert await refusal(where, "SECRET", password=PASSWORD, user="OTHER") == 401
            assert await refusal(where, "SECRET") == 401
            assert await refusal(where, "NOBODY", password=PASSWORD) == 401
            for _ in range(2):
                async with where.client("SECRET", password=PASSWORD):
                    pass
            # A key of 1.6 is 20 raw bytes on the wire, and 40 hex digits where it is configured.
            async with where.client("RAW", password=raw):
                pass
            await where.gateway.journal.commit({})
            events = await where.rows(
                "SELECT event, security_profile, COUNT(*) FROM charger_connections "
                "WHERE charge_point_id = 'SECRET' AND event <> 'disconnected' GROUP BY 1, 2 "
                "ORDER BY 1"
            )
            assert events == [("connected", 1, 2), ("refused", None, 4)]

    run(work())


def test_a_charger_with_a_password_cannot_come_without_one(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, anonymous="always") as where:
            async with where.client("NO-SECRET"):
                pass
            await where.rows(
                "INSERT INTO charge_point_secrets VALUES "
                f"('NO-SECRET', '{hashed(PASSWORD.decode())}', 2, NOW())"
            )
            await asyncio.sleep(1.1)
            assert await refusal(where, "NO-SECRET") == 401
            # Its profile is 2: a right password over plain TCP is not enough.
            assert await refusal(where, "NO-SECRET", password=PASSWORD) == 401

    run(work())


def test_paths_without_an_identity_are_not_found(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            assert await refusal(where, "x", path="/ocpp/..") == 404
            assert await refusal(where, "x", path="/") == 404
            assert await refusal(where, "x", path="/ocpp/" + "y" * 300) == 404
            async with where.client("TRAILING", path="/ocpp/TRAILING/"):
                pass

    run(work())


def test_088_without_a_common_subprotocol_the_handshake_ends_in_a_close(
    instance: Instance,
) -> None:
    async def work() -> None:
        async with site(instance) as where:
            for offered in ([Subprotocol("ocpp1.5")], None):
                url = f"ws://127.0.0.1:{where.gateway.port}/ocpp/CP"
                async with connect(url, subprotocols=offered) as socket_:
                    assert socket_.subprotocol is None
                    await socket_.wait_closed()
                    assert socket_.close_code == 1002
            async with where.client("CP", "ocpp2.1", "ocpp1.6") as one:
                assert one.socket.subprotocol == "ocpp2.1"

    run(work())


def test_tc_b_30_nothing_but_a_boot_before_acceptance(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, unknown_chargers="Pending") as where:
            async with where.client("WAITS", boot=False) as one:
                assert await one.call("StatusNotification", **STATUS) == "SecurityError"
                assert (await one.call("BootNotification", **BOOT_16))["status"] == "Pending"
                assert await one.call("Heartbeat") == "SecurityError"
                await where.rows("INSERT INTO charge_points VALUES ('WAITS', 'site', NOW())")
                await asyncio.sleep(1.1)
                assert (await one.call("BootNotification", **BOOT_16))["status"] == "Accepted"
                assert "currentTime" in await one.call("Heartbeat")
            # A charger that was accepted once need not boot to be heard.
            async with where.client("WAITS", boot=False) as one:
                assert await one.call("StatusNotification", **STATUS) == {}

    run(work())


def test_frames_that_are_not_text_or_too_long_end_the_connection(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            async with where.client("BINARY") as one:
                await one.socket.send(b"\x00\x01")
                assert await one.closed() == 1003
            async with where.client("LONG") as one:
                await one.socket.send("x" * (1024 * 1024 + 1))
                assert await one.closed() == 1009
            async with where.client("EARLY", boot=False) as one:
                await one.socket.send('[2,"1","Heartbeat",{"x":"' + "y" * 200_000 + '"}]')
                assert await one.closed() == 1009

    run(work())


def test_the_newer_connection_of_a_charger_wins(instance: Instance) -> None:
    async def work() -> None:
        async with (
            site(instance) as where,
            where.client("TWICE") as old,
            where.client("TWICE", boot=False) as new,
        ):
            assert await old.closed() == 4000
            assert "currentTime" in await new.call("Heartbeat")

    run(work())


def test_messages_sent_without_waiting_are_answered_in_order(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where, where.client("HASTY") as one:
            for number in range(5):
                stamp = f"2026-06-01T12:00:0{number}Z"
                await one.socket.send(
                    json.dumps(
                        [2, f"n{number}", "StatusNotification", STATUS | {"timestamp": stamp}]
                    )
                )
            answers = [json.loads(await one.socket.recv())[1] for _ in range(5)]
            assert answers == [f"n{number}" for number in range(5)]

    run(work())


def test_a_stop_of_the_server_says_so(instance: Instance) -> None:
    async def work() -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with site(instance) as where:
                one = await stack.enter_async_context(where.client("GOODBYE"))
            assert await one.closed() == 1001

    run(work())


def test_a_stop_waits_for_nobody_who_is_silent(instance: Instance) -> None:
    async def work() -> float:
        async with contextlib.AsyncExitStack() as stack:
            async with site(instance) as where:
                hung = await stack.enter_async_context(where.client("HUNG"))
                hung.socket.transport.pause_reading()  # Its close frame is never read.
                polite = await stack.enter_async_context(where.client("POLITE"))
                _, trickling = await asyncio.open_connection("127.0.0.1", where.gateway.port)
                trickling.write(b"GET /ocpp/SLOW HTTP/1.1\r\n")
                await trickling.drain()
                begin_s = time.monotonic()
            took_s = time.monotonic() - begin_s
            assert await polite.closed() == 1001
            hung.socket.transport.abort()
            trickling.close()
            return took_s

    assert run(work()) < FAREWELL_S + 2


def test_what_was_refused_is_in_quarantine(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            async with where.client("ODD") as one:
                assert await one.call("StatusNotification") == "OccurenceConstraintViolation"
                await one.socket.send("nonsense")
                assert json.loads(await one.socket.recv())[:3] == [4, "-1", "FormationViolation"]
                await one.call("Heartbeat")
            found = await where.rows(
                "SELECT frame, error_code FROM charger_frames WHERE charge_point_id = 'ODD' "
                "AND error_code IS NOT NULL ORDER BY raw_id"
            )
            assert [code for _, code in found] == [
                "OccurenceConstraintViolation",
                "FormationViolation",
            ]
            assert found[1][0] == "nonsense"

    run(work())
