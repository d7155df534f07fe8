"""Readings and events to columns, in the shape that a source's columns ask for.

Shape: a source is of events when it has ``occurred_at`` or ``event_ts``; of registers when it has
``register_kwh``; tall when it has ``value``: a row for each channel; else wide: a row for each
meter and interval, a column for each channel. Wide rows take from one document what is about the
same interval; a value of an instant joins the interval that ends then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pyarrow as pa

from voltstream.core.schema import Schema
from voltstream.formats.metering.channels import COLUMNS
from voltstream.formats.metering.quality import RANKS
from voltstream.formats.metering.records import Event, Reading

Shape = Literal["wide", "tall", "registers", "events"]
_US = pa.timestamp("us", "UTC")
_COLUMN_OF = {way: column for column, way in COLUMNS.items()}
_PHASES = ("voltage_a_v", "voltage_b_v", "voltage_c_v")


def shape_of(schema: Schema) -> Shape:
    """Tell what rows of a source are about."""
    names = {column.name.lower() for column in schema}
    if names & {"occurred_at", "event_ts", "raw_code", "event_code"}:
        return "events"
    if "register_kwh" in names:
        return "registers"
    return "tall" if "value" in names else "wide"


def to_table(
    shape: Shape, readings: Sequence[Reading], events: Sequence[Event], origins: Sequence[int]
) -> tuple[pa.Table, list[int]]:
    """Return rows, and the record that each came from; ``origins`` gives it for what is read."""
    match shape:
        case "events":
            return _events(events), list(origins)
        case "tall":
            return _tall(readings), list(origins)
        case "registers":
            chosen = [at for at, one in enumerate(readings) if one.channel.endswith("_register")]
            return _registers([readings[at] for at in chosen]), [origins[at] for at in chosen]
        case "wide":
            return _wide(readings, origins)


def _instants(values: Sequence[int | None]) -> Any:
    return pa.array(values, pa.int64()).cast(_US)


def _tall(readings: Sequence[Reading]) -> pa.Table:
    columns = list(zip(*readings, strict=True)) or [()] * len(Reading._fields)
    meter, channel, start, end, value, unit, good, source, kind, received, head = columns
    return pa.table(
        {
            "meter_id": pa.array(meter, pa.string()),
            "channel": pa.array(channel, pa.string()),
            "interval_start": _instants(start),
            "interval_end": _instants(end),
            "value": pa.array(value, pa.float64()),
            "unit": pa.array(unit, pa.string()),
            "reading_type": pa.array(kind, pa.string()),
            **_beside(good, source, received, head),
        }
    )


def _beside(
    good: Sequence[str], source: Sequence[str], received: Sequence[int | None], head: Sequence[str]
) -> dict[str, Any]:
    return {
        "quality": pa.array(good, pa.string()),
        "source_quality": pa.array(source, pa.string()),
        "estimated_flag": pa.array([one == "ESTIMATED" for one in good], pa.bool_()),
        "head_end": pa.array([one or None for one in head], pa.string()),
        "received_at": _instants(received),
        "read_ts": _instants(received),
    }


def _registers(readings: Sequence[Reading]) -> pa.Table:
    return pa.table(
        {
            "meter_id": pa.array([r.meter_id for r in readings], pa.string()),
            "channel": pa.array(
                [r.channel.removesuffix("_register") for r in readings], pa.string()
            ),
            "read_at": _instants([r.end_us for r in readings]),
            "register_kwh": pa.array([r.value for r in readings], pa.float64()),
            **_beside(
                [r.quality for r in readings],
                [r.source_quality for r in readings],
                [r.received_us for r in readings],
                [r.head_end for r in readings],
            ),
        }
    )


def _wide(readings: Sequence[Reading], origins: Sequence[int]) -> tuple[pa.Table, list[int]]:
    rows: dict[tuple[int, str, int, int], dict[str, Any]] = {}
    ends: dict[tuple[int, str, int], tuple[int, str, int, int]] = {}
    instants: list[tuple[int, Reading, str]] = []
    for origin, one in zip(origins, readings, strict=True):
        column = _COLUMN_OF.get((one.channel, one.unit))
        if column is None:
            continue
        if one.start_us == one.end_us:
            instants.append((origin, one, column))
            continue
        key = (origin, one.meter_id, one.start_us, one.end_us)
        ends[(origin, one.meter_id, one.end_us)] = key
        _put(rows, key, one, column)
    for origin, one, column in instants:
        known = ends.get((origin, one.meter_id, one.end_us))
        if known is None and column.endswith("register_kwh"):
            continue  # A register of no interval: it is for a source of registers.
        _put(rows, known or (origin, one.meter_id, one.start_us, one.end_us), one, column)
    for row in rows.values():
        phases = [row[phase] for phase in _PHASES if phase in row]
        if phases and "voltage_v" not in row:
            row["voltage_v"] = sum(phases) / len(phases)
    keys = list(rows)
    told = list(rows.values())
    table = pa.table(
        {
            "meter_id": pa.array([key[1] for key in keys], pa.string()),
            "read_type": pa.array(["INTERVAL"] * len(keys), pa.string()),
            "interval_start": _instants([key[2] for key in keys]),
            "interval_end": _instants([key[3] for key in keys]),
            **{
                column: pa.array([row.get(column) for row in told], pa.float64())
                for column in COLUMNS
            },
            "consumption_kwh": pa.array([row.get("delivered_kwh") for row in told], pa.float64()),
            **_beside(
                [row["quality"] for row in told],
                [row["source_quality"] for row in told],
                [row["received"] for row in told],
                [row["head_end"] for row in told],
            ),
        }
    )
    return table, [key[0] for key in keys]


def _put(
    rows: dict[tuple[int, str, int, int], dict[str, Any]],
    key: tuple[int, str, int, int],
    one: Reading,
    column: str,
) -> None:
    row = rows.get(key)
    energy = column.endswith("kwh")
    if row is None:
        rows[key] = row = {"received": one.received_us, "head_end": one.head_end}
    # Energy decides how good a row is, not the voltage beside it; of two energies the worse.
    known = row.get("rank", 9)
    rank = RANKS[one.quality] if energy else 8
    if rank < known:
        row |= {"rank": rank, "quality": one.quality, "source_quality": one.source_quality}
    row[column] = one.value  # Sent twice in one document: the later counts, as of two documents.


def _events(events: Sequence[Event]) -> pa.Table:
    columns = list(zip(*events, strict=True)) or [()] * len(Event._fields)
    meter, code, told, kind, occurred, received, severity, head, details = columns
    return pa.table(
        {
            "meter_id": pa.array(meter, pa.string()),
            "raw_code": pa.array(code, pa.string()),
            "event_code": pa.array(
                [int(one) if one.isdecimal() and len(one) < 10 else None for one in code],
                pa.int64(),
            ),
            "raw_desc": pa.array(told, pa.string()),
            "event_desc": pa.array(told, pa.string()),
            "type_code": pa.array([one or None for one in kind], pa.string()),
            "occurred_at": _instants(occurred),
            "event_ts": _instants(occurred),
            "severity": pa.array([one or None for one in severity], pa.string()),
            "head_end": pa.array([one or None for one in head], pa.string()),
            "received_at": _instants(received),
            "details": pa.array(details, pa.string()),
        }
    )
