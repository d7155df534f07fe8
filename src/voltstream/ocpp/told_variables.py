"""What a charger tells of its configuration when it is asked, as rows of charger_variables.

A report comes page by page on its own (NotifyReport); this is what answers to commands say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voltstream.ocpp.draft import Row, part, small, text
from voltstream.ocpp.frames import Json

_SECRETS = ("password", "authorizationkey")  # Such a value is never stored.
_KEPT = {"Accepted": "Actual", "RebootRequired": "Target"}  # What a written value is by its answer.


def is_secret(name: str) -> bool:
    """Tell whether a variable or key of this name holds a password."""
    return any(word in name.lower() for word in _SECRETS)


def told_variables(
    charger: str, action: str, payload: Mapping[str, Any], reply: Json, now_us: int
) -> list[Row]:
    """Return what the answer to a command says of variables, and of keys of 1.6."""
    match action:
        case "GetConfiguration":
            found = _keys(reply)
        case "ChangeConfiguration":
            found = _changed_key(payload, reply)
        case "GetVariables":
            found = _got(reply)
        case "SetVariables":
            found = _set(payload, reply)
        case _:
            return []
    about = {"charge_point_id": charger, "as_of": now_us, "received_ts": now_us}
    return [about | row | {"ordinal": ordinal} for ordinal, row in enumerate(found)]


def _row(variable: str | None, value: Any, attribute: str, **more: Any) -> Row:
    known = text(value) if variable is not None and not is_secret(variable) else None
    return {"variable": variable, "value": known, "attribute": attribute} | more


def _keys(reply: Json) -> Iterator[Row]:
    for one in _dicts(reply.get("configurationKey")):
        mutability = "ReadOnly" if one.get("readonly") is True else "ReadWrite"
        yield _row(text(one.get("key")), one.get("value"), "Actual", mutability=mutability)


def _changed_key(payload: Mapping[str, Any], reply: Json) -> Iterator[Row]:
    attribute = _KEPT.get(str(reply.get("status")))
    if attribute is not None:
        yield _row(text(payload.get("key")), payload.get("value"), attribute)


def _place(one: Json) -> Row:
    return {
        "component": text(part(one, "component", "name")),
        "component_instance": text(part(one, "component", "instance")),
        "evse_id": small(part(one, "component", "evse", "id")),
        "connector_id": small(part(one, "component", "evse", "connectorId")),
        "variable_instance": text(part(one, "variable", "instance")),
    }


def _got(reply: Json) -> Iterator[Row]:
    for one in _dicts(reply.get("getVariableResult")):
        if one.get("attributeStatus") == "Accepted":
            attribute = text(one.get("attributeType")) or "Actual"
            name = text(part(one, "variable", "name"))
            yield _row(name, one.get("attributeValue"), attribute, **_place(one))


def _set(payload: Mapping[str, Any], reply: Json) -> Iterator[Row]:
    written = {_which(one): one for one in _dicts(payload.get("setVariableData"))}
    for one in _dicts(reply.get("setVariableResult")):
        kept = _KEPT.get(str(one.get("attributeStatus")))
        asked = written.get(_which(one))
        if kept is not None and asked is not None:
            given = text(one.get("attributeType")) or "Actual"
            attribute = given if kept == "Actual" else kept
            name = text(part(one, "variable", "name"))
            yield _row(name, asked.get("attributeValue"), attribute, **_place(one))


def _which(one: Json) -> tuple[Any, ...]:
    place = _place(one)
    return (*place.values(), part(one, "variable", "name"), one.get("attributeType") or "Actual")


def _dicts(value: Any) -> Iterator[Json]:
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))
