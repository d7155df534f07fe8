"""Commands to charge points: one set of functions, in the words of each version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from voltstream.core.errors import InvalidParameter, UndefinedFunction
from voltstream.ocpp import schemas
from voltstream.ocpp.frames import Json
from voltstream.ocpp.told_variables import is_secret
from voltstream.ocpp.versions import Version

Given = Mapping[str, str | None]
Message = tuple[str, Json]

# The first parameter of every function is the charge point; these are the others, in order.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "ocpp_call": ("action", "payload"),
    "ocpp_remote_start": ("id_token", "evse", "profile"),
    "ocpp_remote_stop": ("transaction_id",),
    "ocpp_reset": ("kind",),
    "ocpp_unlock": ("connector", "evse"),
    "ocpp_change_availability": ("operative", "evse", "connector"),
    "ocpp_get_configuration": ("names",),
    "ocpp_set_configuration": ("name", "value"),
    "ocpp_trigger": ("message", "evse"),
    "ocpp_get_report": ("base",),
    "ocpp_set_charging_profile": ("profile", "evse"),
    "ocpp_clear_charging_profile": ("profile_id",),
    "ocpp_update_firmware": ("location", "retrieve_at"),
    "ocpp_get_log": ("location", "kind"),
    "ocpp_data_transfer": ("vendor", "message", "data"),
    "ocpp_send_local_list": ("version", "tokens"),
    "ocpp_clear_cache": (),
}
HIDDEN = "(hidden)"


def message(version: Version, function: str, given: Given, number: int) -> Message:
    """Return action and payload; ``number`` is a request id that was not used before.

    Raises: UndefinedFunction, InvalidParameter naming what the schema does not allow.
    """
    make = _MAKERS.get(function)
    if make is None:
        raise UndefinedFunction(f"function {function}() does not exist")
    action, payload = make(version, given, number)
    if action not in schemas.actions(version) or action in schemas.SENT:
        raise InvalidParameter(f"{version.value} has no action {action}")
    if action in schemas.FROM_CHARGER[version] and action != "DataTransfer":
        raise InvalidParameter(f"{action} is for the charge point to send")
    error = next(iter(schemas.request(version, action).iter_errors(payload)), None)
    if error is not None:
        place = ".".join(map(str, error.instance_path))
        raise InvalidParameter(
            f"{action} cannot be sent: {place or 'the payload'}: {error.message}"
        )
    return action, payload


def redacted(payload: Any) -> Any:
    """Return a payload without passwords, for what is stored."""
    if isinstance(payload, list):
        return [redacted(part) for part in payload]
    if not isinstance(payload, dict):
        return payload
    hide = is_secret(json.dumps([payload.get("key"), payload.get("variable")]))
    return {
        key: HIDDEN if hide and key in ("value", "attributeValue") else redacted(part)
        for key, part in payload.items()
    }


def _need(given: Given, name: str) -> str:
    value = given.get(name)
    if value is None:
        raise InvalidParameter(f"the parameter {name} is missing")
    return value


def _whole(given: Given, name: str, default: int | None = None) -> int | None:
    value = given.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except ValueError as error:
        raise InvalidParameter(f'the parameter {name} is a number, not "{value}"') from error


def _document(given: Given, name: str) -> Any:
    try:
        return json.loads(_need(given, name))
    except ValueError as error:
        raise InvalidParameter(f"the parameter {name} is not JSON: {error}") from error


def _present(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _call(version: Version, given: Given, number: int) -> Message:
    del version, number
    payload = _document(given, "payload") if given.get("payload") is not None else {}
    return _need(given, "action"), payload


def _remote_start(version: Version, given: Given, number: int) -> Message:
    evse = _whole(given, "evse")
    profile = _document(given, "profile") if given.get("profile") is not None else None
    token = _need(given, "id_token")
    if version is Version.V16:
        return "RemoteStartTransaction", _present(
            idTag=token, connectorId=evse, chargingProfile=profile
        )
    return "RequestStartTransaction", _present(
        remoteStartId=number,
        idToken={"idToken": token, "type": "Central"},
        evseId=evse,
        chargingProfile=profile,
    )


def _remote_stop(version: Version, given: Given, number: int) -> Message:
    del number
    if version is Version.V16:
        return "RemoteStopTransaction", {"transactionId": _whole(given, "transaction_id")}
    return "RequestStopTransaction", {"transactionId": _need(given, "transaction_id")}


def _reset(version: Version, given: Given, number: int) -> Message:
    del number
    kind = (given.get("kind") or "soft").lower()
    hard = kind in ("hard", "immediate")
    if version is Version.V16:
        return "Reset", {"type": "Hard" if hard else "Soft"}
    return "Reset", {"type": "Immediate" if hard else "OnIdle"}


def _unlock(version: Version, given: Given, number: int) -> Message:
    del number
    connector = _whole(given, "connector", 1)
    if version is Version.V16:
        return "UnlockConnector", {"connectorId": connector}
    return "UnlockConnector", {"evseId": _whole(given, "evse", 1), "connectorId": connector}


def _change_availability(version: Version, given: Given, number: int) -> Message:
    del number
    word = _need(given, "operative").lower()
    status = "Operative" if word in ("true", "t", "1", "operative", "yes") else "Inoperative"
    evse = _whole(given, "evse", 0)
    if version is Version.V16:
        return "ChangeAvailability", {"connectorId": evse, "type": status}
    place = _present(id=evse, connectorId=_whole(given, "connector")) if evse else None
    return "ChangeAvailability", _present(operationalStatus=status, evse=place)


def _named_variable(text: str) -> Json:
    """Return component and variable of ``Component.Variable``."""
    component, dot, variable = text.strip().partition(".")
    if not dot:
        raise InvalidParameter(f'write "{text}" as Component.Variable')
    return {"component": {"name": component}, "variable": {"name": variable}}


def _get_configuration(version: Version, given: Given, number: int) -> Message:
    del number
    names = [name.strip() for name in (given.get("names") or "").split(",") if name.strip()]
    if version is Version.V16:
        return "GetConfiguration", {"key": names} if names else {}
    return "GetVariables", {"getVariableData": [_named_variable(name) for name in names]}


def _set_configuration(version: Version, given: Given, number: int) -> Message:
    del number
    name, value = _need(given, "name"), _need(given, "value")
    if version is Version.V16:
        return "ChangeConfiguration", {"key": name, "value": value}
    return "SetVariables", {"setVariableData": [_named_variable(name) | {"attributeValue": value}]}


def _trigger(version: Version, given: Given, number: int) -> Message:
    del number
    wanted, evse = _need(given, "message"), _whole(given, "evse")
    if version is Version.V16:
        return "TriggerMessage", _present(requestedMessage=wanted, connectorId=evse)
    place = {"id": evse} if evse is not None else None
    return "TriggerMessage", _present(requestedMessage=wanted, evse=place)


def _get_report(version: Version, given: Given, number: int) -> Message:
    if version is Version.V16:
        return "GetConfiguration", {}
    base = given.get("base") or "FullInventory"
    return "GetBaseReport", {"requestId": number, "reportBase": base}


def _set_profile(version: Version, given: Given, number: int) -> Message:
    del number
    profile, evse = _document(given, "profile"), _whole(given, "evse", 0)
    if version is Version.V16:
        return "SetChargingProfile", {"connectorId": evse, "csChargingProfiles": profile}
    return "SetChargingProfile", {"evseId": evse, "chargingProfile": profile}


def _clear_profile(version: Version, given: Given, number: int) -> Message:
    del number
    profile_id = _whole(given, "profile_id")
    if version is Version.V16:
        return "ClearChargingProfile", _present(id=profile_id)
    return "ClearChargingProfile", _present(chargingProfileId=profile_id)


def _update_firmware(version: Version, given: Given, number: int) -> Message:
    location = _need(given, "location")
    at = given.get("retrieve_at") or "1970-01-01T00:00:00Z"
    if version is Version.V16:
        return "UpdateFirmware", {"location": location, "retrieveDate": at}
    firmware = {"location": location, "retrieveDateTime": at}
    return "UpdateFirmware", {"requestId": number, "firmware": firmware}


def _get_log(version: Version, given: Given, number: int) -> Message:
    location = _need(given, "location")
    kind = given.get("kind") or "DiagnosticsLog"
    if version is Version.V16 and kind == "DiagnosticsLog":
        return "GetDiagnostics", {"location": location}
    return "GetLog", {"logType": kind, "requestId": number, "log": {"remoteLocation": location}}


def _data_transfer(version: Version, given: Given, number: int) -> Message:
    del version, number
    return "DataTransfer", _present(
        vendorId=_need(given, "vendor"), messageId=given.get("message"), data=given.get("data")
    )


def _send_local_list(version: Version, given: Given, number: int) -> Message:
    """Send a full list; tokens are separated by commas, all of them accepted."""
    tokens = [token.strip() for token in (given.get("tokens") or "").split(",") if token.strip()]
    number = _whole(given, "version", number) or number
    if version is Version.V16:
        entries: list[Json] = [
            {"idTag": token, "idTagInfo": {"status": "Accepted"}} for token in tokens
        ]
        return "SendLocalList", {"listVersion": number, "updateType": "Full",
                                 "localAuthorizationList": entries}  # fmt: skip
    entries = [
        {"idToken": {"idToken": token, "type": "Central"}, "idTokenInfo": {"status": "Accepted"}}
        for token in tokens
    ]
    listed = _present(localAuthorizationList=entries or None)
    return "SendLocalList", {"versionNumber": number, "updateType": "Full"} | listed


def _clear_cache(version: Version, given: Given, number: int) -> Message:
    del version, given, number
    return "ClearCache", {}


_MAKERS: dict[str, Callable[[Version, Given, int], Message]] = {
    "ocpp_call": _call,
    "ocpp_remote_start": _remote_start,
    "ocpp_remote_stop": _remote_stop,
    "ocpp_reset": _reset,
    "ocpp_unlock": _unlock,
    "ocpp_change_availability": _change_availability,
    "ocpp_get_configuration": _get_configuration,
    "ocpp_set_configuration": _set_configuration,
    "ocpp_trigger": _trigger,
    "ocpp_get_report": _get_report,
    "ocpp_set_charging_profile": _set_profile,
    "ocpp_clear_charging_profile": _clear_profile,
    "ocpp_update_firmware": _update_firmware,
    "ocpp_get_log": _get_log,
    "ocpp_data_transfer": _data_transfer,
    "ocpp_send_local_list": _send_local_list,
    "ocpp_clear_cache": _clear_cache,
}
