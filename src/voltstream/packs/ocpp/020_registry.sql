-- Who is expected. A list of our own, not what has booted: a charger that was installed and never
-- called must raise an alert, and most chargers reconnect without a BootNotification.

CREATE TABLE IF NOT EXISTS charge_points (
    charge_point_id   VARCHAR PRIMARY KEY,
    site              VARCHAR NOT NULL,
    registered_at     TIMESTAMPTZ NOT NULL
);

COMMENT ON TABLE charge_points IS 'Expected charge points; fill it, or offline alerts stay silent';

CREATE MATERIALIZED VIEW latest_boots AS
SELECT DISTINCT ON (charge_point_id)
    charge_point_id, vendor, model, serial_number, firmware_version, event_ts AS booted_at
FROM charger_boots
ORDER BY charge_point_id, event_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_boots IS 'What each charge point said of itself when it last started';
