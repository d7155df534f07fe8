"""Sampled values of every version, one by one, with unit, time and what is wrong with them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.instants import read_instant
from voltstream.ocpp.measurands import IMPORT_REGISTER, KNOWN
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.units import Unit, family_unit, to_si, unit_named

_VALUE_MAX = 1e15
_POWER_W_MAX = 5e6  # The largest charging system is 3.75 MW.
_MULTIPLIER_MAX = 30


@dataclass(slots=True)
class Sample:
    """One sampled value. Units: ``value_si`` is in ``unit_si``; times in microseconds UTC."""

    event_us: int
    measurand: str
    context: str
    phase: str | None
    location: str
    value_raw: str | None
    value: float | None
    unit: str | None
    multiplier: int | None
    value_si: float | None
    unit_si: str | None
    format: str
    flags: Quality
    signed: Json | None = None


def read_samples(meter_values: object, received_us: int) -> Iterator[Sample]:
    """Yield every sampled value of a list of MeterValue, of any version."""
    for meter_value in meter_values if isinstance(meter_values, list) else ():
        if not isinstance(meter_value, dict):
            continue
        at_us, flags = read_instant(meter_value.get("timestamp"), received_us)
        if "timestamp" not in meter_value:
            flags |= Quality.TS_INVALID
        sampled = meter_value.get("sampledValue")
        for item in sampled if isinstance(sampled, list) else ():
            if isinstance(item, dict):
                yield _sample(item, at_us, flags)


def _sample(item: Json, at_us: int, flags: Quality) -> Sample:
    measurand = _word(item.get("measurand")) or IMPORT_REGISTER
    signed = _signed(item)
    is_opaque = item.get("format") == "SignedData"
    value_raw, value, found = _value(item.get("value"), opaque=is_opaque)
    if found:
        flags |= found
    unit_text, multiplier = _unit_of(item)
    sample = Sample(
        event_us=at_us,
        measurand=measurand,
        context=_word(item.get("context")) or "Sample.Periodic",
        phase=_word(item.get("phase")),
        location=_word(item.get("location")) or "Outlet",
        value_raw=value_raw,
        value=value,
        unit=unit_text,
        multiplier=multiplier,
        value_si=None,
        unit_si=None,
        format="SignedData" if is_opaque else _word(item.get("format")) or "Raw",
        flags=flags | Quality.SIGNED_UNVERIFIED if signed else flags,
        signed=signed,
    )
    _convert(sample)
    return sample


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _value(raw: Any, *, opaque: bool) -> tuple[str | None, float | None, Quality]:
    if raw is None:
        return None, None, Quality.NONFINITE | Quality.MISSING_FIELD
    text = raw if isinstance(raw, str) else document(raw)
    if opaque:
        return text, None, Quality.OK
    flags = Quality.OK
    if isinstance(raw, str):
        plain = raw.strip()
        if "," in plain and "." not in plain:
            plain, flags = plain.replace(",", "."), Quality.COERCED
    else:
        plain = repr(raw)
    try:
        number = float(plain)
    except (ValueError, OverflowError):
        return text, None, flags | Quality.NONFINITE
    if not math.isfinite(number) or "_" in plain:
        return text, None, flags | Quality.NONFINITE
    if abs(number) > _VALUE_MAX:
        flags |= Quality.IMPLAUSIBLE
    return text, number, flags


def _unit_of(item: Json) -> tuple[str | None, int | None]:
    """Return unit and multiplier; 2.x has both in an object, 1.6 only a unit."""
    measure = item.get("unitOfMeasure")
    if isinstance(measure, dict):
        multiplier = measure.get("multiplier")
        whole = isinstance(multiplier, int) and not isinstance(multiplier, bool)
        return _word(measure.get("unit")), multiplier if whole else None
    return _word(item.get("unit")), None


@dataclass(frozen=True, slots=True)
class _Scale:
    """How values of one measurand in one unit become SI. ``unit`` None: they do not."""

    unit: Unit | None
    unit_si: str | None
    flags: Quality


@lru_cache(maxsize=4096)  # Chargers use few pairs; what none of us knows must not fill the memory.
def _scale(measurand: str, spelled: str | None) -> _Scale:
    flags = Quality.OK if measurand in KNOWN else Quality.UNKNOWN_MEASURAND
    family = family_unit(measurand)
    if spelled is None:
        if family is None:
            return _Scale(None, None, flags)
        # Only energy has a default unit in the standard; Frequency of 1.6 needs none.
        if family not in ("Wh", "Hz"):
            flags |= Quality.DEFAULTED
        unit, _ = unit_named(family)
    else:
        unit, respelled = unit_named(spelled)
        if respelled:
            flags |= Quality.COERCED
    if unit is None or (family is not None and unit.si != family):
        return _Scale(None, None, flags | Quality.UNKNOWN_UNIT)
    return _Scale(unit, unit.si, flags)


def _convert(sample: Sample) -> None:
    """Fill in the SI value, or say why there is none."""
    scale = _scale(sample.measurand, sample.unit)
    unit = scale.unit
    if scale.flags:
        sample.flags |= scale.flags
    sample.unit_si = scale.unit_si
    if unit is None or sample.value is None:
        return
    multiplier = sample.multiplier or 0
    if abs(multiplier) > _MULTIPLIER_MAX:
        sample.flags |= Quality.IMPLAUSIBLE | Quality.UNKNOWN_UNIT
        return
    sample.value_si = to_si(sample.value, unit, multiplier)
    if abs(sample.value_si) > _VALUE_MAX or (
        unit.si == "W" and abs(sample.value_si) > _POWER_W_MAX
    ):
        sample.flags |= Quality.IMPLAUSIBLE


def _signed(item: Json) -> Json | None:
    """Return what a sampled value has of a signature, in the words of 2.x."""
    found = item.get("signedMeterValue")
    if isinstance(found, dict):
        return found
    if item.get("format") != "SignedData":
        return None
    raw = item.get("value")
    text = raw if isinstance(raw, str) else document(raw)
    return _wrapped(text) or {"signedMeterData": text}


def _wrapped(text: str) -> Json | None:
    """Read a signed value that 1.6 carries as JSON within the text of its value."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "signedMeterData" in found else None
