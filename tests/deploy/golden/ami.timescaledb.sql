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

-- public.ami_interval_reads: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ami_interval_reads (
  meter_id VARCHAR,
  service_point_id VARCHAR,
  customer_id VARCHAR,
  transformer_id VARCHAR,
  feeder_id VARCHAR,
  read_type VARCHAR,
  interval_start TIMESTAMPTZ,
  interval_end TIMESTAMPTZ,
  consumption_kwh DOUBLE PRECISION,
  delivered_kwh DOUBLE PRECISION,
  received_kwh DOUBLE PRECISION,
  voltage_v DOUBLE PRECISION,
  power_quality_code INTEGER,
  estimated_flag BOOLEAN,
  read_ts TIMESTAMPTZ
);

-- public.ami_events: approximated: a hypertable: PostgreSQL reads no topics (Voltstream stays the reader and writes the rows with a sink (connector = 'postgres'))
CREATE TABLE ami_events (
  meter_id VARCHAR,
  event_code INTEGER,
  event_desc VARCHAR,
  event_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('ami_events', by_range('event_ts'));

CREATE VIEW transformer_summary AS
SELECT
  transformer_id,
  feeder_id,
  TIME_BUCKET(INTERVAL '15 minutes', interval_end, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00') AS window_start,
  TIME_BUCKET(INTERVAL '15 minutes', interval_end, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00') + INTERVAL '15 minutes' AS window_end,
  SUM(consumption_kwh) AS total_consumption_kwh,
  COUNT(DISTINCT meter_id) AS meters_reported,
  AVG(voltage_v) AS avg_voltage_v,
  MIN(voltage_v) AS min_voltage_v,
  MAX(voltage_v) AS max_voltage_v,
  CAST(SUM(CASE WHEN estimated_flag THEN 1 ELSE 0 END) AS BIGINT) AS estimated_count
FROM ami_interval_reads
WHERE
  read_type = 'INTERVAL' AND NOT interval_end IS NULL
GROUP BY
  transformer_id,
  feeder_id,
  TIME_BUCKET(INTERVAL '15 minutes', interval_end, origin => TIMESTAMPTZ '1970-01-01 00:00:00+00');

CREATE VIEW read_receipt_rate AS
SELECT
  a1.transformer_id,
  a1.window_end,
  a1.meters_reported,
  b2.total_meters,
  CAST(ROUND(
    (
      CAST(a1.meters_reported AS DECIMAL(38, 0)) / NULLIF(b2.total_meters, 0)
    ) * 100,
    1
  ) AS DECIMAL(38, 1)) AS receipt_rate_pct
FROM transformer_summary AS a1
JOIN transformer_meter_count AS b2
  ON a1.transformer_id = b2.transformer_id;

CREATE VIEW ami_operational_alerts AS
SELECT
  alert_source,
  entity_id,
  alert_time,
  alert_type,
  detail_value,
  "severity"
FROM (
  SELECT
    alert_source,
    entity_id,
    alert_time,
    alert_type,
    detail_value,
    "severity"
  FROM (
    SELECT
      'COMM' AS alert_source,
      transformer_id AS entity_id,
      window_end AS alert_time,
      'LOW_RECEIPT_RATE' AS alert_type,
      receipt_rate_pct AS detail_value,
      'WARNING' AS "severity"
    FROM read_receipt_rate
    WHERE
      receipt_rate_pct < 80
    UNION ALL
    SELECT
      'VOLTAGE' AS alert_source,
      transformer_id AS entity_id,
      window_end AS alert_time,
      CASE
        WHEN min_voltage_v < 207
        THEN 'LOW_VOLTAGE'
        WHEN max_voltage_v > 253
        THEN 'HIGH_VOLTAGE'
      END AS alert_type,
      COALESCE(min_voltage_v, max_voltage_v) AS detail_value,
      'WARNING' AS "severity"
    FROM transformer_summary
    WHERE
      min_voltage_v < 207 OR max_voltage_v > 253
  ) AS q1
  UNION ALL
  SELECT
    'EVENT' AS alert_source,
    meter_id AS entity_id,
    event_ts AS alert_time,
    event_desc AS alert_type,
    CAST(event_code AS DOUBLE PRECISION) AS detail_value,
    CASE WHEN event_code IN (3840, 3841, 3842) THEN 'CRITICAL' ELSE 'WARNING' END AS "severity"
  FROM ami_events
  WHERE
    event_code IN (3840, 3841, 3842, 2048, 2049, 1024)
) AS q2;

-- public.ami_grid_alert_sink: refused: PostgreSQL has no sinks (Keep the sink in Voltstream)

-- public.ami_event_sink: refused: PostgreSQL has no sinks (Keep the sink in Voltstream)
