"""What chargers tell of themselves when they are asked, and what streams of 2.1 are of."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.gateway.desk import NOON_US, Desk, clock
from tests.gateway.site import site
from tests.gateway.test_commands import answers
from voltstream.core.clock import SystemClock
from voltstream.ocpp import streams
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.commanding import Commander
from voltstream.ocpp.told_variables import told_variables
from voltstream.ocpp.versions import Version
from voltstream.runtime.instance import Instance

INTERVAL = {"component": {"name": "SampledDataCtrlr", "evse": {"id": 1}},
            "variable": {"name": "TxUpdatedInterval"}}  # fmt: skip
PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}


def told(action: str, payload: Any, reply: Any) -> list[tuple[Any, ...]]:
    rows = told_variables("CP", action, payload, reply, 7)
    assert all((row["charge_point_id"], row["as_of"]) == ("CP", 7) for row in rows)
    return [(row["variable"], row["attribute"], row["value"]) for row in rows]


def test_answers_of_16_are_variables() -> None:
    reply = {"configurationKey": [
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "60"},
        {"key": "AuthorizationKey", "readonly": False, "value": "secret"},
        {"key": "NumberOfConnectors", "readonly": True},
    ], "unknownKey": ["Bogus"]}  # fmt: skip
    assert told("GetConfiguration", {}, reply) == [
        ("MeterValueSampleInterval", "Actual", "60"),
        ("AuthorizationKey", "Actual", None),
        ("NumberOfConnectors", "Actual", None),
    ]
    for status, rows in (
        ("Accepted", [("K", "Actual", "5")]),
        ("RebootRequired", [("K", "Target", "5")]),
        ("Rejected", []),
    ):
        assert told("ChangeConfiguration", {"key": "K", "value": "5"}, {"status": status}) == rows
    assert told("Reset", {"type": "Soft"}, {"status": "Accepted"}) == []


def test_answers_of_2_are_variables() -> None:
    results = [INTERVAL | {"attributeStatus": "Accepted", "attributeValue": "30"},
               INTERVAL | {"attributeStatus": "UnknownVariable"},
               PASSWORD | {"attributeStatus": "Accepted", "attributeValue": "secret"}]  # fmt: skip
    assert told("GetVariables", {}, {"getVariableResult": results}) == [
        ("TxUpdatedInterval", "Actual", "30"),
        ("BasicAuthPassword", "Actual", None),
    ]
    asked = {"setVariableData": [INTERVAL | {"attributeValue": "15"},
                                 PASSWORD | {"attributeValue": "secret"}]}  # fmt: skip
    reply = {"setVariableResult": [PASSWORD | {"attributeStatus": "RebootRequired"},
                                   INTERVAL | {"attributeStatus": "Accepted"}]}  # fmt: skip
    assert told("SetVariables", asked, reply) == [
        ("BasicAuthPassword", "Target", None),
        ("TxUpdatedInterval", "Actual", "15"),
    ]
    assert told("SetVariables", asked, {"setVariableResult": "nonsense"}) == []


def test_a_stream_is_named_by_the_report_on_monitors() -> None:
    desk = Desk(Version.V21)
    report = {
        "requestId": 1, "seqNo": 0, "generatedAt": clock(0),
        "monitor": [{"component": {"name": "Inverter"}, "variable": {"name": "Temperature"},
                     "variableMonitoring": [{"id": 7, "transaction": False, "value": 5.0,
                                             "type": "Periodic", "severity": 8,
                                             "eventNotificationType": "CustomMonitor"}]}],
    }  # fmt: skip
    opening = {"constantStreamData": {"id": 3, "variableMonitoringId": 7,
                                      "params": {"interval": 1, "values": 1}}}  # fmt: skip
    assert desk.say("NotifyMonitoringReport", 0, **report) == {}
    assert desk.say("OpenPeriodicEventStream", 1, **opening) == {"status": "Accepted"}
    sent = {"id": 3, "pending": 0, "basetime": clock(2), "data": [{"t": 1.5, "v": "41"}]}
    desk.say("NotifyPeriodicEventStream", 3, **sent)
    desk.say("ClosePeriodicEventStream", 4, id=3)
    desk.say("NotifyPeriodicEventStream", 5, **sent)
    named, unnamed = desk.rows["charger_events"]
    assert (named["component"], named["variable"], named["monitoring_id"]) == (
        "Inverter", "Temperature", 7)  # fmt: skip
    assert named["event_ts"] == NOON_US + 3_500_000
    assert (unnamed["stream_id"], unnamed["variable"]) == (3, None)
    # After a restart the stored messages tell the same.
    again = Charger("CP-1")
    for row in desk.rows["charger_notifications"][:2]:
        streams.again(again, row["action"], json.loads(row["payload"]))
    assert streams.about(again, 3)["variable"] == "Temperature"


def test_the_device_model_is_a_history_and_a_report_is_whole_or_not(instance: Instance) -> None:
    async def page(client: Any, request: int, number: int, more: bool, value: str) -> None:
        data = [INTERVAL | {"variableAttribute": [{"value": value}]}]
        stamp = f"2026-06-01T12:0{number}:00Z"
        given = {"requestId": request, "seqNo": number, "generatedAt": stamp, "tbc": more}
        answer = await client.call("NotifyReport", **given, reportData=data)
        assert answer == {}

    async def work() -> None:
        async with site(instance) as where, where.client("MODEL", "ocpp2.0.1") as one:
            instance.commands = Commander(where.gateway, SystemClock())
            await page(one, 1, 0, True, "60")
            await page(one, 1, 2, False, "60")
            await page(one, 2, 0, True, "60")
            end = {"requestId": 2, "seqNo": 1, "generatedAt": "2026-06-01T12:05:00Z"}
            assert await one.call("NotifyReport", **end) == {}
            whole = await where.rows(
                "SELECT request_id, pages, is_complete FROM device_reports "
                "WHERE charge_point_id = 'MODEL' ORDER BY 1"
            )
            assert whole == [(1, 2, False), (2, 2, True)]
            reply = {"setVariableResult": [INTERVAL | {"attributeStatus": "Accepted"}]}
            serving = asyncio.create_task(answers(one, reply))
            written = json.dumps({"setVariableData": [INTERVAL | {"attributeValue": "15"}]})
            [row] = await where.rows(f"SELECT ocpp_call('MODEL', 'SetVariables', '{written}')")
            assert row[3] == "answered"
            await serving
            model = await where.rows(
                "SELECT variable, evse_id, value, valid_to IS NULL FROM device_model "
                "WHERE charge_point_id = 'MODEL' ORDER BY valid_from"
            )
            assert model == [("TxUpdatedInterval", 1, "60", False),
                             ("TxUpdatedInterval", 1, "15", True)]  # fmt: skip
            await where.gateway.journal.commit({})
            out = await where.rows(
                "SELECT action, frame LIKE '[2,%' FROM charger_frames "
                "WHERE charge_point_id = 'MODEL' AND direction = 'out'"
            )
            assert out == [("SetVariables", True)]

    asyncio.run(asyncio.wait_for(work(), 120))
