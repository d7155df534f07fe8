CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ BEGIN
  IF (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') NOT LIKE '%UTC' THEN
    EXECUTE format('ALTER DATABASE %I SET TimeZone TO ''UTC''', current_database());
  END IF;
END $$;
SET TimeZone = 'UTC';

CREATE TABLE transformer_meter_count (
  transformer_id VARCHAR,
  total_meters BIGINT,
  PRIMARY KEY (transformer_id)
);

-- public.ocpp_heartbeats: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ocpp_heartbeats (
  charge_point_id VARCHAR,
  firmware_version VARCHAR,
  network_region VARCHAR,
  heartbeat_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('ocpp_heartbeats', by_range('heartbeat_ts'));

-- public.ocpp_boot_notifications: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ocpp_boot_notifications (
  charge_point_id VARCHAR,
  charge_point_model VARCHAR,
  charge_point_vendor VARCHAR,
  firmware_version VARCHAR,
  "iccid" VARCHAR,
  "imsi" VARCHAR,
  meter_serial_number VARCHAR,
  boot_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('ocpp_boot_notifications', by_range('boot_ts'));

-- public.ocpp_meter_readings: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ocpp_meter_readings (
  charge_point_id VARCHAR,
  connector_id INTEGER,
  transaction_id VARCHAR,
  "measurand" VARCHAR,
  "value" DOUBLE PRECISION,
  "unit" VARCHAR,
  "context" VARCHAR,
  "phase" VARCHAR,
  sampled_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('ocpp_meter_readings', by_range('sampled_ts'));

-- public.ocpp_transaction_events: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ocpp_transaction_events (
  event_type VARCHAR,
  transaction_id VARCHAR,
  charge_point_id VARCHAR,
  connector_id INTEGER,
  id_tag VARCHAR,
  meter_start_wh BIGINT,
  meter_stop_wh BIGINT,
  stop_reason VARCHAR,
  event_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('ocpp_transaction_events', by_range('event_ts'));

-- public.last_heartbeat: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW last_heartbeat__rows AS
SELECT DISTINCT ON (charge_point_id)
  charge_point_id,
  heartbeat_ts
FROM ocpp_heartbeats
ORDER BY
  charge_point_id,
  heartbeat_ts DESC;

CREATE VIEW last_heartbeat AS
SELECT
  charge_point_id,
  heartbeat_ts,
  EXTRACT(EPOCH FROM NOW() - heartbeat_ts) / 60.0 AS minutes_since_heartbeat
FROM last_heartbeat__rows;

-- public.charge_point_registry: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW charge_point_registry AS
SELECT DISTINCT ON (charge_point_id)
  charge_point_id,
  charge_point_model,
  charge_point_vendor,
  firmware_version,
  boot_ts AS last_boot_ts
FROM ocpp_boot_notifications
ORDER BY
  charge_point_id,
  boot_ts DESC;

-- public.active_session_energy: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW active_session_energy AS
SELECT DISTINCT ON (transaction_id)
  charge_point_id,
  connector_id,
  transaction_id,
  "value" AS cumulative_energy_kwh,
  sampled_ts
FROM ocpp_meter_readings
WHERE
  "measurand" = 'Energy.Active.Import.Register' AND "context" = 'Sample.Periodic'
ORDER BY
  transaction_id,
  sampled_ts DESC;

-- public.active_session_power: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW active_session_power AS
SELECT DISTINCT ON (transaction_id)
  charge_point_id,
  connector_id,
  transaction_id,
  "value" / 1000.0 AS power_kw,
  sampled_ts
FROM ocpp_meter_readings
WHERE
  "measurand" = 'Power.Active.Import' AND "context" = 'Sample.Periodic'
ORDER BY
  transaction_id,
  sampled_ts DESC;

CREATE VIEW session_lifecycle AS
SELECT
  a1.transaction_id,
  a1.charge_point_id,
  a1.connector_id,
  a1.id_tag,
  a1.meter_start_wh,
  a1.event_ts AS start_ts,
  b2.meter_stop_wh_7 AS meter_stop_wh,
  b2.event_ts_9 AS stop_ts,
  (
    b2.meter_stop_wh_7 - a1.meter_start_wh
  ) / 1000.0 AS energy_delivered_kwh,
  b2.stop_reason_8 AS stop_reason
FROM (
  SELECT
    transaction_id,
    charge_point_id,
    connector_id,
    id_tag,
    meter_start_wh,
    event_ts
  FROM ocpp_transaction_events
  WHERE
    event_type = 'START'
) AS a1
LEFT JOIN (
  SELECT
    transaction_id AS transaction_id_2,
    meter_stop_wh AS meter_stop_wh_7,
    stop_reason AS stop_reason_8,
    event_ts AS event_ts_9
  FROM ocpp_transaction_events
  WHERE
    event_type = 'STOP'
) AS b2
  ON a1.transaction_id = b2.transaction_id_2;

-- public.metering_aggregates_15min: approximated: a continuous aggregate with a refresh policy: rows that come for buckets already refreshed are seen after the next refresh; with DISTINCT, or over anything but one hypertable, a plain view
CREATE MATERIALIZED VIEW metering_aggregates_15min
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  charge_point_id,
  connector_id,
  TIME_BUCKET(INTERVAL '15 minutes', sampled_ts, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00') AS window_start,
  TIME_BUCKET(INTERVAL '15 minutes', sampled_ts, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00') + INTERVAL '15 minutes' AS window_end,
  MAX("value") - MIN("value") AS interval_energy_kwh,
  AVG("value") AS avg_energy_register,
  COUNT(*) AS reading_count
FROM ocpp_meter_readings
WHERE
  "measurand" = 'Energy.Active.Import.Register' AND NOT sampled_ts IS NULL
GROUP BY
  charge_point_id,
  connector_id,
  TIME_BUCKET(INTERVAL '15 minutes', sampled_ts, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00')
WITH NO DATA;

SELECT add_continuous_aggregate_policy('metering_aggregates_15min', start_offset => NULL, end_offset => INTERVAL '15 minutes', schedule_interval => INTERVAL '5 minutes');

CREATE VIEW offline_charge_point_alerts__rows AS
SELECT
  a1.charge_point_id,
  a1.heartbeat_ts,
  b2.charge_point_model,
  b2.firmware_version,
  'CHARGE_POINT_OFFLINE' AS alert_type
FROM last_heartbeat__rows AS a1
JOIN charge_point_registry AS b2
  ON a1.charge_point_id = b2.charge_point_id
WHERE
  (
    a1.heartbeat_ts + INTERVAL '5 minutes'
  ) < NOW();

CREATE VIEW offline_charge_point_alerts AS
SELECT
  charge_point_id,
  heartbeat_ts,
  EXTRACT(EPOCH FROM NOW() - heartbeat_ts) / 60.0 AS minutes_since_heartbeat,
  charge_point_model,
  firmware_version,
  NOW() AS alert_ts,
  alert_type
FROM offline_charge_point_alerts__rows;

CREATE VIEW metering_gap_alerts__rows AS
SELECT
  charge_point_id,
  connector_id,
  window_start,
  window_end,
  reading_count,
  'METERING_GAP' AS alert_type
FROM metering_aggregates_15min
WHERE
  reading_count < 3;

CREATE VIEW metering_gap_alerts AS
SELECT
  charge_point_id,
  connector_id,
  window_start,
  window_end,
  reading_count,
  NOW() AS alert_ts,
  alert_type
FROM metering_gap_alerts__rows;

-- public.ocpp_alert_sink: refused: PostgreSQL has no sinks (Keep the sink in Voltstream)
