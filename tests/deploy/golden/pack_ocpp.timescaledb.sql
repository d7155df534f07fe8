CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ BEGIN
  IF (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') NOT LIKE '%UTC' THEN
    EXECUTE format('ALTER DATABASE %I SET TimeZone TO ''UTC''', current_database());
  END IF;
END $$;
SET TimeZone = 'UTC';

CREATE TABLE ocpp_parameters (
  "pack" VARCHAR DEFAULT 'ocpp',
  offline_after INTERVAL DEFAULT '10 minutes' NOT NULL,
  connected_offline_after INTERVAL DEFAULT '1 day' NOT NULL,
  sample_interval INTERVAL DEFAULT '60 seconds' NOT NULL,
  gap_factor DOUBLE PRECISION DEFAULT '2.5' NOT NULL,
  gap_grace INTERVAL DEFAULT '5 minutes' NOT NULL,
  power_max_w DOUBLE PRECISION DEFAULT '400000.0' NOT NULL,
  stuck_after INTERVAL DEFAULT '4 hours' NOT NULL,
  zombie_after INTERVAL DEFAULT '15 minutes' NOT NULL,
  low_power_share DOUBLE PRECISION DEFAULT '0.5' NOT NULL,
  low_power_after INTERVAL DEFAULT '5 minutes' NOT NULL,
  low_power_soc_percent DOUBLE PRECISION DEFAULT '80.0' NOT NULL,
  billing_share DOUBLE PRECISION DEFAULT '0.02' NOT NULL,
  drift_percent DOUBLE PRECISION DEFAULT '2.0' NOT NULL,
  drift_sessions INTEGER DEFAULT '5' NOT NULL,
  meter_alert_for INTERVAL DEFAULT '7 days' NOT NULL,
  security_alert_for INTERVAL DEFAULT '1 day' NOT NULL,
  uptime_target_percent DOUBLE PRECISION DEFAULT '97.0' NOT NULL,
  PRIMARY KEY ("pack"),
  CHECK (pack = 'ocpp')
);

-- public.charger_boots: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_boots (
  charge_point_id VARCHAR,
  "vendor" VARCHAR,
  "model" VARCHAR,
  serial_number VARCHAR,
  firmware_version VARCHAR,
  event_ts TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  box_serial_number VARCHAR,
  "iccid" VARCHAR,
  "imsi" VARCHAR,
  meter_type VARCHAR,
  meter_serial_number VARCHAR,
  "reason" VARCHAR,
  "registration" VARCHAR,
  ocpp_version VARCHAR,
  "flags" BIGINT,
  raw_id BIGINT
);

-- public.charger_status: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_status (
  charge_point_id VARCHAR,
  connector_id INTEGER,
  "status" VARCHAR,
  error_code VARCHAR,
  event_ts TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  evse_id INTEGER,
  status_raw VARCHAR,
  vendor_error_code VARCHAR,
  vendor_id VARCHAR,
  "info" VARCHAR,
  corrected_ts TIMESTAMPTZ,
  "flags" BIGINT,
  raw_id BIGINT
);

-- public.charger_transactions: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_transactions (
  charge_point_id VARCHAR,
  connector_id INTEGER,
  transaction_id VARCHAR,
  event_type VARCHAR,
  id_tag VARCHAR,
  meter_wh BIGINT,
  stop_reason VARCHAR,
  event_ts TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  evse_id INTEGER,
  corrected_ts TIMESTAMPTZ,
  id_token_type VARCHAR,
  authorization_status VARCHAR,
  seq_no BIGINT,
  trigger_reason VARCHAR,
  charging_state VARCHAR,
  "offline" BOOLEAN,
  time_spent_charging_s BIGINT,
  remote_start_id BIGINT,
  reservation_id BIGINT,
  phases_used INTEGER,
  cable_current_a INTEGER,
  operation_mode VARCHAR,
  cost_details VARCHAR,
  "flags" BIGINT,
  raw_id BIGINT
);

-- public.charger_readings: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_readings (
  charge_point_id VARCHAR,
  connector_id INTEGER,
  transaction_id VARCHAR,
  "measurand" VARCHAR,
  "context" VARCHAR,
  "phase" VARCHAR,
  "location" VARCHAR,
  "value" DOUBLE PRECISION,
  "unit" VARCHAR,
  value_si DOUBLE PRECISION,
  unit_si VARCHAR,
  event_ts TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  evse_id INTEGER,
  value_raw VARCHAR,
  "multiplier" INTEGER,
  "format" VARCHAR,
  "origin" VARCHAR,
  seq_no BIGINT,
  "offline" BOOLEAN,
  corrected_ts TIMESTAMPTZ,
  register_epoch INTEGER,
  delta_wh DOUBLE PRECISION,
  "flags" BIGINT,
  raw_id BIGINT,
  "ordinal" INTEGER
);

-- public.charger_connections: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_connections (
  charge_point_id VARCHAR,
  connection_id BIGINT,
  "event" VARCHAR,
  "reason" VARCHAR,
  ocpp_version VARCHAR,
  security_profile INTEGER,
  "address" VARCHAR,
  received_ts TIMESTAMPTZ NOT NULL
);

SELECT create_hypertable('charger_connections', by_range('received_ts'));

-- public.charger_variables: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_variables (
  charge_point_id VARCHAR,
  "component" VARCHAR,
  component_instance VARCHAR,
  evse_id INTEGER,
  connector_id INTEGER,
  "variable" VARCHAR,
  variable_instance VARCHAR,
  "attribute" VARCHAR,
  "value" VARCHAR,
  "mutability" VARCHAR,
  "persistent" BOOLEAN,
  "constant" BOOLEAN,
  data_type VARCHAR,
  "unit" VARCHAR,
  limit_min DOUBLE PRECISION,
  limit_max DOUBLE PRECISION,
  values_list VARCHAR,
  supports_monitoring BOOLEAN,
  request_id BIGINT,
  seq_no BIGINT,
  more_follows BOOLEAN,
  as_of TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  raw_id BIGINT,
  "ordinal" INTEGER
);

-- public.charger_jobs: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE charger_jobs (
  charge_point_id VARCHAR,
  "job" VARCHAR,
  "status" VARCHAR,
  request_id BIGINT,
  "info" VARCHAR,
  event_ts TIMESTAMPTZ,
  received_ts TIMESTAMPTZ,
  "flags" BIGINT,
  raw_id BIGINT
);

CREATE TABLE charge_points (
  charge_point_id VARCHAR,
  "site" VARCHAR NOT NULL,
  registered_at TIMESTAMPTZ NOT NULL,
  "registration" VARCHAR DEFAULT 'Accepted',
  power_max_w DOUBLE PRECISION,
  tariff_id VARCHAR,
  "currency" VARCHAR,
  PRIMARY KEY (charge_point_id)
);

CREATE TABLE charging_sites (
  "site" VARCHAR,
  time_zone VARCHAR DEFAULT 'UTC' NOT NULL,
  uptime_target_percent DOUBLE PRECISION DEFAULT 97 NOT NULL,
  power_limit_kw DOUBLE PRECISION,
  PRIMARY KEY ("site")
);

-- public.charge_point_registry: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW charge_point_registry AS
SELECT
  charge_point_id,
  booted_at AS valid_from,
  over_1 AS valid_to,
  "vendor",
  "model",
  serial_number,
  firmware_version,
  meter_serial_number,
  ocpp_version
FROM (
  SELECT
    charge_point_id,
    booted_at,
    "vendor",
    "model",
    serial_number,
    firmware_version,
    meter_serial_number,
    ocpp_version,
    LEAD(booted_at) OVER (PARTITION BY charge_point_id ORDER BY booted_at) AS over_1
  FROM (
    SELECT
      charge_point_id,
      booted_at,
      "vendor",
      "model",
      serial_number,
      firmware_version,
      meter_serial_number,
      ocpp_version,
      "identity",
      LAG("identity") OVER (PARTITION BY charge_point_id ORDER BY booted_at) AS over_1
    FROM (
      SELECT DISTINCT ON (charge_point_id, COALESCE(event_ts, received_ts))
        charge_point_id,
        COALESCE(event_ts, received_ts) AS booted_at,
        "vendor",
        "model",
        serial_number,
        firmware_version,
        meter_serial_number,
        ocpp_version,
        CONCAT_WS(
          CAST('|' AS VARCHAR),
          COALESCE("vendor", ''),
          COALESCE("model", ''),
          COALESCE(serial_number, ''),
          COALESCE(firmware_version, ''),
          COALESCE(meter_serial_number, ''),
          COALESCE(ocpp_version, '')
        ) AS "identity"
      FROM charger_boots
      ORDER BY
        charge_point_id,
        COALESCE(event_ts, received_ts),
        received_ts ASC
    ) AS q1
  ) AS q2
  WHERE
    "identity" IS DISTINCT FROM over_1
) AS q3;

-- public.latest_firmware_jobs: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW latest_firmware_jobs AS
SELECT DISTINCT ON (charge_point_id)
  charge_point_id,
  "status",
  request_id,
  COALESCE(event_ts, received_ts) AS reported_at,
  "status" IN (
    'DownloadFailed',
    'InstallationFailed',
    'InvalidSignature',
    'InstallVerificationFailed'
  ) AS "failed"
FROM charger_jobs
WHERE
  "job" = 'FIRMWARE' AND "status" <> 'Idle'
ORDER BY
  charge_point_id,
  COALESCE(event_ts, received_ts) DESC,
  received_ts DESC;

CREATE VIEW firmware_rollout AS
SELECT
  "vendor",
  "model",
  firmware_version,
  agg_1 AS charge_points,
  (
    100.0 * agg_1
  ) / NULLIF(over_1, 0) AS share_percent,
  agg_3 AS updates_running,
  agg_2 AS updates_failed,
  agg_4 AS first_at,
  agg_5 AS latest_at
FROM (
  SELECT
    "vendor",
    "model",
    firmware_version,
    agg_1,
    agg_2,
    agg_3,
    agg_4,
    agg_5,
    SUM(agg_1) OVER (PARTITION BY "vendor", "model") AS over_1
  FROM (
    SELECT
      a1."vendor",
      a1."model",
      a1.firmware_version,
      COUNT(*) AS agg_1,
      COUNT(*) FILTER(WHERE
        b2."failed") AS agg_2,
      COUNT(*) FILTER(WHERE
        b2.reported_at >= a1.valid_from AND NOT b2."failed" AND b2."status" <> 'Installed') AS agg_3,
      MIN(a1.valid_from) AS agg_4,
      MAX(a1.valid_from) AS agg_5
    FROM (
      SELECT
        charge_point_id,
        valid_from,
        "vendor",
        "model",
        firmware_version
      FROM charge_point_registry
      WHERE
        valid_to IS NULL
    ) AS a1
    LEFT JOIN latest_firmware_jobs AS b2
      ON a1.charge_point_id = b2.charge_point_id
    GROUP BY
      a1."vendor",
      a1."model",
      a1.firmware_version
  ) AS q3
) AS q4;

CREATE VIEW link_changes AS
SELECT
  a1.charge_point_id,
  a1.received_ts AS changed_at,
  a1."event" = 'connected' AS "online"
FROM charger_connections AS a1
INNER JOIN LATERAL (
  SELECT
    charge_point_id_1,
    connection_id_2,
    event_3,
    reason_4,
    ocpp_version_5,
    security_profile_6,
    address_7,
    received_ts_8
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      connection_id AS connection_id_2,
      "event" AS event_3,
      "reason" AS reason_4,
      ocpp_version AS ocpp_version_5,
      security_profile AS security_profile_6,
      "address" AS address_7,
      received_ts AS received_ts_8
    FROM charger_connections
    WHERE
      "event" = 'connected'
  ) AS q2
  WHERE
    a1.charge_point_id = charge_point_id_1 AND a1.received_ts >= received_ts_8
  ORDER BY
    received_ts_8 DESC NULLS LAST,
    charge_point_id_1,
    connection_id_2,
    event_3,
    reason_4,
    ocpp_version_5,
    security_profile_6,
    address_7,
    received_ts_8
  LIMIT 1
) AS b3
  ON TRUE
WHERE
  a1."event" = 'connected'
  OR (
    a1."event" = 'disconnected' AND a1.connection_id = b3.connection_id_2
  );

-- public.status_points: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW status_points AS
SELECT DISTINCT ON (
  charge_point_id,
  COALESCE(evse_id, connector_id),
  connector_id,
  COALESCE(corrected_ts, event_ts)
)
  charge_point_id,
  COALESCE(evse_id, connector_id) AS evse_id,
  connector_id,
  COALESCE(corrected_ts, event_ts) AS reported_at,
  "status",
  COALESCE(error_code, 'NoError') AS error_code,
  vendor_error_code
FROM charger_status
WHERE
  NOT connector_id IS NULL AND NOT COALESCE(corrected_ts, event_ts) IS NULL
ORDER BY
  charge_point_id,
  COALESCE(evse_id, connector_id),
  connector_id,
  COALESCE(corrected_ts, event_ts),
  received_ts DESC;

CREATE VIEW status_changes AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.connector_id,
  a1.reported_at AS changed_at,
  a1."status",
  a1.error_code,
  a1.vendor_error_code,
  b3.status_5 AS status_before
FROM status_points AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    reported_at_4,
    status_5,
    error_code_6,
    vendor_error_code_7
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      evse_id AS evse_id_2,
      connector_id AS connector_id_3,
      reported_at AS reported_at_4,
      "status" AS status_5,
      error_code AS error_code_6,
      vendor_error_code AS vendor_error_code_7
    FROM status_points
  ) AS q2
  WHERE
    (
      (
        a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_2
      )
      AND a1.connector_id = connector_id_3
    )
    AND a1.reported_at > reported_at_4
  ORDER BY
    reported_at_4 DESC NULLS LAST,
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    reported_at_4,
    status_5,
    error_code_6,
    vendor_error_code_7
  LIMIT 1
) AS b3
  ON TRUE
WHERE
  a1."status" IS DISTINCT FROM b3.status_5
  OR a1.error_code IS DISTINCT FROM b3.error_code_6;

-- public.connector_state: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW connector_state AS
SELECT DISTINCT ON (charge_point_id, evse_id, connector_id)
  charge_point_id,
  evse_id,
  connector_id,
  "status",
  error_code,
  vendor_error_code,
  changed_at AS "since"
FROM status_changes
ORDER BY
  charge_point_id,
  evse_id,
  connector_id,
  changed_at DESC;

-- public.session_starts: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW session_starts AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
  charge_point_id,
  transaction_id,
  COALESCE(evse_id, connector_id) AS evse_id,
  connector_id,
  id_tag,
  meter_wh AS meter_start_wh,
  COALESCE(corrected_ts, event_ts) AS started_at
FROM charger_transactions
WHERE
  event_type = 'START' AND NOT transaction_id IS NULL
ORDER BY
  charge_point_id,
  transaction_id,
  COALESCE(corrected_ts, event_ts) ASC,
  received_ts ASC;

-- public.session_stops: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW session_stops AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
  charge_point_id,
  transaction_id,
  stop_reason,
  meter_wh AS meter_stop_wh,
  COALESCE(corrected_ts, event_ts) AS stopped_at
FROM charger_transactions
WHERE
  event_type = 'STOP' AND NOT transaction_id IS NULL
ORDER BY
  charge_point_id,
  transaction_id,
  COALESCE(corrected_ts, event_ts) ASC,
  received_ts ASC;

-- public.session_places: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW session_places AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
  charge_point_id,
  transaction_id,
  COALESCE(evse_id, connector_id) AS evse_id,
  connector_id
FROM charger_transactions
WHERE
  NOT transaction_id IS NULL
ORDER BY
  charge_point_id,
  transaction_id,
  connector_id IS NULL ASC,
  COALESCE(evse_id, connector_id) IS NULL ASC,
  COALESCE(corrected_ts, event_ts) ASC;

-- public.session_charging_states: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW session_charging_states AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
  charge_point_id,
  transaction_id,
  charging_state,
  COALESCE(corrected_ts, event_ts) AS "since"
FROM charger_transactions
WHERE
  NOT charging_state IS NULL AND NOT transaction_id IS NULL
ORDER BY
  charge_point_id,
  transaction_id,
  COALESCE(corrected_ts, event_ts) DESC,
  seq_no DESC;

CREATE VIEW session_spans AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1.id_tag,
  a1.started_at,
  b2.stopped_at,
  a1.started_at_7 AS superseded_at,
  a1.meter_start_wh,
  b2.meter_stop_wh,
  b2.stop_reason,
  CASE
    WHEN a1.started_at IS NULL AND b2.stopped_at IS NULL
    THEN 'UNKNOWN_START'
    WHEN a1.started_at IS NULL
    THEN 'ORPHAN_STOP'
    WHEN NOT b2.stopped_at IS NULL
    THEN 'FINISHED'
    WHEN NOT a1.started_at_7 IS NULL
    THEN 'ABANDONED'
    ELSE 'RUNNING'
  END AS "state"
FROM (
  SELECT
    a3.charge_point_id,
    a3.transaction_id,
    a3.evse_id,
    a3.connector_id,
    b4.id_tag,
    b4.meter_start_wh,
    b4.started_at,
    b4.started_at_7
  FROM session_places AS a3
  LEFT JOIN (
    SELECT
      a5.charge_point_id AS charge_point_id_8,
      a5.transaction_id AS transaction_id_9,
      a5.id_tag,
      a5.meter_start_wh,
      a5.started_at,
      b7.started_at_7
    FROM session_starts AS a5
    LEFT JOIN LATERAL (
      SELECT
        charge_point_id_1,
        transaction_id_2,
        evse_id_3,
        connector_id_4,
        id_tag_5,
        meter_start_wh_6,
        started_at_7
      FROM (
        SELECT
          charge_point_id AS charge_point_id_1,
          transaction_id AS transaction_id_2,
          evse_id AS evse_id_3,
          connector_id AS connector_id_4,
          id_tag AS id_tag_5,
          meter_start_wh AS meter_start_wh_6,
          started_at AS started_at_7
        FROM session_starts
      ) AS q6
      WHERE
        (
          a5.charge_point_id = charge_point_id_1 AND a5.evse_id = evse_id_3
        )
        AND a5.started_at < started_at_7
      ORDER BY
        started_at_7 ASC,
        charge_point_id_1,
        transaction_id_2,
        evse_id_3,
        connector_id_4,
        id_tag_5,
        meter_start_wh_6,
        started_at_7
      LIMIT 1
    ) AS b7
      ON TRUE
  ) AS b4
    ON a3.charge_point_id = b4.charge_point_id_8
    AND a3.transaction_id = b4.transaction_id_9
) AS a1
LEFT JOIN session_stops AS b2
  ON a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id;

-- public.sample_intervals: approximated: the query fails for as long as the row is there
-- public.sample_intervals: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW sample_intervals AS
SELECT DISTINCT ON (charge_point_id)
  charge_point_id,
  CAST("value" AS INT) * INTERVAL '1 second' AS sample_interval
FROM charger_variables
WHERE
  (
    "variable" IN ('MeterValueSampleInterval', 'TxUpdatedInterval')
    AND COALESCE("attribute", 'Actual') = 'Actual'
  )
  AND "value" ~ '^[1-9][0-9]{0,6}$'
ORDER BY
  charge_point_id,
  COALESCE(as_of, received_ts) DESC;

CREATE VIEW session_phases AS
SELECT
  charge_point_id,
  transaction_id,
  agg_1 AS phases_used
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    MAX(phases_used) AS agg_1
  FROM charger_transactions
  WHERE
    NOT transaction_id IS NULL AND phases_used BETWEEN 1 AND 3
  GROUP BY
    charge_point_id,
    transaction_id
) AS q1
WHERE
  agg_1 < 3;

CREATE VIEW session_context AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1.id_tag,
  a1.started_at,
  a1.stopped_at,
  a1.superseded_at,
  a1.meter_start_wh,
  a1.meter_stop_wh,
  a1.stop_reason,
  a1."state",
  a1."site",
  COALESCE(a1.time_zone, 'UTC') AS time_zone,
  a1.power_max_w_2 AS power_max_w,
  1.2 * COALESCE(a1.power_max_w_2, a1.power_max_w) / 3600000 AS wh_per_ms_max,
  COALESCE(a1.sample_interval_6, a1.sample_interval) AS sample_interval,
  COALESCE(a1.sample_interval_6, a1.sample_interval) * CAST(a1.gap_factor AS DOUBLE PRECISION) AS gap_after,
  a1.stuck_after,
  a1.started_at + a1.low_power_after AS low_power_from,
  a1.low_power_share,
  a1.low_power_soc_percent,
  b2.phases_used
FROM (
  SELECT
    a3.charge_point_id,
    a3.transaction_id,
    a3.evse_id,
    a3.connector_id,
    a3.id_tag,
    a3.started_at,
    a3.stopped_at,
    a3.superseded_at,
    a3.meter_start_wh,
    a3.meter_stop_wh,
    a3.stop_reason,
    a3."state",
    a3.sample_interval,
    a3.gap_factor,
    a3.power_max_w,
    a3.stuck_after,
    a3.low_power_share,
    a3.low_power_after,
    a3.low_power_soc_percent,
    a3."site",
    a3.power_max_w_2,
    a3.time_zone,
    b4.sample_interval AS sample_interval_6
  FROM (
    SELECT
      a5.charge_point_id,
      a5.transaction_id,
      a5.evse_id,
      a5.connector_id,
      a5.id_tag,
      a5.started_at,
      a5.stopped_at,
      a5.superseded_at,
      a5.meter_start_wh,
      a5.meter_stop_wh,
      a5.stop_reason,
      a5."state",
      a5.sample_interval,
      a5.gap_factor,
      a5.power_max_w,
      a5.stuck_after,
      a5.low_power_share,
      a5.low_power_after,
      a5.low_power_soc_percent,
      a5."site",
      a5.power_max_w_2,
      b6.time_zone
    FROM (
      SELECT
        a7.charge_point_id,
        a7.transaction_id,
        a7.evse_id,
        a7.connector_id,
        a7.id_tag,
        a7.started_at,
        a7.stopped_at,
        a7.superseded_at,
        a7.meter_start_wh,
        a7.meter_stop_wh,
        a7.stop_reason,
        a7."state",
        a7.sample_interval,
        a7.gap_factor,
        a7.power_max_w,
        a7.stuck_after,
        a7.low_power_share,
        a7.low_power_after,
        a7.low_power_soc_percent,
        b8."site",
        b8.power_max_w AS power_max_w_2
      FROM (
        SELECT
          a9.charge_point_id,
          a9.transaction_id,
          a9.evse_id,
          a9.connector_id,
          a9.id_tag,
          a9.started_at,
          a9.stopped_at,
          a9.superseded_at,
          a9.meter_start_wh,
          a9.meter_stop_wh,
          a9.stop_reason,
          a9."state",
          b10.sample_interval,
          b10.gap_factor,
          b10.power_max_w,
          b10.stuck_after,
          b10.low_power_share,
          b10.low_power_after,
          b10.low_power_soc_percent
        FROM session_spans AS a9
        JOIN ocpp_parameters AS b10
          ON TRUE
      ) AS a7
      LEFT JOIN charge_points AS b8
        ON a7.charge_point_id = b8.charge_point_id
    ) AS a5
    LEFT JOIN charging_sites AS b6
      ON a5."site" = b6."site"
  ) AS a3
  LEFT JOIN sample_intervals AS b4
    ON a3.charge_point_id = b4.charge_point_id
) AS a1
LEFT JOIN session_phases AS b2
  ON a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id;

-- public.session_samples: approximated: the query fails for as long as the row is there
CREATE VIEW session_samples AS
SELECT
  charge_point_id,
  transaction_id,
  "measurand",
  sampled_at,
  CAST(CAST(ROUND(CAST(COALESCE(agg_1, agg_2 + agg_3 + agg_4) AS DECIMAL), 3) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) AS "value",
  CAST(CAST(ROUND(CAST(agg_5 AS DECIMAL), 3) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) AS boundary_value,
  agg_6 + agg_7 + agg_8 AS phases_told,
  CAST(CAST(ROUND(CAST(COALESCE(agg_2, 0) + COALESCE(agg_3, 0) + COALESCE(agg_4, 0) AS DECIMAL), 3) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) AS phases_value
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    "measurand",
    sampled_at,
    MAX(value_si) FILTER(WHERE
      "phase" IS NULL) AS agg_1,
    MAX(value_si) FILTER(WHERE
      "phase" IN ('L1', 'L1-N') AND "additive") AS agg_2,
    MAX(value_si) FILTER(WHERE
      "phase" IN ('L2', 'L2-N') AND "additive") AS agg_3,
    MAX(value_si) FILTER(WHERE
      "phase" IN ('L3', 'L3-N') AND "additive") AS agg_4,
    MAX(value_si) FILTER(WHERE
      "boundary" AND "phase" IS NULL) AS agg_5,
    MAX(CASE WHEN "phase" IN ('L1', 'L1-N') AND "additive" THEN 1 ELSE 0 END) AS agg_6,
    MAX(CASE WHEN "phase" IN ('L2', 'L2-N') AND "additive" THEN 1 ELSE 0 END) AS agg_7,
    MAX(CASE WHEN "phase" IN ('L3', 'L3-N') AND "additive" THEN 1 ELSE 0 END) AS agg_8
  FROM (
    SELECT
      charge_point_id,
      transaction_id,
      COALESCE("measurand", 'Energy.Active.Import.Register') AS "measurand",
      COALESCE(corrected_ts, event_ts) AS sampled_at,
      "phase",
      value_si,
      COALESCE("context", '') IN ('Transaction.Begin', 'Transaction.End') AS "boundary",
      COALESCE("measurand", 'Energy') LIKE 'Energy%' OR "measurand" LIKE 'Power%' AS "additive"
    FROM charger_readings
    WHERE
      (
        (
          NOT transaction_id IS NULL AND COALESCE("location", 'Outlet') = 'Outlet'
        )
        AND ABS(value_si) < CAST('1e12' AS DECIMAL(38, 0))
      )
      AND COALESCE("measurand", 'Energy.Active.Import.Register') IN (
        'Energy.Active.Import.Register',
        'Energy.Active.Export.Register',
        'Energy.Active.Import.Interval',
        'Power.Active.Import',
        'Power.Active.Export',
        'Power.Offered',
        'SoC'
      )
    UNION ALL
    SELECT
      charge_point_id,
      transaction_id,
      'Energy.Active.Import.Register' AS "measurand",
      COALESCE(corrected_ts, event_ts) AS sampled_at,
      CAST(NULL AS VARCHAR) AS "phase",
      CAST(meter_wh AS DOUBLE PRECISION) AS value_si,
      FALSE AS "boundary",
      TRUE AS "additive"
    FROM charger_transactions
    WHERE
      (
        NOT transaction_id IS NULL AND NOT meter_wh IS NULL
      )
      AND event_type IN ('START', 'STOP')
  ) AS q1
  GROUP BY
    charge_point_id,
    transaction_id,
    "measurand",
    sampled_at
) AS q2;

-- public.latest_samples: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW latest_samples AS
SELECT DISTINCT ON (charge_point_id, transaction_id, "measurand")
  charge_point_id,
  transaction_id,
  "measurand",
  sampled_at,
  "value"
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    "measurand",
    sampled_at,
    "value"
  FROM session_samples
  WHERE
    NOT "value" IS NULL
  UNION ALL
  SELECT
    a1.charge_point_id,
    a1.transaction_id,
    a1."measurand",
    a1.sampled_at,
    a1.phases_value AS "value"
  FROM (
    SELECT
      charge_point_id,
      transaction_id,
      "measurand",
      sampled_at,
      phases_told,
      phases_value
    FROM session_samples
    WHERE
      "value" IS NULL AND phases_told > 0
  ) AS a1
  JOIN session_phases AS b2
    ON (
      a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id
    )
    AND (
      a1.phases_told >= b2.phases_used
    )
) AS q3
ORDER BY
  charge_point_id,
  transaction_id,
  "measurand",
  sampled_at DESC;

CREATE VIEW session_values AS
SELECT
  charge_point_id,
  transaction_id,
  MAX("value") FILTER(WHERE
    "measurand" = 'Energy.Active.Import.Register') AS register_wh,
  MAX(sampled_at) FILTER(WHERE
    "measurand" = 'Energy.Active.Import.Register') AS register_at,
  MAX("value") FILTER(WHERE
    "measurand" = 'Power.Active.Import') AS power_w,
  MAX("value") FILTER(WHERE
    "measurand" = 'Power.Active.Export') AS power_export_w,
  MAX(sampled_at) FILTER(WHERE
    "measurand" LIKE 'Power.Active.%') AS power_at,
  MAX("value") FILTER(WHERE
    "measurand" = 'Power.Offered') AS power_offered_w,
  MAX("value") FILTER(WHERE
    "measurand" = 'SoC') AS soc_percent
FROM latest_samples
GROUP BY
  charge_point_id,
  transaction_id;

CREATE VIEW register_steps AS
SELECT
  charge_point_id,
  transaction_id,
  evse_id,
  connector_id,
  "site",
  time_zone,
  "measurand" = 'Energy.Active.Export.Register' AS "exported",
  CASE
    WHEN over_3 IS NULL OR (
      sampled_at - over_3
    ) > INTERVAL '7 days'
    THEN sampled_at
    ELSE over_3
  END AS from_at,
  sampled_at,
  over_2 AS from_wh,
  CASE
    WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
    AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
    THEN over_1
    ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
  END AS register_wh,
  CASE
    WHEN over_2 IS NULL
    THEN 'FIRST'
    WHEN (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) >= over_2
    AND (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) - over_2 <= (
      wh_per_ms_max * COALESCE(
        CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
        0
      ) + 50
    )
    THEN 'OK'
    WHEN (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) >= over_2
    THEN 'IMPLAUSIBLE'
    WHEN (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) >= over_2 - 10
    THEN 'JITTER'
    WHEN over_2 >= 0.9 * CASE
      WHEN over_2 < 65536
      THEN 65536
      WHEN over_2 < 100000000
      THEN 100000000
      WHEN over_2 < 1000000000
      THEN 1000000000
      WHEN over_2 < 2147483648
      THEN 2147483648
      WHEN over_2 < 4294967296
      THEN 4294967296
      WHEN over_2 < 10000000000
      THEN 10000000000
      ELSE 100000000000
    END
    AND CASE
      WHEN over_2 < 65536
      THEN 65536
      WHEN over_2 < 100000000
      THEN 100000000
      WHEN over_2 < 1000000000
      THEN 1000000000
      WHEN over_2 < 2147483648
      THEN 2147483648
      WHEN over_2 < 4294967296
      THEN 4294967296
      WHEN over_2 < 10000000000
      THEN 10000000000
      ELSE 100000000000
    END - over_2 + (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) <= (
      wh_per_ms_max * COALESCE(
        CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
        0
      ) + 50
    )
    THEN 'ROLLOVER'
    ELSE 'RESET'
  END AS "kind",
  CASE
    WHEN (
      CASE
        WHEN over_2 IS NULL
        THEN 'FIRST'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        AND (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) - over_2 <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'OK'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        THEN 'IMPLAUSIBLE'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2 - 10
        THEN 'JITTER'
        WHEN over_2 >= 0.9 * CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END
        AND CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END - over_2 + (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'ROLLOVER'
        ELSE 'RESET'
      END
    ) = 'OK'
    THEN CAST((
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) - over_2 AS DECIMAL(38, 10))
    WHEN (
      CASE
        WHEN over_2 IS NULL
        THEN 'FIRST'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        AND (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) - over_2 <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'OK'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        THEN 'IMPLAUSIBLE'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2 - 10
        THEN 'JITTER'
        WHEN over_2 >= 0.9 * CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END
        AND CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END - over_2 + (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'ROLLOVER'
        ELSE 'RESET'
      END
    ) = 'ROLLOVER'
    THEN CAST(CASE
      WHEN over_2 < 65536
      THEN 65536
      WHEN over_2 < 100000000
      THEN 100000000
      WHEN over_2 < 1000000000
      THEN 1000000000
      WHEN over_2 < 2147483648
      THEN 2147483648
      WHEN over_2 < 4294967296
      THEN 4294967296
      WHEN over_2 < 10000000000
      THEN 10000000000
      ELSE 100000000000
    END - over_2 + (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) AS DECIMAL(38, 10))
    WHEN (
      CASE
        WHEN over_2 IS NULL
        THEN 'FIRST'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        AND (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) - over_2 <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'OK'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2
        THEN 'IMPLAUSIBLE'
        WHEN (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) >= over_2 - 10
        THEN 'JITTER'
        WHEN over_2 >= 0.9 * CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END
        AND CASE
          WHEN over_2 < 65536
          THEN 65536
          WHEN over_2 < 100000000
          THEN 100000000
          WHEN over_2 < 1000000000
          THEN 1000000000
          WHEN over_2 < 2147483648
          THEN 2147483648
          WHEN over_2 < 4294967296
          THEN 4294967296
          WHEN over_2 < 10000000000
          THEN 10000000000
          ELSE 100000000000
        END - over_2 + (
          CASE
            WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
            AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
            THEN over_1
            ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
          END
        ) <= (
          wh_per_ms_max * COALESCE(
            CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
            0
          ) + 50
        )
        THEN 'ROLLOVER'
        ELSE 'RESET'
      END
    ) = 'RESET'
    AND (
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) BETWEEN 0 AND (
      wh_per_ms_max * COALESCE(
        CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_3) * 1000) AS BIGINT),
        0
      ) + 50
    )
    THEN CAST(CASE
      WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
      AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
      THEN over_1
      ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
    END AS DECIMAL(38, 10))
    ELSE CAST(0 AS DECIMAL(38, 10))
  END AS delta_wh,
  CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(
    EXTRACT(EPOCH FROM CASE
      WHEN over_3 IS NULL OR (
        sampled_at - over_3
      ) > INTERVAL '7 days'
      THEN sampled_at
      ELSE over_3
    END) * 1000
  ) AS BIGINT) AS step_ms,
  sample_interval,
  (
    sampled_at - (
      CASE
        WHEN over_3 IS NULL OR (
          sampled_at - over_3
        ) > INTERVAL '7 days'
        THEN sampled_at
        ELSE over_3
      END
    )
  ) > 2 * sample_interval AS "long",
  (
    sampled_at - (
      CASE
        WHEN over_3 IS NULL OR (
          sampled_at - over_3
        ) > INTERVAL '7 days'
        THEN sampled_at
        ELSE over_3
      END
    )
  ) > gap_after AS "gap"
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    "measurand",
    sampled_at,
    "value",
    phases_told,
    phases_value,
    evse_id,
    connector_id,
    "site",
    time_zone,
    wh_per_ms_max,
    sample_interval,
    gap_after,
    phases_used,
    over_1,
    LAG(
      CASE
        WHEN COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) < over_1
        AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
        THEN over_1
        ELSE COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END)
      END
    ) OVER (PARTITION BY charge_point_id, transaction_id, "measurand" ORDER BY sampled_at) AS over_2,
    LAG(sampled_at) OVER (PARTITION BY charge_point_id, transaction_id, "measurand" ORDER BY sampled_at) AS over_3
  FROM (
    SELECT
      a1.charge_point_id,
      a1.transaction_id,
      a1."measurand",
      a1.sampled_at,
      a1."value",
      a1.phases_told,
      a1.phases_value,
      b2.evse_id,
      b2.connector_id,
      b2."site",
      b2.time_zone,
      b2.wh_per_ms_max,
      b2.sample_interval,
      b2.gap_after,
      b2.phases_used,
      LAG(
        COALESCE(a1."value", CASE WHEN a1.phases_told >= b2.phases_used THEN a1.phases_value END)
      ) OVER (
        PARTITION BY a1.charge_point_id, a1.transaction_id, a1."measurand"
        ORDER BY a1.sampled_at
      ) AS over_1,
      LAG(a1.sampled_at) OVER (
        PARTITION BY a1.charge_point_id, a1.transaction_id, a1."measurand"
        ORDER BY a1.sampled_at
      ) AS over_2,
      LEAD(
        COALESCE(a1."value", CASE WHEN a1.phases_told >= b2.phases_used THEN a1.phases_value END)
      ) OVER (
        PARTITION BY a1.charge_point_id, a1.transaction_id, a1."measurand"
        ORDER BY a1.sampled_at
      ) AS over_3,
      LEAD(a1.sampled_at) OVER (
        PARTITION BY a1.charge_point_id, a1.transaction_id, a1."measurand"
        ORDER BY a1.sampled_at
      ) AS over_4
    FROM (
      SELECT
        charge_point_id,
        transaction_id,
        "measurand",
        sampled_at,
        "value",
        phases_told,
        phases_value
      FROM session_samples
      WHERE
        "measurand" IN ('Energy.Active.Import.Register', 'Energy.Active.Export.Register')
    ) AS a1
    JOIN session_context AS b2
      ON (
        a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id
      )
      AND (
        (
          b2.stopped_at IS NULL OR a1.sampled_at <= b2.stopped_at
        )
        AND NOT COALESCE(a1."value", CASE WHEN a1.phases_told >= b2.phases_used THEN a1.phases_value END) IS NULL
      )
  ) AS q3
  WHERE
    over_1 IS NULL
    OR over_3 IS NULL
    OR over_3 < over_1
    OR over_3 - over_1 > wh_per_ms_max * (
      CAST(FLOOR(EXTRACT(EPOCH FROM over_4) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_2) * 1000) AS BIGINT)
    ) + 50
    OR (
      COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) >= over_1 - 10
      AND COALESCE("value", CASE WHEN phases_told >= phases_used THEN phases_value END) - over_1 <= wh_per_ms_max * (
        CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_2) * 1000) AS BIGINT)
      ) + 50
    )
) AS q4;

CREATE VIEW session_energy AS
SELECT
  charge_point_id,
  transaction_id,
  SUM(
    CASE
      WHEN "exported"
      THEN CAST(0 AS DECIMAL(38, 10))
      ELSE CAST(delta_wh AS DECIMAL(38, 10))
    END
  ) AS import_wh,
  SUM(
    CASE
      WHEN "exported"
      THEN CAST(delta_wh AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS export_wh,
  COUNT(*) FILTER(WHERE
    NOT "exported") AS "samples",
  COUNT(*) FILTER(WHERE
    "kind" IN ('RESET', 'ROLLOVER', 'IMPLAUSIBLE')) AS doubtful_steps,
  MIN(sampled_at) FILTER(WHERE
    NOT "exported") AS first_sample_at,
  MAX(sampled_at) FILTER(WHERE
    NOT "exported") AS last_sample_at,
  MAX(sampled_at) FILTER(WHERE
    delta_wh > 0) AS energy_at
FROM register_steps
GROUP BY
  charge_point_id,
  transaction_id;

CREATE VIEW running_sessions AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1.id_tag,
  a1.started_at,
  a1.stopped_at,
  a1.superseded_at,
  a1.meter_start_wh,
  a1.meter_stop_wh,
  a1.stop_reason,
  a1."state",
  a1."site",
  a1.time_zone,
  a1.power_max_w,
  a1.wh_per_ms_max,
  a1.sample_interval,
  a1.gap_after,
  a1.stuck_after,
  a1.low_power_from,
  a1.low_power_share,
  a1.low_power_soc_percent,
  a1.phases_used,
  COALESCE(a1.charging_state, b2."status") AS charging_state
FROM (
  SELECT
    a3.charge_point_id,
    a3.transaction_id,
    a3.evse_id,
    a3.connector_id,
    a3.id_tag,
    a3.started_at,
    a3.stopped_at,
    a3.superseded_at,
    a3.meter_start_wh,
    a3.meter_stop_wh,
    a3.stop_reason,
    a3."state",
    a3."site",
    a3.time_zone,
    a3.power_max_w,
    a3.wh_per_ms_max,
    a3.sample_interval,
    a3.gap_after,
    a3.stuck_after,
    a3.low_power_from,
    a3.low_power_share,
    a3.low_power_soc_percent,
    a3.phases_used,
    b4.charging_state
  FROM (
    SELECT
      charge_point_id,
      transaction_id,
      evse_id,
      connector_id,
      id_tag,
      started_at,
      stopped_at,
      superseded_at,
      meter_start_wh,
      meter_stop_wh,
      stop_reason,
      "state",
      "site",
      time_zone,
      power_max_w,
      wh_per_ms_max,
      sample_interval,
      gap_after,
      stuck_after,
      low_power_from,
      low_power_share,
      low_power_soc_percent,
      phases_used
    FROM session_context
    WHERE
      "state" = 'RUNNING'
  ) AS a3
  LEFT JOIN session_charging_states AS b4
    ON a3.charge_point_id = b4.charge_point_id AND a3.transaction_id = b4.transaction_id
) AS a1
LEFT JOIN connector_state AS b2
  ON (
    a1.charge_point_id = b2.charge_point_id AND a1.evse_id = b2.evse_id
  )
  AND a1.connector_id = b2.connector_id;

CREATE VIEW active_sessions AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1."site",
  a1.id_tag,
  a1.started_at,
  COALESCE(CAST(a1.import_wh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS energy_wh,
  COALESCE(CAST(a1.export_wh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS export_wh,
  COALESCE(CAST(b2.power_w AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) - COALESCE(CAST(b2.power_export_w AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS power_w,
  LEAST(b2.power_offered_w, a1.power_max_w) AS power_expected_w,
  b2.soc_percent,
  a1.charging_state,
  COALESCE(GREATEST(b2.register_at, a1.started_at), a1.started_at) AS last_sample_at,
  b2.power_at,
  COALESCE(a1.energy_at, a1.started_at) AS energy_at,
  COALESCE(GREATEST(b2.register_at, a1.started_at), a1.started_at) + a1.gap_after AS gap_from,
  COALESCE(a1.energy_at, a1.started_at) + a1.stuck_after AS stuck_from,
  a1.low_power_from,
  a1.charging_state = 'Charging'
  AND NOT b2.power_at IS NULL
  AND COALESCE(CAST(b2.power_w AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) < a1.low_power_share * LEAST(b2.power_offered_w, a1.power_max_w)
  AND COALESCE(CAST(b2.soc_percent AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) < a1.low_power_soc_percent AS low_power
FROM (
  SELECT
    a3.charge_point_id,
    a3.transaction_id,
    a3.evse_id,
    a3.connector_id,
    a3.id_tag,
    a3.started_at,
    a3."site",
    a3.power_max_w,
    a3.gap_after,
    a3.stuck_after,
    a3.low_power_from,
    a3.low_power_share,
    a3.low_power_soc_percent,
    a3.charging_state,
    b4.import_wh,
    b4.export_wh,
    b4.energy_at
  FROM running_sessions AS a3
  LEFT JOIN session_energy AS b4
    ON a3.charge_point_id = b4.charge_point_id AND a3.transaction_id = b4.transaction_id
) AS a1
LEFT JOIN session_values AS b2
  ON a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id;

CREATE VIEW finished_sessions AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1."site",
  a1.id_tag,
  a1.started_at,
  a1.stopped_at,
  (
    CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
  ) / 1000 AS duration_s,
  a1.meter_start_wh,
  a1.meter_stop_wh,
  b2.import_wh AS energy_wh,
  b2.export_wh,
  b2.import_wh - b2.export_wh AS net_wh,
  a1.stop_reason,
  a1."state",
  b2.doubtful_steps,
  b2.first_sample_at,
  b2.last_sample_at,
  a1.sample_interval,
  a1.gap_after
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    evse_id,
    connector_id,
    id_tag,
    started_at,
    stopped_at,
    meter_start_wh,
    meter_stop_wh,
    stop_reason,
    "state",
    "site",
    sample_interval,
    gap_after
  FROM session_context
  WHERE
    "state" IN ('FINISHED', 'ORPHAN_STOP')
) AS a1
LEFT JOIN session_energy AS b2
  ON a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id;

CREATE VIEW site_load AS
SELECT
  a1."site",
  a1.agg_1 AS active_sessions,
  a1.agg_2 / 1000 AS power_kw,
  a1.agg_3 / 1000 AS energy_kwh,
  a1.agg_4 / 1000 AS import_kw,
  a1.agg_5 / 1000 AS export_kw,
  CAST(100 * (
    a1.agg_2 / 1000
  ) AS DOUBLE PRECISION) / NULLIF(b2.power_limit_kw, 0) AS limit_percent
FROM (
  SELECT
    "site",
    COUNT(*) AS agg_1,
    SUM(power_w) AS agg_2,
    SUM(energy_wh) AS agg_3,
    SUM(GREATEST(CAST(power_w AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10)))) AS agg_4,
    SUM(GREATEST(CAST(-power_w AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10)))) AS agg_5
  FROM active_sessions
  WHERE
    NOT "site" IS NULL
  GROUP BY
    "site"
) AS a1
LEFT JOIN charging_sites AS b2
  ON a1."site" = b2."site";

-- public.energy_15min: approximated: the query fails for as long as the row is there
CREATE VIEW energy_15min AS
SELECT
  charge_point_id,
  evse_id,
  connector_id,
  transaction_id,
  "site",
  time_zone,
  window_start_1 AS window_start,
  window_start_1 + INTERVAL '15 minutes' AS window_end,
  agg_1 AS energy_wh,
  agg_2 AS export_wh,
  agg_3 AS reading_count,
  agg_4 > 0 AS "estimated",
  agg_4 = 0 AS "contiguous"
FROM (
  SELECT
    charge_point_id,
    evse_id,
    connector_id,
    transaction_id,
    "site",
    time_zone,
    window_start_1,
    SUM(
      CASE
        WHEN "exported"
        THEN CAST(0 AS DECIMAL(38, 10))
        ELSE CAST(CASE
          WHEN step_ms = 0
          THEN CAST(delta_wh AS DECIMAL(38, 10))
          ELSE CAST(CAST(CAST(ROUND(
            CAST((
              CAST(delta_wh AS DOUBLE PRECISION) / NULLIF(NULLIF(step_ms, 0), 0)
            ) * (
              CAST(FLOOR(
                EXTRACT(EPOCH FROM LEAST(sampled_at, window_start_1 + INTERVAL '15 minutes')) * 1000
              ) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM from_at) * 1000) AS BIGINT)
            ) AS DECIMAL),
            3
          ) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) - CAST(CAST(ROUND(
            CAST((
              CAST(delta_wh AS DOUBLE PRECISION) / NULLIF(NULLIF(step_ms, 0), 0)
            ) * (
              CAST(FLOOR(EXTRACT(EPOCH FROM GREATEST(from_at, window_start_1)) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM from_at) * 1000) AS BIGINT)
            ) AS DECIMAL),
            3
          ) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) AS DECIMAL(38, 10))
        END AS DECIMAL(38, 10))
      END
    ) AS agg_1,
    SUM(
      CASE
        WHEN "exported"
        THEN CAST(CASE
          WHEN step_ms = 0
          THEN CAST(delta_wh AS DECIMAL(38, 10))
          ELSE CAST(CAST(CAST(ROUND(
            CAST((
              CAST(delta_wh AS DOUBLE PRECISION) / NULLIF(NULLIF(step_ms, 0), 0)
            ) * (
              CAST(FLOOR(
                EXTRACT(EPOCH FROM LEAST(sampled_at, window_start_1 + INTERVAL '15 minutes')) * 1000
              ) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM from_at) * 1000) AS BIGINT)
            ) AS DECIMAL),
            3
          ) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) - CAST(CAST(ROUND(
            CAST((
              CAST(delta_wh AS DOUBLE PRECISION) / NULLIF(NULLIF(step_ms, 0), 0)
            ) * (
              CAST(FLOOR(EXTRACT(EPOCH FROM GREATEST(from_at, window_start_1)) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM from_at) * 1000) AS BIGINT)
            ) AS DECIMAL),
            3
          ) AS DOUBLE PRECISION) AS DECIMAL(18, 3)) AS DECIMAL(38, 10))
        END AS DECIMAL(38, 10))
        ELSE CAST(0 AS DECIMAL(38, 10))
      END
    ) AS agg_2,
    COUNT(*) FILTER(WHERE
      (
        sampled_at >= window_start_1
        AND sampled_at < window_start_1 + INTERVAL '15 minutes'
      )
      AND NOT "exported") AS agg_3,
    COUNT(*) FILTER(WHERE
      "long"
      AND delta_wh > 0
      AND sampled_at > window_start_1
      AND (
        from_at < window_start_1 OR sampled_at > window_start_1 + INTERVAL '15 minutes'
      )) AS agg_4
  FROM (
    SELECT
      charge_point_id,
      evse_id,
      connector_id,
      transaction_id,
      "site",
      time_zone,
      GENERATE_SERIES(
        CAST(TIME_BUCKET(
          INTERVAL '15 minutes',
          from_at,
          origin => CAST('2000-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
        ) AS TIMESTAMPTZ),
        CAST(sampled_at AS TIMESTAMPTZ),
        INTERVAL '15 minutes'
      ) AS window_start_1,
      "exported",
      from_at,
      sampled_at,
      delta_wh,
      step_ms,
      "long"
    FROM register_steps
  ) AS q1
  GROUP BY
    charge_point_id,
    evse_id,
    connector_id,
    transaction_id,
    "site",
    time_zone,
    window_start_1
) AS q2;

CREATE VIEW fleet_energy_15min AS
SELECT
  window_start,
  window_end,
  SUM(energy_wh) / 1000 AS energy_kwh,
  SUM(export_wh) / 1000 AS export_kwh,
  COUNT(*) AS session_count,
  COUNT(*) FILTER(WHERE
    "estimated") AS gap_count
FROM energy_15min
GROUP BY
  window_start,
  window_end;

CREATE VIEW finished_samples AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1."measurand",
  a1.sampled_at,
  COALESCE(a1."value", a1.phases_value) AS "value",
  a1.boundary_value,
  b2.sample_interval
FROM session_samples AS a1
JOIN (
  SELECT
    charge_point_id AS charge_point_id_1,
    transaction_id AS transaction_id_2,
    stopped_at,
    sample_interval,
    phases_used
  FROM session_context
  WHERE
    "state" = 'FINISHED'
) AS b2
  ON (
    a1.charge_point_id = b2.charge_point_id_1
    AND a1.transaction_id = b2.transaction_id_2
  )
  AND (
    (
      NOT a1."value" IS NULL OR a1.phases_told >= b2.phases_used
    )
    AND a1.sampled_at <= b2.stopped_at
  );

-- public.power_steps: approximated: the query fails for as long as the row is there
CREATE VIEW power_steps AS
SELECT
  charge_point_id,
  transaction_id,
  sampled_at,
  "value" AS power_w,
  CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_2) * 1000) AS BIGINT) AS step_ms,
  CASE
    WHEN (
      sampled_at - over_2
    ) <= 2 * sample_interval
    THEN CAST(CAST(ROUND(
      CAST(CAST(over_1 + "value" AS DOUBLE PRECISION) * (
        CAST(FLOOR(EXTRACT(EPOCH FROM sampled_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM over_2) * 1000) AS BIGINT)
      ) / 7200000 AS DECIMAL),
      3
    ) AS DOUBLE PRECISION) AS DECIMAL(18, 3))
  END AS energy_wh
FROM (
  SELECT
    charge_point_id,
    transaction_id,
    sampled_at,
    "value",
    sample_interval,
    LAG("value") OVER (PARTITION BY charge_point_id, transaction_id ORDER BY sampled_at) AS over_1,
    LAG(sampled_at) OVER (PARTITION BY charge_point_id, transaction_id ORDER BY sampled_at) AS over_2
  FROM finished_samples
  WHERE
    "measurand" = 'Power.Active.Import'
) AS q1;

CREATE VIEW session_power AS
SELECT
  charge_point_id,
  transaction_id,
  SUM(energy_wh) AS power_wh,
  COUNT(*) AS "samples",
  MAX(power_w) AS power_w_max,
  COALESCE(SUM(step_ms) FILTER(WHERE
    NOT energy_wh IS NULL), 0) AS covered_ms
FROM power_steps
GROUP BY
  charge_point_id,
  transaction_id;

CREATE VIEW session_boundaries AS
SELECT
  charge_point_id,
  transaction_id,
  CASE
    WHEN COUNT(*) > 1
    THEN (
      ARRAY_AGG(
        CASE
          WHEN NOT (
            boundary_value IS NULL OR sampled_at IS NULL
          )
          THEN boundary_value
        END ORDER BY (
          boundary_value IS NULL OR sampled_at IS NULL
        ) ASC, sampled_at DESC
      )
    )[1] - (
      ARRAY_AGG(
        CASE
          WHEN NOT (
            boundary_value IS NULL OR sampled_at IS NULL
          )
          THEN boundary_value
        END ORDER BY (
          boundary_value IS NULL OR sampled_at IS NULL
        ) ASC, sampled_at ASC
      )
    )[1]
  END AS boundary_wh
FROM finished_samples
WHERE
  "measurand" = 'Energy.Active.Import.Register' AND NOT boundary_value IS NULL
GROUP BY
  charge_point_id,
  transaction_id;

CREATE VIEW session_intervals AS
SELECT
  charge_point_id,
  transaction_id,
  SUM("value") AS interval_wh
FROM finished_samples
WHERE
  "measurand" = 'Energy.Active.Import.Interval'
GROUP BY
  charge_point_id,
  transaction_id;

CREATE VIEW missing_energy AS
SELECT
  a1.charge_point_id,
  a1.connector_id,
  a1.transaction_id,
  a1.started_at,
  b3.transaction_id_2 AS transaction_before,
  a1.meter_start_wh - b3.meter_stop_wh_10 AS missing_wh
FROM session_spans AS a1
INNER JOIN LATERAL (
  SELECT
    charge_point_id_1,
    transaction_id_2,
    evse_id_3,
    connector_id_4,
    id_tag_5,
    started_at_6,
    stopped_at_7,
    superseded_at_8,
    meter_start_wh_9,
    meter_stop_wh_10,
    stop_reason_11,
    state_12
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      transaction_id AS transaction_id_2,
      evse_id AS evse_id_3,
      connector_id AS connector_id_4,
      id_tag AS id_tag_5,
      started_at AS started_at_6,
      stopped_at AS stopped_at_7,
      superseded_at AS superseded_at_8,
      meter_start_wh AS meter_start_wh_9,
      meter_stop_wh AS meter_stop_wh_10,
      stop_reason AS stop_reason_11,
      "state" AS state_12
    FROM session_spans
    WHERE
      NOT stopped_at IS NULL AND NOT meter_stop_wh IS NULL
  ) AS q2
  WHERE
    (
      (
        a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_3
      )
      AND a1.connector_id = connector_id_4
    )
    AND a1.started_at >= stopped_at_7
  ORDER BY
    stopped_at_7 DESC NULLS LAST,
    charge_point_id_1,
    transaction_id_2,
    evse_id_3,
    connector_id_4,
    id_tag_5,
    started_at_6,
    stopped_at_7,
    superseded_at_8,
    meter_start_wh_9,
    meter_stop_wh_10,
    stop_reason_11,
    state_12
  LIMIT 1
) AS b3
  ON TRUE
WHERE
  NOT a1.meter_start_wh IS NULL;

-- public.billing_reconciliation: approximated: the query fails for as long as the row is there
CREATE VIEW billing_reconciliation AS
SELECT
  a1.charge_point_id,
  a1.transaction_id,
  a1.evse_id,
  a1.connector_id,
  a1.started_at,
  a1.stopped_at,
  CASE
    WHEN COALESCE(a1.doubtful_steps, 0) = 0
    OR COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) >= 0
    THEN COALESCE(
      CAST(a1.boundary_wh AS DECIMAL(38, 10)),
      CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
      CAST(a1.energy_wh AS DECIMAL(38, 10)),
      CAST(a1.interval_wh AS DECIMAL(38, 10)),
      CAST(CASE
        WHEN a1.covered_ms >= 0.9 * (
          CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
        )
        THEN a1.power_wh
      END AS DECIMAL(38, 10))
    )
    ELSE a1.energy_wh
  END AS billed_wh,
  CASE
    WHEN COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) < 0
    AND COALESCE(a1.doubtful_steps, 0) > 0
    THEN 'REGISTER'
    WHEN NOT a1.boundary_wh IS NULL
    THEN 'BOUNDARY'
    WHEN NOT CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) IS NULL
    THEN 'START_STOP'
    WHEN NOT a1.energy_wh IS NULL
    THEN 'REGISTER'
    WHEN NOT a1.interval_wh IS NULL
    THEN 'INTERVAL'
    WHEN NOT (
      CASE
        WHEN a1.covered_ms >= 0.9 * (
          CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
        )
        THEN a1.power_wh
      END
    ) IS NULL
    THEN 'POWER'
    ELSE 'NONE'
  END AS "basis",
  a1.boundary_wh,
  CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS meter_wh,
  a1.energy_wh AS delta_wh,
  a1.interval_wh,
  CASE
    WHEN a1.covered_ms >= 0.9 * (
      CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
    )
    THEN a1.power_wh
  END AS power_wh,
  a1."samples" AS power_samples,
  b2.missing_wh,
  CASE
    WHEN COALESCE(
      CAST(a1.boundary_wh AS DECIMAL(38, 10)),
      CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
      CAST(a1.energy_wh AS DECIMAL(38, 10))
    ) IS NULL
    THEN 'NO_METER'
    WHEN CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) < 0
    OR a1.boundary_wh < 0
    THEN 'NEGATIVE'
    WHEN COALESCE(a1.doubtful_steps, 0) > 0
    THEN 'REGISTER'
    WHEN ABS(a1.boundary_wh - CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) > 2
    THEN 'BOUNDARY'
    WHEN ABS(
      COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) - a1.energy_wh
    ) > 5 + 0.0005 * ABS(
      COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)))
    )
    THEN 'STEPS'
    WHEN ABS(
      COALESCE(
        CAST(a1.boundary_wh AS DECIMAL(38, 10)),
        CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
        CAST(a1.energy_wh AS DECIMAL(38, 10))
      ) - (
        CASE
          WHEN a1.covered_ms >= 0.9 * (
            CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
          )
          THEN a1.power_wh
        END
      )
    ) > a1.billing_share * ABS(
      COALESCE(
        CAST(a1.boundary_wh AS DECIMAL(38, 10)),
        CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
        CAST(a1.energy_wh AS DECIMAL(38, 10))
      )
    ) + (
      CAST(COALESCE(CAST(a1.power_w_max AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DOUBLE PRECISION) * (
        CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at + a1.sample_interval) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT)
      ) / 7200000
    )
    THEN 'POWER'
    WHEN ABS(b2.missing_wh) > GREATEST(
      10,
      0.001 * ABS(
        COALESCE(
          CAST(a1.boundary_wh AS DECIMAL(38, 10)),
          CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
          CAST(a1.energy_wh AS DECIMAL(38, 10))
        )
      )
    )
    THEN 'MISSING_ENERGY'
    ELSE 'NONE'
  END AS "difference",
  CASE
    WHEN (
      CASE
        WHEN COALESCE(
          CAST(a1.boundary_wh AS DECIMAL(38, 10)),
          CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
          CAST(a1.energy_wh AS DECIMAL(38, 10))
        ) IS NULL
        THEN 'NO_METER'
        WHEN CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) < 0
        OR a1.boundary_wh < 0
        THEN 'NEGATIVE'
        WHEN COALESCE(a1.doubtful_steps, 0) > 0
        THEN 'REGISTER'
        WHEN ABS(a1.boundary_wh - CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) > 2
        THEN 'BOUNDARY'
        WHEN ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) - a1.energy_wh
        ) > 5 + 0.0005 * ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)))
        )
        THEN 'STEPS'
        WHEN ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          ) - (
            CASE
              WHEN a1.covered_ms >= 0.9 * (
                CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
              )
              THEN a1.power_wh
            END
          )
        ) > a1.billing_share * ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          )
        ) + (
          CAST(COALESCE(CAST(a1.power_w_max AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DOUBLE PRECISION) * (
            CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at + a1.sample_interval) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT)
          ) / 7200000
        )
        THEN 'POWER'
        WHEN ABS(b2.missing_wh) > GREATEST(
          10,
          0.001 * ABS(
            COALESCE(
              CAST(a1.boundary_wh AS DECIMAL(38, 10)),
              CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
              CAST(a1.energy_wh AS DECIMAL(38, 10))
            )
          )
        )
        THEN 'MISSING_ENERGY'
        ELSE 'NONE'
      END
    ) = 'NONE'
    THEN 'MATCHED'
    WHEN (
      CASE
        WHEN COALESCE(
          CAST(a1.boundary_wh AS DECIMAL(38, 10)),
          CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
          CAST(a1.energy_wh AS DECIMAL(38, 10))
        ) IS NULL
        THEN 'NO_METER'
        WHEN CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) < 0
        OR a1.boundary_wh < 0
        THEN 'NEGATIVE'
        WHEN COALESCE(a1.doubtful_steps, 0) > 0
        THEN 'REGISTER'
        WHEN ABS(a1.boundary_wh - CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) > 2
        THEN 'BOUNDARY'
        WHEN ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) - a1.energy_wh
        ) > 5 + 0.0005 * ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)))
        )
        THEN 'STEPS'
        WHEN ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          ) - (
            CASE
              WHEN a1.covered_ms >= 0.9 * (
                CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
              )
              THEN a1.power_wh
            END
          )
        ) > a1.billing_share * ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          )
        ) + (
          CAST(COALESCE(CAST(a1.power_w_max AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DOUBLE PRECISION) * (
            CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at + a1.sample_interval) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT)
          ) / 7200000
        )
        THEN 'POWER'
        WHEN ABS(b2.missing_wh) > GREATEST(
          10,
          0.001 * ABS(
            COALESCE(
              CAST(a1.boundary_wh AS DECIMAL(38, 10)),
              CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
              CAST(a1.energy_wh AS DECIMAL(38, 10))
            )
          )
        )
        THEN 'MISSING_ENERGY'
        ELSE 'NONE'
      END
    ) IN ('POWER', 'MISSING_ENERGY')
    THEN 'MINOR'
    WHEN (
      CASE
        WHEN COALESCE(
          CAST(a1.boundary_wh AS DECIMAL(38, 10)),
          CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
          CAST(a1.energy_wh AS DECIMAL(38, 10))
        ) IS NULL
        THEN 'NO_METER'
        WHEN CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) < 0
        OR a1.boundary_wh < 0
        THEN 'NEGATIVE'
        WHEN COALESCE(a1.doubtful_steps, 0) > 0
        THEN 'REGISTER'
        WHEN ABS(a1.boundary_wh - CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) > 2
        THEN 'BOUNDARY'
        WHEN ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) - a1.energy_wh
        ) > 5 + 0.0005 * ABS(
          COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)))
        )
        THEN 'STEPS'
        WHEN ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          ) - (
            CASE
              WHEN a1.covered_ms >= 0.9 * (
                CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
              )
              THEN a1.power_wh
            END
          )
        ) > a1.billing_share * ABS(
          COALESCE(
            CAST(a1.boundary_wh AS DECIMAL(38, 10)),
            CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
            CAST(a1.energy_wh AS DECIMAL(38, 10))
          )
        ) + (
          CAST(COALESCE(CAST(a1.power_w_max AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DOUBLE PRECISION) * (
            CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at + a1.sample_interval) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT)
          ) / 7200000
        )
        THEN 'POWER'
        WHEN ABS(b2.missing_wh) > GREATEST(
          10,
          0.001 * ABS(
            COALESCE(
              CAST(a1.boundary_wh AS DECIMAL(38, 10)),
              CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
              CAST(a1.energy_wh AS DECIMAL(38, 10))
            )
          )
        )
        THEN 'MISSING_ENERGY'
        ELSE 'NONE'
      END
    ) IN ('BOUNDARY', 'STEPS')
    AND GREATEST(
      CAST(ABS(
        (
          CASE
            WHEN COALESCE(a1.doubtful_steps, 0) = 0
            OR COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) >= 0
            THEN COALESCE(
              CAST(a1.boundary_wh AS DECIMAL(38, 10)),
              CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
              CAST(a1.energy_wh AS DECIMAL(38, 10)),
              CAST(a1.interval_wh AS DECIMAL(38, 10)),
              CAST(CASE
                WHEN a1.covered_ms >= 0.9 * (
                  CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
                )
                THEN a1.power_wh
              END AS DECIMAL(38, 10))
            )
            ELSE a1.energy_wh
          END
        ) - a1.energy_wh
      ) AS DECIMAL(38, 10)),
      CAST(ABS(
        COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) - CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))
      ) AS DECIMAL(38, 10))
    ) <= 0.01 * ABS(
      CASE
        WHEN COALESCE(a1.doubtful_steps, 0) = 0
        OR COALESCE(a1.boundary_wh, CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3))) >= 0
        THEN COALESCE(
          CAST(a1.boundary_wh AS DECIMAL(38, 10)),
          CAST(CAST(a1.meter_stop_wh - a1.meter_start_wh AS DECIMAL(18, 3)) AS DECIMAL(38, 10)),
          CAST(a1.energy_wh AS DECIMAL(38, 10)),
          CAST(a1.interval_wh AS DECIMAL(38, 10)),
          CAST(CASE
            WHEN a1.covered_ms >= 0.9 * (
              CAST(FLOOR(EXTRACT(EPOCH FROM a1.stopped_at) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.started_at) * 1000) AS BIGINT)
            )
            THEN a1.power_wh
          END AS DECIMAL(38, 10))
        )
        ELSE a1.energy_wh
      END
    )
    THEN 'MINOR'
    ELSE 'DISPUTED'
  END AS "outcome"
FROM (
  SELECT
    a3.charge_point_id,
    a3.transaction_id,
    a3.evse_id,
    a3.connector_id,
    a3.started_at,
    a3.stopped_at,
    a3.meter_start_wh,
    a3.meter_stop_wh,
    a3.energy_wh,
    a3.doubtful_steps,
    a3.sample_interval,
    a3.billing_share,
    a3.boundary_wh,
    a3.interval_wh,
    b4.power_wh,
    b4."samples",
    b4.power_w_max,
    b4.covered_ms
  FROM (
    SELECT
      a5.charge_point_id,
      a5.transaction_id,
      a5.evse_id,
      a5.connector_id,
      a5.started_at,
      a5.stopped_at,
      a5.meter_start_wh,
      a5.meter_stop_wh,
      a5.energy_wh,
      a5.doubtful_steps,
      a5.sample_interval,
      a5.billing_share,
      a5.boundary_wh,
      b6.interval_wh
    FROM (
      SELECT
        a7.charge_point_id,
        a7.transaction_id,
        a7.evse_id,
        a7.connector_id,
        a7.started_at,
        a7.stopped_at,
        a7.meter_start_wh,
        a7.meter_stop_wh,
        a7.energy_wh,
        a7.doubtful_steps,
        a7.sample_interval,
        a7.billing_share,
        b8.boundary_wh
      FROM (
        SELECT
          a9.charge_point_id,
          a9.transaction_id,
          a9.evse_id,
          a9.connector_id,
          a9.started_at,
          a9.stopped_at,
          a9.meter_start_wh,
          a9.meter_stop_wh,
          a9.energy_wh,
          a9.doubtful_steps,
          a9.sample_interval,
          b10.billing_share
        FROM (
          SELECT
            charge_point_id,
            transaction_id,
            evse_id,
            connector_id,
            started_at,
            stopped_at,
            meter_start_wh,
            meter_stop_wh,
            energy_wh,
            doubtful_steps,
            sample_interval
          FROM finished_sessions
          WHERE
            "state" = 'FINISHED'
        ) AS a9
        JOIN ocpp_parameters AS b10
          ON TRUE
      ) AS a7
      LEFT JOIN session_boundaries AS b8
        ON a7.charge_point_id = b8.charge_point_id AND a7.transaction_id = b8.transaction_id
    ) AS a5
    LEFT JOIN session_intervals AS b6
      ON a5.charge_point_id = b6.charge_point_id AND a5.transaction_id = b6.transaction_id
  ) AS a3
  LEFT JOIN session_power AS b4
    ON a3.charge_point_id = b4.charge_point_id AND a3.transaction_id = b4.transaction_id
) AS a1
LEFT JOIN missing_energy AS b2
  ON a1.charge_point_id = b2.charge_point_id AND a1.transaction_id = b2.transaction_id;

CREATE VIEW session_edges AS
SELECT
  charge_point_id,
  evse_id,
  "at",
  in_session
FROM (
  SELECT
    charge_point_id,
    evse_id,
    started_at AS "at",
    TRUE AS in_session
  FROM session_spans
  WHERE
    (
      "state" = 'FINISHED' AND NOT evse_id IS NULL
    ) AND started_at < stopped_at
  UNION ALL
  SELECT
    charge_point_id,
    evse_id,
    stopped_at AS "at",
    FALSE AS in_session
  FROM session_spans
  WHERE
    (
      "state" = 'FINISHED' AND NOT evse_id IS NULL
    ) AND started_at < stopped_at
) AS q1;

CREATE VIEW "connectors" AS
SELECT
  charge_point_id,
  evse_id,
  connector_id
FROM (
  SELECT DISTINCT
    charge_point_id,
    evse_id,
    connector_id
  FROM status_points
  WHERE
    connector_id > 0
) AS q1;

CREATE VIEW timeline_points AS
SELECT
  charge_point_id,
  evse_id,
  connector_id,
  "at"
FROM (
  SELECT DISTINCT
    charge_point_id,
    evse_id,
    connector_id,
    "at"
  FROM (
    SELECT
      charge_point_id,
      evse_id,
      connector_id,
      "at"
    FROM (
      SELECT DISTINCT
        charge_point_id,
        evse_id,
        connector_id,
        "at"
      FROM (
        SELECT
          charge_point_id,
          evse_id,
          connector_id,
          "at"
        FROM (
          SELECT DISTINCT
            charge_point_id,
            evse_id,
            connector_id,
            "at"
          FROM (
            SELECT
              charge_point_id,
              evse_id,
              connector_id,
              changed_at AS "at"
            FROM status_changes
            WHERE
              connector_id > 0
            UNION ALL
            SELECT
              b2.charge_point_id,
              b2.evse_id,
              b2.connector_id,
              a1.changed_at AS "at"
            FROM (
              SELECT
                charge_point_id,
                changed_at
              FROM status_changes
              WHERE
                connector_id = 0
            ) AS a1
            JOIN "connectors" AS b2
              ON a1.charge_point_id = b2.charge_point_id
          ) AS q3
        ) AS q4
        UNION ALL
        SELECT
          b6.charge_point_id,
          b6.evse_id,
          b6.connector_id,
          a5.changed_at AS "at"
        FROM link_changes AS a5
        JOIN "connectors" AS b6
          ON a5.charge_point_id = b6.charge_point_id
      ) AS q7
    ) AS q8
    UNION ALL
    SELECT
      b10.charge_point_id,
      b10.evse_id,
      b10.connector_id,
      a9."at"
    FROM session_edges AS a9
    JOIN "connectors" AS b10
      ON a9.charge_point_id = b10.charge_point_id AND a9.evse_id = b10.evse_id
  ) AS q11
) AS q12;

CREATE VIEW timeline_states AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.connector_id,
  a1."at",
  CASE
    WHEN a1."status" IS NULL
    THEN 'Unknown'
    WHEN NOT a1."online" AND NOT COALESCE(b12.in_session, FALSE)
    THEN 'Offline'
    WHEN a1.status_8 IN ('Faulted', 'Unavailable')
    THEN a1.status_8
    ELSE a1."status"
  END AS "state",
  CASE WHEN a1."status" = 'Faulted' THEN a1.error_code END AS error_code
FROM (
  SELECT
    a2.charge_point_id,
    a2.evse_id,
    a2.connector_id,
    a2."at",
    a2."status",
    a2.error_code,
    a2.status_8,
    b10."online"
  FROM (
    SELECT
      a3.charge_point_id,
      a3.evse_id,
      a3.connector_id,
      a3."at",
      a3."status",
      a3.error_code,
      b8.status_8
    FROM (
      SELECT
        a4.charge_point_id,
        a4.evse_id,
        a4.connector_id,
        a4."at",
        b6."status",
        b6.error_code
      FROM timeline_points AS a4
      LEFT JOIN LATERAL (
        SELECT
          charge_point_id_1,
          evse_id_2,
          connector_id_3,
          changed_at,
          "status",
          error_code,
          vendor_error_code,
          status_before
        FROM (
          SELECT
            charge_point_id AS charge_point_id_1,
            evse_id AS evse_id_2,
            connector_id AS connector_id_3,
            changed_at,
            "status",
            error_code,
            vendor_error_code,
            status_before
          FROM status_changes
          WHERE
            connector_id > 0
        ) AS q5
        WHERE
          (
            (
              a4.charge_point_id = charge_point_id_1 AND a4.evse_id = evse_id_2
            )
            AND a4.connector_id = connector_id_3
          )
          AND a4."at" >= changed_at
        ORDER BY
          changed_at DESC NULLS LAST,
          charge_point_id_1,
          evse_id_2,
          connector_id_3,
          changed_at,
          "status",
          error_code,
          vendor_error_code,
          status_before
        LIMIT 1
      ) AS b6
        ON TRUE
    ) AS a3
    LEFT JOIN LATERAL (
      SELECT
        charge_point_id_4,
        evse_id_5,
        connector_id_6,
        changed_at_7,
        status_8,
        error_code_9,
        vendor_error_code_10,
        status_before_11
      FROM (
        SELECT
          charge_point_id AS charge_point_id_4,
          evse_id AS evse_id_5,
          connector_id AS connector_id_6,
          changed_at AS changed_at_7,
          "status" AS status_8,
          error_code AS error_code_9,
          vendor_error_code AS vendor_error_code_10,
          status_before AS status_before_11
        FROM status_changes
        WHERE
          connector_id = 0
      ) AS q7
      WHERE
        a3.charge_point_id = charge_point_id_4 AND a3."at" >= changed_at_7
      ORDER BY
        changed_at_7 DESC NULLS LAST,
        charge_point_id_4,
        evse_id_5,
        connector_id_6,
        changed_at_7,
        status_8,
        error_code_9,
        vendor_error_code_10,
        status_before_11
      LIMIT 1
    ) AS b8
      ON TRUE
  ) AS a2
  LEFT JOIN LATERAL (
    SELECT
      charge_point_id_12,
      changed_at_13,
      "online"
    FROM (
      SELECT
        charge_point_id AS charge_point_id_12,
        changed_at AS changed_at_13,
        "online"
      FROM link_changes
    ) AS q9
    WHERE
      a2.charge_point_id = charge_point_id_12 AND a2."at" >= changed_at_13
    ORDER BY
      changed_at_13 DESC NULLS LAST,
      charge_point_id_12,
      changed_at_13,
      "online"
    LIMIT 1
  ) AS b10
    ON TRUE
) AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_14,
    evse_id_15,
    at_16,
    in_session
  FROM (
    SELECT
      charge_point_id AS charge_point_id_14,
      evse_id AS evse_id_15,
      "at" AS at_16,
      in_session
    FROM session_edges
  ) AS q11
  WHERE
    (
      a1.charge_point_id = charge_point_id_14 AND a1.evse_id = evse_id_15
    )
    AND a1."at" >= at_16
  ORDER BY
    at_16 DESC NULLS LAST,
    charge_point_id_14,
    evse_id_15,
    at_16,
    in_session
  LIMIT 1
) AS b12
  ON TRUE;

CREATE VIEW timeline_changes AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.connector_id,
  a1."at",
  a1."state",
  a1.error_code
FROM timeline_states AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    at_4,
    state_5,
    error_code_6
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      evse_id AS evse_id_2,
      connector_id AS connector_id_3,
      "at" AS at_4,
      "state" AS state_5,
      error_code AS error_code_6
    FROM timeline_states
  ) AS q2
  WHERE
    (
      (
        a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_2
      )
      AND a1.connector_id = connector_id_3
    )
    AND a1."at" > at_4
  ORDER BY
    at_4 DESC NULLS LAST,
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    at_4,
    state_5,
    error_code_6
  LIMIT 1
) AS b3
  ON TRUE
WHERE
  a1."state" IS DISTINCT FROM b3.state_5
  OR a1.error_code IS DISTINCT FROM b3.error_code_6;

-- public.connector_timeline: approximated: PostgreSQL plans and computes a view anew wherever it is read; one over more than 150 others is a materialized view, as of the last CALL voltstream_refresh(), which TimescaleDB makes every five minutes (Without TimescaleDB call it by a scheduler, or let Voltstream keep the view)
CREATE MATERIALIZED VIEW connector_timeline AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.connector_id,
  a1."at" AS valid_from,
  b3.at_4 AS valid_to,
  a1."state",
  CASE
    WHEN a1."state" = 'Unknown'
    THEN 'UNKNOWN'
    WHEN a1."state" IN ('Offline', 'Faulted', 'Unavailable')
    THEN 'DOWN'
    ELSE 'UP'
  END AS "class",
  a1.error_code
FROM timeline_changes AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    at_4,
    state_5,
    error_code_6
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      evse_id AS evse_id_2,
      connector_id AS connector_id_3,
      "at" AS at_4,
      "state" AS state_5,
      error_code AS error_code_6
    FROM timeline_changes
  ) AS q2
  WHERE
    (
      (
        a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_2
      )
      AND a1.connector_id = connector_id_3
    )
    AND a1."at" < at_4
  ORDER BY
    at_4 ASC,
    charge_point_id_1,
    evse_id_2,
    connector_id_3,
    at_4,
    state_5,
    error_code_6
  LIMIT 1
) AS b3
  ON TRUE;

CREATE VIEW port_states AS
SELECT
  charge_point_id,
  evse_id,
  "at",
  CASE
    WHEN over_1 > 0
    THEN 'Up'
    WHEN over_3 > 0 AND over_2 = 0
    THEN 'Faulted'
    WHEN over_4 > 0 AND over_2 = 0
    THEN 'Unavailable'
    WHEN over_5 > 0 AND over_2 = 0
    THEN 'Offline'
    ELSE 'Unknown'
  END AS "state"
FROM (
  SELECT
    charge_point_id,
    evse_id,
    "at",
    agg_1,
    agg_2,
    agg_3,
    agg_4,
    agg_5,
    SUM(CAST(agg_1 AS BIGINT)) OVER (PARTITION BY charge_point_id, evse_id ORDER BY "at") AS over_1,
    SUM(CAST(agg_2 AS BIGINT)) OVER (PARTITION BY charge_point_id, evse_id ORDER BY "at") AS over_2,
    SUM(CAST(agg_3 AS BIGINT)) OVER (PARTITION BY charge_point_id, evse_id ORDER BY "at") AS over_3,
    SUM(CAST(agg_4 AS BIGINT)) OVER (PARTITION BY charge_point_id, evse_id ORDER BY "at") AS over_4,
    SUM(CAST(agg_5 AS BIGINT)) OVER (PARTITION BY charge_point_id, evse_id ORDER BY "at") AS over_5
  FROM (
    SELECT
      charge_point_id,
      evse_id,
      "at",
      SUM(CASE WHEN "class" = 'UP' THEN "connectors" ELSE 0 END) AS agg_1,
      SUM(CASE WHEN "class" = 'UNKNOWN' THEN "connectors" ELSE 0 END) AS agg_2,
      SUM(CASE WHEN "state" = 'Faulted' THEN "connectors" ELSE 0 END) AS agg_3,
      SUM(CASE WHEN "state" = 'Unavailable' THEN "connectors" ELSE 0 END) AS agg_4,
      SUM(CASE WHEN "state" = 'Offline' THEN "connectors" ELSE 0 END) AS agg_5
    FROM (
      SELECT
        charge_point_id,
        evse_id,
        valid_from AS "at",
        "state",
        "class",
        1 AS "connectors"
      FROM connector_timeline
      UNION ALL
      SELECT
        charge_point_id,
        evse_id,
        valid_to AS "at",
        "state",
        "class",
        -1 AS "connectors"
      FROM connector_timeline
      WHERE
        NOT valid_to IS NULL
    ) AS q1
    GROUP BY
      charge_point_id,
      evse_id,
      "at"
  ) AS q2
) AS q3;

CREATE VIEW port_changes AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1."at",
  a1."state"
FROM port_states AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_1,
    evse_id_2,
    at_3,
    state_4
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      evse_id AS evse_id_2,
      "at" AS at_3,
      "state" AS state_4
    FROM port_states
  ) AS q2
  WHERE
    (
      a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_2
    )
    AND a1."at" > at_3
  ORDER BY
    at_3 DESC NULLS LAST,
    charge_point_id_1,
    evse_id_2,
    at_3,
    state_4
  LIMIT 1
) AS b3
  ON TRUE
WHERE
  a1."state" IS DISTINCT FROM b3.state_4;

CREATE VIEW port_timeline AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1."at" AS valid_from,
  b3.at_3 AS valid_to,
  a1."state",
  CASE
    WHEN a1."state" = 'Up'
    THEN 'UP'
    WHEN a1."state" = 'Unknown'
    THEN 'UNKNOWN'
    ELSE 'DOWN'
  END AS "class"
FROM port_changes AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_1,
    evse_id_2,
    at_3,
    state_4
  FROM (
    SELECT
      charge_point_id AS charge_point_id_1,
      evse_id AS evse_id_2,
      "at" AS at_3,
      "state" AS state_4
    FROM port_changes
  ) AS q2
  WHERE
    (
      a1.charge_point_id = charge_point_id_1 AND a1.evse_id = evse_id_2
    )
    AND a1."at" < at_3
  ORDER BY
    at_3 ASC,
    charge_point_id_1,
    evse_id_2,
    at_3,
    state_4
  LIMIT 1
) AS b3
  ON TRUE;

CREATE VIEW down_states AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.valid_from,
  a1.valid_to,
  a1."state",
  a1."class",
  b2."class" AS class_before
FROM (
  SELECT
    charge_point_id,
    evse_id,
    valid_from,
    valid_to,
    "state",
    "class"
  FROM port_timeline
  WHERE
    "class" = 'DOWN'
) AS a1
LEFT JOIN port_timeline AS b2
  ON (
    a1.charge_point_id = b2.charge_point_id AND a1.evse_id = b2.evse_id
  )
  AND a1.valid_from = b2.valid_to;

-- public.outages: approximated: the query fails for as long as the row is there
CREATE VIEW "outages" AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.valid_from_3 AS outage_start,
  CASE WHEN a1.agg_1 THEN NULL ELSE a1.agg_2 END AS outage_end,
  a1.agg_3 AS "states",
  STRING_AGG(DISTINCT b2.error_code, ', '
  ORDER BY
    b2.error_code) AS error_codes
FROM (
  SELECT
    a3.charge_point_id,
    a3.evse_id,
    b5.valid_from_3,
    BOOL_OR(a3.valid_to IS NULL) AS agg_1,
    MAX(a3.valid_to) AS agg_2,
    STRING_AGG(DISTINCT a3."state", ', '
    ORDER BY
      a3."state") AS agg_3
  FROM down_states AS a3
  INNER JOIN LATERAL (
    SELECT
      charge_point_id_1,
      evse_id_2,
      valid_from_3,
      valid_to_4,
      state_5,
      class_6,
      class_before_7
    FROM (
      SELECT
        charge_point_id AS charge_point_id_1,
        evse_id AS evse_id_2,
        valid_from AS valid_from_3,
        valid_to AS valid_to_4,
        "state" AS state_5,
        "class" AS class_6,
        class_before AS class_before_7
      FROM down_states
      WHERE
        class_before IS DISTINCT FROM 'DOWN'
    ) AS q4
    WHERE
      (
        a3.charge_point_id = charge_point_id_1 AND a3.evse_id = evse_id_2
      )
      AND a3.valid_from >= valid_from_3
    ORDER BY
      valid_from_3 DESC NULLS LAST,
      charge_point_id_1,
      evse_id_2,
      valid_from_3,
      valid_to_4,
      state_5,
      class_6,
      class_before_7
    LIMIT 1
  ) AS b5
    ON TRUE
  GROUP BY
    a3.charge_point_id,
    a3.evse_id,
    b5.valid_from_3
) AS a1
LEFT JOIN connector_timeline AS b2
  ON (
    a1.charge_point_id = b2.charge_point_id AND a1.evse_id = b2.evse_id
  )
  AND (
    b2.valid_from < COALESCE(CASE WHEN a1.agg_1 THEN NULL ELSE a1.agg_2 END, CAST('infinity' AS TIMESTAMPTZ))
    AND COALESCE(b2.valid_to, CAST('infinity' AS TIMESTAMPTZ)) > a1.valid_from_3
  )
GROUP BY
  a1.charge_point_id,
  a1.evse_id,
  a1.valid_from_3,
  CASE WHEN a1.agg_1 THEN NULL ELSE a1.agg_2 END,
  a1.agg_3;

CREATE TABLE uptime_exclusions (
  exclusion_id VARCHAR,
  charge_point_id VARCHAR NOT NULL,
  evse_id INTEGER,
  excluded_from TIMESTAMPTZ NOT NULL,
  excluded_to TIMESTAMPTZ NOT NULL,
  "reason" VARCHAR NOT NULL,
  "evidence" VARCHAR NOT NULL,
  "author" VARCHAR NOT NULL,
  PRIMARY KEY (exclusion_id),
  CHECK (reason IN (
        'UTILITY', 'VEHICLE', 'MAINTENANCE', 'VANDALISM', 'DISASTER', 'CLOSED_HOURS'))
);

CREATE VIEW outage_exclusions AS
SELECT
  charge_point_id,
  evse_id,
  outage_start,
  exclusion_id,
  "reason",
  "evidence",
  "author",
  GREATEST(
    GREATEST(outage_start, excluded_from),
    COALESCE(over_1, GREATEST(outage_start, excluded_from))
  ) AS excluded_from,
  LEAST(COALESCE(outage_end, excluded_to), excluded_to) AS excluded_to
FROM (
  SELECT
    a1.charge_point_id,
    a1.evse_id,
    a1.outage_start,
    a1.outage_end,
    b2.exclusion_id,
    b2.excluded_from,
    b2.excluded_to,
    b2."reason",
    b2."evidence",
    b2."author",
    MAX(LEAST(COALESCE(a1.outage_end, b2.excluded_to), b2.excluded_to)) OVER (
      PARTITION BY a1.charge_point_id, a1.evse_id, a1.outage_start
      ORDER BY GREATEST(a1.outage_start, b2.excluded_from), LEAST(COALESCE(a1.outage_end, b2.excluded_to), b2.excluded_to), b2.exclusion_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS over_1
  FROM "outages" AS a1
  JOIN uptime_exclusions AS b2
    ON a1.charge_point_id = b2.charge_point_id
    AND (
      (
        (
          (
            b2.evse_id IS NULL OR b2.evse_id = a1.evse_id
          )
          AND b2.excluded_to > a1.outage_start
        )
        AND (
          a1.outage_end IS NULL OR b2.excluded_from < a1.outage_end
        )
      )
      AND LEAST(COALESCE(a1.outage_end, b2.excluded_to), b2.excluded_to) > GREATEST(a1.outage_start, b2.excluded_from)
    )
) AS q3
WHERE
  over_1 IS NULL OR LEAST(COALESCE(outage_end, excluded_to), excluded_to) > over_1;

CREATE VIEW calendar_days AS
SELECT
  "g" AS "day"
FROM GENERATE_SERIES(CAST('2020-01-01 00:00:00+00:00' AS TIMESTAMPTZ), NOW(), INTERVAL '1 day') AS s1("g");

CREATE VIEW excluded_daily AS
SELECT
  charge_point_id,
  evse_id,
  day_1 AS "day",
  CAST(SUM(
    CAST(FLOOR(EXTRACT(EPOCH FROM LEAST(excluded_to, day_1 + INTERVAL '1 day')) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM GREATEST(excluded_from, day_1)) * 1000) AS BIGINT)
  ) AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS excluded_s
FROM (
  SELECT
    charge_point_id,
    evse_id,
    GENERATE_SERIES(
      CAST(TIME_BUCKET(
        INTERVAL '1 day',
        excluded_from,
        origin => CAST('2000-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
      ) AS TIMESTAMPTZ),
      CAST(excluded_to - INTERVAL '00:00:00.000001' AS TIMESTAMPTZ),
      INTERVAL '1 day'
    ) AS day_1,
    excluded_from,
    excluded_to
  FROM outage_exclusions
) AS q1
GROUP BY
  charge_point_id,
  evse_id,
  day_1;

CREATE VIEW uptime_daily AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1."day",
  CAST(a1.agg_1 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS up_s,
  CAST(a1.agg_2 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS down_s,
  CAST(a1.agg_3 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS offline_s,
  CAST(a1.agg_4 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS faulted_s,
  CAST(a1.agg_5 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS unknown_s,
  COALESCE(b2.excluded_s, 0) AS excluded_s,
  100 * (
    CAST(a1.agg_1 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION)
  ) / NULLIF(
    NULLIF(
      (
        CAST(a1.agg_1 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION)
      ) + (
        CAST(a1.agg_2 AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION)
      ),
      0
    ),
    0
  ) AS uptime_percent
FROM (
  SELECT
    charge_point_id,
    evse_id,
    "day",
    SUM(CASE WHEN "class" = 'UP' THEN part_ms ELSE 0 END) AS agg_1,
    SUM(CASE WHEN "class" = 'DOWN' THEN part_ms ELSE 0 END) AS agg_2,
    SUM(CASE WHEN "state" = 'Offline' THEN part_ms ELSE 0 END) AS agg_3,
    SUM(CASE WHEN "state" = 'Faulted' THEN part_ms ELSE 0 END) AS agg_4,
    SUM(CASE WHEN "class" = 'UNKNOWN' THEN part_ms ELSE 0 END) AS agg_5
  FROM (
    SELECT
      charge_point_id,
      evse_id,
      "state",
      "class",
      day_1 AS "day",
      CAST(FLOOR(EXTRACT(EPOCH FROM LEAST(valid_to, day_1 + INTERVAL '1 day')) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM GREATEST(valid_from, day_1)) * 1000) AS BIGINT) AS part_ms
    FROM (
      SELECT
        charge_point_id,
        evse_id,
        valid_from,
        valid_to,
        "state",
        "class",
        GENERATE_SERIES(
          CAST(TIME_BUCKET(
            INTERVAL '1 day',
            valid_from,
            origin => CAST('2000-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
          ) AS TIMESTAMPTZ),
          CAST(valid_to - INTERVAL '00:00:00.000001' AS TIMESTAMPTZ),
          INTERVAL '1 day'
        ) AS day_1
      FROM port_timeline
      WHERE
        NOT valid_to IS NULL
    ) AS q3
    WHERE
      (
        day_1 + INTERVAL '1 day'
      ) <= NOW()
    UNION ALL
    SELECT
      a4.charge_point_id,
      a4.evse_id,
      a4."state",
      a4."class",
      b5."day",
      CAST(FLOOR(EXTRACT(EPOCH FROM b5."day" + INTERVAL '1 day') * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM GREATEST(a4.valid_from, b5."day")) * 1000) AS BIGINT) AS part_ms
    FROM (
      SELECT
        charge_point_id,
        evse_id,
        valid_from,
        "state",
        "class"
      FROM port_timeline
      WHERE
        valid_to IS NULL
    ) AS a4
    JOIN calendar_days AS b5
      ON (
        b5."day" + INTERVAL '1 day' > a4.valid_from
      )
    WHERE
      (
        b5."day" + INTERVAL '1 day'
      ) <= NOW()
  ) AS q6
  GROUP BY
    charge_point_id,
    evse_id,
    "day"
) AS a1
LEFT JOIN excluded_daily AS b2
  ON (
    a1.charge_point_id = b2.charge_point_id AND a1.evse_id = b2.evse_id
  )
  AND a1."day" = b2."day";

CREATE VIEW uptime_monthly AS
SELECT
  charge_point_id,
  evse_id,
  CAST(DATE_TRUNC('month', "day" AT TIME ZONE 'UTC') AS DATE) AS "month",
  COUNT(*) AS "days",
  SUM(up_s) / 60 AS up_min,
  SUM(down_s) / 60 AS outage_min,
  SUM(excluded_s) / 60 AS excluded_min,
  SUM(unknown_s) / 60 AS unknown_min
FROM uptime_daily
GROUP BY
  charge_point_id,
  evse_id,
  CAST(DATE_TRUNC('month', "day" AT TIME ZONE 'UTC') AS DATE);

-- public.nevi_uptime: approximated: the query fails for as long as the row is there
CREATE VIEW nevi_uptime AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1."month",
  a1.over_1 AS "months",
  a1.over_3 AS outage_min,
  a1.over_4 AS excluded_min,
  a1.over_5 AS unknown_min,
  LEAST(a1.over_2, 525600) AS period_min,
  a1.over_2 < 525600 AS "partial",
  100 * (
    LEAST(a1.over_2, 525600) - (
      a1.over_3 - a1.over_4
    )
  ) / NULLIF(LEAST(a1.over_2, 525600), 0) AS uptime_percent,
  100 * (
    LEAST(a1.over_2, 525600) - (
      a1.over_3 - a1.over_4
    )
  ) / NULLIF(LEAST(a1.over_2, 525600), 0) > b2.uptime_target_percent AS "compliant"
FROM (
  SELECT
    charge_point_id,
    evse_id,
    "month",
    up_min,
    outage_min,
    excluded_min,
    unknown_min,
    COUNT(*) OVER (
      PARTITION BY charge_point_id, evse_id
      ORDER BY CAST(CAST(EXTRACT(YEAR FROM "month") AS DECIMAL(18, 0)) AS DECIMAL(38, 0)) * 12 + CAST(EXTRACT(MONTH FROM "month") AS DECIMAL(18, 0))
      RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    ) AS over_1,
    SUM(up_min + outage_min + unknown_min) OVER (
      PARTITION BY charge_point_id, evse_id
      ORDER BY CAST(CAST(EXTRACT(YEAR FROM "month") AS DECIMAL(18, 0)) AS DECIMAL(38, 0)) * 12 + CAST(EXTRACT(MONTH FROM "month") AS DECIMAL(18, 0))
      RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    ) AS over_2,
    SUM(outage_min) OVER (
      PARTITION BY charge_point_id, evse_id
      ORDER BY CAST(CAST(EXTRACT(YEAR FROM "month") AS DECIMAL(18, 0)) AS DECIMAL(38, 0)) * 12 + CAST(EXTRACT(MONTH FROM "month") AS DECIMAL(18, 0))
      RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    ) AS over_3,
    SUM(excluded_min) OVER (
      PARTITION BY charge_point_id, evse_id
      ORDER BY CAST(CAST(EXTRACT(YEAR FROM "month") AS DECIMAL(18, 0)) AS DECIMAL(38, 0)) * 12 + CAST(EXTRACT(MONTH FROM "month") AS DECIMAL(18, 0))
      RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    ) AS over_4,
    SUM(unknown_min) OVER (
      PARTITION BY charge_point_id, evse_id
      ORDER BY CAST(CAST(EXTRACT(YEAR FROM "month") AS DECIMAL(18, 0)) AS DECIMAL(38, 0)) * 12 + CAST(EXTRACT(MONTH FROM "month") AS DECIMAL(18, 0))
      RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    ) AS over_5
  FROM uptime_monthly
) AS a1
JOIN ocpp_parameters AS b2
  ON TRUE
WHERE
  (
    a1."month" + INTERVAL '1 mon'
  ) <= NOW();

CREATE VIEW fault_episodes AS
SELECT
  a1.charge_point_id,
  a1.evse_id,
  a1.connector_id,
  a1.changed_at AS faulted_at,
  a1.changed_at_4 AS cleared_at,
  CAST((
    CAST(FLOOR(EXTRACT(EPOCH FROM a1.changed_at_4) * 1000) AS BIGINT) - CAST(FLOOR(EXTRACT(EPOCH FROM a1.changed_at) * 1000) AS BIGINT)
  ) AS DOUBLE PRECISION) / CAST(1000 AS DOUBLE PRECISION) AS duration_s,
  a1.error_code,
  a1.vendor_error_code,
  b6."vendor",
  b6."model",
  b6.firmware_version
FROM (
  SELECT
    a2.charge_point_id,
    a2.evse_id,
    a2.connector_id,
    a2.changed_at,
    a2.error_code,
    a2.vendor_error_code,
    b4.changed_at_4
  FROM (
    SELECT
      charge_point_id,
      evse_id,
      connector_id,
      changed_at,
      error_code,
      vendor_error_code
    FROM status_changes
    WHERE
      "status" = 'Faulted' AND status_before IS DISTINCT FROM 'Faulted'
  ) AS a2
  LEFT JOIN LATERAL (
    SELECT
      charge_point_id_1,
      evse_id_2,
      connector_id_3,
      changed_at_4,
      status_5,
      error_code_6,
      vendor_error_code_7,
      status_before_8
    FROM (
      SELECT
        charge_point_id AS charge_point_id_1,
        evse_id AS evse_id_2,
        connector_id AS connector_id_3,
        changed_at AS changed_at_4,
        "status" AS status_5,
        error_code AS error_code_6,
        vendor_error_code AS vendor_error_code_7,
        status_before AS status_before_8
      FROM status_changes
      WHERE
        "status" <> 'Faulted'
    ) AS q3
    WHERE
      (
        (
          a2.charge_point_id = charge_point_id_1 AND a2.evse_id = evse_id_2
        )
        AND a2.connector_id = connector_id_3
      )
      AND a2.changed_at < changed_at_4
    ORDER BY
      changed_at_4 ASC,
      charge_point_id_1,
      evse_id_2,
      connector_id_3,
      changed_at_4,
      status_5,
      error_code_6,
      vendor_error_code_7,
      status_before_8
    LIMIT 1
  ) AS b4
    ON TRUE
) AS a1
LEFT JOIN LATERAL (
  SELECT
    charge_point_id_9,
    valid_from,
    valid_to,
    "vendor",
    "model",
    serial_number,
    firmware_version,
    meter_serial_number,
    ocpp_version
  FROM (
    SELECT
      charge_point_id AS charge_point_id_9,
      valid_from,
      valid_to,
      "vendor",
      "model",
      serial_number,
      firmware_version,
      meter_serial_number,
      ocpp_version
    FROM charge_point_registry
  ) AS q5
  WHERE
    a1.charge_point_id = charge_point_id_9 AND a1.changed_at >= valid_from
  ORDER BY
    valid_from DESC NULLS LAST,
    charge_point_id_9,
    valid_from,
    valid_to,
    "vendor",
    "model",
    serial_number,
    firmware_version,
    meter_serial_number,
    ocpp_version
  LIMIT 1
) AS b6
  ON TRUE;

CREATE VIEW fault_codes AS
SELECT
  "vendor",
  "model",
  firmware_version,
  error_code,
  vendor_error_code,
  COUNT(*) AS "faults",
  COUNT(DISTINCT charge_point_id) AS charge_points,
  AVG(duration_s) / 3600 AS mttr_h,
  MAX(faulted_at) AS last_fault_at
FROM fault_episodes
WHERE
  COALESCE(duration_s, 1) >= 1
GROUP BY
  "vendor",
  "model",
  firmware_version,
  error_code,
  vendor_error_code;

CREATE PROCEDURE voltstream_refresh(job_id INTEGER DEFAULT NULL, config JSONB DEFAULT NULL)
LANGUAGE plpgsql AS $$ BEGIN
  REFRESH MATERIALIZED VIEW connector_timeline;
END $$;

SELECT add_job('voltstream_refresh', '5 minutes');
