SET 'table.local-time-zone' = 'UTC';

-- public.transformer_meter_count: approximated: an upsert-kafka topic by its primary key, a JSON object, that a sink writes to
CREATE TABLE transformer_meter_count (
  transformer_id STRING,
  total_meters BIGINT,
  PRIMARY KEY (transformer_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.transformer_meter_count',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.ami_interval_reads: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ami_interval_reads (
  meter_id STRING,
  service_point_id STRING,
  customer_id STRING,
  transformer_id STRING,
  feeder_id STRING,
  read_type STRING,
  interval_start TIMESTAMP_LTZ(6),
  interval_end TIMESTAMP_LTZ(6),
  consumption_kwh DOUBLE,
  delivered_kwh DOUBLE,
  received_kwh DOUBLE,
  voltage_v DOUBLE,
  power_quality_code INT,
  estimated_flag BOOLEAN,
  read_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ami.headend.reads',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.ami_events: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ami_events (
  meter_id STRING,
  event_code INT,
  event_desc STRING,
  event_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ami.headend.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.transformer_summary: approximated: transformer_id, feeder_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW transformer_summary AS
SELECT
  transformer_id,
  feeder_id,
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `interval_end`) - MOD(EXTRACT(EPOCH FROM `interval_end`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) AS window_start,
  (CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `interval_end`) - MOD(EXTRACT(EPOCH FROM `interval_end`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) + INTERVAL '15' MINUTE) AS window_end,
  SUM(consumption_kwh) AS total_consumption_kwh,
  COUNT(DISTINCT meter_id) AS meters_reported,
  AVG(voltage_v) AS avg_voltage_v,
  MIN(voltage_v) AS min_voltage_v,
  MAX(voltage_v) AS max_voltage_v,
  TRY_CAST(ROUND(SUM(CAST(CASE WHEN `estimated_flag` THEN 1 ELSE 0 END AS BIGINT)), 0) AS BIGINT) AS estimated_count
FROM ami_interval_reads
WHERE
  read_type = 'INTERVAL' AND NOT interval_end IS NULL
GROUP BY
  transformer_id,
  feeder_id,
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `interval_end`) - MOD(EXTRACT(EPOCH FROM `interval_end`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)),
  (CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `interval_end`) - MOD(EXTRACT(EPOCH FROM `interval_end`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) + INTERVAL '15' MINUTE);

CREATE TABLE transformer_summary__topic (
  transformer_id STRING,
  feeder_id STRING,
  window_start TIMESTAMP_LTZ(6),
  window_end TIMESTAMP_LTZ(6),
  total_consumption_kwh DOUBLE,
  meters_reported BIGINT,
  avg_voltage_v DOUBLE,
  min_voltage_v DOUBLE,
  max_voltage_v DOUBLE,
  estimated_count BIGINT,
  PRIMARY KEY (transformer_id, feeder_id, window_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.transformer_summary',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

CREATE VIEW read_receipt_rate AS
SELECT
  a1.transformer_id,
  a1.window_end,
  a1.meters_reported,
  b2.total_meters,
  TRY_CAST(ROUND(TRY_CAST(TRY_CAST(TRY_CAST(`a1`.`meters_reported` AS DECIMAL(38, 0)) AS DECIMAL(32, 16)) / TRY_CAST(NULLIF(`b2`.`total_meters`, 0) AS DECIMAL(25, 6)) AS DECIMAL(38, 16)) * 100, 1) AS DECIMAL(38, 1)) AS receipt_rate_pct
FROM transformer_summary AS a1
JOIN transformer_meter_count AS b2
  ON a1.transformer_id = b2.transformer_id;

CREATE TABLE read_receipt_rate__topic (
  `_key` STRING,
  transformer_id STRING,
  window_end TIMESTAMP_LTZ(6),
  meters_reported BIGINT,
  total_meters BIGINT,
  receipt_rate_pct DECIMAL(38, 1),
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.read_receipt_rate',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

CREATE VIEW ami_operational_alerts AS
SELECT
  alert_source,
  entity_id,
  alert_time,
  alert_type,
  detail_value,
  `severity`
FROM (
  SELECT
    alert_source,
    entity_id,
    alert_time,
    alert_type,
    detail_value,
    `severity`
  FROM (
    SELECT
      'COMM' AS alert_source,
      transformer_id AS entity_id,
      window_end AS alert_time,
      'LOW_RECEIPT_RATE' AS alert_type,
      receipt_rate_pct AS detail_value,
      'WARNING' AS `severity`
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
      'WARNING' AS `severity`
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
    TRY_CAST(`event_code` AS DOUBLE) AS detail_value,
    CASE WHEN event_code IN (3840, 3841, 3842) THEN 'CRITICAL' ELSE 'WARNING' END AS `severity`
  FROM ami_events
  WHERE
    event_code IN (3840, 3841, 3842, 2048, 2049, 1024)
) AS q2;

CREATE TABLE ami_operational_alerts__topic (
  `_key` STRING,
  alert_source STRING,
  entity_id STRING,
  alert_time TIMESTAMP_LTZ(6),
  alert_type STRING,
  detail_value DOUBLE,
  `severity` STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.ami_operational_alerts',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.ami_grid_alert_sink: approximated: upsert-kafka: deletes are records without a value
CREATE VIEW ami_grid_alert_sink__rows AS
SELECT
  alert_source,
  entity_id,
  alert_time,
  alert_type,
  detail_value,
  `severity`
FROM ami_operational_alerts
WHERE
  alert_source IN ('VOLTAGE', 'COMM');

CREATE TABLE ami_grid_alert_sink (
  `_key` STRING,
  alert_source STRING,
  entity_id STRING,
  alert_time TIMESTAMP_LTZ(6),
  alert_type STRING,
  detail_value DOUBLE,
  `severity` STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'ami.alerts.grid',
  'properties.bootstrap.servers' = 'kafka:9092',
  'value.fields-include' = 'ALL',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.ami_event_sink: approximated: upsert-kafka: deletes are records without a value
CREATE VIEW ami_event_sink__rows AS
SELECT
  alert_source,
  entity_id,
  alert_time,
  alert_type,
  detail_value,
  `severity`
FROM ami_operational_alerts
WHERE
  alert_source = 'EVENT';

CREATE TABLE ami_event_sink (
  `_key` STRING,
  alert_source STRING,
  entity_id STRING,
  alert_time TIMESTAMP_LTZ(6),
  alert_type STRING,
  detail_value DOUBLE,
  `severity` STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'ami.alerts.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'value.fields-include' = 'ALL',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

EXECUTE STATEMENT SET BEGIN
INSERT INTO transformer_summary__topic
SELECT
  CAST(transformer_id AS STRING),
  CAST(feeder_id AS STRING),
  CAST(window_start AS TIMESTAMP_LTZ(6)),
  CAST(window_end AS TIMESTAMP_LTZ(6)),
  CAST(total_consumption_kwh AS DOUBLE),
  CAST(meters_reported AS BIGINT),
  CAST(avg_voltage_v AS DOUBLE),
  CAST(min_voltage_v AS DOUBLE),
  CAST(max_voltage_v AS DOUBLE),
  CAST(estimated_count AS BIGINT)
FROM transformer_summary
WHERE transformer_id IS NOT NULL AND feeder_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO read_receipt_rate__topic
SELECT
  `_key`,
  MAX(transformer_id),
  MAX(window_end),
  MAX(meters_reported),
  MAX(total_meters),
  MAX(receipt_rate_pct),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(transformer_id) AS STRING), ':', transformer_id), '\N'), COALESCE(CAST(window_end AS STRING), '\N'), COALESCE(CAST(meters_reported AS STRING), '\N'), COALESCE(CAST(total_meters AS STRING), '\N'), COALESCE(CAST(receipt_rate_pct AS STRING), '\N'))) AS `_key`,
    CAST(transformer_id AS STRING) AS transformer_id,
    CAST(window_end AS TIMESTAMP_LTZ(6)) AS window_end,
    CAST(meters_reported AS BIGINT) AS meters_reported,
    CAST(total_meters AS BIGINT) AS total_meters,
    CAST(receipt_rate_pct AS DECIMAL(38, 1)) AS receipt_rate_pct
  FROM read_receipt_rate
) AS counted
GROUP BY `_key`
ON CONFLICT DO DEDUPLICATE;
INSERT INTO ami_operational_alerts__topic
SELECT
  `_key`,
  MAX(alert_source),
  MAX(entity_id),
  MAX(alert_time),
  MAX(alert_type),
  MAX(detail_value),
  MAX(`severity`),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_source) AS STRING), ':', alert_source), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(entity_id) AS STRING), ':', entity_id), '\N'), COALESCE(CAST(alert_time AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'), COALESCE(CAST(detail_value AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(`severity`) AS STRING), ':', `severity`), '\N'))) AS `_key`,
    CAST(alert_source AS STRING) AS alert_source,
    CAST(entity_id AS STRING) AS entity_id,
    CAST(alert_time AS TIMESTAMP_LTZ(6)) AS alert_time,
    CAST(alert_type AS STRING) AS alert_type,
    CAST(detail_value AS DOUBLE) AS detail_value,
    CAST(`severity` AS STRING) AS `severity`
  FROM ami_operational_alerts
) AS counted
GROUP BY `_key`
ON CONFLICT DO DEDUPLICATE;
INSERT INTO ami_grid_alert_sink
SELECT
  `_key`,
  MAX(alert_source),
  MAX(entity_id),
  MAX(alert_time),
  MAX(alert_type),
  MAX(detail_value),
  MAX(`severity`),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_source) AS STRING), ':', alert_source), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(entity_id) AS STRING), ':', entity_id), '\N'), COALESCE(CAST(alert_time AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'), COALESCE(CAST(detail_value AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(`severity`) AS STRING), ':', `severity`), '\N'))) AS `_key`,
    CAST(alert_source AS STRING) AS alert_source,
    CAST(entity_id AS STRING) AS entity_id,
    CAST(alert_time AS TIMESTAMP_LTZ(6)) AS alert_time,
    CAST(alert_type AS STRING) AS alert_type,
    CAST(detail_value AS DOUBLE) AS detail_value,
    CAST(`severity` AS STRING) AS `severity`
  FROM ami_grid_alert_sink__rows
) AS counted
GROUP BY `_key`;
INSERT INTO ami_event_sink
SELECT
  `_key`,
  MAX(alert_source),
  MAX(entity_id),
  MAX(alert_time),
  MAX(alert_type),
  MAX(detail_value),
  MAX(`severity`),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_source) AS STRING), ':', alert_source), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(entity_id) AS STRING), ':', entity_id), '\N'), COALESCE(CAST(alert_time AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'), COALESCE(CAST(detail_value AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(`severity`) AS STRING), ':', `severity`), '\N'))) AS `_key`,
    CAST(alert_source AS STRING) AS alert_source,
    CAST(entity_id AS STRING) AS entity_id,
    CAST(alert_time AS TIMESTAMP_LTZ(6)) AS alert_time,
    CAST(alert_type AS STRING) AS alert_type,
    CAST(detail_value AS DOUBLE) AS detail_value,
    CAST(`severity` AS STRING) AS `severity`
  FROM ami_event_sink__rows
) AS counted
GROUP BY `_key`;
END;
