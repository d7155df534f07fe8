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

-- public.meter_values: approximated: an upsert-kafka topic by its primary key, a JSON object, that a sink writes to
-- public.meter_values: approximated: a topic: chunks stay with Voltstream; without a primary key nothing follows what UPDATE and DELETE do there
CREATE TABLE meter_values (
  `time` TIMESTAMP_LTZ(6),
  charger_id STRING,
  connector_id INT,
  `measurand` STRING,
  `value` DOUBLE,
  `unit` STRING,
  `phase` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'voltstream.meter_values',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.charging_sessions: approximated: an upsert-kafka topic by its primary key, a JSON object, that a sink writes to
-- public.charging_sessions: approximated: session_id: left out: who writes the topic gives the value
CREATE TABLE charging_sessions (
  session_id STRING,
  charger_id STRING,
  connector_id INT,
  id_tag STRING,
  started_at TIMESTAMP_LTZ(6),
  stopped_at TIMESTAMP_LTZ(6),
  stop_reason STRING,
  meter_start_wh DOUBLE,
  meter_stop_wh DOUBLE,
  PRIMARY KEY (session_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.charging_sessions',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.status_events: approximated: an upsert-kafka topic by its primary key, a JSON object, that a sink writes to
-- public.status_events: approximated: a topic: chunks stay with Voltstream; without a primary key nothing follows what UPDATE and DELETE do there
CREATE TABLE status_events (
  `time` TIMESTAMP_LTZ(6),
  charger_id STRING,
  connector_id INT,
  `status` STRING,
  error_code STRING,
  `info` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'voltstream.status_events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.session_energy: approximated: day, charger_id, connector_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW session_energy AS
SELECT
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `time`) - MOD(EXTRACT(EPOCH FROM `time`), 86400)) * 1000, 3) AS TIMESTAMP_LTZ(6)) AS `day`,
  charger_id,
  connector_id,
  (
    MAX(`value`) FILTER(WHERE
      `measurand` = 'Energy.Active.Import.Register') - MIN(`value`) FILTER(WHERE
      `measurand` = 'Energy.Active.Import.Register')
  ) / 1000.0 AS energy_delivered_kwh
FROM meter_values
WHERE
  `measurand` = 'Energy.Active.Import.Register'
GROUP BY
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `time`) - MOD(EXTRACT(EPOCH FROM `time`), 86400)) * 1000, 3) AS TIMESTAMP_LTZ(6)),
  charger_id,
  connector_id;

CREATE TABLE session_energy__topic (
  `day` TIMESTAMP_LTZ(6),
  charger_id STRING,
  connector_id INT,
  energy_delivered_kwh DOUBLE,
  PRIMARY KEY (`day`, charger_id, connector_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.session_energy',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.charger_uptime_hourly: approximated: bucket, charger_id, connector_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW charger_uptime_hourly AS
SELECT
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `time`) - MOD(EXTRACT(EPOCH FROM `time`), 3600)) * 1000, 3) AS TIMESTAMP_LTZ(6)) AS `bucket`,
  charger_id,
  connector_id,
  COUNT(*) FILTER(WHERE
    `status` = 'Available') AS available_count,
  COUNT(*) AS total_count
FROM status_events
GROUP BY
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `time`) - MOD(EXTRACT(EPOCH FROM `time`), 3600)) * 1000, 3) AS TIMESTAMP_LTZ(6)),
  charger_id,
  connector_id;

CREATE TABLE charger_uptime_hourly__topic (
  `bucket` TIMESTAMP_LTZ(6),
  charger_id STRING,
  connector_id INT,
  available_count BIGINT,
  total_count BIGINT,
  PRIMARY KEY (`bucket`, charger_id, connector_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.charger_uptime_hourly',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

EXECUTE STATEMENT SET BEGIN
INSERT INTO session_energy__topic
SELECT
  CAST(`day` AS TIMESTAMP_LTZ(6)),
  CAST(charger_id AS STRING),
  CAST(connector_id AS INT),
  CAST(energy_delivered_kwh AS DOUBLE)
FROM session_energy
WHERE `day` IS NOT NULL AND charger_id IS NOT NULL AND connector_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO charger_uptime_hourly__topic
SELECT
  CAST(`bucket` AS TIMESTAMP_LTZ(6)),
  CAST(charger_id AS STRING),
  CAST(connector_id AS INT),
  CAST(available_count AS BIGINT),
  CAST(total_count AS BIGINT)
FROM charger_uptime_hourly
WHERE `bucket` IS NOT NULL AND charger_id IS NOT NULL AND connector_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
END;
