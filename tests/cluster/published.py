"""The published pipelines written by hand for the race on a cluster, and a recorded day.

Every view becomes a Flink view and a flow of its rows to a compacted topic; NOW() in a filter is
compared with the latest tick, in a select list it is left to whoever reads.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from voltstream.deploy.flink_jobs import FlinkProgram
from voltstream.deploy.script import Field, Output

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
FILES = ("ocpp_streaming.sql", "ami_streaming.sql")
DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
TICKS, METERS = "voltstream.ticks", "ami.transformers"
TABLES = (TICKS, METERS)  # Topics whose records replace the row of their key.
TEXT, INT, BIG, REAL = "character varying", "integer", "bigint", "double precision"
TIME, NUMERIC = "timestamp with time zone", "numeric"
_FLINK = {TEXT: "STRING", INT: "INT", BIG: "BIGINT", REAL: "DOUBLE", TIME: "TIMESTAMP_LTZ(6)",
          NUMERIC: "DECIMAL(38, 6)", "boolean": "BOOLEAN"}  # fmt: skip

# Source: topic, columns.
SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "ocpp_heartbeats": ("ocpp.heartbeats", {
        "charge_point_id": TEXT, "firmware_version": TEXT, "network_region": TEXT,
        "heartbeat_ts": TIME}),
    "ocpp_boot_notifications": ("ocpp.boot.notifications", {
        "charge_point_id": TEXT, "charge_point_model": TEXT, "charge_point_vendor": TEXT,
        "firmware_version": TEXT, "iccid": TEXT, "imsi": TEXT, "meter_serial_number": TEXT,
        "boot_ts": TIME}),
    "ocpp_meter_readings": ("ocpp.meter.readings", {
        "charge_point_id": TEXT, "connector_id": INT, "transaction_id": TEXT, "measurand": TEXT,
        "value": REAL, "unit": TEXT, "context": TEXT, "phase": TEXT, "sampled_ts": TIME}),
    "ocpp_transaction_events": ("ocpp.transaction.events", {
        "event_type": TEXT, "transaction_id": TEXT, "charge_point_id": TEXT, "connector_id": INT,
        "id_tag": TEXT, "meter_start_wh": BIG, "meter_stop_wh": BIG, "stop_reason": TEXT,
        "event_ts": TIME}),
    "ami_interval_reads": ("ami.headend.reads", {
        "meter_id": TEXT, "service_point_id": TEXT, "customer_id": TEXT, "transformer_id": TEXT,
        "feeder_id": TEXT, "read_type": TEXT, "interval_start": TIME, "interval_end": TIME,
        "consumption_kwh": REAL, "delivered_kwh": REAL, "received_kwh": REAL, "voltage_v": REAL,
        "power_quality_code": INT, "estimated_flag": "boolean", "read_ts": TIME}),
    "ami_events": ("ami.headend.events", {
        "meter_id": TEXT, "event_code": INT, "event_desc": TEXT, "event_ts": TIME}),
}  # fmt: skip


def _latest(columns: str, source: str, key: str, time: str, where: str = "TRUE") -> str:
    return (
        f"SELECT {columns} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} "
        f"ORDER BY {time} DESC) AS n FROM {source} WHERE {where}) WHERE n = 1"
    )


def _windowed(time: str) -> str:
    """Return the window of an instant, as columns; windows are arithmetic, so late rows count."""
    begin = f"CAST(FLOOR(EXTRACT(EPOCH FROM {time}) / 900) * 900 AS BIGINT)"
    return (
        f"CAST(TO_TIMESTAMP_LTZ({begin}, 0) AS TIMESTAMP_LTZ(6)) AS window_start, "
        f"CAST(TO_TIMESTAMP_LTZ({begin} + 900, 0) AS TIMESTAMP_LTZ(6)) AS window_end"
    )


# View: its columns as published, its key, its query there, and what readers are shown of it.
Definition = tuple[dict[str, str], tuple[str, ...], str, tuple[tuple[str, str | None], ...]]
_MINUTES = "EXTRACT(EPOCH FROM (NOW() - heartbeat_ts)) / 60.0"
_READING = {"charge_point_id": TEXT, "connector_id": INT, "transaction_id": TEXT}
_PLACE = {"window_start": TIME, "window_end": TIME}
_PERIODIC = "measurand = '{}' AND context = 'Sample.Periodic'"
VIEWS: dict[str, Definition] = {
    "last_heartbeat": (
        {"charge_point_id": TEXT, "heartbeat_ts": TIME}, ("charge_point_id",),
        _latest("charge_point_id, heartbeat_ts", "ocpp_heartbeats", "charge_point_id",
                "heartbeat_ts"),
        (("charge_point_id", "charge_point_id"), ("heartbeat_ts", "heartbeat_ts"),
         ("minutes_since_heartbeat", _MINUTES)),
    ),
    "charge_point_registry": (
        {"charge_point_id": TEXT, "charge_point_model": TEXT, "charge_point_vendor": TEXT,
         "firmware_version": TEXT, "last_boot_ts": TIME}, ("charge_point_id",),
        _latest("charge_point_id, charge_point_model, charge_point_vendor, firmware_version, "
                "boot_ts AS last_boot_ts", "ocpp_boot_notifications", "charge_point_id", "boot_ts"),
        (),
    ),
    "active_session_energy": (
        {**_READING, "cumulative_energy_kwh": REAL, "sampled_ts": TIME}, ("transaction_id",),
        _latest("charge_point_id, connector_id, transaction_id, `value` AS cumulative_energy_kwh, "
                "sampled_ts", "ocpp_meter_readings", "transaction_id", "sampled_ts",
                _PERIODIC.format("Energy.Active.Import.Register")),
        (),
    ),
    "active_session_power": (
        {**_READING, "power_kw": REAL, "sampled_ts": TIME}, ("transaction_id",),
        _latest("charge_point_id, connector_id, transaction_id, `value` / 1000.0 AS power_kw, "
                "sampled_ts", "ocpp_meter_readings", "transaction_id", "sampled_ts",
                _PERIODIC.format("Power.Active.Import")),
        (),
    ),
    "session_lifecycle": (
        {"transaction_id": TEXT, "charge_point_id": TEXT, "connector_id": INT, "id_tag": TEXT,
         "meter_start_wh": BIG, "start_ts": TIME, "meter_stop_wh": BIG, "stop_ts": TIME,
         "energy_delivered_kwh": NUMERIC, "stop_reason": TEXT}, ("transaction_id",),
        "SELECT s.transaction_id, s.charge_point_id, s.connector_id, s.id_tag, s.meter_start_wh, "
        "s.event_ts AS start_ts, e.meter_stop_wh, e.event_ts AS stop_ts, "
        "CAST(e.meter_stop_wh - s.meter_start_wh AS DECIMAL(20, 3)) / 1000.0 "
        "AS energy_delivered_kwh, e.stop_reason "
        "FROM (SELECT * FROM ocpp_transaction_events WHERE event_type = 'START') AS s "
        "LEFT JOIN (SELECT * FROM ocpp_transaction_events WHERE event_type = 'STOP') AS e "
        "ON s.transaction_id = e.transaction_id",
        (),
    ),
    "metering_aggregates_15min": (
        {"charge_point_id": TEXT, "connector_id": INT, **_PLACE, "interval_energy_kwh": REAL,
         "avg_energy_register": REAL, "reading_count": BIG},
        ("charge_point_id", "connector_id", "window_start", "window_end"),
        "SELECT charge_point_id, connector_id, window_start, window_end, "
        "MAX(`value`) - MIN(`value`) AS interval_energy_kwh, AVG(`value`) AS avg_energy_register, "
        f"COUNT(*) AS reading_count FROM (SELECT *, {_windowed('sampled_ts')} "
        "FROM ocpp_meter_readings WHERE measurand = 'Energy.Active.Import.Register') "
        "GROUP BY charge_point_id, connector_id, window_start, window_end",
        (),
    ),
    "offline_charge_point_alerts": (
        {"charge_point_id": TEXT, "heartbeat_ts": TIME, "charge_point_model": TEXT,
         "firmware_version": TEXT, "alert_type": TEXT}, ("charge_point_id",),
        "SELECT lh.charge_point_id, lh.heartbeat_ts, cp.charge_point_model, cp.firmware_version, "
        "'CHARGE_POINT_OFFLINE' AS alert_type FROM last_heartbeat AS lh "
        "JOIN charge_point_registry AS cp ON lh.charge_point_id = cp.charge_point_id "
        "JOIN ticks AS t ON lh.heartbeat_ts < t.`at` - INTERVAL '5' MINUTE",
        (("charge_point_id", "charge_point_id"), ("heartbeat_ts", "heartbeat_ts"),
         ("minutes_since_heartbeat", _MINUTES), ("charge_point_model", "charge_point_model"),
         ("firmware_version", "firmware_version"), ("alert_ts", "NOW()"),
         ("alert_type", "alert_type")),
    ),
    "metering_gap_alerts": (
        {"charge_point_id": TEXT, "connector_id": INT, **_PLACE, "reading_count": BIG,
         "alert_type": TEXT}, ("charge_point_id", "connector_id", "window_start", "window_end"),
        "SELECT charge_point_id, connector_id, window_start, window_end, reading_count, "
        "'METERING_GAP' AS alert_type FROM metering_aggregates_15min WHERE reading_count < 3",
        (*((name, name) for name in ("charge_point_id", "connector_id", "window_start",
                                     "window_end", "reading_count")),
         ("alert_ts", "NOW()"), ("alert_type", "alert_type")),
    ),
    "transformer_summary": (
        {"transformer_id": TEXT, "feeder_id": TEXT, **_PLACE, "total_consumption_kwh": REAL,
         "meters_reported": BIG, "avg_voltage_v": REAL, "min_voltage_v": REAL,
         "max_voltage_v": REAL, "estimated_count": BIG},
        ("transformer_id", "feeder_id", "window_start", "window_end"),
        "SELECT transformer_id, feeder_id, window_start, window_end, "
        "SUM(consumption_kwh) AS total_consumption_kwh, "
        "COUNT(DISTINCT meter_id) AS meters_reported, AVG(voltage_v) AS avg_voltage_v, "
        "MIN(voltage_v) AS min_voltage_v, MAX(voltage_v) AS max_voltage_v, "
        "CAST(SUM(CASE WHEN estimated_flag THEN 1 ELSE 0 END) AS BIGINT) AS estimated_count "
        f"FROM (SELECT *, {_windowed('interval_end')} FROM ami_interval_reads "
        "WHERE read_type = 'INTERVAL') "
        "GROUP BY transformer_id, feeder_id, window_start, window_end",
        (),
    ),
    "read_receipt_rate": (
        {"transformer_id": TEXT, "feeder_id": TEXT, **_PLACE, "meters_reported": BIG,
         "total_meters": INT, "receipt_rate_pct": NUMERIC},
        ("transformer_id", "feeder_id", "window_start", "window_end"),
        "SELECT t.transformer_id, t.feeder_id, t.window_start, t.window_end, "
        "t.meters_reported, c.total_meters, "
        "ROUND(CAST(t.meters_reported * 100 AS DECIMAL(20, 6)) / c.total_meters, 1) "
        "AS receipt_rate_pct FROM transformer_summary AS t "
        "JOIN transformer_meter_count AS c ON t.transformer_id = c.transformer_id",
        tuple((name, name) for name in ("transformer_id", "window_end", "meters_reported",
                                        "total_meters", "receipt_rate_pct")),
    ),
    "ami_operational_alerts": (
        {"alert_source": TEXT, "entity_id": TEXT, "feeder_id": TEXT, "alert_time": TIME,
         "alert_type": TEXT, "detail_value": REAL, "severity": TEXT},
        ("alert_source", "entity_id", "feeder_id", "alert_time"),
        "SELECT 'COMM' AS alert_source, transformer_id AS entity_id, feeder_id, "
        "window_end AS alert_time, 'LOW_RECEIPT_RATE' AS alert_type, "
        "CAST(receipt_rate_pct AS DOUBLE) AS detail_value, 'WARNING' AS severity "
        "FROM read_receipt_rate WHERE receipt_rate_pct < 80 "
        "UNION ALL SELECT 'VOLTAGE', transformer_id, feeder_id, window_end, "
        "CASE WHEN min_voltage_v < 207 THEN 'LOW_VOLTAGE' "
        "WHEN max_voltage_v > 253 THEN 'HIGH_VOLTAGE' END, "
        "COALESCE(min_voltage_v, max_voltage_v), 'WARNING' FROM transformer_summary "
        "WHERE min_voltage_v < 207 OR max_voltage_v > 253 "
        "UNION ALL SELECT 'EVENT', meter_id, '', event_ts, event_desc, "
        "CAST(event_code AS DOUBLE), CASE WHEN event_code IN (3840, 3841, 3842) "
        "THEN 'CRITICAL' ELSE 'WARNING' END FROM ami_events "
        "WHERE event_code IN (3840, 3841, 3842, 2048, 2049, 1024)",
        tuple((name, name) for name in ("alert_source", "entity_id", "alert_time", "alert_type",
                                        "detail_value", "severity")),
    ),
}  # fmt: skip


# Views whose key the planner finds by itself; of the others it keeps the latest row of each key.
KEYED = frozenset(VIEWS) - {
    "ami_operational_alerts",
    "offline_charge_point_alerts",
    "session_lifecycle",
}


def topic(view: str) -> str:
    return f"voltstream.{view}"


def outputs() -> list[Output]:
    """Return what the cluster publishes."""
    return [
        Output(f"public.{name}", name, topic(name),
               tuple(Field(*column) for column in columns.items()), key, shown=shown)
        for name, (columns, key, _, shown) in VIEWS.items()
    ]  # fmt: skip


def program(
    brokers: str, only: Collection[str] = tuple(VIEWS), group: str = "", **settings: str
) -> FlinkProgram:
    """Return the pipelines, or some of their views, as one job. ``group`` keeps offsets."""
    options = {"format": "json", "scan.startup.mode": "earliest-offset",
               "json.timestamp-format.standard": "ISO-8601"}  # fmt: skip
    if group:
        options["properties.group.id"] = group
    relations = [
        _table(name, columns, "kafka", {"topic": told, **options}, brokers)
        for name, (told, columns) in SOURCES.items()
    ]
    relations.append(_keyed("ticks", {"k": INT, "at": TIME}, ("k",), TICKS, brokers))
    counted = {"transformer_id": TEXT, "total_meters": INT}
    relations.append(
        _keyed("transformer_meter_count", counted, ("transformer_id",), METERS, brokers)
    )
    inserts = []
    for name, (columns, key, query, _) in VIEWS.items():
        if name not in only:
            continue
        relations.append(f"CREATE TEMPORARY VIEW {name} AS {query}")
        relations.append(_keyed(f"{name}__out", columns, key, topic(name), brokers))
        # A key that is cast is no key to the planner.
        listed = ", ".join(
            f"`{column}`" if column in key else f"CAST(`{column}` AS {_FLINK[kind]})"
            for column, kind in columns.items()
        )
        conflict = "" if name in KEYED else " ON CONFLICT DO DEDUPLICATE"
        inserts.append(f"INSERT INTO {name}__out SELECT {listed} FROM {name}{conflict}")
    told = {"execution.checkpointing.interval": "1 s", **settings}
    return FlinkProgram("published", relations, inserts, told)


def _keyed(
    name: str, columns: dict[str, str], key: tuple[str, ...], told: str, brokers: str
) -> str:
    options = {"topic": told, "key.format": "json", "value.format": "json",
               "key.json.timestamp-format.standard": "ISO-8601",
               "value.json.timestamp-format.standard": "ISO-8601"}  # fmt: skip
    return _table(name, columns, "upsert-kafka", options, brokers, key)


def _table(
    name: str,
    columns: dict[str, str],
    connector: str,
    options: dict[str, str],
    brokers: str,
    key: tuple[str, ...] = (),
) -> str:
    body = [f"`{column}` {_FLINK[kind]}" for column, kind in columns.items()]
    if key:
        body.append(f"PRIMARY KEY ({', '.join(key)}) NOT ENFORCED")
    told = {"connector": connector, "properties.bootstrap.servers": brokers, **options}
    written = ", ".join(f"'{option}' = '{value}'" for option, value in told.items())
    return f"CREATE TEMPORARY TABLE {name} ({', '.join(body)}) WITH ({written})"


# --- a recorded day -----------------------------------------------------------------------------

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
