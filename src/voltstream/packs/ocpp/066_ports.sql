-- 23 CFR 680.116 speaks of ports: what charges one vehicle, whichever of its connectors that takes. A
-- port is the EVSE of 2.x, and the connector of 1.6. It is up while one of its connectors is, and known to
-- be down when all of them are.

CREATE MATERIALIZED VIEW port_states AS
SELECT
    charge_point_id, evse_id, at,
    CASE
        WHEN up > 0 THEN 'Up'
        WHEN faulted > 0 AND unknown = 0 THEN 'Faulted'
        WHEN unavailable > 0 AND unknown = 0 THEN 'Unavailable'
        WHEN offline > 0 AND unknown = 0 THEN 'Offline'
        ELSE 'Unknown'
    END AS state
FROM (
    SELECT
        charge_point_id, evse_id, at,
        SUM(up) OVER series AS up,
        SUM(unknown) OVER series AS unknown,
        SUM(faulted) OVER series AS faulted,
        SUM(unavailable) OVER series AS unavailable,
        SUM(offline) OVER series AS offline
    FROM (
        SELECT
            charge_point_id, evse_id, at,
            SUM(CASE WHEN class = 'UP' THEN connectors ELSE 0 END) AS up,
            SUM(CASE WHEN class = 'UNKNOWN' THEN connectors ELSE 0 END) AS unknown,
            SUM(CASE WHEN state = 'Faulted' THEN connectors ELSE 0 END) AS faulted,
            SUM(CASE WHEN state = 'Unavailable' THEN connectors ELSE 0 END) AS unavailable,
            SUM(CASE WHEN state = 'Offline' THEN connectors ELSE 0 END) AS offline
        FROM (
            SELECT charge_point_id, evse_id, valid_from AS at, state, class, 1 AS connectors
            FROM connector_timeline
            UNION ALL
            SELECT charge_point_id, evse_id, valid_to AS at, state, class, -1 AS connectors
            FROM connector_timeline
            WHERE valid_to IS NOT NULL
        ) AS edges
        GROUP BY charge_point_id, evse_id, at
    ) AS summed
    WINDOW series AS (PARTITION BY charge_point_id, evse_id ORDER BY at)
) AS counted;

COMMENT ON MATERIALIZED VIEW port_states IS
    'The state of each port at each instant at which one of its connectors changed';

CREATE MATERIALIZED VIEW port_changes AS
SELECT a.charge_point_id, a.evse_id, a.at, a.state
FROM port_states AS a
ASOF LEFT JOIN port_states AS b
    ON a.charge_point_id = b.charge_point_id AND a.evse_id = b.evse_id AND a.at > b.at
WHERE a.state IS DISTINCT FROM b.state;

COMMENT ON MATERIALIZED VIEW port_changes IS 'Instants at which the state of a port did change';

CREATE MATERIALIZED VIEW port_timeline AS
SELECT
    a.charge_point_id, a.evse_id, a.at AS valid_from, b.at AS valid_to, a.state,
    CASE
        WHEN a.state = 'Up' THEN 'UP'
        WHEN a.state = 'Unknown' THEN 'UNKNOWN'
        ELSE 'DOWN'
    END AS class
FROM port_changes AS a
ASOF LEFT JOIN port_changes AS b
    ON a.charge_point_id = b.charge_point_id AND a.evse_id = b.evse_id AND a.at < b.at;

COMMENT ON MATERIALIZED VIEW port_timeline IS
    'Every state of each port from when until when: Up while one of its connectors is';

CREATE MATERIALIZED VIEW down_states AS
SELECT t.*, before.class AS class_before
FROM (SELECT * FROM port_timeline WHERE class = 'DOWN') AS t
LEFT JOIN port_timeline AS before
    ON before.charge_point_id = t.charge_point_id
    AND before.evse_id = t.evse_id
    AND before.valid_to = t.valid_from;

COMMENT ON MATERIALIZED VIEW down_states IS 'States in which a port could not be used';

CREATE MATERIALIZED VIEW outages AS
WITH merged AS (
    SELECT
        d.charge_point_id, d.evse_id,
        o.valid_from AS outage_start,
        CASE WHEN BOOL_OR(d.valid_to IS NULL) THEN NULL ELSE MAX(d.valid_to) END AS outage_end,
        STRING_AGG(DISTINCT d.state, ', ' ORDER BY d.state) AS states
    FROM down_states AS d
    ASOF JOIN (
        SELECT charge_point_id, evse_id, valid_from FROM down_states
        WHERE class_before IS DISTINCT FROM 'DOWN'
    ) AS o
        ON d.charge_point_id = o.charge_point_id
        AND d.evse_id = o.evse_id
        AND d.valid_from >= o.valid_from
    GROUP BY d.charge_point_id, d.evse_id, o.valid_from
)
SELECT
    m.charge_point_id, m.evse_id, m.outage_start, m.outage_end, m.states,
    STRING_AGG(DISTINCT c.error_code, ', ' ORDER BY c.error_code) AS error_codes
FROM merged AS m
LEFT JOIN connector_timeline AS c
    ON c.charge_point_id = m.charge_point_id
    AND c.evse_id = m.evse_id
    AND c.valid_from < COALESCE(m.outage_end, TIMESTAMPTZ 'infinity')
    AND COALESCE(c.valid_to, TIMESTAMPTZ 'infinity') > m.outage_start
GROUP BY m.charge_point_id, m.evse_id, m.outage_start, m.outage_end, m.states;

COMMENT ON MATERIALIZED VIEW outages IS
    'Stretches in which a port was offline, faulted or out of service, with what its connectors told';

-- What 23 CFR 680.116 lets an operator leave out, each with its evidence and who says so.
CREATE TABLE IF NOT EXISTS uptime_exclusions (
    exclusion_id      VARCHAR PRIMARY KEY,
    charge_point_id   VARCHAR NOT NULL,
    connector_id      INTEGER,      -- NULL: all of them
    excluded_from     TIMESTAMPTZ NOT NULL,
    excluded_to       TIMESTAMPTZ NOT NULL,
    reason            VARCHAR NOT NULL CHECK (reason IN (
        'UTILITY', 'VEHICLE', 'MAINTENANCE', 'VANDALISM', 'DISASTER', 'CLOSED_HOURS')),
    evidence          VARCHAR NOT NULL,
    author            VARCHAR NOT NULL
);

-- Of a port, not of one of its connectors: the same number for a charger of 1.6.
ALTER TABLE uptime_exclusions RENAME COLUMN connector_id TO evse_id;

COMMENT ON TABLE uptime_exclusions IS
    'Time that does not count as outage, with its reason, its evidence and who says so';

-- Only what meets an outage counts, and what two exclusions share counts once.
CREATE MATERIALIZED VIEW outage_exclusions AS
WITH met AS (
    SELECT
        o.charge_point_id, o.evse_id, o.outage_start,
        x.exclusion_id, x.reason, x.evidence, x.author,
        GREATEST(o.outage_start, x.excluded_from) AS met_from,
        LEAST(COALESCE(o.outage_end, x.excluded_to), x.excluded_to) AS met_to
    FROM outages AS o
    JOIN uptime_exclusions AS x
        ON x.charge_point_id = o.charge_point_id
        AND (x.evse_id IS NULL OR x.evse_id = o.evse_id)
        AND x.excluded_to > o.outage_start
        AND (o.outage_end IS NULL OR x.excluded_from < o.outage_end)
), reached AS (
    SELECT
        *,
        MAX(met_to) OVER (
            PARTITION BY charge_point_id, evse_id, outage_start
            ORDER BY met_from, met_to, exclusion_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached_to
    FROM met
    WHERE met_to > met_from
)
SELECT
    charge_point_id, evse_id, outage_start, exclusion_id, reason, evidence, author,
    GREATEST(met_from, COALESCE(reached_to, met_from)) AS excluded_from,
    met_to AS excluded_to
FROM reached
WHERE reached_to IS NULL OR met_to > reached_to;

COMMENT ON MATERIALIZED VIEW outage_exclusions IS
    'Which part of each outage is excluded, and why; parts do not overlap';

CREATE MATERIALIZED VIEW calendar_days AS
SELECT g.day FROM generate_series(
    TIMESTAMPTZ '2020-01-01 00:00:00+00', NOW(), INTERVAL '1 day') AS g(day);

COMMENT ON MATERIALIZED VIEW calendar_days IS 'Days in UTC that have begun, from 2020 on';

CREATE MATERIALIZED VIEW excluded_daily AS
SELECT
    x.charge_point_id, x.evse_id, g.day,
    SUM(epoch_ms(LEAST(x.excluded_to, g.day + INTERVAL '1 day'))
        - epoch_ms(GREATEST(x.excluded_from, g.day))) / CAST(1000 AS DOUBLE PRECISION)
        AS excluded_s
FROM outage_exclusions AS x
CROSS JOIN LATERAL generate_series(
    date_bin(INTERVAL '1 day', x.excluded_from, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
    x.excluded_to - INTERVAL '1 microsecond',
    INTERVAL '1 day'
) AS g(day)
GROUP BY x.charge_point_id, x.evse_id, g.day;

COMMENT ON MATERIALIZED VIEW excluded_daily IS 'Excluded outage of each port and day in UTC';

-- Days that are over. A state that still holds fills each of them.
CREATE MATERIALIZED VIEW uptime_daily AS
WITH parts AS (
    SELECT
        t.charge_point_id, t.evse_id, t.state, t.class, g.day,
        epoch_ms(LEAST(t.valid_to, g.day + INTERVAL '1 day')) - epoch_ms(GREATEST(t.valid_from, g.day))
            AS part_ms
    FROM port_timeline AS t
    CROSS JOIN LATERAL generate_series(
        date_bin(INTERVAL '1 day', t.valid_from, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
        t.valid_to - INTERVAL '1 microsecond',
        INTERVAL '1 day'
    ) AS g(day)
    WHERE t.valid_to IS NOT NULL AND g.day + INTERVAL '1 day' <= NOW()
    UNION ALL
    SELECT
        t.charge_point_id, t.evse_id, t.state, t.class, d.day,
        epoch_ms(d.day + INTERVAL '1 day') - epoch_ms(GREATEST(t.valid_from, d.day)) AS part_ms
    FROM port_timeline AS t
    JOIN calendar_days AS d ON d.day + INTERVAL '1 day' > t.valid_from
    WHERE t.valid_to IS NULL AND d.day + INTERVAL '1 day' <= NOW()
), summed AS (
    SELECT
        charge_point_id, evse_id, day,
        SUM(CASE WHEN class = 'UP' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS up_s,
        SUM(CASE WHEN class = 'DOWN' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS down_s,
        SUM(CASE WHEN state = 'Offline' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS offline_s,
        SUM(CASE WHEN state = 'Faulted' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS faulted_s,
        SUM(CASE WHEN class = 'UNKNOWN' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS unknown_s
    FROM parts
    GROUP BY charge_point_id, evse_id, day
)
SELECT
    s.charge_point_id, s.evse_id, s.day, s.up_s, s.down_s, s.offline_s,
    s.faulted_s, s.unknown_s, COALESCE(x.excluded_s, 0) AS excluded_s,
    100 * s.up_s / NULLIF(s.up_s + s.down_s, 0) AS uptime_percent
FROM summed AS s
LEFT JOIN excluded_daily AS x
    ON x.charge_point_id = s.charge_point_id
    AND x.evse_id = s.evse_id
    AND x.day = s.day;

COMMENT ON MATERIALIZED VIEW uptime_daily IS
    'Seconds up, down and unknown of each port and day in UTC that is over';

CREATE MATERIALIZED VIEW uptime_monthly AS
SELECT
    charge_point_id, evse_id,
    CAST(date_trunc('month', day AT TIME ZONE 'UTC') AS DATE) AS month,
    COUNT(*) AS days,
    SUM(up_s) / 60 AS up_min,
    SUM(down_s) / 60 AS outage_min,
    SUM(excluded_s) / 60 AS excluded_min,
    SUM(unknown_s) / 60 AS unknown_min
FROM uptime_daily
GROUP BY
    charge_point_id, evse_id,
    CAST(date_trunc('month', day AT TIME ZONE 'UTC') AS DATE);

COMMENT ON MATERIALIZED VIEW uptime_monthly IS
    'Minutes up, of outage, excluded and unknown of each port and month in UTC';

-- 23 CFR 680.116(b): the twelve months before, 525,600 minutes also in a leap year. A port that is
-- younger is measured by the minutes it has, and marked.
CREATE MATERIALIZED VIEW nevi_uptime AS
WITH rolled AS (
    SELECT
        charge_point_id, evse_id, month,
        COUNT(*) OVER twelve AS months,
        SUM(up_min + outage_min + unknown_min) OVER twelve AS known_min,
        SUM(outage_min) OVER twelve AS outage_min,
        SUM(excluded_min) OVER twelve AS excluded_min,
        SUM(unknown_min) OVER twelve AS unknown_min
    FROM (
        SELECT *, EXTRACT(YEAR FROM month) * 12 + EXTRACT(MONTH FROM month) AS month_number
        FROM uptime_monthly
    ) AS numbered
    WINDOW twelve AS (
        PARTITION BY charge_point_id, evse_id ORDER BY month_number
        RANGE BETWEEN 11 PRECEDING AND CURRENT ROW
    )
), reckoned AS (
    SELECT
        *,
        known_min < 525600 AS partial,
        LEAST(known_min, 525600) AS period_min
    FROM rolled
)
SELECT
    r.charge_point_id, r.evse_id, r.month, r.months,
    r.outage_min, r.excluded_min, r.unknown_min, r.period_min, r.partial,
    100 * (r.period_min - (r.outage_min - r.excluded_min)) / r.period_min AS uptime_percent,
    100 * (r.period_min - (r.outage_min - r.excluded_min)) / r.period_min > p.uptime_target_percent
        AS compliant
FROM reckoned AS r
CROSS JOIN ocpp_parameters AS p
WHERE r.month + INTERVAL '1 month' <= NOW();

COMMENT ON MATERIALIZED VIEW nevi_uptime IS
    'Uptime of each port over the twelve months that end with a month, as NEVI reckons it';

CREATE VIEW nevi_outages AS
SELECT
    o.charge_point_id, o.evse_id, o.outage_start, o.outage_end,
    (epoch_ms(o.outage_end) - epoch_ms(o.outage_start)) / CAST(60000 AS DOUBLE PRECISION) AS outage_min,
    o.states, o.error_codes, x.excluded_from, x.excluded_to, x.reason, x.evidence, x.author
FROM outages AS o
LEFT JOIN outage_exclusions AS x
    ON x.charge_point_id = o.charge_point_id
    AND x.evse_id = o.evse_id
    AND x.outage_start = o.outage_start;

COMMENT ON VIEW nevi_outages IS 'The evidence: every outage with what is excluded of it, and why';

CREATE MATERIALIZED VIEW site_sla AS
WITH summed AS (
    SELECT
        c.site, u.month,
        COUNT(*) AS ports,
        SUM(u.up_min) AS up_min,
        SUM(u.outage_min) AS outage_min,
        SUM(u.excluded_min) AS excluded_min
    FROM uptime_monthly AS u
    JOIN charge_points AS c ON c.charge_point_id = u.charge_point_id
    GROUP BY c.site, u.month
)
SELECT
    s.site, s.month, s.ports, s.outage_min, s.excluded_min,
    100 * (s.up_min + s.excluded_min) / NULLIF(s.up_min + s.outage_min, 0) AS uptime_percent,
    COALESCE(l.uptime_target_percent, p.uptime_target_percent) AS target_percent,
    100 * (s.up_min + s.excluded_min)
        >= COALESCE(l.uptime_target_percent, p.uptime_target_percent) * (s.up_min + s.outage_min)
        AS met
FROM summed AS s
CROSS JOIN ocpp_parameters AS p
LEFT JOIN charging_sites AS l ON l.site = s.site;

COMMENT ON MATERIALIZED VIEW site_sla IS
    'Uptime of each site and month, all its ports together, beside what was agreed';
