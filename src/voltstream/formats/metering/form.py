"""What a source, or who pushes to it, says of a head-end's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args
from zoneinfo import ZoneInfo

from voltstream.core.errors import InvalidParameter
from voltstream.core.metering import DateOrder, Dst, MeterForm, MeterFormat, Stamp

_FORMATS: tuple[MeterFormat, ...] = get_args(MeterFormat)
_STAMPS: Mapping[MeterFormat, Stamp] = {"iec61968": "end", "cmep": "end"}
_ZONES: Mapping[MeterFormat, str] = {"nem12": "Etc/GMT-10"}  # POSIX signs: 10 hours east.
_COLUMN = "column."
_INTERVAL_S_MAX = 86_400


def is_meter_format(encode: str) -> bool:
    return encode in _FORMATS


def meter_form(encode: str, given: Mapping[str, str], owner: str) -> MeterForm:
    """Read the options of a meter format. Raises: InvalidParameter (22023)."""
    chosen = cast("MeterFormat", encode)
    zone = given.get("tz", "").strip() or _ZONES.get(chosen, "UTC")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        hint = "Use a name such as Europe/Berlin."
        raise InvalidParameter(f'{owner} cannot take "{zone}" as "tz"', hint=hint) from error
    stamp = _choice(given, "stamp", get_args(Stamp), _STAMPS.get(chosen, "start"), owner)
    dst = _choice(given, "dst", get_args(Dst), "standard" if chosen == "nem12" else "wall", owner)
    order = _choice(given, "date_order", get_args(DateOrder), "mdy", owner)
    consumption = _choice(
        given, "consumption", ("delivered_kwh", "net_kwh"), "delivered_kwh", owner
    )
    written = given.get("delimiter", ",")
    return MeterForm(
        chosen,
        cast("Stamp", stamp),
        zone,
        cast("Dst", dst),
        given.get("head_end", ""),
        _interval(given, owner),
        cast("DateOrder", order),
        {"\\t": "\t", "tab": "\t"}.get(written, written),
        consumption,
        _sentinels(given, owner),
        {
            name.removeprefix(_COLUMN): value
            for name, value in given.items()
            if name.startswith(_COLUMN)
        },
    )


def _choice(
    given: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str, owner: str
) -> str:
    value = given.get(name, default).strip().lower()
    if value not in allowed:
        hint = f"Use one of: {', '.join(allowed)}."
        raise InvalidParameter(f'{owner} cannot take "{value}" as "{name}"', hint=hint)
    return value


def _interval(given: Mapping[str, str], owner: str) -> int:
    written = given.get("interval_s", "").strip() or "0"
    if not written.isdecimal() or int(written) > _INTERVAL_S_MAX:
        hint = "Write the seconds of an interval, such as 900."
        raise InvalidParameter(f'{owner} cannot take "{written}" as "interval_s"', hint=hint)
    return int(written)


def _sentinels(given: Mapping[str, str], owner: str) -> frozenset[float]:
    written = given.get("missing", "")
    try:
        return frozenset(float(part) for part in written.split(",") if part.strip())
    except ValueError as error:
        hint = "Write the values that stand for no reading, such as -1,999999."
        raise InvalidParameter(
            f'{owner} cannot take "{written}" as "missing"', hint=hint
        ) from error
