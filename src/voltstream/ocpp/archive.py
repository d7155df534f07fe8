"""Frames as they came: the row from which everything else can be made again."""

from __future__ import annotations

import hashlib

from voltstream.ocpp.draft import Row
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version

# Messages that say when they happened: the same content twice is one event told twice.
_DATED = frozenset({
    "MeterValues", "NotifyDERAlarm", "NotifyEvent", "NotifyMonitoringReport", "NotifyReport",
    "NotifySettlement", "SecurityEventNotification", "StartTransaction", "StatusNotification",
    "StopTransaction", "TransactionEvent",
})  # fmt: skip


def content_key(action: str, payload: Json) -> str | None:
    """Return what a message has in common with itself, sent again under another id."""
    if action not in _DATED or (action == "StatusNotification" and "timestamp" not in payload):
        return None
    return hashlib.sha256(f"{action}\n{document(payload)}".encode()).hexdigest()[:32]


def frame_row(
    *,
    raw_id: int,
    charger: str,
    connection_id: int,
    version: Version,
    text: str,
    received_us: int,
    direction: str = "in",
    message_id: str | None = None,
    action: str | None = None,
    reply: str | None = None,
    error_code: str | None = None,
    key: str | None = None,
    flags: Quality = Quality.OK,
) -> Row:
    """Return a row of charger_frames. DuckDB's text has no U+0000, so it is spelled apart."""
    return {
        "raw_id": raw_id,
        "charge_point_id": charger,
        "connection_id": connection_id,
        "direction": direction,
        "ocpp_version": version.value,
        "message_id": message_id,
        "action": action,
        "frame": text.replace("\x00", "\N{SYMBOL FOR NULL}"),
        "reply": reply,
        "error_code": error_code,
        "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        "content_key": key,
        "flags": int(flags),
        "received_ts": received_us,
    }
