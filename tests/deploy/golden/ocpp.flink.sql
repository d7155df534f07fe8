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

-- public.ocpp_heartbeats: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ocpp_heartbeats (
  charge_point_id STRING,
  firmware_version STRING,
  network_region STRING,
  heartbeat_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ocpp.heartbeats',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.ocpp_boot_notifications: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ocpp_boot_notifications (
  charge_point_id STRING,
  charge_point_model STRING,
  charge_point_vendor STRING,
  firmware_version STRING,
  `iccid` STRING,
  `imsi` STRING,
  meter_serial_number STRING,
  boot_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ocpp.boot.notifications',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.ocpp_meter_readings: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ocpp_meter_readings (
  charge_point_id STRING,
  connector_id INT,
  transaction_id STRING,
  `measurand` STRING,
  `value` DOUBLE,
  `unit` STRING,
  `context` STRING,
  `phase` STRING,
  sampled_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ocpp.meter.readings',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.ocpp_transaction_events: approximated: a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped or NULL: there are no dead letters (Let a Voltstream read the topic too, for its dead letters)
CREATE TABLE ocpp_transaction_events (
  event_type STRING,
  transaction_id STRING,
  charge_point_id STRING,
  connector_id INT,
  id_tag STRING,
  meter_start_wh BIGINT,
  meter_stop_wh BIGINT,
  stop_reason STRING,
  event_ts TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'ocpp.transaction.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'latest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

-- public.last_heartbeat: approximated: charge_point_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW last_heartbeat AS
WITH q1 AS (
  SELECT
    charge_point_id,
    heartbeat_ts,
    ROW_NUMBER() OVER (PARTITION BY charge_point_id ORDER BY heartbeat_ts DESC NULLS FIRST) AS `_rank`
  FROM ocpp_heartbeats
)
SELECT
  charge_point_id,
  heartbeat_ts
FROM q1
WHERE
  `_rank` = 1;

CREATE TABLE last_heartbeat__topic (
  charge_point_id STRING,
  heartbeat_ts TIMESTAMP_LTZ(6),
  PRIMARY KEY (charge_point_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.last_heartbeat',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.charge_point_registry: approximated: charge_point_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW charge_point_registry AS
WITH q1 AS (
  SELECT
    charge_point_id,
    charge_point_model,
    charge_point_vendor,
    firmware_version,
    boot_ts AS last_boot_ts,
    ROW_NUMBER() OVER (PARTITION BY charge_point_id ORDER BY boot_ts DESC NULLS FIRST) AS `_rank`
  FROM ocpp_boot_notifications
)
SELECT
  charge_point_id,
  charge_point_model,
  charge_point_vendor,
  firmware_version,
  last_boot_ts
FROM q1
WHERE
  `_rank` = 1;

CREATE TABLE charge_point_registry__topic (
  charge_point_id STRING,
  charge_point_model STRING,
  charge_point_vendor STRING,
  firmware_version STRING,
  last_boot_ts TIMESTAMP_LTZ(6),
  PRIMARY KEY (charge_point_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.charge_point_registry',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.active_session_energy: approximated: transaction_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW active_session_energy AS
WITH q1 AS (
  SELECT
    charge_point_id,
    connector_id,
    transaction_id,
    `value` AS cumulative_energy_kwh,
    sampled_ts,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY sampled_ts DESC NULLS FIRST) AS `_rank`
  FROM ocpp_meter_readings
  WHERE
    `measurand` = 'Energy.Active.Import.Register' AND `context` = 'Sample.Periodic'
)
SELECT
  charge_point_id,
  connector_id,
  transaction_id,
  cumulative_energy_kwh,
  sampled_ts
FROM q1
WHERE
  `_rank` = 1;

CREATE TABLE active_session_energy__topic (
  charge_point_id STRING,
  connector_id INT,
  transaction_id STRING,
  cumulative_energy_kwh DOUBLE,
  sampled_ts TIMESTAMP_LTZ(6),
  PRIMARY KEY (transaction_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.active_session_energy',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.active_session_power: approximated: transaction_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW active_session_power AS
WITH q1 AS (
  SELECT
    charge_point_id,
    connector_id,
    transaction_id,
    `value` / 1000.0 AS power_kw,
    sampled_ts,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY sampled_ts DESC NULLS FIRST) AS `_rank`
  FROM ocpp_meter_readings
  WHERE
    `measurand` = 'Power.Active.Import' AND `context` = 'Sample.Periodic'
)
SELECT
  charge_point_id,
  connector_id,
  transaction_id,
  power_kw,
  sampled_ts
FROM q1
WHERE
  `_rank` = 1;

CREATE TABLE active_session_power__topic (
  charge_point_id STRING,
  connector_id INT,
  transaction_id STRING,
  power_kw DOUBLE,
  sampled_ts TIMESTAMP_LTZ(6),
  PRIMARY KEY (transaction_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.active_session_power',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

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
  TRY_CAST(TRY_CAST(`b2`.`meter_stop_wh_7` - `a1`.`meter_start_wh` AS DECIMAL(32, 16)) / TRY_CAST(1000.0 AS DECIMAL(25, 6)) AS DECIMAL(38, 16)) AS energy_delivered_kwh,
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

CREATE TABLE session_lifecycle__topic (
  `_key` STRING,
  transaction_id STRING,
  charge_point_id STRING,
  connector_id INT,
  id_tag STRING,
  meter_start_wh BIGINT,
  start_ts TIMESTAMP_LTZ(6),
  meter_stop_wh BIGINT,
  stop_ts TIMESTAMP_LTZ(6),
  energy_delivered_kwh DECIMAL(38, 16),
  stop_reason STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.session_lifecycle',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.metering_aggregates_15min: approximated: charge_point_id, connector_id: rows without a value of a source for the key are not in the topic (Say --null-keys: topics have a key of their own then)
CREATE VIEW metering_aggregates_15min AS
SELECT
  charge_point_id,
  connector_id,
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `sampled_ts`) - MOD(EXTRACT(EPOCH FROM `sampled_ts`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) AS window_start,
  (CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `sampled_ts`) - MOD(EXTRACT(EPOCH FROM `sampled_ts`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) + INTERVAL '15' MINUTE) AS window_end,
  MAX(`value`) - MIN(`value`) AS interval_energy_kwh,
  AVG(`value`) AS avg_energy_register,
  COUNT(*) AS reading_count
FROM ocpp_meter_readings
WHERE
  `measurand` = 'Energy.Active.Import.Register' AND NOT sampled_ts IS NULL
GROUP BY
  charge_point_id,
  connector_id,
  CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `sampled_ts`) - MOD(EXTRACT(EPOCH FROM `sampled_ts`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)),
  (CAST(TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `sampled_ts`) - MOD(EXTRACT(EPOCH FROM `sampled_ts`), 900)) * 1000, 3) AS TIMESTAMP_LTZ(6)) + INTERVAL '15' MINUTE);

CREATE TABLE metering_aggregates_15min__topic (
  charge_point_id STRING,
  connector_id INT,
  window_start TIMESTAMP_LTZ(6),
  window_end TIMESTAMP_LTZ(6),
  interval_energy_kwh DOUBLE,
  avg_energy_register DOUBLE,
  reading_count BIGINT,
  PRIMARY KEY (charge_point_id, connector_id, window_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.metering_aggregates_15min',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

CREATE TABLE voltstream_ticks (
  tick TIMESTAMP_LTZ(6)
) WITH (
  'connector' = 'kafka',
  'topic' = 'voltstream.ticks',
  'properties.bootstrap.servers' = 'kafka:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601',
  'json.ignore-parse-errors' = 'true'
);

CREATE VIEW voltstream_clock AS
SELECT MAX(tick) AS now_at FROM voltstream_ticks;

CREATE VIEW offline_charge_point_alerts AS
WITH q3 AS (
  SELECT
    a1.charge_point_id,
    a1.heartbeat_ts,
    b2.charge_point_model,
    b2.firmware_version
  FROM last_heartbeat AS a1
  JOIN charge_point_registry AS b2
    ON a1.charge_point_id = b2.charge_point_id
)
SELECT
  charge_point_id,
  heartbeat_ts,
  charge_point_model,
  firmware_version,
  'CHARGE_POINT_OFFLINE' AS alert_type
FROM q3
CROSS JOIN voltstream_clock AS c4
WHERE
  (
    heartbeat_ts + INTERVAL '5' MINUTE
  ) < c4.now_at;

CREATE TABLE offline_charge_point_alerts__topic (
  `_key` STRING,
  charge_point_id STRING,
  heartbeat_ts TIMESTAMP_LTZ(6),
  charge_point_model STRING,
  firmware_version STRING,
  alert_type STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.offline_charge_point_alerts',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

CREATE VIEW metering_gap_alerts AS
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

CREATE TABLE metering_gap_alerts__topic (
  `_key` STRING,
  charge_point_id STRING,
  connector_id INT,
  window_start TIMESTAMP_LTZ(6),
  window_end TIMESTAMP_LTZ(6),
  reading_count BIGINT,
  alert_type STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'voltstream.metering_gap_alerts',
  'properties.bootstrap.servers' = 'kafka:9092',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

-- public.ocpp_alert_sink: approximated: NOW() is NULL in what the sink sends (Take the timestamp of the Kafka record)
-- public.ocpp_alert_sink: approximated: all its decimals: 1.0 of a float, 1.500 of a numeric(9,3)
-- public.ocpp_alert_sink: approximated: upsert-kafka: deletes are records without a value
CREATE VIEW ocpp_alert_sink__rows AS
SELECT
  charge_point_id,
  connector_id,
  CASE
    WHEN `_branch` = 0
    THEN CAST(CAST(CAST((CAST(((EXTRACT(EPOCH FROM CAST(NULL AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST(NULL AS TIMESTAMP_LTZ(6)))) - (EXTRACT(EPOCH FROM `carried_1`) * 1000000 + EXTRACT(MICROSECOND FROM `carried_1`))) AS DECIMAL(20, 0)) * 0.000001) AS DECIMAL(32, 16)) / CAST(60.0 AS DECIMAL(25, 6)) AS DECIMAL(38, 16)) AS STRING)
    ELSE TRY_CAST(`carried_2` AS STRING)
  END AS `detail`,
  CASE
    WHEN `_branch` = 0
    THEN CAST(NULL AS TIMESTAMP_LTZ(6))
    ELSE CAST(NULL AS TIMESTAMP_LTZ(6))
  END AS alert_ts,
  alert_type
FROM (
  SELECT
    charge_point_id,
    TRY_CAST(NULL AS INT) AS connector_id,
    alert_type,
    0 AS `_branch`,
    heartbeat_ts AS carried_1,
    CAST(NULL AS BIGINT) AS carried_2
  FROM offline_charge_point_alerts
  UNION ALL
  SELECT
    charge_point_id,
    connector_id,
    alert_type,
    1 AS `_branch`,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS carried_1,
    reading_count AS carried_2
  FROM metering_gap_alerts
) AS q1;

CREATE TABLE ocpp_alert_sink (
  `_key` STRING,
  charge_point_id STRING,
  connector_id INT,
  `detail` STRING,
  alert_ts TIMESTAMP_LTZ(6),
  alert_type STRING,
  `_copies` BIGINT,
  PRIMARY KEY (`_key`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'ocpp.processing.alerts',
  'properties.bootstrap.servers' = 'kafka:9092',
  'value.fields-include' = 'ALL',
  'key.format' = 'json',
  'key.json.timestamp-format.standard' = 'ISO-8601',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.decimal-as-plain-number' = 'true'
);

EXECUTE STATEMENT SET BEGIN
INSERT INTO last_heartbeat__topic
SELECT
  CAST(charge_point_id AS STRING),
  CAST(heartbeat_ts AS TIMESTAMP_LTZ(6))
FROM last_heartbeat
WHERE charge_point_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO charge_point_registry__topic
SELECT
  CAST(charge_point_id AS STRING),
  CAST(charge_point_model AS STRING),
  CAST(charge_point_vendor AS STRING),
  CAST(firmware_version AS STRING),
  CAST(last_boot_ts AS TIMESTAMP_LTZ(6))
FROM charge_point_registry
WHERE charge_point_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO active_session_energy__topic
SELECT
  CAST(charge_point_id AS STRING),
  CAST(connector_id AS INT),
  CAST(transaction_id AS STRING),
  CAST(cumulative_energy_kwh AS DOUBLE),
  CAST(sampled_ts AS TIMESTAMP_LTZ(6))
FROM active_session_energy
WHERE transaction_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO active_session_power__topic
SELECT
  CAST(charge_point_id AS STRING),
  CAST(connector_id AS INT),
  CAST(transaction_id AS STRING),
  CAST(power_kw AS DOUBLE),
  CAST(sampled_ts AS TIMESTAMP_LTZ(6))
FROM active_session_power
WHERE transaction_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO session_lifecycle__topic
SELECT
  `_key`,
  MAX(transaction_id),
  MAX(charge_point_id),
  MAX(connector_id),
  MAX(id_tag),
  MAX(meter_start_wh),
  MAX(start_ts),
  MAX(meter_stop_wh),
  MAX(stop_ts),
  MAX(energy_delivered_kwh),
  MAX(stop_reason),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(transaction_id) AS STRING), ':', transaction_id), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(charge_point_id) AS STRING), ':', charge_point_id), '\N'), COALESCE(CAST(connector_id AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(id_tag) AS STRING), ':', id_tag), '\N'), COALESCE(CAST(meter_start_wh AS STRING), '\N'), COALESCE(CAST(start_ts AS STRING), '\N'), COALESCE(CAST(meter_stop_wh AS STRING), '\N'), COALESCE(CAST(stop_ts AS STRING), '\N'), COALESCE(CAST(energy_delivered_kwh AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(stop_reason) AS STRING), ':', stop_reason), '\N'))) AS `_key`,
    CAST(transaction_id AS STRING) AS transaction_id,
    CAST(charge_point_id AS STRING) AS charge_point_id,
    CAST(connector_id AS INT) AS connector_id,
    CAST(id_tag AS STRING) AS id_tag,
    CAST(meter_start_wh AS BIGINT) AS meter_start_wh,
    CAST(start_ts AS TIMESTAMP_LTZ(6)) AS start_ts,
    CAST(meter_stop_wh AS BIGINT) AS meter_stop_wh,
    CAST(stop_ts AS TIMESTAMP_LTZ(6)) AS stop_ts,
    CAST(energy_delivered_kwh AS DECIMAL(38, 16)) AS energy_delivered_kwh,
    CAST(stop_reason AS STRING) AS stop_reason
  FROM session_lifecycle
) AS counted
GROUP BY `_key`
ON CONFLICT DO DEDUPLICATE;
INSERT INTO metering_aggregates_15min__topic
SELECT
  CAST(charge_point_id AS STRING),
  CAST(connector_id AS INT),
  CAST(window_start AS TIMESTAMP_LTZ(6)),
  CAST(window_end AS TIMESTAMP_LTZ(6)),
  CAST(interval_energy_kwh AS DOUBLE),
  CAST(avg_energy_register AS DOUBLE),
  CAST(reading_count AS BIGINT)
FROM metering_aggregates_15min
WHERE charge_point_id IS NOT NULL AND connector_id IS NOT NULL
ON CONFLICT DO DEDUPLICATE;
INSERT INTO offline_charge_point_alerts__topic
SELECT
  `_key`,
  MAX(charge_point_id),
  MAX(heartbeat_ts),
  MAX(charge_point_model),
  MAX(firmware_version),
  MAX(alert_type),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(charge_point_id) AS STRING), ':', charge_point_id), '\N'), COALESCE(CAST(heartbeat_ts AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(charge_point_model) AS STRING), ':', charge_point_model), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(firmware_version) AS STRING), ':', firmware_version), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'))) AS `_key`,
    CAST(charge_point_id AS STRING) AS charge_point_id,
    CAST(heartbeat_ts AS TIMESTAMP_LTZ(6)) AS heartbeat_ts,
    CAST(charge_point_model AS STRING) AS charge_point_model,
    CAST(firmware_version AS STRING) AS firmware_version,
    CAST(alert_type AS STRING) AS alert_type
  FROM offline_charge_point_alerts
) AS counted
GROUP BY `_key`
ON CONFLICT DO DEDUPLICATE;
INSERT INTO metering_gap_alerts__topic
SELECT
  `_key`,
  MAX(charge_point_id),
  MAX(connector_id),
  MAX(window_start),
  MAX(window_end),
  MAX(reading_count),
  MAX(alert_type),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(charge_point_id) AS STRING), ':', charge_point_id), '\N'), COALESCE(CAST(connector_id AS STRING), '\N'), COALESCE(CAST(window_start AS STRING), '\N'), COALESCE(CAST(window_end AS STRING), '\N'), COALESCE(CAST(reading_count AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'))) AS `_key`,
    CAST(charge_point_id AS STRING) AS charge_point_id,
    CAST(connector_id AS INT) AS connector_id,
    CAST(window_start AS TIMESTAMP_LTZ(6)) AS window_start,
    CAST(window_end AS TIMESTAMP_LTZ(6)) AS window_end,
    CAST(reading_count AS BIGINT) AS reading_count,
    CAST(alert_type AS STRING) AS alert_type
  FROM metering_gap_alerts
) AS counted
GROUP BY `_key`
ON CONFLICT DO DEDUPLICATE;
INSERT INTO ocpp_alert_sink
SELECT
  `_key`,
  MAX(charge_point_id),
  MAX(connector_id),
  MAX(`detail`),
  MAX(alert_ts),
  MAX(alert_type),
  COUNT(*)
FROM (
  SELECT
    MD5(CONCAT_WS('|', COALESCE(CONCAT(CAST(CHAR_LENGTH(charge_point_id) AS STRING), ':', charge_point_id), '\N'), COALESCE(CAST(connector_id AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(`detail`) AS STRING), ':', `detail`), '\N'), COALESCE(CAST(alert_ts AS STRING), '\N'), COALESCE(CONCAT(CAST(CHAR_LENGTH(alert_type) AS STRING), ':', alert_type), '\N'))) AS `_key`,
    CAST(charge_point_id AS STRING) AS charge_point_id,
    CAST(connector_id AS INT) AS connector_id,
    CAST(`detail` AS STRING) AS `detail`,
    CAST(alert_ts AS TIMESTAMP_LTZ(6)) AS alert_ts,
    CAST(alert_type AS STRING) AS alert_type
  FROM ocpp_alert_sink__rows
) AS counted
GROUP BY `_key`;
END;
