-- What charge points send, normalised. No connector: rows are pushed, by the gateway, INSERT,
-- COPY, `voltstream ingest` or HTTP. Every row has two instants: event_ts is the charger's clock,
-- received_ts is ours. Energy is computed on the first, liveness on the second, because a charger
-- that was cut off sends its queue late and is not alive in the past.

CREATE SOURCE IF NOT EXISTS charger_boots (
    charge_point_id   VARCHAR,
    vendor            VARCHAR,
    model             VARCHAR,
    serial_number     VARCHAR,
    firmware_version  VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ
);

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
    received_ts       TIMESTAMPTZ
);

CREATE SOURCE IF NOT EXISTS charger_transactions (
    charge_point_id   VARCHAR,
    connector_id      INTEGER,
    transaction_id    VARCHAR,      -- unique per charge point only
    event_type        VARCHAR,      -- START or STOP
    id_tag            VARCHAR,
    meter_wh          BIGINT,       -- the lifetime register at this event
    stop_reason       VARCHAR,
    event_ts          TIMESTAMPTZ,
    received_ts       TIMESTAMPTZ
);

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
    received_ts       TIMESTAMPTZ
);
