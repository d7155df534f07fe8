-- What the gateway keeps beside the five sources of 010: the frames themselves, what chargers tell
-- about themselves, what they were told, and the records of charge. Made when a charger first
-- connects, or with the pack.

CREATE SOURCE IF NOT EXISTS charger_frames (
    raw_id            BIGINT,
    charge_point_id   VARCHAR,
    connection_id     BIGINT,
    direction         VARCHAR,      -- in: from the charger; out: a command to it, its passwords hidden
    ocpp_version      VARCHAR,
    message_id        VARCHAR,
    action            VARCHAR,
    frame             VARCHAR,
    reply             VARCHAR,      -- what it was answered; NULL for a message without an answer
    error_code        VARCHAR,      -- of a message that was refused, or that we refused to answer
    sha256            VARCHAR,      -- of the frame
    content_key       VARCHAR,      -- the same for a message that is sent again under another id
    flags             BIGINT,
    received_ts       TIMESTAMPTZ
) WITH (retention = '90 days');

CREATE SOURCE IF NOT EXISTS charger_connections (
    charge_point_id   VARCHAR,
    connection_id     BIGINT,
    event             VARCHAR,      -- connected, disconnected, refused
    reason            VARCHAR,
    ocpp_version      VARCHAR,
    security_profile  INTEGER,
    address           VARCHAR,
    received_ts       TIMESTAMPTZ
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_authorizations (
    charge_point_id   VARCHAR,
    id_token_sha256   VARCHAR,      -- of the token in upper case: who charged is personal data
    id_token_type     VARCHAR,
    status            VARCHAR,      -- what it was answered
    certificate_sent  BOOLEAN,
    received_ts       TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_events (
    charge_point_id   VARCHAR,
    event_id          BIGINT,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    trigger           VARCHAR,      -- Alerting, Delta, Periodic
    cause             BIGINT,
    actual_value      VARCHAR,
    cleared           BOOLEAN,
    transaction_id    VARCHAR,
    component         VARCHAR,
    component_instance VARCHAR,
    evse_id           INTEGER,
    connector_id      INTEGER,
    variable          VARCHAR,
    variable_instance VARCHAR,
    event_type        VARCHAR,
    monitoring_id     BIGINT,
    tech_code         VARCHAR,
    tech_info         VARCHAR,
    stream_id         BIGINT,       -- 2.1: of a periodic event stream
    flags             BIGINT,
    raw_id            BIGINT,
    ordinal           INTEGER
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_variables (
    charge_point_id   VARCHAR,
    component         VARCHAR,
    component_instance VARCHAR,
    evse_id           INTEGER,
    connector_id      INTEGER,
    variable          VARCHAR,      -- of 1.6: the configuration key, component is NULL
    variable_instance VARCHAR,
    attribute         VARCHAR,      -- Actual, Target, MinSet, MaxSet
    value             VARCHAR,
    mutability        VARCHAR,
    persistent        BOOLEAN,
    constant          BOOLEAN,
    data_type         VARCHAR,
    unit              VARCHAR,
    limit_min         DOUBLE PRECISION,
    limit_max         DOUBLE PRECISION,
    values_list       VARCHAR,
    supports_monitoring BOOLEAN,
    request_id        BIGINT,
    seq_no            BIGINT,
    more_follows      BOOLEAN,
    as_of             TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    raw_id            BIGINT,
    ordinal           INTEGER
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_jobs (
    charge_point_id   VARCHAR,
    job               VARCHAR,      -- FIRMWARE, DIAGNOSTICS, LOG, PUBLISH_FIRMWARE
    status            VARCHAR,
    request_id        BIGINT,
    info              VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_security_events (
    charge_point_id   VARCHAR,
    type              VARCHAR,
    critical          BOOLEAN,
    tech_info         VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_data_transfers (
    charge_point_id   VARCHAR,
    vendor_id         VARCHAR,
    message_id        VARCHAR,
    data              VARCHAR,
    status            VARCHAR,      -- what it was answered
    received_ts       TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

-- Everything a charger asks about certificates; without a certificate authority each is refused.
CREATE SOURCE IF NOT EXISTS charger_certificate_requests (
    charge_point_id   VARCHAR,
    action            VARCHAR,
    certificate_type  VARCHAR,
    content           VARCHAR,
    status            VARCHAR,
    reason            VARCHAR,
    received_ts       TIMESTAMPTZ,
    raw_id            BIGINT
) WITH (retention = 'none');

-- Messages that are kept whole: charging needs and limits, schedules, DER, tariffs, batteries, …
CREATE SOURCE IF NOT EXISTS charger_notifications (
    charge_point_id   VARCHAR,
    action            VARCHAR,
    evse_id           INTEGER,
    transaction_id    VARCHAR,
    request_id        BIGINT,
    payload           VARCHAR,      -- JSON
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_signed_values (
    charge_point_id   VARCHAR,
    evse_id           INTEGER,
    connector_id      INTEGER,
    transaction_id    VARCHAR,
    context           VARCHAR,
    measurand         VARCHAR,
    signed_data       VARCHAR,      -- as sent; never spelled anew, or its signature is worth nothing
    encoding_method   VARCHAR,
    signing_method    VARCHAR,
    public_key        VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    raw_id            BIGINT,
    ordinal           INTEGER
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_commands (
    command_id        VARCHAR,
    charge_point_id   VARCHAR,
    action            VARCHAR,
    payload           VARCHAR,      -- JSON
    state             VARCHAR,      -- sent, answered, refused, unanswered, unsent
    status            VARCHAR,      -- the charger's own word: Accepted, Rejected, …
    reply             VARCHAR,      -- JSON, or the error code
    at                TIMESTAMPTZ
) WITH (retention = 'none');

-- Sealed: the gateway alone adds rows, and no role, the owner neither, can insert, update, delete,
-- truncate, alter or drop. A correction is a new record that names the old one; `voltstream ledger
-- verify` finds any byte that was changed.
CREATE SOURCE IF NOT EXISTS charge_detail_records (
    chain_no          BIGINT,
    cdr_id            VARCHAR,
    version           INTEGER,
    supersedes        VARCHAR,      -- the cdr_id of the record that this one replaces
    charge_point_id   VARCHAR,
    evse_id           INTEGER,
    connector_id      INTEGER,
    transaction_id    VARCHAR,
    id_tag            VARCHAR,
    id_token_type     VARCHAR,
    authorization_method VARCHAR,
    started_at        TIMESTAMPTZ,
    stopped_at        TIMESTAMPTZ,
    stop_reason       VARCHAR,
    energy_wh         DECIMAL(18,3),  -- what is billed: import by the best pair of boundaries
    energy_basis      VARCHAR,      -- SIGNED, BOUNDARY, START_STOP, REGISTER, INTERVAL, POWER, NONE
    import_wh         DECIMAL(18,3),
    export_wh         DECIMAL(18,3),
    boundary_wh       DECIMAL(18,3),  -- last boundary register minus the first
    delta_wh          DECIMAL(18,3),  -- sum of accepted register steps
    difference_wh     DECIMAL(18,3),  -- boundary_wh minus delta_wh
    meter_start_wh    DECIMAL(18,3),
    meter_stop_wh     DECIMAL(18,3),
    duration_s        DECIMAL(14,3),
    charging_s        DECIMAL(14,3),
    idle_s            DECIMAL(14,3),
    power_max_w       DECIMAL(14,3),
    sample_count      BIGINT,
    coverage          DECIMAL(5,4),   -- share of the duration no further than 2.5 intervals from a sample
    completeness      VARCHAR,      -- COMPLETE, GAPS, INCOMPLETE
    outcome           VARCHAR,      -- MATCHED, MINOR, DISPUTED
    signature_state   VARCHAR,      -- NONE, UNVERIFIED, OK, BAD
    site              VARCHAR,
    tariff_id         VARCHAR,
    currency          VARCHAR,
    ocpp_version      VARCHAR,
    flags             BIGINT,
    frame_hashes      VARCHAR,      -- of the frames that opened and closed the session; of its signed values
    issued_at         TIMESTAMPTZ,
    previous_hash     VARCHAR,
    hash              VARCHAR
) WITH (retention = 'none', sealed = 'true');

-- Who is expected. A list of our own, not what has booted: a charger that was installed and never
-- called must raise an alert, and most chargers reconnect without a BootNotification.
CREATE TABLE IF NOT EXISTS charge_points (
    charge_point_id   VARCHAR PRIMARY KEY,
    site              VARCHAR NOT NULL,
    registered_at     TIMESTAMPTZ NOT NULL,
    registration      VARCHAR DEFAULT 'Accepted',  -- or Pending, Rejected: what a boot is answered
    power_max_w       DOUBLE PRECISION,
    tariff_id         VARCHAR,
    currency          VARCHAR
);

COMMENT ON TABLE charge_points IS 'Expected charge points; fill it, or offline alerts stay silent';

-- 1.6 numbers the connectors of a charger and knows no EVSE. What is not told here is an EVSE of its
-- own, with one connector of the same number.
CREATE TABLE IF NOT EXISTS charge_point_topology (
    charge_point_id   VARCHAR,
    told_connector    INTEGER,                       -- as the charger numbers it, from 1
    evse_id           INTEGER NOT NULL,
    connector_id      INTEGER NOT NULL DEFAULT 1,    -- within its EVSE
    PRIMARY KEY (charge_point_id, told_connector)
);

COMMENT ON TABLE charge_point_topology IS
    'Chargers of 1.6 whose connectors share an EVSE: which number is which connector of which EVSE';

CREATE TABLE IF NOT EXISTS charge_point_secrets (
    charge_point_id   VARCHAR PRIMARY KEY,
    secret_hash       VARCHAR NOT NULL,   -- argon2id
    security_profile  INTEGER NOT NULL,   -- the least it must come with; it is never lowered
    changed_at        TIMESTAMPTZ
);

COMMENT ON TABLE charge_point_secrets IS 'Hashed passwords of charge points; ocpp_set_password() fills it';

CREATE TABLE IF NOT EXISTS id_tokens (
    id_token          VARCHAR PRIMARY KEY,  -- in upper case; an eMAID without hyphens
    status            VARCHAR,   -- NULL or Accepted, Blocked, Expired, Invalid
    group_id          VARCHAR,   -- parentIdTag of 1.6, groupIdToken of 2.x
    expires_at        TIMESTAMPTZ,
    cache_expires_at  TIMESTAMPTZ,
    contract_id       VARCHAR
);

COMMENT ON TABLE id_tokens IS 'Who may charge; while it is empty, everybody may';

CREATE TABLE IF NOT EXISTS meter_keys (
    meter_serial_number VARCHAR PRIMARY KEY,
    public_key        VARCHAR NOT NULL,
    pinned_at         TIMESTAMPTZ
);

COMMENT ON TABLE meter_keys IS 'Public keys of meters, by which signed values are checked';

-- What a meter's signed values were first said to be checked by, and every other key since.
CREATE MATERIALIZED VIEW IF NOT EXISTS charger_public_keys AS
SELECT DISTINCT ON (charge_point_id, public_key)
    charge_point_id, evse_id, connector_id, public_key, signed_data, received_ts, raw_id, ordinal
FROM charger_signed_values
WHERE public_key <> '' AND signed_data IS NOT NULL
ORDER BY charge_point_id, public_key, raw_id, ordinal;

COMMENT ON MATERIALIZED VIEW charger_public_keys IS
    'Each public key that a charge point sent with signed values, where it came first';

-- The last sample of every energy register that is neither late, doubled nor in doubt, from which the gateway goes on after a restart.
CREATE MATERIALIZED VIEW IF NOT EXISTS charger_registers AS
SELECT DISTINCT ON (charge_point_id, evse_id, connector_id, measurand, location, phase)
    charge_point_id, evse_id, connector_id, measurand, location, phase,
    event_ts, value_si, register_epoch, origin, flags
FROM charger_readings
WHERE unit_si = 'Wh' AND register_epoch IS NOT NULL AND value_si IS NOT NULL
  AND (flags & 1073763840) = 0
ORDER BY charge_point_id, evse_id, connector_id, measurand, location, phase, event_ts DESC;

COMMENT ON MATERIALIZED VIEW charger_registers IS
    'Latest accepted sample of each energy register, whatever transaction it belongs to';

CREATE VIEW IF NOT EXISTS quality_flags AS
SELECT * FROM (VALUES
    (1, 'COERCED'),
    (2, 'DEFAULTED'),
    (4, 'UNKNOWN_UNIT'),
    (8, 'UNKNOWN_MEASURAND'),
    (16, 'NONFINITE'),
    (32, 'NEG_DELTA'),
    (64, 'REG_RESET'),
    (128, 'ROLLOVER'),
    (256, 'SESSION_RELATIVE'),
    (512, 'PLACEHOLDER_ZERO'),
    (1024, 'IMPLAUSIBLE'),
    (2048, 'OUT_OF_WINDOW'),
    (4096, 'LATE'),
    (8192, 'OFFLINE'),
    (16384, 'DUPLICATE'),
    (32768, 'CLOCK_SKEW'),
    (65536, 'ORPHAN'),
    (131072, 'ESTIMATED'),
    (262144, 'SIGNED_UNVERIFIED'),
    (524288, 'SIGNED_OK'),
    (1048576, 'SIGNED_BAD'),
    (2097152, 'OVERLENGTH'),
    (4194304, 'UNKNOWN_ENUM'),
    (8388608, 'EXTRA_FIELD'),
    (16777216, 'TS_NO_ZONE'),
    (33554432, 'TS_INVALID'),
    (67108864, 'UNIT_SUSPECT'),
    (134217728, 'MISSING_FIELD'),
    (268435456, 'STOP_CONFLICT'),
    (536870912, 'SEQ_CONFLICT'),
    (1073741824, 'CLOCK_UNSET'),
    (2147483648, 'PUBLIC_KEY_CHANGED')
) AS named (bit, name);

COMMENT ON VIEW quality_flags IS 'What the bits of a column named flags mean';

CREATE MATERIALIZED VIEW IF NOT EXISTS current_charge_detail_records AS
SELECT DISTINCT ON (charge_point_id, transaction_id) *
FROM charge_detail_records
ORDER BY charge_point_id, transaction_id, version DESC;

COMMENT ON MATERIALIZED VIEW current_charge_detail_records IS
    'The record of each session that nothing supersedes';

-- What is known of a charger's configuration and since when, from reports and from answers to commands.
CREATE VIEW IF NOT EXISTS device_model AS
WITH told AS (
    SELECT
        *,
        COALESCE(as_of, received_ts) AS valid_from,
        LAG(value) OVER series AS value_before,
        ROW_NUMBER() OVER series AS number
    FROM charger_variables
    WINDOW series AS (
        PARTITION BY charge_point_id, component, component_instance, evse_id, connector_id,
            variable, variable_instance, attribute
        ORDER BY COALESCE(as_of, received_ts), received_ts, ordinal
    )
)
SELECT
    charge_point_id, component, component_instance, evse_id, connector_id, variable,
    variable_instance, attribute, value, mutability, data_type, unit, limit_min, limit_max,
    values_list, valid_from,
    LEAD(valid_from) OVER (
        PARTITION BY charge_point_id, component, component_instance, evse_id, connector_id,
            variable, variable_instance, attribute
        ORDER BY number
    ) AS valid_to
FROM told
WHERE number = 1 OR value IS DISTINCT FROM value_before;

COMMENT ON VIEW device_model IS
    'Values of variables and configuration keys, each from when it was told until another one was';

-- A report is whole when its last page is here and no page before it is missing.
CREATE VIEW IF NOT EXISTS device_reports AS
SELECT
    charge_point_id, request_id,
    COUNT(DISTINCT seq_no) AS pages,
    MIN(received_ts) AS began_ts,
    COALESCE(
        COUNT(DISTINCT seq_no) = 1 + MAX(CASE WHEN NOT more_follows THEN seq_no END), FALSE
    ) AS is_complete
FROM (
    SELECT charge_point_id, request_id, seq_no, more_follows, received_ts
    FROM charger_variables WHERE request_id IS NOT NULL
    UNION ALL
    SELECT
        charge_point_id, request_id, CAST(CAST(payload AS JSONB) ->> 'seqNo' AS BIGINT),
        COALESCE(CAST(CAST(payload AS JSONB) ->> 'tbc' AS BOOLEAN), FALSE), received_ts
    FROM charger_notifications WHERE action = 'NotifyReport'
) AS pages_of_reports
GROUP BY charge_point_id, request_id;

COMMENT ON VIEW device_reports IS 'Reports of the device model, and whether every page of each is here';
