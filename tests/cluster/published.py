"""The published pipelines: their topics and views, and a recorded day."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
CHARGING, METERING = "ocpp_streaming.sql", "ami_streaming.sql"
FILES = (CHARGING, METERING)
DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
TICKS, METERS = "voltstream.ticks", "ami.transformers"
TABLES = (TICKS, METERS)  # Topics whose records replace the row of their key.
# Source: topic.
SOURCES = {
    "ocpp_heartbeats": "ocpp.heartbeats",
    "ocpp_boot_notifications": "ocpp.boot.notifications",
    "ocpp_meter_readings": "ocpp.meter.readings",
    "ocpp_transaction_events": "ocpp.transaction.events",
    "ami_interval_reads": "ami.headend.reads",
    "ami_events": "ami.headend.events",
}
OCPP_VIEWS = (
    "last_heartbeat",
    "charge_point_registry",
    "active_session_energy",
    "active_session_power",
    "session_lifecycle",
    "metering_aggregates_15min",
    "offline_charge_point_alerts",
    "metering_gap_alerts",
)
AMI_VIEWS = ("transformer_summary", "read_receipt_rate", "ami_operational_alerts")
VIEWS = OCPP_VIEWS + AMI_VIEWS
Record = tuple[str, str, dict[str, Any]]  # Topic, key, row.


def spell(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def ocpp_day(chargers: int, minutes: int, seed: int = 1) -> Iterator[Record]:
    """Yield what chargers say, minute by minute, some of it late.

    Values are multiples of 1/64, so that sums of doubles do not depend on their order.
    """
    chance = random.Random(seed)
    late: list[Record] = []
    for minute in range(minutes):
        at = DAY + timedelta(minutes=minute)
        for number in range(chargers):
            name = f"CP-{number:05d}"
            own = at + timedelta(microseconds=number + 1)
            if minute == 0:
                yield "ocpp.boot.notifications", name, {
                    "charge_point_id": name, "charge_point_model": f"M{number % 7}",
                    "charge_point_vendor": "v", "firmware_version": f"1.{number % 5}",
                    "boot_ts": spell(own)}  # fmt: skip
            if minute % 5 == number % 5 and not (number % 9 == 4 and minute > minutes // 2):
                yield "ocpp.heartbeats", name, {
                    "charge_point_id": name, "firmware_version": f"1.{number % 5}",
                    "network_region": "north", "heartbeat_ts": spell(own)}  # fmt: skip
            session, into = divmod(minute, 40)
            transaction = f"T-{number}-{session}"
            event = {"transaction_id": transaction, "charge_point_id": name, "connector_id": 1,
                     "id_tag": f"tag{number % 50}", "event_ts": spell(own)}  # fmt: skip
            if into == 0:
                yield "ocpp.transaction.events", name, {
                    **event, "event_type": "START", "meter_start_wh": session * 10_000}  # fmt: skip
            if into == 36:
                yield "ocpp.transaction.events", name, {
                    **event, "event_type": "STOP", "meter_start_wh": session * 10_000,
                    "meter_stop_wh": session * 10_000 + 7_000 + number,
                    "stop_reason": "Local"}  # fmt: skip
            if into < 36 and minute % 3 == number % 3 and chance.random() > 0.2:
                for measurand, value in (
                    ("Energy.Active.Import.Register", session * 10 + into * 13 / 64),
                    ("Power.Active.Import", 7_000 + chance.randrange(64) / 64),
                ):
                    row: Record = "ocpp.meter.readings", name, {
                        "charge_point_id": name, "connector_id": 1,
                        "transaction_id": transaction, "measurand": measurand, "value": value,
                        "unit": "kWh", "context": "Sample.Periodic",
                        "sampled_ts": spell(own)}  # fmt: skip
                    if chance.random() < 0.05:
                        late.append(row)
                    else:
                        yield row
        if minute % 30 == 29:
            yield from late
            late.clear()
    yield from late


def ami_day(meters: int, intervals: int, seed: int = 2) -> Iterator[Record]:
    """Yield reads and events of meters, interval by interval, some of them again or missing."""
    chance = random.Random(seed)
    for transformer in range(meters // 10):
        yield METERS, f"TX-{transformer}", {
            "transformer_id": f"TX-{transformer}", "total_meters": 10}  # fmt: skip
    for interval in range(intervals):
        end = DAY + timedelta(minutes=15 * interval)
        for number in range(meters):
            name = f"M-{number}"
            if chance.random() < 0.12 + 0.2 * (number // 10 % 5 == 0):
                continue
            row: Record = "ami.headend.reads", name, {
                "meter_id": name, "transformer_id": f"TX-{number // 10}",
                "feeder_id": f"F-{number // 100}", "read_type": "INTERVAL",
                "interval_end": spell(end), "consumption_kwh": chance.randrange(128) / 64,
                "voltage_v": 205.5 + chance.randrange(3_100) / 64,
                "estimated_flag": chance.random() < 0.1, "read_ts": spell(end)}  # fmt: skip
            yield row
            if chance.random() < 0.02:
                yield row  # Sent twice.
            if chance.random() < 0.01:
                yield "ami.headend.events", name, {
                    "meter_id": name, "event_code": chance.choice((3840, 2048, 1024, 7)),
                    "event_desc": "E", "event_ts": spell(end + timedelta(seconds=number + 1)),
                }  # fmt: skip


def send(brokers: str, records: Iterable[Record]) -> int:
    """Write records to their topics, those of one key in order; return how many."""
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 20, "log_level": 0})
    sent = 0
    for name, key, row in records:
        # Tables are keyed as their readers expect: an object with the key column.
        raw = json.dumps({next(iter(row)): row[next(iter(row))]}) if name in TABLES else key
        while True:
            try:
                producer.produce(name, json.dumps(row), key=raw)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        sent += 1
    assert producer.flush(120) == 0
    return sent
