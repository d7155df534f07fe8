"""Payloads against their schema: what can be understood is taken and flagged, the rest refused."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from voltstream.ocpp.codes import Fault
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.quality import Quality

_ROUNDS_MAX = 8  # A repair may lay bare the next fault; a message has few levels.
_KEEP = {
    "enum": Quality.UNKNOWN_ENUM,
    "const": Quality.UNKNOWN_ENUM,
    "maxLength": Quality.OVERLENGTH,
    "additionalProperties": Quality.EXTRA_FIELD,
}
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Checked:
    """A payload that can be worked with."""

    payload: Json
    flags: Quality = Quality.OK


@dataclass(frozen=True, slots=True)
class Refused:
    """A payload that cannot."""

    fault: Fault
    detail: str


def check(payload: Json, schema: jsonschema_rs.Validator, *, strict: bool) -> Checked | Refused:
    """Check a payload. Law: with ``strict`` a payload is taken exactly when the schema takes it."""
    if schema.is_valid(payload):
        return Checked(payload)
    if strict:
        return _refusal(next(iter(schema.iter_errors(payload))))
    return _repaired(copy.deepcopy(payload), schema)


def _repaired(payload: Json, schema: jsonschema_rs.Validator) -> Checked | Refused:
    flags = Quality.OK
    dropped: set[tuple[str | int, ...]] = set()
    for _ in range(_ROUNDS_MAX):
        repaired = False
        for error in schema.iter_errors(payload):
            path = list(error.instance_path)
            kind = error.kind.name
            if kind == "required":
                missing = (*path, _about(error)["property"])
                if missing in dropped:
                    return Refused(Fault.WRONG_TYPE, f"{_spelled(missing)} has another type")
                if not _in_list(path):
                    return _refusal(error)
                flags |= Quality.MISSING_FIELD
            elif kind == "type":
                flags |= Quality.COERCED
                if _is_fraction(error.instance, _about(error)["types"]):
                    continue
                changed = _coerce(payload, path, error.instance, _about(error)["types"])
                if not changed and not path:
                    return _refusal(error)
                if not changed and not _in_list(path):
                    dropped.add(tuple(path))
                repaired = True
            else:
                flags |= _KEEP.get(kind, Quality.OK if kind == "format" else Quality.COERCED)
        if not repaired:
            return Checked(payload, flags)
    return Checked(payload, flags)


def _is_fraction(value: Any, types: Sequence[str]) -> bool:
    """Tell whether a number stands where only whole ones may: 0.7 Wh are not refused."""
    return "integer" in types and isinstance(value, float) and math.isfinite(value)


def _about(error: jsonschema_rs.ValidationError) -> dict[str, Any]:
    return error.kind.as_dict()


def _in_list(path: list[Any]) -> bool:
    """Tell whether a fault is in one of several things: the others must not pay for it."""
    return any(isinstance(step, int) for step in path)


def _coerce(payload: Json, path: list[Any], value: Any, types: Sequence[str]) -> bool:
    """Put something of the right type in place; what has none is taken out."""
    holder: Any = payload
    for step in path[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return True  # Taken out with what held it.
    if not path or not isinstance(holder, dict | list):
        return False
    key = path[-1]
    for name in types:
        found = _as(name, value)
        if found is not None:
            holder[key] = found
            return True
    if isinstance(holder, dict):
        holder.pop(key, None)
    else:
        holder[key] = {} if "object" in types else ""
    return value is None


def _as(name: str, value: Any) -> Any:
    """Return the value as a JSON type, None when it cannot be read as one."""
    match name, value:
        case _, None:
            return None
        case "string", bool():
            return None
        case "string", int() | float():
            return repr(value)
        case "string", dict() | list():
            return document(value)
        case "array", dict() | str():
            return [value]
        case "boolean", str():
            return _WORDS.get(value.strip().lower())
        case (("integer" | "number"), str()):
            return _number(value, whole=name == "integer")
        case "integer", float() if value.is_integer():
            return int(value)
        case _:
            return None


def _number(text: str, *, whole: bool) -> int | float | None:
    plain = text.strip()
    try:
        if whole and plain.lstrip("+-").isdigit():
            return int(plain)
        found = float(plain.replace(",", "."))
    except ValueError:
        return None
    if not math.isfinite(found):
        return None
    return int(found) if whole and found.is_integer() else found


def _refusal(error: jsonschema_rs.ValidationError) -> Refused:
    kind = error.kind.name
    place = _spelled(error.instance_path)
    match kind:
        case "required":
            name = _about(error)["property"]
            return Refused(Fault.MISSING, f"{place}.{name}".lstrip(".") + " is missing")
        case "type":
            return Refused(Fault.WRONG_TYPE, f"{place} has another type")
        case "additionalProperties":
            return Refused(Fault.EXTRA, f"{place or 'the payload'} has a field that is not known")
        case _:
            return Refused(Fault.BAD_VALUE, f"{place or 'the payload'}: {kind}")


def _spelled(path: Iterable[str | int]) -> str:
    return ".".join(str(step) for step in path)
