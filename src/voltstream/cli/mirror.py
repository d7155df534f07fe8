"""kafka.mirror: what chargers bring also goes to the topics that published pipelines read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.config import KafkaSettings
from voltstream.core.ports import Session, Sessions

# Firmware and site are as they were when the heartbeat came, so that its message never changes.
_BOOTS = (
    "CREATE MATERIALIZED VIEW IF NOT EXISTS kafka_mirror_boots AS "
    "SELECT DISTINCT ON (charge_point_id) charge_point_id, firmware_version FROM charger_boots "
    "ORDER BY charge_point_id, received_ts DESC"
)
_HEARTBEATS = (
    "SELECT h.charge_point_id, b.firmware_version, c.site AS network_region, "
    "h.received_ts AS heartbeat_ts FROM charger_heartbeats AS h "
    "LEFT JOIN kafka_mirror_boots FOR SYSTEM_TIME AS OF PROCTIME() AS b "
    "ON b.charge_point_id = h.charge_point_id "
    "LEFT JOIN charge_points FOR SYSTEM_TIME AS OF PROCTIME() AS c "
    "ON c.charge_point_id = h.charge_point_id"
)
# Topic, by the name of its sink, and what it carries.
MIRRORED: Mapping[str, tuple[str, str]] = {
    "kafka_mirror_heartbeats": ("ocpp.heartbeats", _HEARTBEATS),
    "kafka_mirror_boot_notifications": (
        "ocpp.boot.notifications",
        "SELECT * FROM published_boot_notifications",
    ),
    "kafka_mirror_meter_readings": (
        "ocpp.meter.readings",
        "SELECT * FROM published_meter_readings",
    ),
    "kafka_mirror_transaction_events": (
        "ocpp.transaction.events",
        "SELECT * FROM published_transaction_events",
    ),
    "kafka_mirror_status": (
        "ocpp.status",
        "SELECT charge_point_id, connector_id, status, error_code, info, corrected_ts AS status_ts "
        "FROM charger_status",
    ),
}
_LOG = logging.getLogger(__name__)


def mirror_properties(settings: KafkaSettings) -> dict[str, str] | None:
    """Return how the mirror's brokers are reached, as a sink's properties; None without one."""
    if settings.mirror is None:
        return None
    options = {
        f"properties.{name}": value.get_secret_value()
        for name, value in settings.mirror_properties.items()
    }
    return {**options, "properties.bootstrap.server": settings.mirror}


def keep_mirror(sessions: Sessions, ddl: Sequence[str], *, wanted: bool) -> None:
    """Make the sinks of the mirror, or take them away when it is no longer configured."""
    session = sessions.open(database=DATABASE, user=USER, options={})
    try:
        if wanted:
            for text in (*ddl, _BOOTS, *(_sink(name) for name in MIRRORED)):
                _run(session, text)
        else:
            _drop(session)
    finally:
        session.close()


def _sink(name: str) -> str:
    topic, query = MIRRORED[name]
    return (
        f"CREATE SINK IF NOT EXISTS {name} AS {query} WITH (connector = 'kafka-mirror', "
        f"topic = '{topic}', primary_key = 'charge_point_id') FORMAT PLAIN ENCODE JSON"
    )


def _drop(session: Session) -> None:
    names = ", ".join(f"'{name}'" for name in MIRRORED)
    left = _run(session, f"SELECT name, pending FROM rw_sinks WHERE name IN ({names})")
    for name, pending in left:
        if pending:
            _LOG.warning("kafka.mirror is not set: %d rows of %s are dropped", pending, name)
        _run(session, f"DROP SINK {name}")
    if left:
        _run(session, "DROP MATERIALIZED VIEW IF EXISTS kafka_mirror_boots")


def _run(session: Session, text: str) -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = []
    for statement in session.parse(text):
        outcome = session.execute(statement)
        if outcome.rows is None:
            continue
        try:
            for batch in outcome.rows.batches():
                rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        finally:
            outcome.rows.close()
    return rows
