CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ BEGIN
  IF (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') NOT LIKE '%UTC' THEN
    EXECUTE format('ALTER DATABASE %I SET TimeZone TO ''UTC''', current_database());
  END IF;
END $$;
SET TimeZone = 'UTC';

CREATE SCHEMA IF NOT EXISTS "ami";

CREATE TABLE "ami".ami_parameters (
  "pack" VARCHAR DEFAULT 'ami',
  time_zone VARCHAR DEFAULT 'UTC' NOT NULL,
  voltage_profile VARCHAR DEFAULT 'EN50160' NOT NULL,
  nominal_v DOUBLE PRECISION DEFAULT '230' NOT NULL,
  max_kw_1p DOUBLE PRECISION DEFAULT '25' NOT NULL,
  max_kw_3p DOUBLE PRECISION DEFAULT '75' NOT NULL,
  max_margin DOUBLE PRECISION DEFAULT '1.1' NOT NULL,
  spike_share DOUBLE PRECISION DEFAULT '1.8' NOT NULL,
  spike_kwh DOUBLE PRECISION DEFAULT '1' NOT NULL,
  slot_factor DOUBLE PRECISION DEFAULT '8' NOT NULL,
  stuck_intervals INTEGER DEFAULT '8' NOT NULL,
  zero_intervals INTEGER DEFAULT '96' NOT NULL,
  grid_from TIMESTAMPTZ DEFAULT 'infinity' NOT NULL,
  receipt_horizon INTERVAL DEFAULT '35 days' NOT NULL,
  receipt_grace DOUBLE PRECISION DEFAULT '2' NOT NULL,
  low_receipt_pct DOUBLE PRECISION DEFAULT '80' NOT NULL,
  receipt_meters_min INTEGER DEFAULT '5' NOT NULL,
  silent_windows INTEGER DEFAULT '3' NOT NULL,
  alert_horizon INTERVAL DEFAULT '2 hours' NOT NULL,
  power_factor DOUBLE PRECISION DEFAULT '0.95' NOT NULL,
  momentary_filter INTERVAL DEFAULT '60 seconds' NOT NULL,
  sustained_after INTERVAL DEFAULT '5 minutes' NOT NULL,
  outage_window INTERVAL DEFAULT '3 minutes' NOT NULL,
  device_window INTERVAL DEFAULT '2 minutes' NOT NULL,
  transformer_share DOUBLE PRECISION DEFAULT '0.2' NOT NULL,
  device_share DOUBLE PRECISION DEFAULT '0.6' NOT NULL,
  feeder_share DOUBLE PRECISION DEFAULT '0.25' NOT NULL,
  false_gasps_hour DOUBLE PRECISION DEFAULT '0.002' NOT NULL,
  gasp_success DOUBLE PRECISION DEFAULT '0.6' NOT NULL,
  restored_share DOUBLE PRECISION DEFAULT '0.9' NOT NULL,
  nested_after INTERVAL DEFAULT '10 minutes' NOT NULL,
  close_after INTERVAL DEFAULT '1 hour' NOT NULL,
  swap_mask INTERVAL DEFAULT '1 hour' NOT NULL,
  residual_pct DOUBLE PRECISION DEFAULT '4' NOT NULL,
  residual_days INTEGER DEFAULT '7' NOT NULL,
  clear_receipt_pct DOUBLE PRECISION DEFAULT '90' NOT NULL,
  overload_pct DOUBLE PRECISION DEFAULT '120' NOT NULL,
  tamper_shown INTERVAL DEFAULT '24 hours' NOT NULL,
  PRIMARY KEY ("pack"),
  CHECK (pack = 'ami')
);

-- ami.interval_reads: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE "ami".interval_reads (
  meter_id VARCHAR,
  interval_start TIMESTAMPTZ,
  interval_end TIMESTAMPTZ,
  delivered_kwh NUMERIC(18, 6),
  received_kwh NUMERIC(18, 6),
  consumption_kwh NUMERIC(18, 6),
  voltage_v NUMERIC(9, 2),
  power_quality_code INTEGER,
  read_type VARCHAR,
  "quality" VARCHAR,
  source_quality VARCHAR,
  estimated_flag BOOLEAN,
  head_end VARCHAR,
  service_point_id VARCHAR,
  customer_id VARCHAR,
  transformer_id VARCHAR,
  feeder_id VARCHAR,
  received_at TIMESTAMPTZ,
  read_ts TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ,
  starts_at TIMESTAMPTZ,
  interval_s INTEGER,
  quality_rank INTEGER,
  "rejected" VARCHAR
);

-- ami.channel_reads: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE "ami".channel_reads (
  meter_id VARCHAR,
  "channel" VARCHAR,
  interval_start TIMESTAMPTZ,
  interval_end TIMESTAMPTZ,
  "value" DOUBLE PRECISION,
  "unit" VARCHAR,
  "quality" VARCHAR,
  source_quality VARCHAR,
  reading_type VARCHAR,
  head_end VARCHAR,
  received_at TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ,
  starts_at TIMESTAMPTZ,
  interval_s INTEGER,
  quality_rank INTEGER,
  "rejected" VARCHAR
);

-- ami.meter_events: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE "ami".meter_events (
  meter_id VARCHAR,
  head_end VARCHAR,
  raw_code VARCHAR,
  raw_desc VARCHAR,
  type_code VARCHAR,
  occurred_at TIMESTAMPTZ,
  received_at TIMESTAMPTZ,
  "details" JSONB,
  ingested_at TIMESTAMPTZ
);

-- ami.meter_pings: approximated: a hypertable that Voltstream writes to with a sink (connector = 'postgres')
CREATE TABLE "ami".meter_pings (
  meter_id VARCHAR,
  head_end VARCHAR,
  pinged_at TIMESTAMPTZ,
  "answered" BOOLEAN,
  voltage_v DOUBLE PRECISION,
  received_at TIMESTAMPTZ,
  ingested_at TIMESTAMPTZ
);

CREATE TABLE "ami".meter_registry (
  meter_id VARCHAR,
  valid_from TIMESTAMPTZ,
  valid_to TIMESTAMPTZ,
  service_point_id VARCHAR,
  customer_id VARCHAR,
  transformer_id VARCHAR,
  "phase" VARCHAR,
  nominal_v DOUBLE PRECISION,
  voltage_profile VARCHAR,
  interval_s INTEGER DEFAULT 900 NOT NULL,
  max_kw DOUBLE PRECISION,
  "state" VARCHAR DEFAULT 'active' NOT NULL,
  has_generation BOOLEAN DEFAULT FALSE NOT NULL,
  can_gasp BOOLEAN DEFAULT TRUE NOT NULL,
  "measures" VARCHAR DEFAULT 'customer' NOT NULL,
  collector_id VARCHAR,
  head_end VARCHAR,
  tariff_id VARCHAR,
  "lon" DOUBLE PRECISION,
  "lat" DOUBLE PRECISION,
  PRIMARY KEY (meter_id, valid_from),
  CHECK (state IN ('installed', 'active', 'disconnected', 'comm_exempt', 'retired')),
  CHECK (measures IN ('customer', 'transformer')),
  CHECK (valid_to IS NULL OR valid_to > valid_from),
  CHECK (interval_s > 0)
);

CREATE TABLE "ami"."transformers" (
  transformer_id VARCHAR,
  valid_from TIMESTAMPTZ,
  valid_to TIMESTAMPTZ,
  feeder_id VARCHAR,
  section_id VARCHAR,
  "kva" DOUBLE PRECISION,
  no_load_kw DOUBLE PRECISION,
  load_loss_kw DOUBLE PRECISION,
  "lon" DOUBLE PRECISION,
  "lat" DOUBLE PRECISION,
  PRIMARY KEY (transformer_id, valid_from),
  CHECK (valid_to IS NULL OR valid_to > valid_from)
);

CREATE TABLE "ami".network_sections (
  section_id VARCHAR,
  parent_id VARCHAR,
  "kind" VARCHAR DEFAULT 'SECTION' NOT NULL,
  PRIMARY KEY (section_id)
);

CREATE TABLE "ami".field_work (
  meter_id VARCHAR,
  starts_at TIMESTAMPTZ,
  ends_at TIMESTAMPTZ,
  "reason" VARCHAR,
  PRIMARY KEY (meter_id, starts_at)
);

CREATE TABLE "ami".voltage_limits (
  "profile" VARCHAR,
  nominal_v DOUBLE PRECISION,
  low_v DOUBLE PRECISION NOT NULL,
  high_v DOUBLE PRECISION NOT NULL,
  wide_low_v DOUBLE PRECISION NOT NULL,
  wide_high_v DOUBLE PRECISION NOT NULL,
  PRIMARY KEY ("profile", nominal_v)
);

CREATE TABLE "ami".event_catalogue (
  head_end VARCHAR,
  "code" VARCHAR,
  "kind" VARCHAR NOT NULL,
  "severity" VARCHAR DEFAULT 'INFO' NOT NULL,
  type_code VARCHAR,
  "meaning" VARCHAR,
  PRIMARY KEY (head_end, "code"),
  CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL'))
);

CREATE VIEW "ami".latest_reads AS
SELECT
  starts_at AS interval_start,
  meter_id,
  interval_s,
  (
    ARRAY_AGG(
      quality_rank ORDER BY quality_rank DESC, COALESCE(received_at, read_ts, ingested_at) DESC, COALESCE(delivered_kwh, consumption_kwh) DESC, received_kwh DESC, voltage_v DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS quality_rank,
  (
    ARRAY_AGG(
      COALESCE(delivered_kwh, consumption_kwh) ORDER BY quality_rank DESC, COALESCE(received_at, read_ts, ingested_at) DESC, COALESCE(delivered_kwh, consumption_kwh) DESC, received_kwh DESC, voltage_v DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS delivered_kwh,
  (
    ARRAY_AGG(
      received_kwh ORDER BY quality_rank DESC, COALESCE(received_at, read_ts, ingested_at) DESC, COALESCE(delivered_kwh, consumption_kwh) DESC, received_kwh DESC, voltage_v DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS received_kwh,
  (
    ARRAY_AGG(
      voltage_v ORDER BY quality_rank DESC, COALESCE(received_at, read_ts, ingested_at) DESC, COALESCE(delivered_kwh, consumption_kwh) DESC, received_kwh DESC, voltage_v DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS voltage_v,
  (
    ARRAY_AGG(
      interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' ORDER BY quality_rank DESC, COALESCE(received_at, read_ts, ingested_at) DESC, COALESCE(delivered_kwh, consumption_kwh) DESC, received_kwh DESC, voltage_v DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS "drifted",
  MIN(COALESCE(received_at, read_ts, ingested_at)) FILTER(WHERE
    quality_rank >= 4) AS first_received_at
FROM "ami".interval_reads
WHERE
  "rejected" IS NULL
GROUP BY
  starts_at,
  meter_id,
  interval_s;

-- ami.latest_channels: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".latest_channels AS
SELECT
  starts_at AS interval_start,
  meter_id,
  interval_s,
  LOWER("channel") AS "channel",
  (
    ARRAY_AGG(
      quality_rank ORDER BY quality_rank DESC, COALESCE(received_at, ingested_at) DESC, CAST("value" * CASE LOWER("unit")
        WHEN 'wh'
        THEN CAST(0.001 AS DECIMAL(38, 10))
        WHEN 'mwh'
        THEN CAST(1000 AS DECIMAL(38, 10))
        WHEN 'kv'
        THEN CAST(1000 AS DECIMAL(38, 10))
        ELSE CAST(1 AS DECIMAL(38, 10))
      END AS DECIMAL(18, 6)) DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS quality_rank,
  (
    ARRAY_AGG(
      CAST("value" * CASE LOWER("unit")
        WHEN 'wh'
        THEN CAST(0.001 AS DECIMAL(38, 10))
        WHEN 'mwh'
        THEN CAST(1000 AS DECIMAL(38, 10))
        WHEN 'kv'
        THEN CAST(1000 AS DECIMAL(38, 10))
        ELSE CAST(1 AS DECIMAL(38, 10))
      END AS DECIMAL(18, 6)) ORDER BY quality_rank DESC, COALESCE(received_at, ingested_at) DESC, CAST("value" * CASE LOWER("unit")
        WHEN 'wh'
        THEN CAST(0.001 AS DECIMAL(38, 10))
        WHEN 'mwh'
        THEN CAST(1000 AS DECIMAL(38, 10))
        WHEN 'kv'
        THEN CAST(1000 AS DECIMAL(38, 10))
        ELSE CAST(1 AS DECIMAL(38, 10))
      END AS DECIMAL(18, 6)) DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS "value",
  (
    ARRAY_AGG(
      interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' ORDER BY quality_rank DESC, COALESCE(received_at, ingested_at) DESC, CAST("value" * CASE LOWER("unit")
        WHEN 'wh'
        THEN CAST(0.001 AS DECIMAL(38, 10))
        WHEN 'mwh'
        THEN CAST(1000 AS DECIMAL(38, 10))
        WHEN 'kv'
        THEN CAST(1000 AS DECIMAL(38, 10))
        ELSE CAST(1 AS DECIMAL(38, 10))
      END AS DECIMAL(18, 6)) DESC, interval_start < starts_at - INTERVAL '1 minute'
      OR interval_start > starts_at + INTERVAL '1 minute' DESC
    )
  )[1] AS "drifted",
  MIN(COALESCE(received_at, ingested_at)) FILTER(WHERE
    quality_rank >= 4) AS first_received_at
FROM "ami".channel_reads
WHERE
  "rejected" IS NULL AND LOWER("channel") IN ('delivered', 'received', 'voltage')
GROUP BY
  starts_at,
  meter_id,
  interval_s,
  LOWER("channel");

-- ami.tall_reads: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".tall_reads AS
SELECT
  interval_start,
  meter_id,
  interval_s,
  CAST(COALESCE(
    CAST(SUM(quality_rank) FILTER(WHERE
      "channel" = 'delivered') AS BIGINT),
    CAST(SUM(quality_rank) FILTER(WHERE
      "channel" = 'received') AS BIGINT),
    CAST(SUM(quality_rank) FILTER(WHERE
      "channel" = 'voltage') AS BIGINT)
  ) AS INT) AS quality_rank,
  SUM("value") FILTER(WHERE
    "channel" = 'delivered') AS delivered_kwh,
  SUM("value") FILTER(WHERE
    "channel" = 'received') AS received_kwh,
  CAST(SUM("value") FILTER(WHERE
    "channel" = 'voltage') AS DECIMAL(9, 2)) AS voltage_v,
  COALESCE(COUNT(*) FILTER(WHERE
    "drifted"), 0) > 0 AS "drifted",
  TO_TIMESTAMP(
    CAST(COALESCE(
      SUM(CAST(EXTRACT(EPOCH FROM first_received_at) * 1000000 AS BIGINT)) FILTER(WHERE
        "channel" = 'delivered'),
      SUM(CAST(EXTRACT(EPOCH FROM first_received_at) * 1000000 AS BIGINT)) FILTER(WHERE
        "channel" = 'received'),
      SUM(CAST(EXTRACT(EPOCH FROM first_received_at) * 1000000 AS BIGINT)) FILTER(WHERE
        "channel" = 'voltage')
    ) / 1000000.0 AS DOUBLE PRECISION)
  ) AS first_received_at
FROM "ami".latest_channels
GROUP BY
  interval_start,
  meter_id,
  interval_s;

-- ami.located_meters: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".located_meters AS
SELECT
  a1.meter_id,
  a1.valid_from,
  COALESCE(a1.valid_to, CAST('infinity' AS TIMESTAMPTZ)) AS valid_to,
  a1.transformer_id,
  a1.customer_id,
  a1."phase",
  a1.interval_s,
  a1."state",
  a1."measures",
  a1.has_generation,
  COALESCE(a1.nominal_v, a1.nominal_v_2) AS nominal_v,
  CAST(b2.low_v AS DECIMAL(9, 2)) AS low_v,
  CAST(b2.high_v AS DECIMAL(9, 2)) AS high_v,
  CAST(b2.wide_low_v AS DECIMAL(9, 2)) AS wide_low_v,
  CAST(b2.wide_high_v AS DECIMAL(9, 2)) AS wide_high_v,
  CAST(0.05 * COALESCE(a1.nominal_v, a1.nominal_v_2) AS DECIMAL(9, 2)) AS zero_v,
  CAST(0.5 * COALESCE(a1.nominal_v, a1.nominal_v_2) AS DECIMAL(9, 2)) AS least_v,
  CAST(1.3 * COALESCE(a1.nominal_v, a1.nominal_v_2) AS DECIMAL(9, 2)) AS greatest_v,
  CAST(COALESCE(a1.max_kw, CASE WHEN a1."phase" = 'ABC' THEN a1.max_kw_3p ELSE a1.max_kw_1p END) * a1.max_margin * a1.interval_s / 3600 AS DECIMAL(18, 6)) AS max_kwh,
  a1.time_zone
FROM (
  SELECT
    a3.meter_id,
    a3.valid_from,
    a3.valid_to,
    a3.customer_id,
    a3.transformer_id,
    a3."phase",
    a3.nominal_v,
    a3.voltage_profile,
    a3.interval_s,
    a3.max_kw,
    a3."state",
    a3.has_generation,
    a3."measures",
    b4.time_zone,
    b4.voltage_profile AS voltage_profile_1,
    b4.nominal_v AS nominal_v_2,
    b4.max_kw_1p,
    b4.max_kw_3p,
    b4.max_margin
  FROM "ami".meter_registry AS a3
  JOIN "ami".ami_parameters AS b4
    ON TRUE
) AS a1
LEFT JOIN "ami".voltage_limits AS b2
  ON COALESCE(a1.voltage_profile, a1.voltage_profile_1) = b2."profile"
  AND COALESCE(a1.nominal_v, a1.nominal_v_2) = b2.nominal_v;

CREATE VIEW "ami".checked_reads AS
SELECT
  interval_start,
  meter_id,
  interval_s,
  transformer_id,
  "phase",
  "measures",
  quality_rank,
  delivered_kwh,
  received_kwh,
  voltage_v,
  first_received_at,
  local_day,
  CASE WHEN delivered_kwh < 0 OR received_kwh < 0 THEN 1 ELSE 0 END | CASE WHEN delivered_kwh > max_kwh OR received_kwh > max_kwh THEN 2 ELSE 0 END | CASE
    WHEN voltage_v > greatest_v OR (
      voltage_v < least_v AND voltage_v >= zero_v
    )
    THEN 4
    ELSE 0
  END | CASE WHEN voltage_v < zero_v THEN 8 ELSE 0 END | CASE WHEN voltage_v < low_v AND voltage_v >= least_v THEN 16 ELSE 0 END | CASE WHEN voltage_v > high_v AND voltage_v <= greatest_v THEN 32 ELSE 0 END | CASE
    WHEN (
      voltage_v < wide_low_v AND voltage_v >= least_v
    )
    OR (
      voltage_v > wide_high_v AND voltage_v <= greatest_v
    )
    THEN 64
    ELSE 0
  END | CASE WHEN "drifted" THEN 128 ELSE 0 END | CASE
    WHEN first_received_at > interval_start + INTERVAL '2160 hours'
    THEN 256
    ELSE 0
  END AS "flags"
FROM (
  SELECT
    a1.interval_start,
    a1.meter_id,
    a1.interval_s,
    a1.quality_rank,
    a1.delivered_kwh,
    a1.received_kwh,
    a1.voltage_v,
    a1."drifted",
    a1.first_received_at,
    b2.transformer_id,
    b2."phase",
    b2."measures",
    b2.low_v,
    b2.high_v,
    b2.wide_low_v,
    b2.wide_high_v,
    b2.zero_v,
    b2.least_v,
    b2.greatest_v,
    CASE WHEN b2.interval_s = a1.interval_s THEN b2.max_kwh END AS max_kwh,
    DATE_TRUNC('day', a1.interval_start AT TIME ZONE b2.time_zone) AS local_day
  FROM "ami".latest_reads AS a1
  JOIN "ami".located_meters AS b2
    ON a1.meter_id = b2.meter_id
    AND (
      a1.interval_start >= b2.valid_from AND a1.interval_start < b2.valid_to
    )
  UNION ALL
  SELECT
    a3.interval_start,
    a3.meter_id,
    a3.interval_s,
    a3.quality_rank,
    a3.delivered_kwh,
    a3.received_kwh,
    a3.voltage_v,
    a3."drifted",
    a3.first_received_at,
    b4.transformer_id,
    b4."phase",
    b4."measures",
    b4.low_v,
    b4.high_v,
    b4.wide_low_v,
    b4.wide_high_v,
    b4.zero_v,
    b4.least_v,
    b4.greatest_v,
    CASE WHEN b4.interval_s = a3.interval_s THEN b4.max_kwh END AS max_kwh,
    DATE_TRUNC('day', a3.interval_start AT TIME ZONE b4.time_zone) AS local_day
  FROM "ami".tall_reads AS a3
  JOIN "ami".located_meters AS b4
    ON a3.meter_id = b4.meter_id
    AND (
      a3.interval_start >= b4.valid_from AND a3.interval_start < b4.valid_to
    )
) AS q5;

CREATE VIEW "ami".transformer_windows AS
SELECT
  interval_start AS window_start,
  transformer_id,
  interval_s,
  COUNT(*) AS "reads",
  COUNT(*) FILTER(WHERE
    quality_rank >= 4) AS "reported",
  COUNT(*) FILTER(WHERE
    quality_rank = 2) AS "estimated",
  COUNT(*) FILTER(WHERE
    (
      "flags" & 3
    ) <> 0) AS "excluded",
  COUNT(*) FILTER(WHERE
    (
      "flags" & 256
    ) <> 0) AS "stale",
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0
      THEN CAST(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS delivered_kwh,
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0
      THEN CAST(COALESCE(CAST(received_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS received_kwh,
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0 AND "phase" = 'A'
      THEN CAST(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS a_kwh,
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0 AND "phase" = 'B'
      THEN CAST(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS b_kwh,
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0 AND "phase" = 'C'
      THEN CAST(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS c_kwh,
  COUNT(voltage_v) FILTER(WHERE
    (
      "flags" & 12
    ) = 0 AND quality_rank >= 3) AS "voltages",
  SUM(voltage_v) FILTER(WHERE
    (
      "flags" & 12
    ) = 0 AND quality_rank >= 3) AS voltage_sum_v,
  COUNT(*) FILTER(WHERE
    (
      "flags" & 28
    ) = 16 AND quality_rank >= 3) AS low_count,
  COUNT(*) FILTER(WHERE
    (
      "flags" & 44
    ) = 32 AND quality_rank >= 3) AS high_count,
  COUNT(*) FILTER(WHERE
    (
      "flags" & 76
    ) = 64 AND quality_rank >= 3) AS wide_count,
  COUNT(*) FILTER(WHERE
    (
      "flags" & 8
    ) <> 0) AS zero_count,
  COUNT(*) FILTER(WHERE
    first_received_at <= interval_start + INTERVAL '4 hours') AS within_4h,
  COUNT(*) FILTER(WHERE
    first_received_at <= interval_start + INTERVAL '24 hours') AS within_24h,
  COUNT(*) FILTER(WHERE
    first_received_at <= interval_start + INTERVAL '72 hours') AS within_72h
FROM "ami".checked_reads
WHERE
  "measures" = 'customer'
GROUP BY
  interval_start,
  transformer_id,
  interval_s;

-- ami.transformer_population: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".transformer_population AS
SELECT
  transformer_id,
  interval_s,
  changed_at AS valid_from,
  COALESCE(over_1, CAST('infinity' AS TIMESTAMPTZ)) AS valid_to,
  CAST(over_2 AS BIGINT) AS "meters",
  CAST(over_3 AS BIGINT) AS "gaspers"
FROM (
  SELECT
    transformer_id,
    interval_s,
    changed_at,
    agg_1,
    agg_2,
    LEAD(changed_at) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at) AS over_1,
    SUM(CAST(agg_1 AS BIGINT)) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at) AS over_2,
    SUM(CAST(agg_2 AS BIGINT)) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at) AS over_3
  FROM (
    SELECT
      transformer_id,
      interval_s,
      changed_at,
      SUM("meters") AS agg_1,
      SUM("gaspers") AS agg_2
    FROM (
      SELECT
        transformer_id,
        interval_s,
        valid_from AS changed_at,
        1 AS "meters",
        CASE WHEN can_gasp THEN 1 ELSE 0 END AS "gaspers"
      FROM "ami".meter_registry
      WHERE
        (
          "state" = 'active' AND "measures" = 'customer'
        )
        AND NOT transformer_id IS NULL
      UNION ALL
      SELECT
        transformer_id,
        interval_s,
        valid_to AS changed_at,
        -1 AS "meters",
        CASE WHEN can_gasp THEN -1 ELSE 0 END AS "gaspers"
      FROM "ami".meter_registry
      WHERE
        (
          (
            "state" = 'active' AND "measures" = 'customer'
          )
          AND NOT transformer_id IS NULL
        )
        AND NOT valid_to IS NULL
    ) AS q1
    GROUP BY
      transformer_id,
      interval_s,
      changed_at
  ) AS q2
) AS q3;

-- ami.transformer_load: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".transformer_load AS
SELECT
  a1.window_start,
  a1.transformer_id,
  a1.interval_s,
  a1.feeder_id,
  b2."meters" AS "expected",
  a1."reads",
  a1."estimated",
  a1."excluded",
  a1."reads" - a1."excluded" >= b2."meters" AS "complete",
  a1.delivered_kwh,
  a1.received_kwh,
  (
    (
      a1.delivered_kwh - a1.received_kwh
    ) * 3600
  ) / NULLIF(a1.interval_s, 0) AS net_kw,
  CAST((
    100 * ABS(a1.delivered_kwh - a1.received_kwh) * 3600
  ) / NULLIF(a1.interval_s, 0) AS DOUBLE PRECISION) / NULLIF((
    a1.power_factor * NULLIF(a1."kva", 0)
  ), 0) AS loading_pct,
  a1.a_kwh,
  a1.b_kwh,
  a1.c_kwh
FROM (
  SELECT
    a3.window_start,
    a3.transformer_id,
    a3.interval_s,
    a3."reads",
    a3."estimated",
    a3."excluded",
    a3.delivered_kwh,
    a3.received_kwh,
    a3.a_kwh,
    a3.b_kwh,
    a3.c_kwh,
    a3.power_factor,
    b4.feeder_id,
    b4."kva"
  FROM (
    SELECT
      a5.window_start,
      a5.transformer_id,
      a5.interval_s,
      a5."reads",
      a5."estimated",
      a5."excluded",
      a5.delivered_kwh,
      a5.received_kwh,
      a5.a_kwh,
      a5.b_kwh,
      a5.c_kwh,
      b6.power_factor
    FROM "ami".transformer_windows AS a5
    JOIN "ami".ami_parameters AS b6
      ON TRUE
  ) AS a3
  LEFT JOIN "ami"."transformers" AS b4
    ON a3.transformer_id = b4.transformer_id
    AND (
      a3.window_start >= b4.valid_from
      AND a3.window_start < COALESCE(b4.valid_to, CAST('infinity' AS TIMESTAMPTZ))
    )
) AS a1
LEFT JOIN "ami".transformer_population AS b2
  ON (
    a1.transformer_id = b2.transformer_id AND a1.interval_s = b2.interval_s
  )
  AND (
    a1.window_start >= b2.valid_from AND a1.window_start < b2.valid_to
  );

CREATE VIEW "ami".feeder_load AS
SELECT
  window_start,
  feeder_id,
  interval_s,
  COUNT(*) AS "transformers",
  COUNT(*) FILTER(WHERE
    NOT "complete") AS "incomplete",
  SUM(delivered_kwh) AS delivered_kwh,
  SUM(received_kwh) AS received_kwh,
  SUM(net_kw) AS net_kw
FROM "ami".transformer_load
WHERE
  NOT feeder_id IS NULL
GROUP BY
  window_start,
  feeder_id,
  interval_s;

CREATE VIEW "ami".voltage_outliers AS
SELECT
  interval_start AS window_start,
  transformer_id,
  interval_s,
  CASE WHEN (
    "flags" & 16
  ) <> 0 THEN 'LOW_VOLTAGE' ELSE 'HIGH_VOLTAGE' END AS "violation",
  CASE (
      CASE WHEN (
        "flags" & 16
      ) <> 0 THEN 'LOW_VOLTAGE' ELSE 'HIGH_VOLTAGE' END
    )
    WHEN 'LOW_VOLTAGE'
    THEN MIN(voltage_v)
    ELSE MAX(voltage_v)
  END AS worst_v,
  CASE (
      CASE WHEN (
        "flags" & 16
      ) <> 0 THEN 'LOW_VOLTAGE' ELSE 'HIGH_VOLTAGE' END
    )
    WHEN 'LOW_VOLTAGE'
    THEN (
      ARRAY_AGG(
        CASE WHEN NOT (
          meter_id IS NULL OR voltage_v IS NULL
        ) THEN meter_id END ORDER BY (
          meter_id IS NULL OR voltage_v IS NULL
        ) ASC, voltage_v ASC
      )
    )[1]
    ELSE (
      ARRAY_AGG(
        CASE WHEN NOT (
          meter_id IS NULL OR voltage_v IS NULL
        ) THEN meter_id END ORDER BY (
          meter_id IS NULL OR voltage_v IS NULL
        ) ASC, voltage_v DESC
      )
    )[1]
  END AS worst_meter
FROM "ami".checked_reads
WHERE
  (
    (
      (
        "flags" & 48
      ) <> 0 AND (
        "flags" & 12
      ) = 0
    )
    AND quality_rank >= 3
  )
  AND "measures" = 'customer'
GROUP BY
  interval_start,
  transformer_id,
  interval_s,
  CASE WHEN (
    "flags" & 16
  ) <> 0 THEN 'LOW_VOLTAGE' ELSE 'HIGH_VOLTAGE' END;

CREATE VIEW "ami".voltage_violations AS
SELECT
  a1.window_start,
  a1.transformer_id,
  a1.interval_s,
  a1."violation",
  CASE
    WHEN a1."outside" >= GREATEST(CAST(2 AS DECIMAL(38, 10)), CAST(0.1 * a1."voltages" AS DECIMAL(38, 10)))
    THEN 'TRANSFORMER'
    ELSE 'SERVICE'
  END AS "extent",
  a1."outside" AS "meters",
  a1."voltages",
  a1.worst_v,
  a1.worst_meter,
  COALESCE(
    b2."outside" >= GREATEST(CAST(2 AS DECIMAL(38, 10)), CAST(0.1 * b2."voltages" AS DECIMAL(38, 10))),
    FALSE
  )
  AND a1."outside" >= GREATEST(CAST(2 AS DECIMAL(38, 10)), CAST(0.1 * a1."voltages" AS DECIMAL(38, 10))) AS "persistent"
FROM (
  SELECT
    a3.window_start,
    a3.transformer_id,
    a3.interval_s,
    a3."violation",
    a3.worst_v,
    a3.worst_meter,
    b4."outside",
    b4."voltages"
  FROM "ami".voltage_outliers AS a3
  JOIN (
    SELECT
      window_start,
      transformer_id,
      interval_s,
      'LOW_VOLTAGE' AS "violation",
      low_count AS "outside",
      "voltages"
    FROM "ami".transformer_windows
    WHERE
      low_count > 0
    UNION ALL
    SELECT
      window_start,
      transformer_id,
      interval_s,
      'HIGH_VOLTAGE' AS "violation",
      high_count AS "outside",
      "voltages"
    FROM "ami".transformer_windows
    WHERE
      high_count > 0
  ) AS b4
    ON (
      (
        a3.window_start = b4.window_start AND a3.transformer_id = b4.transformer_id
      )
      AND a3.interval_s = b4.interval_s
    )
    AND a3."violation" = b4."violation"
) AS a1
LEFT JOIN (
  SELECT
    window_start,
    transformer_id,
    interval_s,
    'LOW_VOLTAGE' AS "violation",
    low_count AS "outside",
    "voltages"
  FROM "ami".transformer_windows
  WHERE
    low_count > 0
  UNION ALL
  SELECT
    window_start,
    transformer_id,
    interval_s,
    'HIGH_VOLTAGE' AS "violation",
    high_count AS "outside",
    "voltages"
  FROM "ami".transformer_windows
  WHERE
    high_count > 0
) AS b2
  ON (
    (
      (
        a1.window_start - a1.interval_s * INTERVAL '1 second'
      ) = b2.window_start
      AND a1.transformer_id = b2.transformer_id
    )
    AND a1.interval_s = b2.interval_s
  )
  AND a1."violation" = b2."violation";

-- ami.meter_days: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".meter_days AS
SELECT
  local_day,
  meter_id,
  interval_s,
  transformer_id,
  "measures",
  COUNT(*) AS "intervals",
  COUNT(*) FILTER(WHERE
    quality_rank >= 4) AS "actual",
  COUNT(*) FILTER(WHERE
    quality_rank = 2) AS "estimated",
  COUNT(*) FILTER(WHERE
    (
      "flags" & 3
    ) <> 0) AS "excluded",
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0
      THEN CAST(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS delivered_kwh,
  SUM(
    CASE
      WHEN (
        "flags" & 3
      ) = 0
      THEN CAST(COALESCE(CAST(received_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10))) AS DECIMAL(38, 10))
      ELSE CAST(0 AS DECIMAL(38, 10))
    END
  ) AS received_kwh,
  COUNT(*) FILTER(WHERE
    delivered_kwh = 0) AS "zeros",
  COUNT(*) FILTER(WHERE
    received_kwh > 0) AS "reversed",
  COUNT(*) FILTER(WHERE
    NOT voltage_v IS NULL AND (
      "flags" & 12
    ) = 0) AS "voltages",
  COUNT(*) FILTER(WHERE
    (
      "flags" & 12
    ) = 0 AND (
      "flags" & 48
    ) <> 0) AS "outside",
  COUNT(*) FILTER(WHERE
    (
      "flags" & 12
    ) = 0 AND (
      "flags" & 64
    ) <> 0) AS outside_wide,
  SUM(delivered_kwh) AS sum_kwh,
  SUM(CAST(delivered_kwh * delivered_kwh AS DECIMAL(28, 12))) AS square_kwh
FROM "ami".checked_reads
GROUP BY
  local_day,
  meter_id,
  interval_s,
  transformer_id,
  "measures";

-- ami.distinct_events: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW "ami".distinct_events AS
SELECT DISTINCT ON (meter_id, COALESCE(head_end, ''), COALESCE(raw_code, type_code, ''), occurred_at)
  meter_id,
  COALESCE(head_end, '') AS head_end,
  COALESCE(raw_code, type_code, '') AS "code",
  occurred_at,
  raw_code,
  raw_desc,
  type_code,
  COALESCE(received_at, ingested_at) AS received_at,
  "details"
FROM "ami".meter_events
WHERE
  NOT meter_id IS NULL AND NOT occurred_at IS NULL
ORDER BY
  meter_id,
  COALESCE(head_end, ''),
  COALESCE(raw_code, type_code, ''),
  occurred_at,
  COALESCE(received_at, ingested_at) ASC;

CREATE VIEW "ami"."events" AS
SELECT
  MD5(
    (
      (
        (
          (
            (
              a1.head_end || '|'
            ) || a1.meter_id
          ) || '|'
        ) || a1."code"
      ) || '|'
    ) || CAST(a1.occurred_at AS VARCHAR)
  ) AS event_id,
  a1.meter_id,
  a1.head_end,
  a1."code",
  a1.raw_desc,
  a1.occurred_at,
  a1.received_at,
  a1."details",
  COALESCE(a1."kind", a1.kind_6, b2.kind_12, 'UNKNOWN') AS "kind",
  COALESCE(a1."severity", a1.severity_7, b2.severity_13, 'INFO') AS "severity",
  COALESCE(a1.type_code, a1.type_code_3, a1.type_code_8) AS type_code,
  COALESCE(a1."meaning", a1.meaning_9, b2.meaning_15, a1.raw_desc) AS "meaning"
FROM (
  SELECT
    a3.meter_id,
    a3.head_end,
    a3."code",
    a3.occurred_at,
    a3.raw_desc,
    a3.type_code,
    a3.received_at,
    a3."details",
    a3."kind",
    a3."severity",
    a3.type_code_3,
    a3."meaning",
    b4.kind_6,
    b4.severity_7,
    b4.type_code_8,
    b4.meaning_9
  FROM (
    SELECT
      a5.meter_id,
      a5.head_end,
      a5."code",
      a5.occurred_at,
      a5.raw_desc,
      a5.type_code,
      a5.received_at,
      a5."details",
      b6."kind",
      b6."severity",
      b6.type_code AS type_code_3,
      b6."meaning"
    FROM "ami".distinct_events AS a5
    LEFT JOIN "ami".event_catalogue AS b6
      ON a5.head_end = b6.head_end AND a5."code" = b6."code"
  ) AS a3
  LEFT JOIN (
    SELECT
      "code" AS code_5,
      "kind" AS kind_6,
      "severity" AS severity_7,
      type_code AS type_code_8,
      "meaning" AS meaning_9
    FROM "ami".event_catalogue
    WHERE
      head_end = '*'
  ) AS b4
    ON a3."code" = b4.code_5
) AS a1
LEFT JOIN (
  SELECT
    "code" AS code_11,
    "kind" AS kind_12,
    "severity" AS severity_13,
    "meaning" AS meaning_15
  FROM "ami".event_catalogue
  WHERE
    head_end = 'IEC'
) AS b2
  ON COALESCE(a1.type_code, a1."code") = b2.code_11;

-- ami.power_signals: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".power_signals AS
SELECT
  a1.meter_id,
  a1."at",
  a1.is_up,
  MIN(a1.received_at) AS received_at
FROM (
  SELECT
    a3.meter_id,
    a3."at",
    a3.is_up,
    a3.received_at,
    b4.agg_1
  FROM (
    SELECT
      meter_id,
      occurred_at AS "at",
      "kind" = 'POWER_UP' AS is_up,
      received_at
    FROM "ami"."events"
    WHERE
      "kind" IN ('POWER_OUT', 'POWER_UP')
    UNION ALL
    SELECT
      meter_id,
      pinged_at AS "at",
      TRUE AS is_up,
      COALESCE(received_at, ingested_at) AS received_at
    FROM "ami".meter_pings
    WHERE
      (
        "answered" AND NOT pinged_at IS NULL
      ) AND NOT meter_id IS NULL
  ) AS a3
  LEFT JOIN (
    SELECT
      a6."_outer_1",
      a6."_outer_2",
      COUNT(*) AS agg_1
    FROM (
      SELECT DISTINCT
        meter_id AS "_outer_1",
        "at" AS "_outer_2"
      FROM (
        SELECT
          meter_id,
          occurred_at AS "at",
          "kind" = 'POWER_UP' AS is_up,
          received_at
        FROM "ami"."events"
        WHERE
          "kind" IN ('POWER_OUT', 'POWER_UP')
        UNION ALL
        SELECT
          meter_id,
          pinged_at AS "at",
          TRUE AS is_up,
          COALESCE(received_at, ingested_at) AS received_at
        FROM "ami".meter_pings
        WHERE
          (
            "answered" AND NOT pinged_at IS NULL
          ) AND NOT meter_id IS NULL
      ) AS q8
    ) AS a6
    JOIN "ami".field_work AS b7
      ON a6."_outer_1" = b7.meter_id
      AND (
        a6."_outer_2" >= b7.starts_at
        AND a6."_outer_2" < COALESCE(b7.ends_at, CAST('infinity' AS TIMESTAMPTZ))
      )
    GROUP BY
      a6."_outer_1",
      a6."_outer_2"
  ) AS b4
    ON a3.meter_id IS NOT DISTINCT FROM b4."_outer_1"
    AND a3."at" IS NOT DISTINCT FROM b4."_outer_2"
) AS a1
LEFT JOIN (
  SELECT
    a10."_outer_1" AS "_outer_1_5",
    a10."_outer_2" AS "_outer_2_6",
    COUNT(*) AS agg_1_7
  FROM (
    SELECT DISTINCT
      a12.meter_id AS "_outer_1",
      a12."at" AS "_outer_2"
    FROM (
      SELECT
        meter_id,
        occurred_at AS "at",
        "kind" = 'POWER_UP' AS is_up,
        received_at
      FROM "ami"."events"
      WHERE
        "kind" IN ('POWER_OUT', 'POWER_UP')
      UNION ALL
      SELECT
        meter_id,
        pinged_at AS "at",
        TRUE AS is_up,
        COALESCE(received_at, ingested_at) AS received_at
      FROM "ami".meter_pings
      WHERE
        (
          "answered" AND NOT pinged_at IS NULL
        ) AND NOT meter_id IS NULL
    ) AS a12
    LEFT JOIN (
      SELECT
        a15."_outer_1",
        a15."_outer_2",
        COUNT(*) AS agg_1
      FROM (
        SELECT DISTINCT
          meter_id AS "_outer_1",
          "at" AS "_outer_2"
        FROM (
          SELECT
            meter_id,
            occurred_at AS "at",
            "kind" = 'POWER_UP' AS is_up,
            received_at
          FROM "ami"."events"
          WHERE
            "kind" IN ('POWER_OUT', 'POWER_UP')
          UNION ALL
          SELECT
            meter_id,
            pinged_at AS "at",
            TRUE AS is_up,
            COALESCE(received_at, ingested_at) AS received_at
          FROM "ami".meter_pings
          WHERE
            (
              "answered" AND NOT pinged_at IS NULL
            ) AND NOT meter_id IS NULL
        ) AS q17
      ) AS a15
      JOIN "ami".field_work AS b16
        ON a15."_outer_1" = b16.meter_id
        AND (
          a15."_outer_2" >= b16.starts_at
          AND a15."_outer_2" < COALESCE(b16.ends_at, CAST('infinity' AS TIMESTAMPTZ))
        )
      GROUP BY
        a15."_outer_1",
        a15."_outer_2"
    ) AS b13
      ON a12.meter_id IS NOT DISTINCT FROM b13."_outer_1"
      AND a12."at" IS NOT DISTINCT FROM b13."_outer_2"
  ) AS a10
  JOIN (
    SELECT
      a20.meter_id,
      a20.valid_from,
      a20.valid_to,
      b21.swap_mask
    FROM "ami".meter_registry AS a20
    JOIN "ami".ami_parameters AS b21
      ON TRUE
  ) AS b11
    ON a10."_outer_1" = b11.meter_id
    AND (
      a10."_outer_2" BETWEEN b11.valid_from - b11.swap_mask AND b11.valid_from + b11.swap_mask
      OR a10."_outer_2" BETWEEN b11.valid_to - b11.swap_mask AND b11.valid_to + b11.swap_mask
    )
  GROUP BY
    a10."_outer_1",
    a10."_outer_2"
) AS b2
  ON a1.meter_id IS NOT DISTINCT FROM b2."_outer_1_5"
  AND a1."at" IS NOT DISTINCT FROM b2."_outer_2_6"
WHERE
  a1.is_up
  OR (
    NOT COALESCE(a1.agg_1, 0) > 0 AND NOT COALESCE(b2.agg_1_7, 0) > 0
  )
GROUP BY
  a1.meter_id,
  a1."at",
  a1.is_up;

CREATE VIEW "ami".power_episodes AS
SELECT
  meter_id,
  "at" AS out_at,
  received_at,
  over_3 AS up_at,
  over_1 AS next_out_at
FROM (
  SELECT
    meter_id,
    "at",
    received_at,
    over_3,
    LEAD("at") OVER (PARTITION BY meter_id ORDER BY "at") AS over_1
  FROM (
    SELECT
      meter_id,
      "at",
      is_up,
      received_at,
      LAG(is_up) OVER (PARTITION BY meter_id ORDER BY "at", is_up) AS over_1,
      LAG("at") OVER (PARTITION BY meter_id ORDER BY "at", is_up) AS over_2,
      MIN(CASE WHEN is_up THEN "at" END) OVER (
        PARTITION BY meter_id
        ORDER BY "at", is_up
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
      ) AS over_3
    FROM "ami".power_signals
  ) AS q1
  WHERE
    NOT is_up AND (
      COALESCE(over_1, TRUE) OR over_2 < "at" - INTERVAL '1 hour'
    )
) AS q2;

CREATE VIEW "ami".reads_after_out AS
SELECT
  a1.meter_id,
  a1.out_at,
  MIN(b2.interval_start) AS read_at
FROM "ami".power_episodes AS a1
JOIN (
  SELECT
    interval_start,
    meter_id AS meter_id_1
  FROM "ami".checked_reads
  WHERE
    (
      quality_rank >= 4 AND delivered_kwh > 0
    ) AND (
      "flags" & 15
    ) = 0
) AS b2
  ON a1.meter_id = b2.meter_id_1
  AND (
    b2.interval_start >= a1.out_at
    AND b2.interval_start < LEAST(a1.up_at, a1.next_out_at, a1.out_at + INTERVAL '7 days')
  )
GROUP BY
  a1.meter_id,
  a1.out_at;

-- ami.meter_interruptions: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".meter_interruptions AS
SELECT
  a1.meter_id,
  a1.out_at,
  a1.received_at,
  a1.transformer_id,
  COALESCE(a1.head_end, '') AS head_end,
  LEAST(a1.up_at, b2.read_at, a1.next_out_at) AS restored_at,
  CASE
    WHEN LEAST(a1.up_at, b2.read_at, a1.next_out_at) IS NULL
    THEN NULL
    WHEN a1.up_at = LEAST(a1.up_at, b2.read_at, a1.next_out_at)
    THEN 'SIGNAL'
    WHEN b2.read_at = LEAST(a1.up_at, b2.read_at, a1.next_out_at)
    THEN 'READ'
    ELSE 'NEXT_OUT'
  END AS restored_by
FROM (
  SELECT
    a3.meter_id,
    a3.out_at,
    a3.received_at,
    a3.up_at,
    a3.next_out_at,
    b4.transformer_id,
    b4.head_end
  FROM "ami".power_episodes AS a3
  JOIN "ami".meter_registry AS b4
    ON a3.meter_id = b4.meter_id
    AND (
      a3.out_at >= b4.valid_from
      AND a3.out_at < COALESCE(b4.valid_to, CAST('infinity' AS TIMESTAMPTZ))
    )
) AS a1
LEFT JOIN "ami".reads_after_out AS b2
  ON a1.meter_id = b2.meter_id AND a1.out_at = b2.out_at;

CREATE VIEW "ami".meter_outages AS
SELECT
  meter_id,
  out_at,
  received_at,
  transformer_id,
  head_end,
  restored_at
FROM (
  SELECT
    a1.meter_id,
    a1.out_at,
    a1.received_at,
    a1.transformer_id,
    a1.head_end,
    a1.restored_at
  FROM (
    SELECT
      meter_id,
      out_at,
      received_at,
      transformer_id,
      head_end,
      restored_at
    FROM "ami".meter_interruptions
    WHERE
      restored_at IS NULL
  ) AS a1
  JOIN "ami".ami_parameters AS b2
    ON TRUE
  WHERE
    (
      a1.out_at + b2.momentary_filter
    ) <= NOW()
  UNION ALL
  SELECT
    a3.meter_id,
    a3.out_at,
    a3.received_at,
    a3.transformer_id,
    a3.head_end,
    a3.restored_at
  FROM "ami".meter_interruptions AS a3
  JOIN "ami".ami_parameters AS b4
    ON (
      a3.restored_at >= a3.out_at + b4.momentary_filter
    )
) AS q5;

CREATE VIEW "ami".grouped_meters AS
SELECT
  transformer_id,
  meter_id,
  out_at,
  received_at,
  head_end,
  restored_at,
  over_2 AS group_at
FROM (
  SELECT
    meter_id,
    out_at,
    received_at,
    transformer_id,
    head_end,
    restored_at,
    outage_window,
    over_1,
    MAX(CASE WHEN over_1 >= out_at - outage_window THEN NULL ELSE out_at END) OVER (PARTITION BY transformer_id ORDER BY out_at, meter_id) AS over_2
  FROM (
    SELECT
      a1.meter_id,
      a1.out_at,
      a1.received_at,
      a1.transformer_id,
      a1.head_end,
      a1.restored_at,
      b2.outage_window,
      LAG(a1.out_at) OVER (PARTITION BY a1.transformer_id ORDER BY a1.out_at, a1.meter_id) AS over_1
    FROM (
      SELECT
        meter_id,
        out_at,
        received_at,
        transformer_id,
        head_end,
        restored_at
      FROM "ami".meter_outages
      WHERE
        NOT transformer_id IS NULL
    ) AS a1
    JOIN "ami".ami_parameters AS b2
      ON TRUE
  ) AS q3
) AS q4;

-- ami.transformer_meters: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".transformer_meters AS
SELECT
  transformer_id,
  changed_at AS valid_from,
  COALESCE(over_1, CAST('infinity' AS TIMESTAMPTZ)) AS valid_to,
  CAST(over_2 AS BIGINT) AS "meters",
  CAST(over_3 AS BIGINT) AS "gaspers"
FROM (
  SELECT
    transformer_id,
    changed_at,
    agg_1,
    agg_2,
    LEAD(changed_at) OVER (PARTITION BY transformer_id ORDER BY changed_at) AS over_1,
    SUM(CAST(agg_1 AS BIGINT)) OVER (PARTITION BY transformer_id ORDER BY changed_at) AS over_2,
    SUM(CAST(agg_2 AS BIGINT)) OVER (PARTITION BY transformer_id ORDER BY changed_at) AS over_3
  FROM (
    SELECT
      transformer_id,
      changed_at,
      SUM("meters") AS agg_1,
      SUM("gaspers") AS agg_2
    FROM (
      SELECT
        transformer_id,
        valid_from AS changed_at,
        1 AS "meters",
        CASE WHEN can_gasp THEN 1 ELSE 0 END AS "gaspers"
      FROM "ami".meter_registry
      WHERE
        (
          "state" IN ('active', 'comm_exempt') AND "measures" = 'customer'
        )
        AND NOT transformer_id IS NULL
      UNION ALL
      SELECT
        transformer_id,
        valid_to AS changed_at,
        -1 AS "meters",
        CASE WHEN can_gasp THEN -1 ELSE 0 END AS "gaspers"
      FROM "ami".meter_registry
      WHERE
        (
          (
            "state" IN ('active', 'comm_exempt') AND "measures" = 'customer'
          )
          AND NOT transformer_id IS NULL
        )
        AND NOT valid_to IS NULL
    ) AS q1
    GROUP BY
      transformer_id,
      changed_at
  ) AS q2
) AS q3;

-- ami.transformer_groups: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".transformer_groups AS
SELECT
  a1.transformer_id,
  a1.group_at,
  b2.feeder_id,
  b2.section_id,
  a1.agg_1 AS "heard",
  a1.agg_2 AS "restored",
  a1.agg_3 AS known_at,
  a1."meters",
  a1."gaspers",
  CASE
    WHEN a1."meters" = 1
    THEN 'SERVICE'
    WHEN a1.agg_1 >= 3
    OR (
      a1.agg_1 >= 2 AND a1.agg_1 >= a1.transformer_share * a1."gaspers"
    )
    THEN 'TRANSFORMER'
    ELSE 'SERVICE'
  END AS "kind"
FROM (
  SELECT
    a3.transformer_id,
    a3.group_at,
    a3.agg_1,
    a3.agg_2,
    a3.agg_3,
    a3.transformer_share,
    b4."meters",
    b4."gaspers"
  FROM (
    SELECT
      a5.transformer_id,
      a5.group_at,
      a5.agg_1,
      a5.agg_2,
      a5.agg_3,
      b6.transformer_share
    FROM (
      SELECT
        transformer_id,
        group_at,
        COUNT(*) AS agg_1,
        COUNT(restored_at) AS agg_2,
        MIN(received_at) AS agg_3
      FROM "ami".grouped_meters
      GROUP BY
        transformer_id,
        group_at
    ) AS a5
    JOIN "ami".ami_parameters AS b6
      ON TRUE
  ) AS a3
  LEFT JOIN "ami".transformer_meters AS b4
    ON a3.transformer_id = b4.transformer_id
    AND (
      a3.group_at >= b4.valid_from AND a3.group_at < b4.valid_to
    )
) AS a1
LEFT JOIN "ami"."transformers" AS b2
  ON a1.transformer_id = b2.transformer_id
  AND (
    a1.group_at >= b2.valid_from
    AND a1.group_at < COALESCE(b2.valid_to, CAST('infinity' AS TIMESTAMPTZ))
  );

-- ami.transformer_devices: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".transformer_devices AS
SELECT
  transformer_id,
  valid_from,
  valid_to,
  device_id,
  "kind",
  "height",
  is_flat
FROM (
  SELECT
    transformer_id,
    valid_from,
    COALESCE(valid_to, CAST('infinity' AS TIMESTAMPTZ)) AS valid_to,
    feeder_id AS device_id,
    'FEEDER' AS "kind",
    99 AS "height",
    section_id IS NULL AS is_flat
  FROM "ami"."transformers"
  WHERE
    NOT feeder_id IS NULL
  UNION ALL
  SELECT
    a1.transformer_id,
    a1.valid_from,
    COALESCE(a1.valid_to, CAST('infinity' AS TIMESTAMPTZ)) AS valid_to,
    a1.device_id,
    b2."kind",
    a1."height",
    FALSE AS is_flat
  FROM (
    SELECT
      a3.transformer_id,
      a3.valid_from,
      a3.valid_to,
      b4.device_id,
      b4."height"
    FROM "ami"."transformers" AS a3
    JOIN (
      SELECT
        section_id,
        device_id,
        "height"
      FROM (
        SELECT
          section_id,
          device_id,
          "height"
        FROM (
          SELECT
            section_id,
            device_id,
            "height"
          FROM (
            SELECT
              section_id,
              device_id,
              "height"
            FROM (
              SELECT
                section_id,
                section_id AS device_id,
                1 AS "height"
              FROM "ami".network_sections
              UNION ALL
              SELECT
                section_id,
                parent_id AS device_id,
                2 AS "height"
              FROM "ami".network_sections
              WHERE
                NOT parent_id IS NULL
            ) AS q5
            UNION ALL
            SELECT
              a6.section_id,
              b7.parent_id_2 AS device_id,
              3 AS "height"
            FROM "ami".network_sections AS a6
            JOIN (
              SELECT
                section_id AS section_id_1,
                parent_id AS parent_id_2
              FROM "ami".network_sections
              WHERE
                NOT parent_id IS NULL
            ) AS b7
              ON a6.parent_id = b7.section_id_1
          ) AS q8
          UNION ALL
          SELECT
            a9.section_id,
            b10.parent_id_8 AS device_id,
            4 AS "height"
          FROM (
            SELECT
              a11.section_id,
              b12.parent_id AS parent_id_5
            FROM "ami".network_sections AS a11
            JOIN "ami".network_sections AS b12
              ON a11.parent_id = b12.section_id
          ) AS a9
          JOIN (
            SELECT
              section_id AS section_id_7,
              parent_id AS parent_id_8
            FROM "ami".network_sections
            WHERE
              NOT parent_id IS NULL
          ) AS b10
            ON a9.parent_id_5 = b10.section_id_7
        ) AS q13
        UNION ALL
        SELECT
          a14.section_id,
          b15.parent_id_17 AS device_id,
          5 AS "height"
        FROM (
          SELECT
            a16.section_id,
            b17.parent_id AS parent_id_14
          FROM (
            SELECT
              a18.section_id,
              b19.parent_id AS parent_id_11
            FROM "ami".network_sections AS a18
            JOIN "ami".network_sections AS b19
              ON a18.parent_id = b19.section_id
          ) AS a16
          JOIN "ami".network_sections AS b17
            ON a16.parent_id_11 = b17.section_id
        ) AS a14
        JOIN (
          SELECT
            section_id AS section_id_16,
            parent_id AS parent_id_17
          FROM "ami".network_sections
          WHERE
            NOT parent_id IS NULL
        ) AS b15
          ON a14.parent_id_14 = b15.section_id_16
      ) AS q20
      UNION ALL
      SELECT
        a21.section_id,
        b22.parent_id_29 AS device_id,
        6 AS "height"
      FROM (
        SELECT
          a23.section_id,
          b24.parent_id AS parent_id_26
        FROM (
          SELECT
            a25.section_id,
            b26.parent_id AS parent_id_23
          FROM (
            SELECT
              a27.section_id,
              b28.parent_id AS parent_id_20
            FROM "ami".network_sections AS a27
            JOIN "ami".network_sections AS b28
              ON a27.parent_id = b28.section_id
          ) AS a25
          JOIN "ami".network_sections AS b26
            ON a25.parent_id_20 = b26.section_id
        ) AS a23
        JOIN "ami".network_sections AS b24
          ON a23.parent_id_23 = b24.section_id
      ) AS a21
      JOIN (
        SELECT
          section_id AS section_id_28,
          parent_id AS parent_id_29
        FROM "ami".network_sections
        WHERE
          NOT parent_id IS NULL
      ) AS b22
        ON a21.parent_id_26 = b22.section_id_28
    ) AS b4
      ON a3.section_id = b4.section_id
      AND (
        b4.device_id IS DISTINCT FROM a3.feeder_id
      )
  ) AS a1
  JOIN "ami".network_sections AS b2
    ON a1.device_id = b2.section_id
) AS q30;

CREATE VIEW "ami".feeder_groups AS
SELECT
  transformer_id,
  group_at,
  feeder_id,
  "heard",
  "restored",
  known_at,
  "meters",
  over_2 AS band_at
FROM (
  SELECT
    transformer_id,
    group_at,
    feeder_id,
    "heard",
    "restored",
    known_at,
    "meters",
    device_window,
    over_1,
    MAX(CASE WHEN over_1 >= group_at - device_window THEN NULL ELSE group_at END) OVER (PARTITION BY feeder_id ORDER BY group_at, transformer_id) AS over_2
  FROM (
    SELECT
      a1.transformer_id,
      a1.group_at,
      a1.feeder_id,
      a1."heard",
      a1."restored",
      a1.known_at,
      a1."meters",
      b2.device_window,
      LAG(a1.group_at) OVER (PARTITION BY a1.feeder_id ORDER BY a1.group_at, a1.transformer_id) AS over_1
    FROM (
      SELECT
        transformer_id,
        group_at,
        feeder_id,
        "heard",
        "restored",
        known_at,
        "meters"
      FROM "ami".transformer_groups
      WHERE
        NOT feeder_id IS NULL AND (
          "kind" = 'TRANSFORMER' OR "meters" = 1
        )
    ) AS a1
    JOIN "ami".ami_parameters AS b2
      ON TRUE
  ) AS q3
) AS q4;

-- ami.devices_out: approximated: the query fails for as long as the row is there
-- ami.devices_out: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW "ami".devices_out AS
SELECT DISTINCT ON (a1.feeder_id, a1.band_at, a1.agg_3)
  a1.feeder_id,
  a1.band_at,
  a1.device_id,
  a1."kind",
  a1.agg_2 AS transformers_out,
  b2.agg_1_3 AS "transformers"
FROM (
  SELECT
    a3.feeder_id,
    a3.band_at,
    a3.device_id,
    a3."kind",
    a3.is_flat,
    a3.agg_1,
    a3.agg_2,
    a3.agg_3,
    b4.device_share,
    b4.feeder_share
  FROM (
    SELECT
      feeder_id,
      band_at,
      device_id,
      "kind",
      is_flat,
      agg_1,
      agg_2,
      agg_3
    FROM (
      SELECT
        a5.feeder_id,
        a5.band_at,
        b6.device_id,
        b6."kind",
        b6.is_flat,
        MIN(b6."height") AS agg_1,
        COUNT(DISTINCT a5.transformer_id) AS agg_2,
        ARRAY_AGG(DISTINCT a5.transformer_id ORDER BY a5.transformer_id) AS agg_3
      FROM "ami".feeder_groups AS a5
      JOIN "ami".transformer_devices AS b6
        ON a5.transformer_id = b6.transformer_id
        AND (
          a5.group_at >= b6.valid_from AND a5.group_at < b6.valid_to
        )
      GROUP BY
        a5.feeder_id,
        a5.band_at,
        b6.device_id,
        b6."kind",
        b6.is_flat
    ) AS q7
    WHERE
      agg_2 >= 2
  ) AS a3
  JOIN "ami".ami_parameters AS b4
    ON TRUE
) AS a1
JOIN (
  SELECT
    device_id AS device_id_2,
    COUNT(DISTINCT transformer_id) AS agg_1_3
  FROM "ami".transformer_devices
  WHERE
    valid_to = CAST('infinity' AS TIMESTAMPTZ)
  GROUP BY
    device_id
) AS b2
  ON a1.device_id = b2.device_id_2
  AND (
    a1.agg_2 >= a1.device_share * b2.agg_1_3
    OR (
      a1.is_flat AND a1.agg_2 >= 3 AND a1.agg_2 >= a1.feeder_share * b2.agg_1_3
    )
  )
ORDER BY
  a1.feeder_id,
  a1.band_at,
  a1.agg_3,
  b2.agg_1_3 ASC,
  a1.agg_1 ASC,
  a1.device_id ASC;

CREATE VIEW "ami".explained_groups AS
SELECT
  a1.transformer_id,
  a1.group_at,
  a1.band_at,
  MAX(a1."height") AS "height"
FROM (
  SELECT
    a3.transformer_id,
    a3.group_at,
    a3.feeder_id,
    a3.band_at,
    b4.device_id,
    b4."height"
  FROM "ami".feeder_groups AS a3
  JOIN "ami".transformer_devices AS b4
    ON a3.transformer_id = b4.transformer_id
    AND (
      a3.group_at >= b4.valid_from AND a3.group_at < b4.valid_to
    )
) AS a1
JOIN "ami".devices_out AS b2
  ON (
    a1.feeder_id = b2.feeder_id AND a1.band_at = b2.band_at
  )
  AND a1.device_id = b2.device_id
GROUP BY
  a1.transformer_id,
  a1.group_at,
  a1.band_at;

-- ami.group_outages: approximated: PostgreSQL plans and computes a view anew wherever it is read; one over more than 150 others is a materialized view, as of the last CALL voltstream_refresh(), which TimescaleDB makes every five minutes (Without TimescaleDB call it by a scheduler, or let Voltstream keep the view)
CREATE MATERIALIZED VIEW "ami".group_outages AS
SELECT
  a1.transformer_id,
  a1.group_at,
  a1."kind" AS group_kind,
  a1."heard",
  a1."restored",
  a1.known_at,
  a1."meters",
  a1."gaspers",
  COALESCE(b2.device_id, a1.transformer_id) AS device_id,
  COALESCE(b2."kind", a1."kind") AS "kind",
  COALESCE(a1.band_at, a1.group_at) AS started_at,
  (
    a1.transformer_id || '@'
  ) || TO_CHAR(
    CASE
      WHEN ISFINITE(a1.group_at AT TIME ZONE 'UTC')
      THEN a1.group_at AT TIME ZONE 'UTC'
    END,
    'YYYYMMDD"T"HH24MISS'
  ) AS group_id,
  (
    COALESCE(b2.device_id, a1.transformer_id) || '@'
  ) || TO_CHAR(
    CASE
      WHEN ISFINITE(COALESCE(a1.band_at, a1.group_at) AT TIME ZONE 'UTC')
      THEN COALESCE(a1.band_at, a1.group_at) AT TIME ZONE 'UTC'
    END,
    'YYYYMMDD"T"HH24MISS'
  ) AS outage_id
FROM (
  SELECT
    a3.transformer_id,
    a3.group_at,
    a3."heard",
    a3."restored",
    a3.known_at,
    a3."meters",
    a3."gaspers",
    a3."kind",
    b4.transformer_id AS transformer_id_1,
    b4.group_at AS group_at_2,
    b4.band_at,
    b4."height"
  FROM "ami".transformer_groups AS a3
  LEFT JOIN "ami".explained_groups AS b4
    ON a3.transformer_id = b4.transformer_id AND a3.group_at = b4.group_at
) AS a1
LEFT JOIN "ami".transformer_devices AS b2
  ON (
    a1.transformer_id_1 = b2.transformer_id AND a1."height" = b2."height"
  )
  AND (
    a1.group_at_2 >= b2.valid_from AND a1.group_at_2 < b2.valid_to
  );

CREATE VIEW "ami".group_restorations AS
SELECT
  transformer_id,
  group_at,
  MIN(restored_at) AS restored_at
FROM (
  SELECT
    a1.transformer_id,
    a1.meter_id,
    a1.restored_at,
    a1.group_at,
    a1.restored_share,
    b2."heard",
    ROW_NUMBER() OVER (PARTITION BY a1.transformer_id, a1.group_at ORDER BY a1.restored_at, a1.meter_id) AS over_1
  FROM (
    SELECT
      a3.transformer_id,
      a3.meter_id,
      a3.restored_at,
      a3.group_at,
      b4.restored_share
    FROM "ami".grouped_meters AS a3
    JOIN "ami".ami_parameters AS b4
      ON TRUE
  ) AS a1
  JOIN "ami".transformer_groups AS b2
    ON a1.transformer_id = b2.transformer_id AND a1.group_at = b2.group_at
) AS q5
WHERE
  NOT restored_at IS NULL AND over_1 >= restored_share * "heard"
GROUP BY
  transformer_id,
  group_at;

-- ami.outage_members: approximated: the query fails for as long as the row is there
-- ami.outage_members: approximated: PostgreSQL plans and computes a view anew wherever it is read; one over more than 150 others is a materialized view, as of the last CALL voltstream_refresh(), which TimescaleDB makes every five minutes (Without TimescaleDB call it by a scheduler, or let Voltstream keep the view)
CREATE MATERIALIZED VIEW "ami".outage_members AS
SELECT
  outage_id,
  transformer_id,
  meter_id,
  "gasped",
  out_at,
  restored_at,
  head_end
FROM (
  SELECT
    a1.outage_id,
    a1.transformer_id,
    b2.meter_id,
    TRUE AS "gasped",
    b2.out_at,
    b2.restored_at,
    b2.head_end
  FROM "ami".group_outages AS a1
  JOIN "ami".grouped_meters AS b2
    ON a1.transformer_id = b2.transformer_id AND a1.group_at = b2.group_at
  UNION ALL
  SELECT
    a3.outage_id,
    a3.transformer_id,
    a3.meter_id,
    FALSE AS "gasped",
    a3.group_at AS out_at,
    COALESCE(MIN(b4."at"), MIN(a3.restored_at_10)) AS restored_at,
    COALESCE(a3.head_end, '') AS head_end
  FROM (
    SELECT
      a5.transformer_id,
      a5.group_at,
      a5.outage_id,
      a5.meter_id,
      a5.head_end,
      b6.restored_at AS restored_at_10
    FROM (
      SELECT
        a7.transformer_id,
        a7.group_at,
        a7.outage_id,
        a7.meter_id,
        a7.head_end
      FROM (
        SELECT
          a9.transformer_id,
          a9.group_at,
          a9.outage_id,
          b10.meter_id,
          b10.head_end
        FROM (
          SELECT
            transformer_id,
            group_at,
            outage_id
          FROM "ami".group_outages
          WHERE
            group_kind = 'TRANSFORMER'
        ) AS a9
        JOIN (
          SELECT
            meter_id,
            valid_from,
            valid_to,
            transformer_id AS transformer_id_3,
            head_end
          FROM "ami".meter_registry
          WHERE
            "state" IN ('active', 'comm_exempt') AND "measures" = 'customer'
        ) AS b10
          ON a9.transformer_id = b10.transformer_id_3
          AND (
            a9.group_at >= b10.valid_from
            AND a9.group_at < COALESCE(b10.valid_to, CAST('infinity' AS TIMESTAMPTZ))
          )
      ) AS a7
      LEFT JOIN "ami".grouped_meters AS b8
        ON (
          a7.transformer_id = b8.transformer_id AND a7.group_at = b8.group_at
        )
        AND a7.meter_id = b8.meter_id
      WHERE
        b8.meter_id IS NULL
    ) AS a5
    LEFT JOIN "ami".group_restorations AS b6
      ON a5.transformer_id = b6.transformer_id AND a5.group_at = b6.group_at
  ) AS a3
  LEFT JOIN "ami".power_signals AS b4
    ON a3.meter_id = b4.meter_id
    AND (
      (
        b4.is_up AND b4."at" > a3.group_at
      )
      AND b4."at" < a3.group_at + INTERVAL '7 days'
    )
  GROUP BY
    a3.outage_id,
    a3.transformer_id,
    a3.meter_id,
    a3.group_at,
    COALESCE(a3.head_end, '')
) AS q11;

CREATE VIEW "ami".outage_restorations AS
SELECT
  outage_id,
  MIN(restored_at) AS restored_at
FROM (
  SELECT
    a1.meter_id,
    a1.restored_at,
    a1.restored_share,
    b2.outage_id,
    ROW_NUMBER() OVER (PARTITION BY b2.outage_id ORDER BY a1.restored_at, a1.meter_id) AS over_1,
    COUNT(*) OVER (PARTITION BY b2.outage_id) AS over_2
  FROM (
    SELECT
      a3.transformer_id,
      a3.meter_id,
      a3.restored_at,
      a3.group_at,
      b4.restored_share
    FROM "ami".grouped_meters AS a3
    JOIN "ami".ami_parameters AS b4
      ON TRUE
  ) AS a1
  JOIN "ami".group_outages AS b2
    ON a1.transformer_id = b2.transformer_id AND a1.group_at = b2.group_at
) AS q5
WHERE
  NOT restored_at IS NULL AND over_1 >= restored_share * over_2
GROUP BY
  outage_id;

-- ami.outage_witnesses: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".outage_witnesses AS
SELECT
  outage_id,
  CAST(SUM("pings") AS BIGINT) AS failed_pings,
  CAST(SUM("zeros") AS BIGINT) AS zero_reads
FROM (
  SELECT
    a1.outage_id,
    1 AS "pings",
    0 AS "zeros"
  FROM "ami".outage_members AS a1
  JOIN (
    SELECT
      meter_id AS meter_id_1,
      pinged_at
    FROM "ami".meter_pings
    WHERE
      NOT "answered"
  ) AS b2
    ON a1.meter_id = b2.meter_id_1
    AND (
      b2.pinged_at >= a1.out_at
      AND b2.pinged_at < COALESCE(a1.restored_at, CAST('infinity' AS TIMESTAMPTZ))
    )
  UNION ALL
  SELECT
    a3.outage_id,
    0 AS "pings",
    1 AS "zeros"
  FROM "ami".outage_members AS a3
  JOIN (
    SELECT
      interval_start,
      meter_id AS meter_id_3
    FROM "ami".checked_reads
    WHERE
      (
        "flags" & 8
      ) <> 0
  ) AS b4
    ON a3.meter_id = b4.meter_id_3
    AND (
      b4.interval_start >= a3.out_at - INTERVAL '1 hour'
      AND b4.interval_start < COALESCE(a3.restored_at, CAST('infinity' AS TIMESTAMPTZ))
    )
) AS q5
GROUP BY
  outage_id;

-- ami.outage_list: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".outage_list AS
SELECT
  outage_id,
  device_id,
  "kind",
  parent_id,
  started_at,
  known_at,
  restored_at,
  "transformers",
  "heard",
  "restored",
  "meters",
  expected_out,
  failed_pings,
  zero_reads,
  "confidence",
  "status",
  "timely"
FROM (
  SELECT
    a1.outage_id,
    a1.device_id,
    a1."kind",
    CAST(NULL AS VARCHAR) AS parent_id,
    a1.started_at,
    a1.agg_1 AS known_at,
    a1.restored_at,
    a1.agg_2 AS "transformers",
    CAST(a1.agg_3 AS BIGINT) AS "heard",
    CAST(a1.agg_4 AS BIGINT) AS "restored",
    CAST(a1.agg_5 AS BIGINT) AS "meters",
    CASE
      WHEN a1."kind" = 'SERVICE'
      THEN CAST(a1.agg_3 AS BIGINT)
      ELSE LEAST(
        CAST(a1.agg_5 AS BIGINT),
        CAST(ROUND(CAST(CAST(a1.agg_3 AS BIGINT) AS DOUBLE PRECISION) / NULLIF(a1.gasp_success, 0)) AS BIGINT)
      )
    END AS expected_out,
    COALESCE(b2.failed_pings, 0) AS failed_pings,
    COALESCE(b2.zero_reads, 0) AS zero_reads,
    CASE
      WHEN a1."kind" = 'SERVICE'
      THEN LEAST(
        0.5,
        1 - LEAST(
          1,
          POWER(
            CAST(a1.agg_6 AS DOUBLE PRECISION),
            CAST(LEAST(CAST(a1.agg_3 AS BIGINT), 20) AS DOUBLE PRECISION)
          ) / NULLIF(FACTORIAL(CAST(CAST(LEAST(CAST(a1.agg_3 AS BIGINT), 20) AS INT) AS BIGINT)), 0)
        )
      )
      ELSE (
        1 - LEAST(
          1,
          POWER(
            CAST(a1.agg_6 AS DOUBLE PRECISION),
            CAST(LEAST(CAST(a1.agg_3 AS BIGINT), 20) AS DOUBLE PRECISION)
          ) / NULLIF(FACTORIAL(CAST(CAST(LEAST(CAST(a1.agg_3 AS BIGINT), 20) AS INT) AS BIGINT)), 0)
        )
      )
    END AS "confidence",
    CASE
      WHEN NOT a1.restored_at IS NULL
      THEN 'RESTORED'
      WHEN CAST(a1.agg_4 AS BIGINT) > 0
      THEN 'PARTIALLY_RESTORED'
      WHEN a1."kind" <> 'SERVICE'
      OR COALESCE(b2.failed_pings, 0) + COALESCE(b2.zero_reads, 0) > 0
      THEN 'CONFIRMED'
      ELSE 'CANDIDATE'
    END AS "status",
    a1.agg_1 <= a1.started_at + a1.alert_horizon AS "timely"
  FROM (
    SELECT
      a3.outage_id,
      a3.device_id,
      a3."kind",
      a3.started_at,
      a3.agg_1,
      a3.agg_2,
      a3.agg_3,
      a3.agg_4,
      a3.agg_5,
      a3.agg_6,
      a3.alert_horizon,
      a3.gasp_success,
      b4.restored_at
    FROM (
      SELECT
        a5.outage_id,
        a5.device_id,
        a5."kind",
        a5.started_at,
        a5.agg_1,
        a5.agg_2,
        a5.agg_3,
        a5.agg_4,
        a5.agg_5,
        a5.agg_6,
        b6.alert_horizon,
        b6.gasp_success
      FROM (
        SELECT
          a7.outage_id,
          a7.device_id,
          a7."kind",
          a7.started_at,
          MIN(a7.known_at) AS agg_1,
          COUNT(*) AS agg_2,
          SUM(a7."heard") AS agg_3,
          SUM(a7."restored") AS agg_4,
          SUM(a7."meters") AS agg_5,
          SUM(
            CAST(a7."gaspers" * b8.false_gasps_hour * CAST(EXTRACT(EPOCH FROM b8.outage_window) AS DOUBLE PRECISION) / 3600 AS DECIMAL(18, 9))
          ) AS agg_6
        FROM "ami".group_outages AS a7
        JOIN "ami".ami_parameters AS b8
          ON TRUE
        GROUP BY
          a7.outage_id,
          a7.device_id,
          a7."kind",
          a7.started_at
      ) AS a5
      JOIN "ami".ami_parameters AS b6
        ON TRUE
    ) AS a3
    LEFT JOIN "ami".outage_restorations AS b4
      ON a3.outage_id = b4.outage_id
  ) AS a1
  LEFT JOIN "ami".outage_witnesses AS b2
    ON a1.outage_id = b2.outage_id
  UNION ALL
  SELECT
    (
      a9.outage_id || '/'
    ) || a9.transformer_id AS outage_id,
    a9.transformer_id AS device_id,
    CASE WHEN COUNT(*) >= 2 THEN 'TRANSFORMER' ELSE 'SERVICE' END AS "kind",
    a9.outage_id AS parent_id,
    MIN(a9.out_at) AS started_at,
    a9.restored_at_4 AS known_at,
    CASE WHEN COUNT(a9.restored_at) = COUNT(*) THEN MAX(a9.restored_at) END AS restored_at,
    1 AS "transformers",
    COUNT(*) AS "heard",
    COUNT(a9.restored_at) AS "restored",
    COUNT(*) AS "meters",
    COUNT(*) AS expected_out,
    0 AS failed_pings,
    0 AS zero_reads,
    1 AS "confidence",
    CASE
      WHEN COUNT(a9.restored_at) = COUNT(*)
      THEN 'RESTORED'
      WHEN COUNT(a9.restored_at) > 0
      THEN 'PARTIALLY_RESTORED'
      ELSE 'CONFIRMED'
    END AS "status",
    TRUE AS "timely"
  FROM (
    SELECT
      a11.outage_id,
      a11.transformer_id,
      a11.out_at,
      a11.restored_at,
      b12.restored_at AS restored_at_4
    FROM (
      SELECT
        outage_id,
        transformer_id,
        out_at,
        restored_at
      FROM "ami".outage_members
      WHERE
        "gasped"
    ) AS a11
    JOIN "ami".outage_restorations AS b12
      ON a11.outage_id = b12.outage_id
  ) AS a9
  JOIN "ami".ami_parameters AS b10
    ON TRUE
  WHERE
    (
      a9.restored_at_4 + b10.nested_after
    ) <= NOW()
    AND (
      a9.restored_at IS NULL
      OR a9.restored_at > (
        a9.restored_at_4 + b10.nested_after
      )
    )
  GROUP BY
    a9.outage_id,
    a9.transformer_id,
    a9.restored_at_4
) AS q13;

CREATE VIEW "ami"."outages" AS
SELECT
  outage_id,
  device_id,
  "kind",
  parent_id,
  started_at,
  known_at,
  restored_at,
  "transformers",
  "heard",
  "restored",
  "meters",
  expected_out,
  failed_pings,
  zero_reads,
  "confidence",
  "timely",
  CASE WHEN restored_at + "_close_after" <= NOW() THEN 'CLOSED' ELSE "_status" END AS "state"
FROM (
SELECT
  a1.outage_id,
  a1.device_id,
  a1."kind",
  a1.parent_id,
  a1.started_at,
  a1.known_at,
  a1.restored_at,
  a1."transformers",
  a1."heard",
  a1."restored",
  a1."meters",
  a1.expected_out,
  a1.failed_pings,
  a1.zero_reads,
  a1."confidence",
  a1."timely",
  b2.close_after AS "_close_after",
  a1."status" AS "_status"
FROM "ami".outage_list AS a1
JOIN "ami".ami_parameters AS b2
  ON TRUE
) AS kept;

CREATE VIEW "ami".grid_days AS
SELECT
  "s" AS "day"
FROM GENERATE_SERIES(CAST('2015-01-01 00:00:00+00:00' AS TIMESTAMPTZ), NOW(), INTERVAL '1 day') AS s1("s");

-- ami.first_reads: approximated: rows whose order is equal: any of them, not the earliest arrival
CREATE VIEW "ami".first_reads AS
SELECT
  first_start
FROM (
  SELECT
    window_start AS first_start,
    ROW_NUMBER() OVER (ORDER BY window_start ASC) AS "_rank"
  FROM "ami".transformer_windows
  WHERE
    within_24h > 0
) AS q1
WHERE
  "_rank" = 1;

CREATE VIEW "ami".due_windows AS
SELECT
  window_start_39 AS window_start,
  interval_s
FROM (
  SELECT
    a1.interval_s,
    a1.grid_from_13,
    a1.receipt_grace_15,
    b2.first_start,
    GENERATE_SERIES(
      CAST(a1."day" AS TIMESTAMPTZ),
      CAST(a1."day" + INTERVAL '1 day' - a1.interval_s * INTERVAL '1 second' AS TIMESTAMPTZ),
      a1.interval_s * INTERVAL '1 second'
    ) AS window_start_39
  FROM (
    SELECT
      a3."day",
      a3."pack",
      a3.time_zone,
      a3.voltage_profile,
      a3.nominal_v,
      a3.max_kw_1p,
      a3.max_kw_3p,
      a3.max_margin,
      a3.spike_share,
      a3.spike_kwh,
      a3.slot_factor,
      a3.stuck_intervals,
      a3.zero_intervals,
      a3.grid_from,
      a3.receipt_horizon,
      a3.receipt_grace,
      a3.low_receipt_pct,
      a3.receipt_meters_min,
      a3.silent_windows,
      a3.alert_horizon,
      a3.power_factor,
      a3.momentary_filter,
      a3.sustained_after,
      a3.outage_window,
      a3.device_window,
      a3.transformer_share,
      a3.device_share,
      a3.feeder_share,
      a3.false_gasps_hour,
      a3.gasp_success,
      a3.restored_share,
      a3.nested_after,
      a3.close_after,
      a3.swap_mask,
      a3.residual_pct,
      a3.residual_days,
      a3.clear_receipt_pct,
      a3.overload_pct,
      a3.tamper_shown,
      a3.interval_s,
      b4."pack" AS pack_1,
      b4.time_zone AS time_zone_2,
      b4.voltage_profile AS voltage_profile_3,
      b4.nominal_v AS nominal_v_4,
      b4.max_kw_1p AS max_kw_1p_5,
      b4.max_kw_3p AS max_kw_3p_6,
      b4.max_margin AS max_margin_7,
      b4.spike_share AS spike_share_8,
      b4.spike_kwh AS spike_kwh_9,
      b4.slot_factor AS slot_factor_10,
      b4.stuck_intervals AS stuck_intervals_11,
      b4.zero_intervals AS zero_intervals_12,
      b4.grid_from AS grid_from_13,
      b4.receipt_horizon AS receipt_horizon_14,
      b4.receipt_grace AS receipt_grace_15,
      b4.low_receipt_pct AS low_receipt_pct_16,
      b4.receipt_meters_min AS receipt_meters_min_17,
      b4.silent_windows AS silent_windows_18,
      b4.alert_horizon AS alert_horizon_19,
      b4.power_factor AS power_factor_20,
      b4.momentary_filter AS momentary_filter_21,
      b4.sustained_after AS sustained_after_22,
      b4.outage_window AS outage_window_23,
      b4.device_window AS device_window_24,
      b4.transformer_share AS transformer_share_25,
      b4.device_share AS device_share_26,
      b4.feeder_share AS feeder_share_27,
      b4.false_gasps_hour AS false_gasps_hour_28,
      b4.gasp_success AS gasp_success_29,
      b4.restored_share AS restored_share_30,
      b4.nested_after AS nested_after_31,
      b4.close_after AS close_after_32,
      b4.swap_mask AS swap_mask_33,
      b4.residual_pct AS residual_pct_34,
      b4.residual_days AS residual_days_35,
      b4.clear_receipt_pct AS clear_receipt_pct_36,
      b4.overload_pct AS overload_pct_37,
      b4.tamper_shown AS tamper_shown_38
    FROM (
      SELECT
        a5."day",
        a5."pack",
        a5.time_zone,
        a5.voltage_profile,
        a5.nominal_v,
        a5.max_kw_1p,
        a5.max_kw_3p,
        a5.max_margin,
        a5.spike_share,
        a5.spike_kwh,
        a5.slot_factor,
        a5.stuck_intervals,
        a5.zero_intervals,
        a5.grid_from,
        a5.receipt_horizon,
        a5.receipt_grace,
        a5.low_receipt_pct,
        a5.receipt_meters_min,
        a5.silent_windows,
        a5.alert_horizon,
        a5.power_factor,
        a5.momentary_filter,
        a5.sustained_after,
        a5.outage_window,
        a5.device_window,
        a5.transformer_share,
        a5.device_share,
        a5.feeder_share,
        a5.false_gasps_hour,
        a5.gasp_success,
        a5.restored_share,
        a5.nested_after,
        a5.close_after,
        a5.swap_mask,
        a5.residual_pct,
        a5.residual_days,
        a5.clear_receipt_pct,
        a5.overload_pct,
        a5.tamper_shown,
        b6.interval_s
      FROM (
        SELECT
          a7."day",
          b8."pack",
          b8.time_zone,
          b8.voltage_profile,
          b8.nominal_v,
          b8.max_kw_1p,
          b8.max_kw_3p,
          b8.max_margin,
          b8.spike_share,
          b8.spike_kwh,
          b8.slot_factor,
          b8.stuck_intervals,
          b8.zero_intervals,
          b8.grid_from,
          b8.receipt_horizon,
          b8.receipt_grace,
          b8.low_receipt_pct,
          b8.receipt_meters_min,
          b8.silent_windows,
          b8.alert_horizon,
          b8.power_factor,
          b8.momentary_filter,
          b8.sustained_after,
          b8.outage_window,
          b8.device_window,
          b8.transformer_share,
          b8.device_share,
          b8.feeder_share,
          b8.false_gasps_hour,
          b8.gasp_success,
          b8.restored_share,
          b8.nested_after,
          b8.close_after,
          b8.swap_mask,
          b8.residual_pct,
          b8.residual_days,
          b8.clear_receipt_pct,
          b8.overload_pct,
          b8.tamper_shown
        FROM "ami".grid_days AS a7
        JOIN "ami".ami_parameters AS b8
          ON TRUE
        WHERE
          (
            b8.receipt_horizon + a7."day"
          ) > NOW()
      ) AS a5
      JOIN (
        SELECT DISTINCT
          interval_s
        FROM "ami".transformer_population
      ) AS b6
        ON TRUE
    ) AS a3
    JOIN "ami".ami_parameters AS b4
      ON TRUE
  ) AS a1
  LEFT JOIN "ami".first_reads AS b2
    ON TRUE
) AS q10
WHERE
  (
    window_start_39 + (
      INTERVAL '1 second' * CAST(interval_s * (
        1 + receipt_grace_15
      ) AS DOUBLE PRECISION)
    )
  ) <= NOW()
  AND window_start_39 >= LEAST(grid_from_13, first_start);

-- ami.outage_windows: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".outage_windows AS
SELECT
  b2.window_start,
  b2.interval_s,
  a1.transformer_id,
  COUNT(DISTINCT a1.meter_id) AS meters_out
FROM "ami".outage_members AS a1
JOIN "ami".due_windows AS b2
  ON (
    b2.window_start < COALESCE(a1.restored_at, CAST('infinity' AS TIMESTAMPTZ))
    AND b2.window_start + b2.interval_s * INTERVAL '1 second' > a1.out_at
  )
GROUP BY
  b2.window_start,
  b2.interval_s,
  a1.transformer_id;

CREATE VIEW "ami".receipt_windows AS
SELECT
  a1.window_start,
  a1.transformer_id,
  a1.interval_s,
  a1."meters" AS "expected",
  COALESCE(a1."reported", 0) AS "reported",
  COALESCE(a1."estimated", 0) AS "estimated",
  a1."meters" - COALESCE(a1."reported", 0) AS "missing",
  COALESCE(b2.meters_out, 0) AS meters_out,
  CAST(ROUND((
    100.0 * COALESCE(a1."reported", 0)
  ) / NULLIF(a1."meters", 0), 1) AS DECIMAL(38, 1)) AS receipt_pct,
  CAST(ROUND(
    (
      100.0 * COALESCE(a1."reported", 0)
    ) / NULLIF(
      NULLIF(GREATEST(a1."meters" - COALESCE(b2.meters_out, 0), COALESCE(a1."reported", 0)), 0),
      0
    ),
    1
  ) AS DECIMAL(38, 1)) AS adjusted_pct,
  COALESCE(a1.within_4h, 0) AS within_4h,
  COALESCE(a1.within_24h, 0) AS within_24h,
  COALESCE(a1.within_72h, 0) AS within_72h
FROM (
  SELECT
    a3.window_start,
    a3.interval_s,
    a3.transformer_id,
    a3."meters",
    b4."reported",
    b4."estimated",
    b4.within_4h,
    b4.within_24h,
    b4.within_72h
  FROM (
    SELECT
      a5.window_start,
      a5.interval_s,
      b6.transformer_id,
      b6."meters"
    FROM "ami".due_windows AS a5
    JOIN (
      SELECT
        transformer_id,
        interval_s AS interval_s_1,
        valid_from,
        valid_to,
        "meters"
      FROM "ami".transformer_population
      WHERE
        "meters" > 0
    ) AS b6
      ON a5.interval_s = b6.interval_s_1
      AND (
        a5.window_start >= b6.valid_from AND a5.window_start < b6.valid_to
      )
  ) AS a3
  LEFT JOIN "ami".transformer_windows AS b4
    ON (
      a3.window_start = b4.window_start AND a3.transformer_id = b4.transformer_id
    )
    AND a3.interval_s = b4.interval_s
) AS a1
LEFT JOIN "ami".outage_windows AS b2
  ON (
    a1.window_start = b2.window_start AND a1.transformer_id = b2.transformer_id
  )
  AND a1.interval_s = b2.interval_s;

CREATE VIEW "ami".timeliness_days AS
SELECT
  CAST(a1.window_start AT TIME ZONE b2.time_zone AS DATE) AS local_day,
  SUM(a1."expected") AS "expected",
  SUM(a1."reported") AS "reported",
  CAST(ROUND((
    100.0 * SUM(a1.within_4h)
  ) / NULLIF(NULLIF(SUM(a1."expected"), 0), 0), 2) AS DECIMAL(38, 2)) AS within_4h_pct,
  CAST(ROUND((
    100.0 * SUM(a1.within_24h)
  ) / NULLIF(NULLIF(SUM(a1."expected"), 0), 0), 2) AS DECIMAL(38, 2)) AS within_24h_pct,
  CAST(ROUND((
    100.0 * SUM(a1.within_72h)
  ) / NULLIF(NULLIF(SUM(a1."expected"), 0), 0), 2) AS DECIMAL(38, 2)) AS within_72h_pct,
  CAST(ROUND((
    100.0 * SUM(a1."reported")
  ) / NULLIF(NULLIF(SUM(a1."expected"), 0), 0), 2) AS DECIMAL(38, 2)) AS complete_pct
FROM "ami".receipt_windows AS a1
JOIN "ami".ami_parameters AS b2
  ON TRUE
GROUP BY
  CAST(a1.window_start AT TIME ZONE b2.time_zone AS DATE);

-- ami.tampers: approximated: the query fails for as long as the row is there
CREATE VIEW "ami"."tampers" AS
SELECT
  a1.event_id,
  a1.meter_id,
  b2.transformer_id,
  a1.occurred_at,
  a1.received_at,
  a1."kind",
  a1."severity",
  a1."meaning"
FROM (
  SELECT
    event_id,
    meter_id,
    occurred_at,
    received_at,
    "kind",
    "severity",
    "meaning"
  FROM "ami"."events"
  WHERE
    "kind" IN ('TAMPER', 'SECURITY')
) AS a1
JOIN "ami".meter_registry AS b2
  ON a1.meter_id = b2.meter_id
  AND (
    a1.occurred_at >= b2.valid_from
    AND a1.occurred_at < COALESCE(b2.valid_to, CAST('infinity' AS TIMESTAMPTZ))
  );

CREATE VIEW "ami".reverse_flow_days AS
SELECT
  a1.local_day,
  a1.meter_id,
  a1.transformer_id,
  a1.agg_1 AS "reversed",
  a1.agg_2 AS received_kwh
FROM (
  SELECT
    local_day,
    meter_id,
    interval_s,
    transformer_id,
    COUNT(*) AS agg_1,
    SUM(
      CASE
        WHEN (
          "flags" & 3
        ) = 0
        THEN CAST(received_kwh AS DECIMAL(38, 10))
        ELSE CAST(0 AS DECIMAL(38, 10))
      END
    ) AS agg_2
  FROM "ami".checked_reads
  WHERE
    received_kwh > 0 AND "measures" = 'customer'
  GROUP BY
    local_day,
    meter_id,
    interval_s,
    transformer_id
) AS a1
JOIN (
  SELECT
    meter_id AS meter_id_1,
    valid_from,
    valid_to,
    transformer_id AS transformer_id_2,
    interval_s AS interval_s_3,
    time_zone
  FROM "ami".located_meters
  WHERE
    NOT has_generation
) AS b2
  ON (
    (
      a1.meter_id = b2.meter_id_1 AND a1.transformer_id = b2.transformer_id_2
    )
    AND a1.interval_s = b2.interval_s_3
  )
  AND (
    a1.local_day >= (
      b2.valid_from AT TIME ZONE b2.time_zone
    ) - INTERVAL '1 day'
    AND a1.local_day < (
      b2.valid_to AT TIME ZONE b2.time_zone
    )
  );

-- ami.energy_balance_days: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".energy_balance_days AS
SELECT
  a1.local_day,
  a1.transformer_id,
  CAST((
    a1.agg_1 - a1.agg_2
  ) AS DOUBLE PRECISION) AS supplied_kwh,
  CAST(a1.agg_3_5 AS DOUBLE PRECISION) AS sold_kwh,
  COALESCE(b2.no_load_kw, 0) * (
    a1.agg_4 / 3600
  ) + COALESCE(b2.load_loss_kw, 0) * a1.agg_5 AS loss_kwh,
  CAST((
    a1.agg_1 - a1.agg_2
  ) AS DOUBLE PRECISION) - CAST(a1.agg_3_5 AS DOUBLE PRECISION) - (
    COALESCE(b2.no_load_kw, 0) * (
      a1.agg_4 / 3600
    ) + COALESCE(b2.load_loss_kw, 0) * a1.agg_5
  ) AS residual_kwh,
  100 * (
    CAST((
      a1.agg_1 - a1.agg_2
    ) AS DOUBLE PRECISION) - CAST(a1.agg_3_5 AS DOUBLE PRECISION) - (
      COALESCE(b2.no_load_kw, 0) * (
        a1.agg_4 / 3600
      ) + COALESCE(b2.load_loss_kw, 0) * a1.agg_5
    )
  ) / NULLIF(NULLIF(CAST((
    a1.agg_1 - a1.agg_2
  ) AS DOUBLE PRECISION), 0), 0) AS residual_pct,
  100 * (
    CAST((
      a1.agg_1 - a1.agg_2
    ) AS DOUBLE PRECISION) - CAST(a1.agg_3_5 AS DOUBLE PRECISION) - (
      COALESCE(b2.no_load_kw, 0) * (
        a1.agg_4 / 3600
      ) + COALESCE(b2.load_loss_kw, 0) * a1.agg_5
    )
  ) > a1.residual_pct * CAST((
    a1.agg_1 - a1.agg_2
  ) AS DOUBLE PRECISION) AS "suspect"
FROM (
  SELECT
    a3.local_day,
    a3.transformer_id,
    a3.agg_1,
    a3.agg_2,
    a3.time_zone,
    a3.residual_pct,
    b4.agg_3_5,
    b4.agg_4,
    b4.agg_5
  FROM (
    SELECT
      a5.local_day,
      a5.transformer_id,
      a5.interval_s,
      a5.agg_1,
      a5.agg_2,
      a5.agg_3,
      b6.time_zone,
      b6.residual_pct
    FROM (
      SELECT
        local_day,
        transformer_id,
        interval_s,
        SUM(COALESCE(CAST(delivered_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10)))) AS agg_1,
        SUM(COALESCE(CAST(received_kwh AS DECIMAL(38, 10)), CAST(0 AS DECIMAL(38, 10)))) AS agg_2,
        COUNT(*) AS agg_3
      FROM "ami".checked_reads
      WHERE
        "measures" = 'transformer' AND (
          "flags" & 3
        ) = 0
      GROUP BY
        local_day,
        transformer_id,
        interval_s
    ) AS a5
    JOIN "ami".ami_parameters AS b6
      ON TRUE
  ) AS a3
  JOIN (
    SELECT
      "group",
      transformer_id AS transformer_id_1,
      interval_s AS interval_s_2,
      agg_1 AS agg_1_3,
      agg_3 AS agg_3_5,
      agg_4,
      agg_5
    FROM (
      SELECT
        DATE_TRUNC('day', a7.window_start AT TIME ZONE b8.time_zone) AS "group",
        a7.transformer_id,
        a7.interval_s,
        COUNT(*) AS agg_1,
        COUNT(*) FILTER(WHERE
          NOT a7."complete") AS agg_2,
        SUM(a7.delivered_kwh - a7.received_kwh) AS agg_3,
        SUM(CAST(a7.interval_s AS DECIMAL(18, 6))) AS agg_4,
        SUM(
          CAST(COALESCE(a7.loading_pct * a7.loading_pct / 10000, 0) * a7.interval_s / 3600 AS DECIMAL(18, 6))
        ) AS agg_5
      FROM "ami".transformer_load AS a7
      JOIN "ami".ami_parameters AS b8
        ON TRUE
      GROUP BY
        DATE_TRUNC('day', a7.window_start AT TIME ZONE b8.time_zone),
        a7.transformer_id,
        a7.interval_s
    ) AS q9
    WHERE
      agg_2 = 0
  ) AS b4
    ON (
      (
        (
          a3.local_day = b4."group" AND a3.transformer_id = b4.transformer_id_1
        )
        AND a3.interval_s = b4.interval_s_2
      )
      AND a3.agg_3 = b4.agg_1_3
    )
    AND (
      b4.agg_1_3 * b4.interval_s_2 >= CAST(EXTRACT(EPOCH FROM (
        (
          a3.local_day + INTERVAL '1 day'
        ) AT TIME ZONE a3.time_zone
      ) - (
        a3.local_day AT TIME ZONE a3.time_zone
      )) AS BIGINT)
    )
) AS a1
JOIN "ami"."transformers" AS b2
  ON a1.transformer_id = b2.transformer_id
  AND (
    (
      a1.local_day AT TIME ZONE a1.time_zone
    ) >= b2.valid_from
    AND (
      a1.local_day AT TIME ZONE a1.time_zone
    ) < COALESCE(b2.valid_to, CAST('infinity' AS TIMESTAMPTZ))
  );

-- ami.loss_candidates: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".loss_candidates AS
SELECT
  local_day,
  transformer_id,
  agg_1 AS residual_kwh,
  agg_2 AS "days"
FROM (
  SELECT
    a1.local_day,
    a1.transformer_id,
    a1.residual_days,
    SUM(CAST(b2.residual_kwh_7 AS DECIMAL(18, 6))) AS agg_1,
    COUNT(*) AS agg_2
  FROM (
    SELECT
      a3.local_day,
      a3.transformer_id,
      b4.residual_days
    FROM (
      SELECT
        local_day,
        transformer_id
      FROM "ami".energy_balance_days
      WHERE
        "suspect"
    ) AS a3
    JOIN "ami".ami_parameters AS b4
      ON TRUE
  ) AS a1
  JOIN (
    SELECT
      local_day AS local_day_2,
      transformer_id AS transformer_id_3,
      residual_kwh AS residual_kwh_7
    FROM "ami".energy_balance_days
    WHERE
      "suspect"
  ) AS b2
    ON a1.transformer_id = b2.transformer_id_3
    AND (
      b2.local_day_2 <= a1.local_day
      AND b2.local_day_2 > a1.local_day - a1.residual_days * INTERVAL '1 day'
    )
  GROUP BY
    a1.local_day,
    a1.transformer_id,
    a1.residual_days
) AS q5
WHERE
  agg_2 >= residual_days;

-- ami.loss_evidence: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".loss_evidence AS
SELECT
  local_day,
  meter_id,
  transformer_id,
  "evidence",
  "weight"
FROM (
  SELECT
    local_day,
    meter_id,
    transformer_id,
    "evidence",
    "weight"
  FROM (
    SELECT
      local_day,
      meter_id,
      transformer_id,
      "evidence",
      "weight"
    FROM (
      SELECT
        local_day,
        meter_id,
        transformer_id,
        "evidence",
        "weight"
      FROM (
        SELECT
          local_day,
          meter_id,
          transformer_id,
          "evidence",
          "weight"
        FROM (
          SELECT
            CAST(a1.occurred_at AT TIME ZONE b2.time_zone AS DATE) AS local_day,
            a1.meter_id,
            a1.transformer_id,
            'TAMPER' AS "evidence",
            3 AS "weight"
          FROM "ami"."tampers" AS a1
          JOIN "ami".ami_parameters AS b2
            ON TRUE
          UNION ALL
          SELECT
            CAST(local_day AS DATE) AS local_day,
            meter_id,
            transformer_id,
            'REVERSE_FLOW' AS "evidence",
            1 AS "weight"
          FROM "ami".reverse_flow_days
        ) AS q3
        UNION ALL
        SELECT
          CAST(a4.local_day AS DATE) AS local_day,
          a4.meter_id,
          a4.transformer_id,
          'USE_WHILE_INACTIVE' AS "evidence",
          4 AS "weight"
        FROM (
          SELECT
            a6.local_day,
            a6.meter_id,
            a6.transformer_id,
            b7.time_zone
          FROM (
            SELECT
              local_day,
              meter_id,
              transformer_id
            FROM "ami".meter_days
            WHERE
              delivered_kwh > 0
          ) AS a6
          JOIN "ami".ami_parameters AS b7
            ON TRUE
        ) AS a4
        JOIN (
          SELECT
            meter_id AS meter_id_1,
            valid_from,
            valid_to
          FROM "ami".meter_registry
          WHERE
            "state" IN ('installed', 'disconnected', 'retired')
        ) AS b5
          ON a4.meter_id = b5.meter_id_1
          AND (
            (
              a4.local_day AT TIME ZONE a4.time_zone
            ) >= b5.valid_from
            AND (
              a4.local_day AT TIME ZONE a4.time_zone
            ) < COALESCE(b5.valid_to, CAST('infinity' AS TIMESTAMPTZ))
          )
      ) AS q8
      UNION ALL
      SELECT
        CAST(local_day AS DATE) AS local_day,
        meter_id,
        transformer_id,
        'ZERO_USE' AS "evidence",
        2 AS "weight"
      FROM "ami".meter_days
      WHERE
        (
          (
            "measures" = 'customer' AND "zeros" = "intervals"
          )
          AND "intervals" * interval_s >= 82800
        )
        AND "voltages" > 0
    ) AS q9
    UNION ALL
    SELECT
      CAST(local_day AS DATE) AS local_day,
      meter_id,
      transformer_id,
      'STUCK' AS "evidence",
      2 AS "weight"
    FROM "ami".meter_days
    WHERE
      (
        (
          "measures" = 'customer' AND sum_kwh > 0
        ) AND "intervals" >= 8
      )
      AND "intervals" * square_kwh = sum_kwh * sum_kwh
  ) AS q10
  UNION ALL
  SELECT
    CAST(a11.occurred_at AT TIME ZONE a11.time_zone AS DATE) AS local_day,
    a11.meter_id,
    a11.transformer_id,
    'DROP_AFTER_TAMPER' AS "evidence",
    4 AS "weight"
  FROM (
    SELECT
      a13.meter_id,
      a13.transformer_id,
      a13.occurred_at,
      a13.time_zone,
      b14.interval_s,
      b14."intervals",
      b14.delivered_kwh
    FROM (
      SELECT
        a15.meter_id,
        a15.transformer_id,
        a15.occurred_at,
        b16.time_zone
      FROM "ami"."tampers" AS a15
      JOIN "ami".ami_parameters AS b16
        ON TRUE
    ) AS a13
    JOIN "ami".meter_days AS b14
      ON a13.meter_id = b14.meter_id
      AND (
        DATE_TRUNC('day', a13.occurred_at AT TIME ZONE a13.time_zone) - INTERVAL '1 day'
      ) = b14.local_day
  ) AS a11
  JOIN "ami".meter_days AS b12
    ON (
      (
        a11.meter_id = b12.meter_id AND a11.interval_s = b12.interval_s
      )
      AND (
        DATE_TRUNC('day', a11.occurred_at AT TIME ZONE a11.time_zone) + INTERVAL '1 day'
      ) = b12.local_day
    )
    AND (
      b12."intervals" >= a11."intervals"
      AND b12.delivered_kwh < 0.5 * a11.delivered_kwh
    )
) AS q17;

-- ami.loss_scores: approximated: the query fails for as long as the row is there
CREATE VIEW "ami".loss_scores AS
SELECT
  a1.meter_id,
  a1.transformer_id,
  CAST(SUM(a1."weight") AS BIGINT) AS "score",
  COUNT(DISTINCT a1."evidence") AS "kinds",
  MAX(a1.local_day) AS last_day,
  BOOL_OR(NOT b2.transformer_id IS NULL) AS transformer_is_candidate
FROM (
  SELECT
    local_day,
    meter_id,
    transformer_id,
    "evidence",
    "weight"
  FROM (
    SELECT
      local_day,
      meter_id,
      transformer_id,
      "evidence",
      "weight"
    FROM (
      SELECT
        local_day,
        meter_id,
        transformer_id,
        "evidence",
        "weight"
      FROM (
        SELECT
          local_day,
          meter_id,
          transformer_id,
          "evidence",
          "weight"
        FROM (
          SELECT
            CAST(a3.occurred_at AT TIME ZONE b4.time_zone AS DATE) AS local_day,
            a3.meter_id,
            a3.transformer_id,
            'TAMPER' AS "evidence",
            3 AS "weight"
          FROM "ami"."tampers" AS a3
          JOIN "ami".ami_parameters AS b4
            ON TRUE
          UNION ALL
          SELECT
            CAST(local_day AS DATE) AS local_day,
            meter_id,
            transformer_id,
            'REVERSE_FLOW' AS "evidence",
            1 AS "weight"
          FROM "ami".reverse_flow_days
        ) AS q5
        UNION ALL
        SELECT
          CAST(a6.local_day AS DATE) AS local_day,
          a6.meter_id,
          a6.transformer_id,
          'USE_WHILE_INACTIVE' AS "evidence",
          4 AS "weight"
        FROM (
          SELECT
            a8.local_day,
            a8.meter_id,
            a8.transformer_id,
            b9.time_zone
          FROM (
            SELECT
              local_day,
              meter_id,
              transformer_id
            FROM "ami".meter_days
            WHERE
              delivered_kwh > 0
          ) AS a8
          JOIN "ami".ami_parameters AS b9
            ON TRUE
        ) AS a6
        JOIN (
          SELECT
            meter_id AS meter_id_1,
            valid_from,
            valid_to
          FROM "ami".meter_registry
          WHERE
            "state" IN ('installed', 'disconnected', 'retired')
        ) AS b7
          ON a6.meter_id = b7.meter_id_1
          AND (
            (
              a6.local_day AT TIME ZONE a6.time_zone
            ) >= b7.valid_from
            AND (
              a6.local_day AT TIME ZONE a6.time_zone
            ) < COALESCE(b7.valid_to, CAST('infinity' AS TIMESTAMPTZ))
          )
      ) AS q10
      UNION ALL
      SELECT
        CAST(local_day AS DATE) AS local_day,
        meter_id,
        transformer_id,
        'ZERO_USE' AS "evidence",
        2 AS "weight"
      FROM "ami".meter_days
      WHERE
        (
          (
            "measures" = 'customer' AND "zeros" = "intervals"
          )
          AND "intervals" * interval_s >= 82800
        )
        AND "voltages" > 0
    ) AS q11
    UNION ALL
    SELECT
      CAST(local_day AS DATE) AS local_day,
      meter_id,
      transformer_id,
      'STUCK' AS "evidence",
      2 AS "weight"
    FROM "ami".meter_days
    WHERE
      (
        (
          "measures" = 'customer' AND sum_kwh > 0
        ) AND "intervals" >= 8
      )
      AND "intervals" * square_kwh = sum_kwh * sum_kwh
  ) AS q12
  UNION ALL
  SELECT
    CAST(a13.occurred_at AT TIME ZONE a13.time_zone AS DATE) AS local_day,
    a13.meter_id,
    a13.transformer_id,
    'DROP_AFTER_TAMPER' AS "evidence",
    4 AS "weight"
  FROM (
    SELECT
      a15.meter_id,
      a15.transformer_id,
      a15.occurred_at,
      a15.time_zone,
      b16.interval_s,
      b16."intervals",
      b16.delivered_kwh
    FROM (
      SELECT
        a17.meter_id,
        a17.transformer_id,
        a17.occurred_at,
        b18.time_zone
      FROM "ami"."tampers" AS a17
      JOIN "ami".ami_parameters AS b18
        ON TRUE
    ) AS a15
    JOIN "ami".meter_days AS b16
      ON a15.meter_id = b16.meter_id
      AND (
        DATE_TRUNC('day', a15.occurred_at AT TIME ZONE a15.time_zone) - INTERVAL '1 day'
      ) = b16.local_day
  ) AS a13
  JOIN "ami".meter_days AS b14
    ON (
      (
        a13.meter_id = b14.meter_id AND a13.interval_s = b14.interval_s
      )
      AND (
        DATE_TRUNC('day', a13.occurred_at AT TIME ZONE a13.time_zone) + INTERVAL '1 day'
      ) = b14.local_day
    )
    AND (
      b14."intervals" >= a13."intervals"
      AND b14.delivered_kwh < 0.5 * a13.delivered_kwh
    )
) AS a1
LEFT JOIN (
  SELECT DISTINCT
    transformer_id
  FROM "ami".loss_candidates
) AS b2
  ON a1.transformer_id = b2.transformer_id
GROUP BY
  a1.meter_id,
  a1.transformer_id;

CREATE PROCEDURE voltstream_refresh(job_id INTEGER DEFAULT NULL, config JSONB DEFAULT NULL)
LANGUAGE plpgsql AS $$ BEGIN
  REFRESH MATERIALIZED VIEW "ami".group_outages;
  REFRESH MATERIALIZED VIEW "ami".outage_members;
END $$;

SELECT add_job('voltstream_refresh', '5 minutes');
