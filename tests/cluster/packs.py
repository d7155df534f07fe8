"""What packs are told in their own tests, as records of topics: the input of a comparison."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.driver import Engine, Row
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import install
from voltstream.cli.packs import load_pack
from voltstream.core.clock import Clock, ManualClock
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import RawBatch
from voltstream.deploy.script import Script
from voltstream.sql.targets.words import FOREVER, NEVER

PACKS = Path(__file__).parents[2] / "src" / "voltstream" / "packs"
Told = tuple[str, str, str]  # Topic, key, value.

# Views, by what they are for, with the tests of their pack that give them rows. A part is one job.
PARTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "state": ("ocpp", ("alerts", "defects"), (
        "charge_point_registry", "connector_state", "offline_alerts", "fault_alerts")),
    "energy": ("ocpp", ("sessions",), ("register_steps", "energy_15min")),
    "sessions": ("ocpp", ("sessions", "billing"), (
        "sessions", "active_sessions", "site_load", "fleet_energy_15min", "fault_episodes")),
    "gaps": ("ocpp", ("sessions", "alerts"), (
        "metering_gaps", "open_metering_gaps", "gap_alerts", "stuck_session_alerts",
        "low_power_alerts")),
    "billing": ("ocpp", ("billing",), ("billing_reconciliation",)),
    "load": ("ami", ("reads",), (
        "latest_reads", "transformer_population", "transformer_load", "feeder_load",
        "overload_alerts")),
    "voltage": ("ami", ("reads",), ("transformer_voltage", "voltage_violations", "voltage_alerts")),
    "outages": ("ami", ("outages",), ("meter_outages", "tamper_alerts", "outage_alerts")),
}  # fmt: skip


def lived(pack: str, scenarios: Sequence[str], folder: Path, schema: str) -> Engine:
    """Return an engine with a pack that has lived through tests of it."""
    clock = ManualClock()
    engine = Engine(folder, clock)
    install(EngineDoor(engine.session), load_pack(pack))
    engine.run(f"SET search_path TO {schema}, public")
    for name in scenarios:
        told = tomllib.loads((PACKS / pack / "tests" / f"{name}.toml").read_text())
        clock.set(max(instant(clock), told["clock"].astimezone(UTC)))
        for step in told["step"]:
            _live(engine, clock, step, schema)
    return engine


def _live(engine: Engine, clock: ManualClock, step: dict[str, Any], schema: str) -> None:
    for text in step.get("sql", "").split(";\n"):
        with suppress(VoltstreamError):  # Two tests may name a charge point alike.
            engine.run(text)
    if "into" in step:
        payload = "".join(json.dumps(row, default=spelled) + "\n" for row in step.get("rows", ()))
        source = step["into"] if schema == "public" else f"{schema}.{step['into']}"
        batch = RawBatch("ndjson", payload=payload.encode())
        engine.instance.submit("volt", source, batch).result(timeout=60)
    if "advance_s" in step:
        clock.advance(step["advance_s"])


def records(engine: Engine, script: Script, prefix: str) -> Iterator[Told]:
    """Yield every row of the tables and sources that a script reads, as its topics have them."""
    shown = {(one.object, one.name): one for one in script.definitions if one.kind == "table"}
    for (name, made), statement in shown.items():
        if made.endswith(("__topic", "__topic`")) or "ticks" in made:
            continue
        topic = prefix + name.removeprefix("public.")
        kinds = _kinds(engine, name)
        listed = ", ".join(_told(column, kind) for column, kind in kinds.items())
        for row in engine.run(f"SELECT {listed} FROM {name}"):
            value = dict(zip(kinds, row, strict=True))
            key = json.dumps({one: value[one] for one in statement.key}, default=spelled)
            # Rows of one charge point or meter stay in their order.
            yield topic, key if statement.key else str(row[0]), json.dumps(value, default=spelled)


def rows_of(engine: Engine, name: str) -> list[Row]:
    """Return what a relation holds, instants as texts: they may be infinite."""
    listed = ", ".join(
        f'CAST("{column}" AS VARCHAR)' if kind.startswith("timestamp") else f'"{column}"'
        for column, kind in _kinds(engine, name).items()
    )
    return comparable(engine.run(f"SELECT {listed} FROM {name}"))


def _told(column: str, kind: str) -> str:
    """Return a column as a topic has it: intervals as texts, infinity as the last instant."""
    if kind == "interval":
        return f'CAST("{column}" AS VARCHAR)'
    if kind == "timestamp with time zone":
        ends = f"CASE \"{column}\" WHEN 'infinity' THEN TIMESTAMPTZ '{FOREVER}+00'"
        return f"{ends} WHEN '-infinity' THEN TIMESTAMPTZ '{NEVER}+00' ELSE \"{column}\" END"
    return f'"{column}"'


def _kinds(engine: Engine, name: str) -> dict[str, str]:
    sql = (
        "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema || '.' || table_name = '{name}' ORDER BY ordinal_position"
    )
    return {str(column): str(kind) for column, kind in engine.run(sql)}


def spelled(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return str(value)


def produce(brokers: str, told: Sequence[Told]) -> None:
    """Write records to their topics, in order."""
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 20, "log_level": 0})
    for topic, key, value in told:
        producer.produce(topic, value, key=key)
        producer.poll(0)
    assert producer.flush(120) == 0


def comparable(rows: list[Row]) -> list[Row]:
    """Return rows whose intervals compare by length, and arrays whatever order they are in."""
    return [
        tuple(one.total_seconds() if isinstance(one, timedelta) else _whole(one) for one in row)
        for row in rows
    ]


def _whole(value: object) -> object:
    if isinstance(value, list):
        return tuple(sorted(value))
    nanos = getattr(value, "nanoseconds", None)
    if nanos is None:
        return value
    return getattr(value, "days", 0) * 86_400.0 + nanos / 1e9


def instant(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now_us() / 1e6, UTC)
