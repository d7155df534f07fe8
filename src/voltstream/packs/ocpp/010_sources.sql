-- What charge points send, normalised. No connector: rows are pushed, by the gateway, INSERT,
-- COPY, `voltstream ingest` or HTTP. Every row has two instants: event_ts is the charger's clock,
-- received_ts is ours. Energy is computed on the first, liveness on the second, because a charger
-- that was cut off sends its queue late and is not alive in the past. corrected_ts is event_ts with
-- the charger's clock set right, as far as its offset is known.
-- flags is a set of bits (quality_flags names them), 0 when nothing is remarkable; raw_id and
-- ordinal lead back to the frame in charger_frames. Rows that bring no such columns have NULL there.

CREATE SOURCE IF NOT EXISTS charger_boots (
    charge_point_id   VARCHAR,
    vendor            VARCHAR,
    model             VARCHAR,
    serial_number     VARCHAR,
    firmware_version  VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    box_serial_number VARCHAR,
    iccid             VARCHAR,
    imsi              VARCHAR,
    meter_type        VARCHAR,
    meter_serial_number VARCHAR,
    reason            VARCHAR,      -- 2.x: PowerUp, RemoteReset, Watchdog, …
    registration      VARCHAR,      -- what it was answered: Accepted, Pending or Rejected
    ocpp_version      VARCHAR,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_heartbeats (
    charge_point_id   VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ
);

CREATE SOURCE IF NOT EXISTS charger_status (
    charge_point_id   VARCHAR,
    connector_id      INTEGER,
    status            VARCHAR,      -- Available, Preparing, Charging, SuspendedEV, … Faulted
    error_code        VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    evse_id           INTEGER,
    status_raw        VARCHAR,      -- as sent: 2.x says Occupied for six states of 1.6
    vendor_error_code VARCHAR,
    vendor_id         VARCHAR,
    info              VARCHAR,
    corrected_ts      TIMESTAMPTZ,
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_transactions (
    charge_point_id   VARCHAR,
    connector_id      INTEGER,
    transaction_id    VARCHAR,      -- unique per charge point only
    event_type        VARCHAR,      -- START, STOP; from 2.x also UPDATE
    id_tag            VARCHAR,
    meter_wh          BIGINT,       -- the lifetime register at this event
    stop_reason       VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    evse_id           INTEGER,
    corrected_ts      TIMESTAMPTZ,
    id_token_type     VARCHAR,
    authorization_status VARCHAR,   -- what it was answered about the token
    seq_no            BIGINT,
    trigger_reason    VARCHAR,
    charging_state    VARCHAR,
    offline           BOOLEAN,
    time_spent_charging_s BIGINT,
    remote_start_id   BIGINT,
    reservation_id    BIGINT,
    phases_used       INTEGER,
    cable_current_a   INTEGER,
    operation_mode    VARCHAR,      -- 2.1: ChargingOnly, CentralSetpoint, …
    cost_details      VARCHAR,      -- 2.1: JSON, as the charger computed it
    flags             BIGINT,
    raw_id            BIGINT
) WITH (retention = 'none');

CREATE SOURCE IF NOT EXISTS charger_readings (
    charge_point_id   VARCHAR,
    connector_id      INTEGER,
    transaction_id    VARCHAR,
    measurand         VARCHAR,
    context           VARCHAR,
    phase             VARCHAR,      -- NULL means the overall value, not "single phase"
    location          VARCHAR,      -- bill Outlet only; Inlet and Cable are other meters
    value             DOUBLE PRECISION,  -- as sent, in `unit`
    unit              VARCHAR,
    value_si          DOUBLE PRECISION,  -- in `unit_si`; NULL when the unit is unknown
    unit_si           VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ,
    evse_id           INTEGER,
    value_raw         VARCHAR,      -- the text of the value
    multiplier        INTEGER,      -- 2.x: power of ten, applied beside the unit
    format            VARCHAR,      -- Raw or SignedData
    origin            VARCHAR,      -- METER_VALUES, START_TX, STOP_TX, STOP_TX_DATA, TX_BEGIN, …
    seq_no            BIGINT,
    offline           BOOLEAN,
    corrected_ts      TIMESTAMPTZ,
    register_epoch    INTEGER,      -- grows when an energy register begins anew
    delta_wh          DOUBLE PRECISION,  -- energy accepted since the register's last sample
    flags             BIGINT,
    raw_id            BIGINT,
    ordinal           INTEGER
) WITH (retention = 'none');
