SET TimeZone = 'UTC';

CREATE TABLE transformer_meter_count (
  transformer_id VARCHAR,
  total_meters BIGINT,
  PRIMARY KEY (transformer_id)
);

-- public.meter_values: approximated: a table: its layout is RisingWave's; retention is not moved
CREATE TABLE meter_values (
  "time" TIMESTAMPTZ,
  charger_id VARCHAR,
  connector_id INTEGER,
  "measurand" VARCHAR,
  "value" DOUBLE PRECISION,
  "unit" VARCHAR,
  "phase" VARCHAR
);

-- public.charging_sessions: approximated: session_id: left out: who inserts gives the value
CREATE TABLE charging_sessions (
  session_id VARCHAR,
  charger_id VARCHAR,
  connector_id INTEGER,
  id_tag VARCHAR,
  started_at TIMESTAMPTZ,
  stopped_at TIMESTAMPTZ,
  stop_reason VARCHAR,
  meter_start_wh DOUBLE PRECISION,
  meter_stop_wh DOUBLE PRECISION,
  PRIMARY KEY (session_id)
);

-- public.status_events: approximated: a table: its layout is RisingWave's; retention is not moved
CREATE TABLE status_events (
  "time" TIMESTAMPTZ,
  charger_id VARCHAR,
  connector_id INTEGER,
  "status" VARCHAR,
  error_code VARCHAR,
  "info" VARCHAR
);

CREATE MATERIALIZED VIEW session_energy AS
SELECT
  TO_TIMESTAMP(FLOOR((EXTRACT(EPOCH FROM "time")) / 86400) * 86400) AS "day",
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
  TO_TIMESTAMP(FLOOR((EXTRACT(EPOCH FROM "time")) / 86400) * 86400),
  charger_id,
  connector_id;

CREATE MATERIALIZED VIEW charger_uptime_hourly AS
SELECT
  TO_TIMESTAMP(FLOOR((EXTRACT(EPOCH FROM "time")) / 3600) * 3600) AS "bucket",
  charger_id,
  connector_id,
  COUNT(*) FILTER(WHERE
    "status" = 'Available') AS available_count,
  COUNT(*) AS total_count
FROM status_events
GROUP BY
  TO_TIMESTAMP(FLOOR((EXTRACT(EPOCH FROM "time")) / 3600) * 3600),
  charger_id,
  connector_id;
