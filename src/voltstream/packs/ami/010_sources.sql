-- What head-ends send, normalised by the readers of formats. No connector: rows are pushed by
-- INSERT, COPY, `voltstream ingest` or HTTP. A read has three clocks: the interval is the meter's,
-- received_at the head-end's, ingested_at ours. Both ends of an interval are stored; which of them
-- the sender stamped is settled by the reader.

CREATE SOURCE interval_reads (
    meter_id            VARCHAR,
    interval_start      TIMESTAMPTZ,
    interval_end        TIMESTAMPTZ,
    delivered_kwh       NUMERIC(18, 6),
    received_kwh        NUMERIC(18, 6),
    consumption_kwh     NUMERIC(18, 6),
    voltage_v           NUMERIC(9, 2),
    power_quality_code  INTEGER,
    read_type           VARCHAR,
    quality             VARCHAR,
    source_quality      VARCHAR,
    estimated_flag      BOOLEAN,
    head_end            VARCHAR,
    service_point_id    VARCHAR,
    customer_id         VARCHAR,
    transformer_id      VARCHAR,
    feeder_id           VARCHAR,
    received_at         TIMESTAMPTZ,
    read_ts             TIMESTAMPTZ,
    ingested_at         TIMESTAMPTZ AS proctime(),
    starts_at           TIMESTAMPTZ AS (time_bucket(INTERVAL '5 minutes', interval_start + INTERVAL '150 seconds')),
    interval_s          INTEGER AS (60 * ROUND(EXTRACT(EPOCH FROM interval_end - interval_start)::DOUBLE PRECISION / 60)::INTEGER),
    quality_rank        INTEGER AS (CASE COALESCE(UPPER(quality), CASE WHEN estimated_flag THEN 'ESTIMATED' ELSE 'ACTUAL' END)
        WHEN 'ACTUAL' THEN 4 WHEN 'VALIDATED' THEN 5 WHEN 'EDITED' THEN 3
        WHEN 'ESTIMATED' THEN 2 WHEN 'QUESTIONABLE' THEN 1 WHEN 'MISSING' THEN 0 END),
    rejected            VARCHAR AS (CASE
        WHEN meter_id IS NULL OR interval_start IS NULL OR interval_end IS NULL THEN 'INCOMPLETE'
        WHEN UPPER(read_type) <> 'INTERVAL' THEN 'TYPE'
        WHEN interval_end < interval_start + INTERVAL '30 seconds' THEN 'LENGTH'
        WHEN UPPER(quality) NOT IN ('ACTUAL', 'VALIDATED', 'EDITED', 'ESTIMATED', 'QUESTIONABLE', 'MISSING') THEN 'QUALITY'
        WHEN interval_end >= interval_start + INTERVAL '14 minutes' AND EXTRACT(MINUTE FROM
            time_bucket(INTERVAL '5 minutes', interval_start + INTERVAL '150 seconds')) NOT IN (0, 15, 30, 45) THEN 'CLOCK'
        WHEN interval_end > COALESCE(received_at, read_ts, interval_end) + INTERVAL '5 minutes' THEN 'FUTURE' END)
) WITH (retention = 'none');

COMMENT ON SOURCE interval_reads IS 'Wide interval reads: one row for a meter and interval, as it was sent, each time it was sent';
COMMENT ON COLUMN interval_reads.meter_id IS 'The meter, as the registry spells it';
COMMENT ON COLUMN interval_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN interval_reads.interval_end IS 'Where it ends; its length is part of a read''s key';
COMMENT ON COLUMN interval_reads.delivered_kwh IS 'Energy to the customer; NULL when the row has none';
COMMENT ON COLUMN interval_reads.received_kwh IS 'Energy from the customer; NULL when the row has none';
COMMENT ON COLUMN interval_reads.consumption_kwh IS 'Taken as delivered_kwh where that is NULL';
COMMENT ON COLUMN interval_reads.voltage_v IS 'Mean voltage of the interval, phase to neutral';
COMMENT ON COLUMN interval_reads.power_quality_code IS 'As sent; not interpreted';
COMMENT ON COLUMN interval_reads.read_type IS 'INTERVAL in any case of letters, or NULL; other kinds are told in rejected_reads';
COMMENT ON COLUMN interval_reads.quality IS 'VALIDATED, ACTUAL, EDITED, ESTIMATED, QUESTIONABLE or MISSING; NULL: ACTUAL, or ESTIMATED by estimated_flag';
COMMENT ON COLUMN interval_reads.source_quality IS 'The quality code as it was sent';
COMMENT ON COLUMN interval_reads.estimated_flag IS 'Counts where quality is NULL';
COMMENT ON COLUMN interval_reads.head_end IS 'Which head-end sent it';
COMMENT ON COLUMN interval_reads.service_point_id IS 'What the sender believes; the registry decides';
COMMENT ON COLUMN interval_reads.customer_id IS 'What the sender believes; the registry decides';
COMMENT ON COLUMN interval_reads.transformer_id IS 'What the sender believes; the registry decides';
COMMENT ON COLUMN interval_reads.feeder_id IS 'What the sender believes; the registry decides';
COMMENT ON COLUMN interval_reads.received_at IS 'When the head-end received it; NULL: read_ts, else ingested_at';
COMMENT ON COLUMN interval_reads.read_ts IS 'Another name of received_at that feeds use';
COMMENT ON COLUMN interval_reads.ingested_at IS 'When it came here';
COMMENT ON COLUMN interval_reads.starts_at IS 'Computed: the start on a grid of 5 minutes';
COMMENT ON COLUMN interval_reads.interval_s IS 'Computed: the length in seconds, in whole minutes';
COMMENT ON COLUMN interval_reads.quality_rank IS 'Computed: 5 validated, 4 actual, 3 edited, 2 estimated, 1 questionable, 0 missing';
COMMENT ON COLUMN interval_reads.rejected IS 'Computed: why the row counts nowhere; NULL: it counts. See rejected_reads';

CREATE SOURCE channel_reads (
    meter_id            VARCHAR,
    channel             VARCHAR,
    interval_start      TIMESTAMPTZ,
    interval_end        TIMESTAMPTZ,
    value               DOUBLE PRECISION,
    unit                VARCHAR,
    quality             VARCHAR,
    source_quality      VARCHAR,
    reading_type        VARCHAR,
    head_end            VARCHAR,
    received_at         TIMESTAMPTZ,
    ingested_at         TIMESTAMPTZ AS proctime(),
    starts_at           TIMESTAMPTZ AS (time_bucket(INTERVAL '5 minutes', interval_start + INTERVAL '150 seconds')),
    interval_s          INTEGER AS (60 * ROUND(EXTRACT(EPOCH FROM interval_end - interval_start)::DOUBLE PRECISION / 60)::INTEGER),
    quality_rank        INTEGER AS (CASE COALESCE(UPPER(quality), CASE WHEN FALSE THEN 'ESTIMATED' ELSE 'ACTUAL' END)
        WHEN 'ACTUAL' THEN 4 WHEN 'VALIDATED' THEN 5 WHEN 'EDITED' THEN 3
        WHEN 'ESTIMATED' THEN 2 WHEN 'QUESTIONABLE' THEN 1 WHEN 'MISSING' THEN 0 END),
    rejected            VARCHAR AS (CASE
        WHEN meter_id IS NULL OR interval_start IS NULL OR interval_end IS NULL THEN 'INCOMPLETE'
        WHEN channel IS NULL THEN 'INCOMPLETE'
        WHEN interval_end < interval_start + INTERVAL '30 seconds' THEN 'LENGTH'
        WHEN UPPER(quality) NOT IN ('ACTUAL', 'VALIDATED', 'EDITED', 'ESTIMATED', 'QUESTIONABLE', 'MISSING') THEN 'QUALITY'
        WHEN interval_end >= interval_start + INTERVAL '14 minutes' AND EXTRACT(MINUTE FROM
            time_bucket(INTERVAL '5 minutes', interval_start + INTERVAL '150 seconds')) NOT IN (0, 15, 30, 45) THEN 'CLOCK'
        WHEN interval_end > COALESCE(received_at, interval_end) + INTERVAL '5 minutes' THEN 'FUTURE' END)
) WITH (retention = 'none');

COMMENT ON SOURCE channel_reads IS 'Tall interval reads: one row for a meter, channel and interval. A meter is fed wide or tall, not both';
COMMENT ON COLUMN channel_reads.meter_id IS 'The meter, as the registry spells it';
COMMENT ON COLUMN channel_reads.channel IS 'delivered, received or voltage; other channels are kept and not computed with';
COMMENT ON COLUMN channel_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN channel_reads.interval_end IS 'Where it ends';
COMMENT ON COLUMN channel_reads.value IS 'In unit';
COMMENT ON COLUMN channel_reads.unit IS 'Wh, kWh, MWh or V; NULL: kWh for energy, V for voltage';
COMMENT ON COLUMN channel_reads.quality IS 'VALIDATED, ACTUAL, EDITED, ESTIMATED, QUESTIONABLE or MISSING; NULL: ACTUAL';
COMMENT ON COLUMN channel_reads.source_quality IS 'The quality code as it was sent';
COMMENT ON COLUMN channel_reads.reading_type IS 'The reading type as it was sent: 18 dotted fields, OBIS, NMI suffix';
COMMENT ON COLUMN channel_reads.head_end IS 'Which head-end sent it';
COMMENT ON COLUMN channel_reads.received_at IS 'When the head-end received it; NULL: ingested_at';
COMMENT ON COLUMN channel_reads.ingested_at IS 'When it came here';
COMMENT ON COLUMN channel_reads.starts_at IS 'Computed: the start on a grid of 5 minutes';
COMMENT ON COLUMN channel_reads.interval_s IS 'Computed: the length in seconds, in whole minutes';
COMMENT ON COLUMN channel_reads.quality_rank IS 'Computed: 5 validated, 4 actual, 3 edited, 2 estimated, 1 questionable, 0 missing';
COMMENT ON COLUMN channel_reads.rejected IS 'Computed: why the row counts nowhere; NULL: it counts. See rejected_reads';

CREATE SOURCE register_reads (
    meter_id            VARCHAR,
    channel             VARCHAR,
    read_at             TIMESTAMPTZ,
    register_kwh        DOUBLE PRECISION,
    quality             VARCHAR,
    source_quality      VARCHAR,
    head_end            VARCHAR,
    received_at         TIMESTAMPTZ,
    ingested_at         TIMESTAMPTZ AS proctime()
) WITH (retention = 'none');

COMMENT ON SOURCE register_reads IS 'Registers: what a counter stood at, such as midnight snapshots';
COMMENT ON COLUMN register_reads.meter_id IS 'The meter, as the registry spells it';
COMMENT ON COLUMN register_reads.channel IS 'delivered or received';
COMMENT ON COLUMN register_reads.read_at IS 'When the register was read, by the meter''s clock';
COMMENT ON COLUMN register_reads.register_kwh IS 'What it stood at, with the multiplier of transformers applied';
COMMENT ON COLUMN register_reads.quality IS 'As of interval reads';
COMMENT ON COLUMN register_reads.source_quality IS 'The quality code as it was sent';
COMMENT ON COLUMN register_reads.head_end IS 'Which head-end sent it';
COMMENT ON COLUMN register_reads.received_at IS 'When the head-end received it; NULL: ingested_at';
COMMENT ON COLUMN register_reads.ingested_at IS 'When it came here';

CREATE SOURCE meter_events (
    meter_id            VARCHAR,
    head_end            VARCHAR,
    raw_code            VARCHAR,
    raw_desc            VARCHAR,
    type_code           VARCHAR,
    occurred_at         TIMESTAMPTZ,
    received_at         TIMESTAMPTZ,
    details             JSONB,
    ingested_at         TIMESTAMPTZ AS proctime()
) WITH (retention = 'none');

COMMENT ON SOURCE meter_events IS 'Events of meters and communication modules, as they were sent, each time they were sent';
COMMENT ON COLUMN meter_events.meter_id IS 'The meter, as the registry spells it';
COMMENT ON COLUMN meter_events.head_end IS 'Which head-end sent it; its codes are those of event_catalogue';
COMMENT ON COLUMN meter_events.raw_code IS 'The code as it was sent';
COMMENT ON COLUMN meter_events.raw_desc IS 'The text as it was sent';
COMMENT ON COLUMN meter_events.type_code IS 'The dotted code of IEC 61968-9, where the sender gave one';
COMMENT ON COLUMN meter_events.occurred_at IS 'When it happened, by the meter''s clock';
COMMENT ON COLUMN meter_events.received_at IS 'When the head-end received it; NULL: ingested_at';
COMMENT ON COLUMN meter_events.details IS 'Names and values that came with it';
COMMENT ON COLUMN meter_events.ingested_at IS 'When it came here';

CREATE SOURCE meter_pings (
    meter_id            VARCHAR,
    head_end            VARCHAR,
    pinged_at           TIMESTAMPTZ,
    answered            BOOLEAN,
    voltage_v           DOUBLE PRECISION,
    received_at         TIMESTAMPTZ,
    ingested_at         TIMESTAMPTZ AS proctime()
) WITH (retention = 'none');

COMMENT ON SOURCE meter_pings IS 'Answers of meters that were asked whether they have power, and silence';
COMMENT ON COLUMN meter_pings.meter_id IS 'The meter, as the registry spells it';
COMMENT ON COLUMN meter_pings.head_end IS 'Which head-end asked';
COMMENT ON COLUMN meter_pings.pinged_at IS 'When it was asked';
COMMENT ON COLUMN meter_pings.answered IS 'Whether it answered';
COMMENT ON COLUMN meter_pings.voltage_v IS 'What it measured, where it says so';
COMMENT ON COLUMN meter_pings.received_at IS 'When the answer, or the end of the wait, was received';
COMMENT ON COLUMN meter_pings.ingested_at IS 'When it came here';
