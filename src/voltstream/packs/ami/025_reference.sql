-- What may be edited: limits of voltage, what events mean, tariffs. Seeds bring first rows.

CREATE TABLE voltage_limits (
    profile             VARCHAR,
    nominal_v           DOUBLE PRECISION,
    low_v               DOUBLE PRECISION NOT NULL,
    high_v              DOUBLE PRECISION NOT NULL,
    wide_low_v          DOUBLE PRECISION NOT NULL,
    wide_high_v         DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (profile, nominal_v)
);

COMMENT ON TABLE voltage_limits IS 'Limits of voltage by profile and nominal voltage';
COMMENT ON COLUMN voltage_limits.profile IS 'A name that meter_registry.voltage_profile or the parameter voltage_profile gives';
COMMENT ON COLUMN voltage_limits.nominal_v IS 'Nominal voltage, phase to neutral';
COMMENT ON COLUMN voltage_limits.low_v IS 'Below it a voltage is low';
COMMENT ON COLUMN voltage_limits.high_v IS 'Above it a voltage is high';
COMMENT ON COLUMN voltage_limits.wide_low_v IS 'The lower of the wider limits';
COMMENT ON COLUMN voltage_limits.wide_high_v IS 'The upper of the wider limits';

CREATE TABLE event_catalogue (
    head_end            VARCHAR,
    code                VARCHAR,
    kind                VARCHAR NOT NULL,
    severity            VARCHAR NOT NULL DEFAULT 'INFO'
        CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    type_code           VARCHAR,
    meaning             VARCHAR,
    PRIMARY KEY (head_end, code)
);

COMMENT ON TABLE event_catalogue IS 'What codes of events mean. An edit classifies past events anew';
COMMENT ON COLUMN event_catalogue.head_end IS 'Whose codes; * for any head-end, IEC for dotted codes of IEC 61968-9';
COMMENT ON COLUMN event_catalogue.code IS 'The code as it is sent';
COMMENT ON COLUMN event_catalogue.kind IS 'POWER_OUT, POWER_UP, PHASE_LOSS, SAG, SWELL, PQ, TAMPER, REVERSE_FLOW, SECURITY, CLOCK, DEVICE';
COMMENT ON COLUMN event_catalogue.severity IS 'INFO, WARNING or CRITICAL';
COMMENT ON COLUMN event_catalogue.type_code IS 'The dotted code of IEC 61968-9 that says the same';
COMMENT ON COLUMN event_catalogue.meaning IS 'In words';

CREATE TABLE read_flags (
    flag                INTEGER PRIMARY KEY,
    name                VARCHAR NOT NULL,
    meaning             VARCHAR NOT NULL
);

COMMENT ON TABLE read_flags IS 'Bits of checked_reads.flags';
COMMENT ON COLUMN read_flags.flag IS 'The bit';
COMMENT ON COLUMN read_flags.name IS 'Its name';
COMMENT ON COLUMN read_flags.meaning IS 'When it is set';

INSERT INTO read_flags VALUES
    (1, 'E_NEGATIVE', 'Delivered or received energy is negative: not in sums'),
    (2, 'E_MAX', 'More energy than the connection can pass: not in sums'),
    (4, 'V_IMPLAUSIBLE', 'Voltage below half or above 1.3 of nominal: not in voltage statistics'),
    (8, 'V_ZERO', 'Voltage below a twentieth of nominal: evidence of an outage, not in voltage statistics'),
    (16, 'V_LOW', 'Below the limit of its profile'),
    (32, 'V_HIGH', 'Above the limit of its profile'),
    (64, 'V_WIDE', 'Outside the wider limits of its profile'),
    (128, 'CLOCK_DRIFT', 'Off the grid by more than 60 s; moved onto it'),
    (256, 'STALE', 'Received more than 90 days behind its interval: no alert follows from it');

CREATE TABLE tariffs (
    tariff_id           VARCHAR,
    valid_from          TIMESTAMPTZ,
    valid_to            TIMESTAMPTZ,
    price_kwh           NUMERIC(12, 6) NOT NULL,
    peak_price_kwh      NUMERIC(12, 6),
    feed_in_kwh         NUMERIC(12, 6) NOT NULL DEFAULT 0,
    standing_day        NUMERIC(12, 6) NOT NULL DEFAULT 0,
    peak_from_h         INTEGER NOT NULL DEFAULT 0,
    peak_to_h           INTEGER NOT NULL DEFAULT 0,
    currency            VARCHAR NOT NULL DEFAULT 'EUR',
    PRIMARY KEY (tariff_id, valid_from)
);

COMMENT ON TABLE tariffs IS 'Prices for the billing preview, as they were';
COMMENT ON COLUMN tariffs.tariff_id IS 'What meter_registry.tariff_id names';
COMMENT ON COLUMN tariffs.valid_from IS 'From when; a day takes the row that holds where it begins';
COMMENT ON COLUMN tariffs.valid_to IS 'Until when; NULL: still';
COMMENT ON COLUMN tariffs.price_kwh IS 'Price of a kWh delivered';
COMMENT ON COLUMN tariffs.peak_price_kwh IS 'Price of a kWh delivered in peak hours; NULL: price_kwh';
COMMENT ON COLUMN tariffs.feed_in_kwh IS 'What a kWh received earns';
COMMENT ON COLUMN tariffs.standing_day IS 'What a day costs';
COMMENT ON COLUMN tariffs.peak_from_h IS 'Local hour at which the peak begins';
COMMENT ON COLUMN tariffs.peak_to_h IS 'Local hour at which it ends';
COMMENT ON COLUMN tariffs.currency IS 'Of all prices';
