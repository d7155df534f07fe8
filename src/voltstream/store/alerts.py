"""Where the life of alerts is kept: conditions as rules see them, and the numbers given so far."""

from __future__ import annotations

# ``opens_at``, ``gone_at``: since when the condition has opened, or been gone, without a break.
# ``due``: when the clock alone changes something. ``marks``: what an "updated" event depends on.
STATE = "_vs.alert_state"
NUMBERS = "_vs.alert_numbers"
TABLES = (
    f"CREATE TABLE IF NOT EXISTS {STATE} (oid BIGINT, key VARCHAR, entity VARCHAR, "
    "parents VARCHAR[], there BOOLEAN, opens BOOLEAN, opens_at TIMESTAMPTZ, gone_at TIMESTAMPTZ, "
    "due TIMESTAMPTZ, alert_id BIGINT, severity VARCHAR, title VARCHAR, since TIMESTAMPTZ, "
    "details JSON, marks VARCHAR)",
    f"CREATE TABLE IF NOT EXISTS {NUMBERS} (next_alert BIGINT, next_event BIGINT)",
)
