-- Events, what they mean, and when each meter had no supply.

CREATE MATERIALIZED VIEW distinct_events AS
SELECT DISTINCT ON (meter_id, head_end, code, occurred_at)
    meter_id, head_end, code, occurred_at, raw_code, raw_desc, type_code, received_at, details
FROM (
    SELECT meter_id, COALESCE(head_end, '') AS head_end, COALESCE(raw_code, type_code, '') AS code,
        occurred_at, raw_code, raw_desc, type_code, COALESCE(received_at, ingested_at) AS received_at, details
    FROM meter_events
    WHERE meter_id IS NOT NULL AND occurred_at IS NOT NULL
) AS sent
ORDER BY meter_id, head_end, code, occurred_at, received_at;

COMMENT ON MATERIALIZED VIEW distinct_events IS 'Every event once, however often it was sent: what head-end, meter, code and time make one';
COMMENT ON COLUMN distinct_events.meter_id IS 'The meter';
COMMENT ON COLUMN distinct_events.head_end IS 'Which head-end; empty: not said';
COMMENT ON COLUMN distinct_events.code IS 'The code as sent, else the dotted one';
COMMENT ON COLUMN distinct_events.occurred_at IS 'When it happened';
COMMENT ON COLUMN distinct_events.raw_code IS 'The code as sent';
COMMENT ON COLUMN distinct_events.raw_desc IS 'The text as sent';
COMMENT ON COLUMN distinct_events.type_code IS 'The dotted code as sent';
COMMENT ON COLUMN distinct_events.received_at IS 'When it was first received';
COMMENT ON COLUMN distinct_events.details IS 'What came with it';

CREATE MATERIALIZED VIEW events AS
SELECT
    md5(e.head_end || '|' || e.meter_id || '|' || e.code || '|' || e.occurred_at) AS event_id,
    e.meter_id, e.head_end, e.code, e.raw_desc, e.occurred_at, e.received_at, e.details,
    COALESCE(own.kind, shared.kind, iec.kind, 'UNKNOWN') AS kind,
    COALESCE(own.severity, shared.severity, iec.severity, 'INFO') AS severity,
    COALESCE(e.type_code, own.type_code, shared.type_code) AS type_code,
    COALESCE(own.meaning, shared.meaning, iec.meaning, e.raw_desc) AS meaning
FROM distinct_events AS e
LEFT JOIN event_catalogue AS own ON own.head_end = e.head_end AND own.code = e.code
LEFT JOIN (SELECT * FROM event_catalogue WHERE head_end = '*') AS shared ON shared.code = e.code
LEFT JOIN (SELECT * FROM event_catalogue WHERE head_end = 'IEC') AS iec
    ON iec.code = COALESCE(e.type_code, e.code);

COMMENT ON MATERIALIZED VIEW events IS 'Events with their meaning: by the head-end''s own codes, by those of any head-end, by the dotted code';
COMMENT ON COLUMN events.event_id IS 'The same whenever it is sent again';
COMMENT ON COLUMN events.meter_id IS 'The meter';
COMMENT ON COLUMN events.head_end IS 'Which head-end; empty: not said';
COMMENT ON COLUMN events.code IS 'The code as sent';
COMMENT ON COLUMN events.raw_desc IS 'The text as sent';
COMMENT ON COLUMN events.occurred_at IS 'When it happened';
COMMENT ON COLUMN events.received_at IS 'When it was first received';
COMMENT ON COLUMN events.details IS 'What came with it';
COMMENT ON COLUMN events.kind IS 'As in event_catalogue; UNKNOWN: the catalogue has no such code';
COMMENT ON COLUMN events.severity IS 'INFO, WARNING or CRITICAL';
COMMENT ON COLUMN events.type_code IS 'The dotted code';
COMMENT ON COLUMN events.meaning IS 'In words';

-- Out and up in the order in which they happened, not in which they came. What goes while somebody
-- works there, or near a change of the registry, is left aside.
CREATE MATERIALIZED VIEW power_signals AS
SELECT s.meter_id, s.at, s.is_up, MIN(s.received_at) AS received_at
FROM (
    SELECT e.meter_id, e.occurred_at AS at, e.kind = 'POWER_UP' AS is_up, e.received_at
    FROM events AS e
    WHERE e.kind IN ('POWER_OUT', 'POWER_UP')
    UNION ALL
    SELECT meter_id, pinged_at AS at, TRUE AS is_up, COALESCE(received_at, ingested_at) AS received_at
    FROM meter_pings
    WHERE answered AND pinged_at IS NOT NULL AND meter_id IS NOT NULL
) AS s
WHERE s.is_up OR (
    NOT EXISTS (
        SELECT 1 FROM field_work AS f
        WHERE f.meter_id = s.meter_id AND s.at >= f.starts_at AND s.at < COALESCE(f.ends_at, TIMESTAMPTZ 'infinity'))
    AND NOT EXISTS (
        SELECT 1 FROM (SELECT m.meter_id, m.valid_from, m.valid_to, p.swap_mask
            FROM meter_registry AS m CROSS JOIN ami_parameters AS p) AS c
        WHERE c.meter_id = s.meter_id
            AND (s.at BETWEEN c.valid_from - c.swap_mask AND c.valid_from + c.swap_mask
                OR s.at BETWEEN c.valid_to - c.swap_mask AND c.valid_to + c.swap_mask)))
GROUP BY s.meter_id, s.at, s.is_up;

COMMENT ON MATERIALIZED VIEW power_signals IS 'What says that a meter lost its supply or has it';
COMMENT ON COLUMN power_signals.meter_id IS 'The meter';
COMMENT ON COLUMN power_signals.at IS 'When, by the meter''s clock';
COMMENT ON COLUMN power_signals.is_up IS 'Whether it has supply: an event, or an answered ping';
COMMENT ON COLUMN power_signals.received_at IS 'When it was first known';

-- An episode begins with an out that no other out of the hour before precedes, and ends with the
-- first up behind it, or where the next episode begins.
CREATE MATERIALIZED VIEW power_episodes AS
SELECT
    meter_id, at AS out_at, received_at, up_at,
    LEAD(at) OVER (PARTITION BY meter_id ORDER BY at) AS next_out_at
FROM (
    SELECT
        meter_id, at, is_up, received_at,
        LAG(is_up) OVER (PARTITION BY meter_id ORDER BY at, is_up) AS before_is_up,
        LAG(at) OVER (PARTITION BY meter_id ORDER BY at, is_up) AS before_at,
        MIN(CASE WHEN is_up THEN at END) OVER (
            PARTITION BY meter_id ORDER BY at, is_up ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS up_at
    FROM power_signals
) AS ordered
WHERE NOT is_up AND (COALESCE(before_is_up, TRUE) OR before_at < at - INTERVAL '1 hour');

COMMENT ON MATERIALIZED VIEW power_episodes IS 'When each meter was without supply, by its signals alone';
COMMENT ON COLUMN power_episodes.meter_id IS 'The meter';
COMMENT ON COLUMN power_episodes.out_at IS 'When it went out';
COMMENT ON COLUMN power_episodes.received_at IS 'When that was first known';
COMMENT ON COLUMN power_episodes.up_at IS 'The next sign of supply';
COMMENT ON COLUMN power_episodes.next_out_at IS 'Where the next episode begins';

-- A read of consumption at a normal voltage, of an interval that begins after the outage did, says
-- that supply is back though nobody told. A week is looked through.
CREATE MATERIALIZED VIEW reads_after_out AS
SELECT o.meter_id, o.out_at, MIN(r.interval_start) AS read_at
FROM power_episodes AS o
JOIN checked_reads AS r
    ON r.meter_id = o.meter_id AND r.interval_start >= o.out_at
    AND r.interval_start < LEAST(o.up_at, o.next_out_at, o.out_at + INTERVAL '7 days')
WHERE r.quality_rank >= 4 AND r.delivered_kwh > 0 AND (r.flags & 15) = 0
GROUP BY o.meter_id, o.out_at;

COMMENT ON MATERIALIZED VIEW reads_after_out IS 'The first read that shows supply behind an outage that nothing else ended';
COMMENT ON COLUMN reads_after_out.meter_id IS 'The meter';
COMMENT ON COLUMN reads_after_out.out_at IS 'When it went out';
COMMENT ON COLUMN reads_after_out.read_at IS 'Where that interval begins';

CREATE MATERIALIZED VIEW meter_interruptions AS
SELECT
    o.meter_id, o.out_at, o.received_at, m.transformer_id, COALESCE(m.head_end, '') AS head_end,
    LEAST(o.up_at, r.read_at, o.next_out_at) AS restored_at,
    CASE WHEN LEAST(o.up_at, r.read_at, o.next_out_at) IS NULL THEN NULL
        WHEN o.up_at = LEAST(o.up_at, r.read_at, o.next_out_at) THEN 'SIGNAL'
        WHEN r.read_at = LEAST(o.up_at, r.read_at, o.next_out_at) THEN 'READ'
        ELSE 'NEXT_OUT' END AS restored_by
FROM power_episodes AS o
JOIN meter_registry AS m
    ON m.meter_id = o.meter_id AND o.out_at >= m.valid_from
    AND o.out_at < COALESCE(m.valid_to, TIMESTAMPTZ 'infinity')
LEFT JOIN reads_after_out AS r ON r.meter_id = o.meter_id AND r.out_at = o.out_at;

COMMENT ON MATERIALIZED VIEW meter_interruptions IS 'When each meter was without supply: momentary interruptions too';
COMMENT ON COLUMN meter_interruptions.meter_id IS 'The meter';
COMMENT ON COLUMN meter_interruptions.out_at IS 'When it went out';
COMMENT ON COLUMN meter_interruptions.received_at IS 'When that was first known';
COMMENT ON COLUMN meter_interruptions.transformer_id IS 'Its transformer at that time';
COMMENT ON COLUMN meter_interruptions.head_end IS 'Its head-end';
COMMENT ON COLUMN meter_interruptions.restored_at IS 'When supply was back; NULL: it is out';
COMMENT ON COLUMN meter_interruptions.restored_by IS 'SIGNAL: an event or a ping, READ: consumption, NEXT_OUT: it went out again';

-- Out for longer than momentary_filter: from then on, and for good.
CREATE MATERIALIZED VIEW meter_outages AS
SELECT i.meter_id, i.out_at, i.received_at, i.transformer_id, i.head_end, i.restored_at
FROM meter_interruptions AS i
CROSS JOIN ami_parameters AS p
WHERE i.restored_at IS NULL AND i.out_at + p.momentary_filter <= NOW()
UNION ALL
SELECT i.meter_id, i.out_at, i.received_at, i.transformer_id, i.head_end, i.restored_at
FROM meter_interruptions AS i
CROSS JOIN ami_parameters AS p
WHERE i.restored_at >= i.out_at + p.momentary_filter;

COMMENT ON MATERIALIZED VIEW meter_outages IS 'Interruptions that outlasted momentary_filter';
COMMENT ON COLUMN meter_outages.meter_id IS 'The meter';
COMMENT ON COLUMN meter_outages.out_at IS 'When it went out';
COMMENT ON COLUMN meter_outages.received_at IS 'When that was first known';
COMMENT ON COLUMN meter_outages.transformer_id IS 'Its transformer at that time';
COMMENT ON COLUMN meter_outages.head_end IS 'Its head-end';
COMMENT ON COLUMN meter_outages.restored_at IS 'When supply was back; NULL: it is out';
