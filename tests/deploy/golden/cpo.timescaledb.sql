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

CREATE TABLE meter_values (
  "time" TIMESTAMPTZ NOT NULL,
  charger_id TEXT NOT NULL,
  connector_id INTEGER NOT NULL,
  "measurand" TEXT NOT NULL,
  "value" DOUBLE PRECISION,
  "unit" TEXT,
  "phase" TEXT
);

SELECT create_hypertable('meter_values', by_range('time', INTERVAL '7 days'));

ALTER TABLE meter_values SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'charger_id, connector_id'
);

CREATE TABLE charging_sessions (
  session_id UUID DEFAULT gen_random_uuid(),
  charger_id TEXT NOT NULL,
  connector_id INTEGER NOT NULL,
  id_tag TEXT,
  started_at TIMESTAMPTZ NOT NULL,
  stopped_at TIMESTAMPTZ,
  stop_reason TEXT,
  meter_start_wh DOUBLE PRECISION,
  meter_stop_wh DOUBLE PRECISION,
  PRIMARY KEY (session_id)
);

CREATE TABLE status_events (
  "time" TIMESTAMPTZ NOT NULL,
  charger_id TEXT NOT NULL,
  connector_id INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  error_code TEXT,
  "info" TEXT
);

SELECT create_hypertable('status_events', by_range('time', INTERVAL '7 days'));

-- public.session_energy: approximated: a continuous aggregate with a refresh policy: rows that come for buckets already refreshed are seen after the next refresh; with DISTINCT, or over anything but one hypertable, a plain view
CREATE MATERIALIZED VIEW session_energy
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  TIME_BUCKET(INTERVAL '1 day', "time") AS "day",
  charger_id,
  connector_id,
  (
    MAX("value") FILTER(WHERE
      "measurand" = 'Energy.Active.Import.Register') - MIN("value") FILTER(WHERE
      "measurand" = 'Energy.Active.Import.Register')
  ) / 1000.0 AS energy_delivered_kwh
FROM meter_values
WHERE
  "measurand" = 'Energy.Active.Import.Register'
GROUP BY
  TIME_BUCKET(INTERVAL '1 day', "time"),
  charger_id,
  connector_id
WITH NO DATA;

SELECT add_continuous_aggregate_policy('session_energy', start_offset => NULL, end_offset => INTERVAL '1 day', schedule_interval => INTERVAL '5 minutes');

-- public.charger_uptime_hourly: approximated: a continuous aggregate with a refresh policy: rows that come for buckets already refreshed are seen after the next refresh; with DISTINCT, or over anything but one hypertable, a plain view
CREATE MATERIALIZED VIEW charger_uptime_hourly
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  TIME_BUCKET(INTERVAL '1 hour', "time") AS "bucket",
  charger_id,
  connector_id,
  COUNT(*) FILTER(WHERE
    "status" = 'Available') AS available_count,
  COUNT(*) AS total_count
FROM status_events
GROUP BY
  TIME_BUCKET(INTERVAL '1 hour', "time"),
  charger_id,
  connector_id
WITH NO DATA;

SELECT add_continuous_aggregate_policy('charger_uptime_hourly', start_offset => NULL, end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '5 minutes');
