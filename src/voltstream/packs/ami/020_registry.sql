-- What is where, and since when. A row holds from valid_from to before valid_to; NULL: still.
-- What belongs to an interval is decided by its start, so a meter that is moved keeps its past.

CREATE TABLE meter_registry (
    meter_id            VARCHAR,
    valid_from          TIMESTAMPTZ,
    valid_to            TIMESTAMPTZ,
    service_point_id    VARCHAR,
    customer_id         VARCHAR,
    transformer_id      VARCHAR,
    phase               VARCHAR,
    nominal_v           DOUBLE PRECISION,
    voltage_profile     VARCHAR,
    interval_s          INTEGER NOT NULL DEFAULT 900,
    max_kw              DOUBLE PRECISION,
    state               VARCHAR NOT NULL DEFAULT 'active'
        CHECK (state IN ('installed', 'active', 'disconnected', 'comm_exempt', 'retired')),
    has_generation      BOOLEAN NOT NULL DEFAULT FALSE,
    can_gasp            BOOLEAN NOT NULL DEFAULT TRUE,
    measures            VARCHAR NOT NULL DEFAULT 'customer'
        CHECK (measures IN ('customer', 'transformer')),
    collector_id        VARCHAR,
    head_end            VARCHAR,
    tariff_id           VARCHAR,
    PRIMARY KEY (meter_id, valid_from),
    CHECK (valid_to IS NULL OR valid_to > valid_from),
    CHECK (interval_s > 0)
);

COMMENT ON TABLE meter_registry IS 'Meters as they were: a row for each time something about one changed';
COMMENT ON COLUMN meter_registry.meter_id IS 'The meter';
COMMENT ON COLUMN meter_registry.valid_from IS 'From when the row holds';
COMMENT ON COLUMN meter_registry.valid_to IS 'Until when; NULL: still';
COMMENT ON COLUMN meter_registry.service_point_id IS 'Where it is installed';
COMMENT ON COLUMN meter_registry.customer_id IS 'Who is billed for it; personal data';
COMMENT ON COLUMN meter_registry.transformer_id IS 'Which transformer feeds it';
COMMENT ON COLUMN meter_registry.phase IS 'A, B, C, or ABC; NULL: not known';
COMMENT ON COLUMN meter_registry.nominal_v IS 'Nominal voltage, phase to neutral; NULL: told by the class of what is measured';
COMMENT ON COLUMN meter_registry.voltage_profile IS 'Which limits of voltage_limits; NULL: the parameter voltage_profile';
COMMENT ON COLUMN meter_registry.interval_s IS 'Length of its intervals in seconds';
COMMENT ON COLUMN meter_registry.max_kw IS 'The most it can pass; NULL: the parameters max_kw_1p and max_kw_3p';
COMMENT ON COLUMN meter_registry.state IS 'installed, active, disconnected, comm_exempt or retired; reads are expected of active ones';
COMMENT ON COLUMN meter_registry.has_generation IS 'Whether feeding in is known of';
COMMENT ON COLUMN meter_registry.can_gasp IS 'Whether it can tell of a lost supply';
COMMENT ON COLUMN meter_registry.measures IS 'customer, or transformer: the meter of a whole transformer, whose reads are no customer''s';
COMMENT ON COLUMN meter_registry.collector_id IS 'Collector or cell that its messages pass';
COMMENT ON COLUMN meter_registry.head_end IS 'Which head-end it answers to';
COMMENT ON COLUMN meter_registry.tariff_id IS 'Which row of tariffs; NULL: no billing preview';

CREATE TABLE transformers (
    transformer_id      VARCHAR,
    valid_from          TIMESTAMPTZ,
    valid_to            TIMESTAMPTZ,
    feeder_id           VARCHAR,
    section_id          VARCHAR,
    kva                 DOUBLE PRECISION,
    no_load_kw          DOUBLE PRECISION,
    load_loss_kw        DOUBLE PRECISION,
    lon                 DOUBLE PRECISION,
    lat                 DOUBLE PRECISION,
    PRIMARY KEY (transformer_id, valid_from),
    CHECK (valid_to IS NULL OR valid_to > valid_from)
);

COMMENT ON TABLE transformers IS 'Transformers as they were connected: a row for each time something about one changed';
COMMENT ON COLUMN transformers.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformers.valid_from IS 'From when the row holds';
COMMENT ON COLUMN transformers.valid_to IS 'Until when; NULL: still';
COMMENT ON COLUMN transformers.feeder_id IS 'Which feeder it is on';
COMMENT ON COLUMN transformers.section_id IS 'The lowest section of network_sections that feeds it; NULL: the feeder itself';
COMMENT ON COLUMN transformers.kva IS 'Rated power; NULL: no overload is computed';
COMMENT ON COLUMN transformers.no_load_kw IS 'Loss without load';
COMMENT ON COLUMN transformers.load_loss_kw IS 'Loss at rated power';
COMMENT ON COLUMN transformers.lon IS 'Longitude';
COMMENT ON COLUMN transformers.lat IS 'Latitude';

CREATE TABLE network_sections (
    section_id          VARCHAR PRIMARY KEY,
    parent_id           VARCHAR,
    kind                VARCHAR NOT NULL DEFAULT 'SECTION'
);

COMMENT ON TABLE network_sections IS 'Switchable parts of feeders as a tree, at most 6 deep; without rows outages roll up to the feeder';
COMMENT ON COLUMN network_sections.section_id IS 'A section, a lateral, or a feeder';
COMMENT ON COLUMN network_sections.parent_id IS 'What it is fed from; NULL: a feeder';
COMMENT ON COLUMN network_sections.kind IS 'FEEDER, SECTION or LATERAL';

CREATE TABLE field_work (
    meter_id            VARCHAR,
    starts_at           TIMESTAMPTZ,
    ends_at             TIMESTAMPTZ,
    reason              VARCHAR,
    PRIMARY KEY (meter_id, starts_at)
);

COMMENT ON TABLE field_work IS 'Disconnections by command and work on site: power that goes meanwhile is no outage';
COMMENT ON COLUMN field_work.meter_id IS 'The meter';
COMMENT ON COLUMN field_work.starts_at IS 'From when';
COMMENT ON COLUMN field_work.ends_at IS 'Until when; NULL: still';
COMMENT ON COLUMN field_work.reason IS 'Why';
