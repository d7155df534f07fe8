-- Uptime by time, not by events: a state holds until the next one, so a month without a word is a
-- month of the state before it.

-- Where a session that was told in full proves that a charger worked while it was offline.
CREATE MATERIALIZED VIEW session_edges AS
SELECT charge_point_id, evse_id, started_at AS at, TRUE AS in_session FROM session_spans
WHERE state = 'FINISHED' AND evse_id IS NOT NULL AND started_at < stopped_at
UNION ALL
SELECT charge_point_id, evse_id, stopped_at AS at, FALSE AS in_session FROM session_spans
WHERE state = 'FINISHED' AND evse_id IS NOT NULL AND started_at < stopped_at;

COMMENT ON MATERIALIZED VIEW session_edges IS 'Starts and stops of finished sessions';

CREATE MATERIALIZED VIEW connectors AS
SELECT DISTINCT charge_point_id, evse_id, connector_id
FROM status_points
WHERE connector_id > 0;

COMMENT ON MATERIALIZED VIEW connectors IS 'Every connector that has told its status';

CREATE MATERIALIZED VIEW timeline_points AS
SELECT charge_point_id, evse_id, connector_id, changed_at AS at
FROM status_changes WHERE connector_id > 0
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, s.changed_at AS at
FROM status_changes AS s JOIN connectors AS k ON k.charge_point_id = s.charge_point_id
WHERE s.connector_id = 0
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, l.changed_at AS at
FROM link_changes AS l JOIN connectors AS k ON k.charge_point_id = l.charge_point_id
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, e.at
FROM session_edges AS e
JOIN connectors AS k ON k.charge_point_id = e.charge_point_id AND k.evse_id = e.evse_id;

COMMENT ON MATERIALIZED VIEW timeline_points IS
    'Instants at which the state of a connector may change';

-- A connector is offline when its charger is, unless it charged. A charger that is faulted or out of
-- service as a whole takes its connectors with it. Before its first status a connector is unknown.
CREATE MATERIALIZED VIEW timeline_states AS
SELECT
    p.charge_point_id, p.evse_id, p.connector_id, p.at,
    CASE
        WHEN s.status IS NULL THEN 'Unknown'
        WHEN NOT l.online AND NOT COALESCE(x.in_session, FALSE) THEN 'Offline'
        WHEN w.status IN ('Faulted', 'Unavailable') THEN w.status
        ELSE s.status
    END AS state,
    CASE WHEN s.status = 'Faulted' THEN s.error_code END AS error_code
FROM timeline_points AS p
ASOF LEFT JOIN (
    SELECT charge_point_id, evse_id, connector_id, changed_at, status, error_code
    FROM status_changes WHERE connector_id > 0
) AS s
    ON p.charge_point_id = s.charge_point_id
    AND p.evse_id = s.evse_id
    AND p.connector_id = s.connector_id
    AND p.at >= s.changed_at
ASOF LEFT JOIN (
    SELECT charge_point_id, changed_at, status FROM status_changes WHERE connector_id = 0
) AS w
    ON p.charge_point_id = w.charge_point_id AND p.at >= w.changed_at
ASOF LEFT JOIN link_changes AS l
    ON p.charge_point_id = l.charge_point_id AND p.at >= l.changed_at
ASOF LEFT JOIN session_edges AS x
    ON p.charge_point_id = x.charge_point_id AND p.evse_id = x.evse_id AND p.at >= x.at;

COMMENT ON MATERIALIZED VIEW timeline_states IS 'The state of each connector at each of its instants';

CREATE MATERIALIZED VIEW timeline_changes AS
SELECT a.charge_point_id, a.evse_id, a.connector_id, a.at, a.state, a.error_code
FROM timeline_states AS a
ASOF LEFT JOIN timeline_states AS b
    ON a.charge_point_id = b.charge_point_id
    AND a.evse_id = b.evse_id
    AND a.connector_id = b.connector_id
    AND a.at > b.at
WHERE a.state IS DISTINCT FROM b.state OR a.error_code IS DISTINCT FROM b.error_code;

COMMENT ON MATERIALIZED VIEW timeline_changes IS 'Instants at which the state of a connector did change';

CREATE MATERIALIZED VIEW connector_timeline AS
SELECT
    a.charge_point_id, a.evse_id, a.connector_id, a.at AS valid_from, b.at AS valid_to, a.state,
    CASE
        WHEN a.state = 'Unknown' THEN 'UNKNOWN'
        WHEN a.state IN ('Offline', 'Faulted', 'Unavailable') THEN 'DOWN'
        ELSE 'UP'
    END AS class,
    a.error_code
FROM timeline_changes AS a
ASOF LEFT JOIN timeline_changes AS b
    ON a.charge_point_id = b.charge_point_id
    AND a.evse_id = b.evse_id
    AND a.connector_id = b.connector_id
    AND a.at < b.at;

COMMENT ON MATERIALIZED VIEW connector_timeline IS
    'Every state of each connector from when until when; the last one has no end';

CREATE MATERIALIZED VIEW down_states AS
SELECT t.*, before.class AS class_before
FROM (SELECT * FROM connector_timeline WHERE class = 'DOWN') AS t
LEFT JOIN connector_timeline AS before
    ON before.charge_point_id = t.charge_point_id
    AND before.evse_id = t.evse_id
    AND before.connector_id = t.connector_id
    AND before.valid_to = t.valid_from;

COMMENT ON MATERIALIZED VIEW down_states IS 'States in which a connector could not be used';

CREATE MATERIALIZED VIEW outages AS
SELECT
    d.charge_point_id, d.evse_id, d.connector_id,
    o.valid_from AS outage_start,
    CASE WHEN BOOL_OR(d.valid_to IS NULL) THEN NULL ELSE MAX(d.valid_to) END AS outage_end,
    STRING_AGG(DISTINCT d.state, ', ' ORDER BY d.state) AS states,
    STRING_AGG(DISTINCT d.error_code, ', ' ORDER BY d.error_code) AS error_codes
FROM down_states AS d
ASOF JOIN (
    SELECT charge_point_id, evse_id, connector_id, valid_from FROM down_states
    WHERE class_before IS DISTINCT FROM 'DOWN'
) AS o
    ON d.charge_point_id = o.charge_point_id
    AND d.evse_id = o.evse_id
    AND d.connector_id = o.connector_id
    AND d.valid_from >= o.valid_from
GROUP BY d.charge_point_id, d.evse_id, d.connector_id, o.valid_from;

COMMENT ON MATERIALIZED VIEW outages IS
    'Stretches in which a connector was offline, faulted or out of service, with what it told';

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

COMMENT ON TABLE uptime_exclusions IS
    'Time that does not count as outage, with its reason, its evidence and who says so';

-- Only what meets an outage counts, and what two exclusions share counts once.
CREATE MATERIALIZED VIEW outage_exclusions AS
WITH met AS (
    SELECT
        o.charge_point_id, o.evse_id, o.connector_id, o.outage_start,
        x.exclusion_id, x.reason, x.evidence, x.author,
        GREATEST(o.outage_start, x.excluded_from) AS met_from,
        LEAST(COALESCE(o.outage_end, x.excluded_to), x.excluded_to) AS met_to
    FROM outages AS o
    JOIN uptime_exclusions AS x
        ON x.charge_point_id = o.charge_point_id
        AND (x.connector_id IS NULL OR x.connector_id = o.connector_id)
        AND x.excluded_to > o.outage_start
        AND (o.outage_end IS NULL OR x.excluded_from < o.outage_end)
), reached AS (
    SELECT
        *,
        MAX(met_to) OVER (
            PARTITION BY charge_point_id, evse_id, connector_id, outage_start
            ORDER BY met_from, met_to, exclusion_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached_to
    FROM met
    WHERE met_to > met_from
)
SELECT
    charge_point_id, evse_id, connector_id, outage_start, exclusion_id, reason, evidence, author,
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
    x.charge_point_id, x.evse_id, x.connector_id, g.day,
    SUM(epoch_ms(LEAST(x.excluded_to, g.day + INTERVAL '1 day'))
        - epoch_ms(GREATEST(x.excluded_from, g.day))) / CAST(1000 AS DOUBLE PRECISION)
        AS excluded_s
FROM outage_exclusions AS x
CROSS JOIN LATERAL generate_series(
    date_bin(INTERVAL '1 day', x.excluded_from, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
    x.excluded_to - INTERVAL '1 microsecond',
    INTERVAL '1 day'
) AS g(day)
GROUP BY x.charge_point_id, x.evse_id, x.connector_id, g.day;

COMMENT ON MATERIALIZED VIEW excluded_daily IS 'Excluded outage of each connector and day in UTC';

-- Days that are over. A state that still holds fills each of them.
CREATE MATERIALIZED VIEW uptime_daily AS
WITH parts AS (
    SELECT
        t.charge_point_id, t.evse_id, t.connector_id, t.state, t.class, g.day,
        epoch_ms(LEAST(t.valid_to, g.day + INTERVAL '1 day')) - epoch_ms(GREATEST(t.valid_from, g.day))
            AS part_ms
    FROM connector_timeline AS t
    CROSS JOIN LATERAL generate_series(
        date_bin(INTERVAL '1 day', t.valid_from, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
        t.valid_to - INTERVAL '1 microsecond',
        INTERVAL '1 day'
    ) AS g(day)
    WHERE t.valid_to IS NOT NULL AND g.day + INTERVAL '1 day' <= NOW()
    UNION ALL
    SELECT
        t.charge_point_id, t.evse_id, t.connector_id, t.state, t.class, d.day,
        epoch_ms(d.day + INTERVAL '1 day') - epoch_ms(GREATEST(t.valid_from, d.day)) AS part_ms
    FROM connector_timeline AS t
    JOIN calendar_days AS d ON d.day + INTERVAL '1 day' > t.valid_from
    WHERE t.valid_to IS NULL AND d.day + INTERVAL '1 day' <= NOW()
), summed AS (
    SELECT
        charge_point_id, evse_id, connector_id, day,
        SUM(CASE WHEN class = 'UP' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS up_s,
        SUM(CASE WHEN class = 'DOWN' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS down_s,
        SUM(CASE WHEN state = 'Offline' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS offline_s,
        SUM(CASE WHEN state = 'Faulted' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS faulted_s,
        SUM(CASE WHEN class = 'UNKNOWN' THEN part_ms ELSE 0 END) / CAST(1000 AS DOUBLE PRECISION) AS unknown_s
    FROM parts
    GROUP BY charge_point_id, evse_id, connector_id, day
)
SELECT
    s.charge_point_id, s.evse_id, s.connector_id, s.day, s.up_s, s.down_s, s.offline_s,
    s.faulted_s, s.unknown_s, COALESCE(x.excluded_s, 0) AS excluded_s,
    100 * s.up_s / NULLIF(s.up_s + s.down_s, 0) AS uptime_percent
FROM summed AS s
LEFT JOIN excluded_daily AS x
    ON x.charge_point_id = s.charge_point_id
    AND x.evse_id = s.evse_id
    AND x.connector_id = s.connector_id
    AND x.day = s.day;

COMMENT ON MATERIALIZED VIEW uptime_daily IS
    'Seconds up, down and unknown of each connector and day in UTC that is over';

CREATE MATERIALIZED VIEW uptime_monthly AS
SELECT
    charge_point_id, evse_id, connector_id,
    CAST(date_trunc('month', day AT TIME ZONE 'UTC') AS DATE) AS month,
    COUNT(*) AS days,
    SUM(up_s) / 60 AS up_min,
    SUM(down_s) / 60 AS outage_min,
    SUM(excluded_s) / 60 AS excluded_min,
    SUM(unknown_s) / 60 AS unknown_min
FROM uptime_daily
GROUP BY
    charge_point_id, evse_id, connector_id,
    CAST(date_trunc('month', day AT TIME ZONE 'UTC') AS DATE);

COMMENT ON MATERIALIZED VIEW uptime_monthly IS
    'Minutes up, of outage, excluded and unknown of each connector and month in UTC';

-- 23 CFR 680.116(b): the twelve months before, 525,600 minutes also in a leap year. A port that is
-- younger is measured by the minutes it has, and marked.
CREATE MATERIALIZED VIEW nevi_uptime AS
WITH rolled AS (
    SELECT
        charge_point_id, evse_id, connector_id, month,
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
        PARTITION BY charge_point_id, evse_id, connector_id ORDER BY month_number
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
    r.charge_point_id, r.evse_id, r.connector_id, r.month, r.months,
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
    o.charge_point_id, o.evse_id, o.connector_id, o.outage_start, o.outage_end,
    (epoch_ms(o.outage_end) - epoch_ms(o.outage_start)) / CAST(60000 AS DOUBLE PRECISION) AS outage_min,
    o.states, o.error_codes, x.excluded_from, x.excluded_to, x.reason, x.evidence, x.author
FROM outages AS o
LEFT JOIN outage_exclusions AS x
    ON x.charge_point_id = o.charge_point_id
    AND x.evse_id = o.evse_id
    AND x.connector_id = o.connector_id
    AND x.outage_start = o.outage_start;

COMMENT ON VIEW nevi_outages IS 'The evidence: every outage with what is excluded of it, and why';

CREATE MATERIALIZED VIEW site_sla AS
WITH summed AS (
    SELECT
        c.site, u.month,
        COUNT(*) AS connectors,
        SUM(u.up_min) AS up_min,
        SUM(u.outage_min) AS outage_min,
        SUM(u.excluded_min) AS excluded_min
    FROM uptime_monthly AS u
    JOIN charge_points AS c ON c.charge_point_id = u.charge_point_id
    GROUP BY c.site, u.month
)
SELECT
    s.site, s.month, s.connectors, s.outage_min, s.excluded_min,
    100 * (s.up_min + s.excluded_min) / NULLIF(s.up_min + s.outage_min, 0) AS uptime_percent,
    COALESCE(l.uptime_target_percent, p.uptime_target_percent) AS target_percent,
    100 * (s.up_min + s.excluded_min)
        >= COALESCE(l.uptime_target_percent, p.uptime_target_percent) * (s.up_min + s.outage_min)
        AS met
FROM summed AS s
CROSS JOIN ocpp_parameters AS p
LEFT JOIN charging_sites AS l ON l.site = s.site;

COMMENT ON MATERIALIZED VIEW site_sla IS
    'Uptime of each site and month, all its connectors together, beside what was agreed';
