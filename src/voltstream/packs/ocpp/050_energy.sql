-- Energy per quarter of an hour and per day.
--
-- Law: over its windows a session's energy adds up to the sum of its accepted register steps, to
-- the last milli-watt-hour. A step that crosses a boundary is cut there, as if energy had flowed
-- evenly over it; an estimated window has a part of a step longer than two sample intervals.
-- MAX - MIN inside each window would lose the step from the last sample of one window to the first
-- of the next: with a sample a minute, one fifteenth of all energy.

CREATE MATERIALIZED VIEW energy_15min AS
WITH parts AS (
    SELECT
        s.charge_point_id, s.evse_id, s.connector_id, s.transaction_id, s.site, s.time_zone,
        s.exported, g.window_start,
        s.sampled_at >= g.window_start AND s.sampled_at < g.window_start + INTERVAL '15 minutes'
            AS ends_here,
        s.long AND s.delta_wh > 0
            AND s.sampled_at > g.window_start
            AND (s.from_at < g.window_start
                 OR s.sampled_at > g.window_start + INTERVAL '15 minutes') AS estimated,
        CASE
            WHEN s.step_ms = 0 THEN s.delta_wh
            ELSE
                CAST(ROUND(s.wh_per_ms * (epoch_ms(LEAST(
                    s.sampled_at, g.window_start + INTERVAL '15 minutes'))
                    - epoch_ms(s.from_at)), 3) AS DECIMAL(18, 3))
                - CAST(ROUND(s.wh_per_ms * (epoch_ms(GREATEST(s.from_at, g.window_start))
                    - epoch_ms(s.from_at)), 3) AS DECIMAL(18, 3))
        END AS part_wh
    FROM (
        SELECT *, CAST(delta_wh AS DOUBLE PRECISION) / NULLIF(step_ms, 0) AS wh_per_ms
        FROM register_steps
    ) AS s
    CROSS JOIN LATERAL generate_series(
        date_bin(INTERVAL '15 minutes', s.from_at, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
        s.sampled_at,
        INTERVAL '15 minutes'
    ) AS g(window_start)
), summed AS (
    SELECT
        charge_point_id, evse_id, connector_id, transaction_id, site, time_zone, window_start,
        SUM(CASE WHEN exported THEN 0 ELSE part_wh END) AS energy_wh,
        SUM(CASE WHEN exported THEN part_wh ELSE 0 END) AS export_wh,
        COUNT(*) FILTER (WHERE ends_here AND NOT exported) AS reading_count,
        COUNT(*) FILTER (WHERE estimated) AS long_steps
    FROM parts
    GROUP BY
        charge_point_id, evse_id, connector_id, transaction_id, site, time_zone, window_start
)
SELECT
    charge_point_id, evse_id, connector_id, transaction_id, site, time_zone,
    window_start, window_start + INTERVAL '15 minutes' AS window_end,
    energy_wh, export_wh, reading_count, long_steps > 0 AS estimated,
    long_steps = 0 AS contiguous
FROM summed;

COMMENT ON MATERIALIZED VIEW energy_15min IS
    'Energy of each transaction and quarter of an hour in Wh; estimated: a long step was cut evenly';

CREATE MATERIALIZED VIEW fleet_energy_15min AS
SELECT
    window_start,
    window_end,
    SUM(energy_wh) / 1000 AS energy_kwh,
    SUM(export_wh) / 1000 AS export_kwh,
    COUNT(*) AS session_count,
    COUNT(*) FILTER (WHERE estimated) AS gap_count
FROM energy_15min
GROUP BY window_start, window_end;

COMMENT ON MATERIALIZED VIEW fleet_energy_15min IS 'Energy of all sessions per quarter of an hour, in kWh';

-- A day is the site's: 23 or 25 hours when its clocks change. Quarters of an hour fit every zone.
CREATE MATERIALIZED VIEW energy_daily AS
SELECT
    charge_point_id, evse_id, connector_id, site,
    CAST(window_start AT TIME ZONE time_zone AS DATE) AS day,
    SUM(energy_wh) AS energy_wh,
    SUM(export_wh) AS export_wh,
    SUM(energy_wh) - SUM(export_wh) AS net_wh,
    SUM(CASE WHEN estimated THEN energy_wh ELSE 0 END) AS estimated_wh
FROM energy_15min
GROUP BY
    charge_point_id, evse_id, connector_id, site, CAST(window_start AT TIME ZONE time_zone AS DATE);

COMMENT ON MATERIALIZED VIEW energy_daily IS
    'Energy of each connector and day of its site, in Wh; V2X: import, export and net apart';

-- What a utility bills: the mean power of a quarter of an hour, all chargers of a site together.
CREATE MATERIALIZED VIEW site_demand_15min AS
SELECT
    site, time_zone, window_start, window_end,
    SUM(energy_wh) / 250 AS import_kw,
    SUM(export_wh) / 250 AS export_kw,
    (SUM(energy_wh) - SUM(export_wh)) / 250 AS net_kw,
    COUNT(*) AS session_count
FROM energy_15min
WHERE site IS NOT NULL
GROUP BY site, time_zone, window_start, window_end;

COMMENT ON MATERIALIZED VIEW site_demand_15min IS
    'Mean power of each site and quarter of an hour in kW: import, export (V2X) and net';

CREATE VIEW site_peaks AS
SELECT DISTINCT ON (d.site, CAST(date_trunc('month', d.window_start AT TIME ZONE d.time_zone) AS DATE))
    d.site,
    CAST(date_trunc('month', d.window_start AT TIME ZONE d.time_zone) AS DATE) AS month,
    d.net_kw AS peak_kw,
    d.window_start AS peak_at,
    d.session_count,
    100 * d.net_kw / l.power_limit_kw AS limit_percent
FROM site_demand_15min AS d
LEFT JOIN charging_sites AS l ON l.site = d.site
ORDER BY
    d.site, CAST(date_trunc('month', d.window_start AT TIME ZONE d.time_zone) AS DATE),
    d.net_kw DESC, d.window_start;

COMMENT ON VIEW site_peaks IS
    'The quarter of an hour of each site and month in which its chargers together took most';
