"""Commands: in the words of each version, sent, answered, and kept as rows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.gateway.site import Client, Site, site
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    ActiveTransaction,
    InsufficientPrivilege,
    InvalidParameter,
    UndefinedFunction,
    WrongObjectType,
)
from voltstream.ocpp import schemas
from voltstream.ocpp.asking import Asker
from voltstream.ocpp.commanding import Commander
from voltstream.ocpp.commands import HIDDEN, PARAMETERS, message, redacted
from voltstream.ocpp.versions import Version
from voltstream.runtime.instance import Instance
from voltstream.web.command import CommandRoute

PROFILE_16 = {
    "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {"chargingRateUnit": "A",
                         "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]},
}  # fmt: skip
PROFILE_2 = {
    "id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
                          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}],
}  # fmt: skip
GIVEN: dict[str, dict[str, str]] = {
    "ocpp_call": {"action": "ClearCache"},
    "ocpp_remote_start": {"id_token": "TAG", "evse": "1"},
    "ocpp_remote_stop": {"transaction_id": "17"},
    "ocpp_reset": {"kind": "hard"},
    "ocpp_unlock": {"connector": "1"},
    "ocpp_change_availability": {"operative": "false", "evse": "1"},
    "ocpp_get_configuration": {"names": "OCPPCommCtrlr.HeartbeatInterval"},
    "ocpp_set_configuration": {"name": "OCPPCommCtrlr.HeartbeatInterval", "value": "60"},
    "ocpp_trigger": {"message": "StatusNotification", "evse": "1"},
    "ocpp_get_report": {},
    "ocpp_clear_charging_profile": {"profile_id": "1"},
    "ocpp_update_firmware": {"location": "https://example.com/f"},
    "ocpp_get_log": {"location": "https://example.com/l"},
    "ocpp_data_transfer": {"vendor": "v", "data": "x"},
    "ocpp_send_local_list": {"version": "3", "tokens": "A, B"},
    "ocpp_clear_cache": {},
}
ACTIONS_16 = {
    "ocpp_remote_start": "RemoteStartTransaction", "ocpp_remote_stop": "RemoteStopTransaction",
    "ocpp_get_configuration": "GetConfiguration", "ocpp_get_log": "GetDiagnostics",
    "ocpp_set_configuration": "ChangeConfiguration", "ocpp_get_report": "GetConfiguration",
}  # fmt: skip


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("function", sorted(PARAMETERS))
def test_every_function_makes_a_valid_message(version: Version, function: str) -> None:
    given = GIVEN.get(function, {})
    if function == "ocpp_set_charging_profile":
        profile = PROFILE_16 if version is Version.V16 else PROFILE_2
        given = {"profile": json.dumps(profile), "evse": "1"}
    action, payload = message(version, function, given, 4711)
    assert schemas.request(version, action).is_valid(payload)
    if version is Version.V16 and function in ACTIONS_16:
        assert action == ACTIONS_16[function]


def test_what_a_schema_does_not_allow_is_not_sent() -> None:
    cases: list[tuple[str, dict[str, str | None]]] = [
        ("ocpp_remote_start", {}),
        ("ocpp_remote_stop", {"transaction_id": "x"}),
        ("ocpp_call", {"action": "BootNotification", "payload": "{}"}),
        ("ocpp_call", {"action": "Nonsense"}),
        ("ocpp_call", {"action": "Reset", "payload": '{"type":"Weird"}'}),
        ("ocpp_call", {"action": "Reset", "payload": "not JSON"}),
    ]
    for function, given in cases:
        with pytest.raises(InvalidParameter):
            message(Version.V16, function, given, 1)
    with pytest.raises(UndefinedFunction):
        message(Version.V16, "ocpp_dance", {}, 1)


def test_passwords_are_not_kept() -> None:
    _, payload = message(
        Version.V201, "ocpp_set_configuration",
        {"name": "SecurityCtrlr.BasicAuthPassword", "value": "top-secret"}, 1,
    )  # fmt: skip
    assert "top-secret" not in json.dumps(redacted(payload))
    assert redacted({"key": "AuthorizationKey", "value": "x"})["value"] == HIDDEN
    assert redacted({"key": "HeartbeatInterval", "value": "60"})["value"] == "60"


async def answers(client: Client, *replies: Any) -> list[Any]:
    """Answer commands in turn, None by silence; return what was asked."""
    asked = []
    for reply in replies:
        frame = json.loads(await asyncio.wait_for(client.socket.recv(), 30))
        asked.append(frame[2:])
        if isinstance(reply, dict):
            await client.socket.send(json.dumps([3, frame[1], reply]))
        elif reply is not None:
            await client.socket.send(json.dumps([4, frame[1], reply, "", {}]))
    return asked


async def ask(where: Site, sql: str) -> tuple[Any, ...]:
    [row] = await where.rows(sql)
    return row


def test_a_command_is_answered_and_leaves_two_rows(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, call_s=1.0) as where:
            instance.commands = Commander(where.gateway, SystemClock())
            async with where.client("C-1", "ocpp2.0.1") as one:
                serving = asyncio.create_task(
                    answers(one, {"status": "Accepted"}, "NotSupported", None)
                )
                row = await ask(where, "SELECT ocpp_reset('C-1', 'Immediate')")
                assert row[1:] == ("C-1", "Reset", "answered", "Accepted", '{"status":"Accepted"}')
                row = await ask(where, "SELECT ocpp_clear_cache('C-1')")
                assert row[3:5] == ("refused", "NotSupported")
                row = await ask(where, "SELECT ocpp_unlock('C-1', 1)")
                assert row[3:] == ("unanswered", None, "no answer in time")
                assert [action for action, _ in await serving] == [
                    "Reset",
                    "ClearCache",
                    "UnlockConnector",
                ]
            kept = await where.rows(
                "SELECT action, state, status FROM charger_commands "
                "WHERE charge_point_id = 'C-1' ORDER BY at"
            )
            assert kept == [
                ("Reset", "sent", None),
                ("Reset", "answered", "Accepted"),
                ("ClearCache", "sent", None),
                ("ClearCache", "refused", "NotSupported"),
                ("UnlockConnector", "sent", None),
                ("UnlockConnector", "unanswered", None),
            ]
            with pytest.raises(InvalidParameter, match="is not connected"):
                await where.rows("SELECT ocpp_reset('NOBODY')")
            with pytest.raises(ActiveTransaction):
                await where.rows("BEGIN; SELECT ocpp_reset('C-1')")
            await where.rows("ROLLBACK")

    asyncio.run(work())


def test_a_command_over_http(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, call_s=5.0) as where:
            instance.commands = Commander(where.gateway, SystemClock())
            async with where.client("C-2") as one:
                serving = asyncio.create_task(answers(one, {"status": "Accepted"}))
                route = CommandRoute(instance, "volt")
                text = "SELECT ocpp_remote_start('C-2', 'TAG', '1')"
                row = await asyncio.to_thread(route.answer, "volt", text, "volt")
                assert (row["state"], row["status"]) == ("answered", "Accepted")
                assert await serving == [
                    ["RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}]
                ]

    asyncio.run(work())


def test_a_password_is_set_by_function_and_its_profile_never_lowered(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            instance.commands = Commander(where.gateway, SystemClock())
            row = await ask(where, "SELECT ocpp_set_password('C-3', 'a-long-enough-one', 2)")
            assert row[3:] == ("kept", "profile 2", None)
            await asyncio.sleep(1.1)
            row = await ask(where, "SELECT ocpp_set_password('C-3', 'another-long-one', 1)")
            assert row[4] == "profile 2"
            [[secret]] = await where.rows(
                "SELECT secret_hash FROM charge_point_secrets WHERE charge_point_id = 'C-3'"
            )
            assert secret.startswith("$argon2id$") and "another" not in secret
            with pytest.raises(InvalidParameter):
                await where.rows("SELECT ocpp_set_password('C-3', 'short')")

    asyncio.run(work())


def test_a_role_needs_the_right_to_insert_commands(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            instance.commands = Commander(where.gateway, SystemClock())
            await where.gateway.prepare()
            await where.rows("CREATE ROLE clerk LOGIN PASSWORD 'x-long-enough-1'")
            clerk = Asker(instance, "volt", "clerk")
            try:
                with pytest.raises(InsufficientPrivilege):
                    await clerk.rows("SELECT ocpp_clear_cache('C-9')")
                await where.rows("GRANT INSERT ON charger_commands TO clerk")
                with pytest.raises(InvalidParameter, match="is not connected"):
                    await clerk.rows("SELECT ocpp_clear_cache('C-9')")
                for statement in (
                    "DELETE FROM charge_detail_records",
                    "INSERT INTO charge_detail_records (cdr_id) VALUES ('forged')",
                ):
                    with pytest.raises((InsufficientPrivilege, WrongObjectType)):
                        await clerk.rows(statement)
            finally:
                clerk.close()

    asyncio.run(work())
