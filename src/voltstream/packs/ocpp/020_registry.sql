-- What each charge point says of itself. Who is expected stands in charge_points (015).

CREATE MATERIALIZED VIEW latest_boots AS
SELECT DISTINCT ON (charge_point_id)
    charge_point_id, vendor, model, serial_number, firmware_version, event_ts AS booted_at
FROM charger_boots
ORDER BY charge_point_id, event_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_boots IS 'What each charge point said of itself when it last started';
