-- Rules: what stands here is true now. What opens, clears, is suppressed and acknowledged is in
-- alerts and alert_events. Nothing alerts for what became known later than alert_horizon.

CREATE MATERIALIZED VIEW transformer_parents AS
SELECT transformer_id, ARRAY_AGG(device_id ORDER BY height) AS parents
FROM transformer_devices
WHERE valid_to = TIMESTAMPTZ 'infinity'
GROUP BY transformer_id;

COMMENT ON MATERIALIZED VIEW transformer_parents IS 'What each transformer is fed by: an outage of these explains alerts of its own';
COMMENT ON COLUMN transformer_parents.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_parents.parents IS 'Sections and feeder';

CREATE MATERIALIZED VIEW outage_alerts WITH (
    alert.key = 'device_id', alert.severity = 'critical', alert.title = 'Outage',
    alert.update_on = 'severity, status'
) AS
SELECT o.device_id, CASE WHEN o.kind = 'SERVICE' THEN 'warning' ELSE 'critical' END AS severity,
    CASE WHEN o.kind = 'SERVICE' THEN 'Service without supply' ELSE 'Outage of ' || LOWER(o.kind) END AS title,
    o.started_at AS since, o.outage_id, o.kind, o.parent_id, o.status, o.heard, o.meters, o.expected_out,
    o.confidence, a.parents
FROM outage_list AS o
LEFT JOIN transformer_parents AS a ON a.transformer_id = o.device_id
WHERE o.status <> 'RESTORED' AND o.timely;

COMMENT ON MATERIALIZED VIEW outage_alerts IS 'Rule: outages that are not restored';
COMMENT ON COLUMN outage_alerts.device_id IS 'What is out';
COMMENT ON COLUMN outage_alerts.severity IS 'critical; of a service warning';
COMMENT ON COLUMN outage_alerts.title IS 'In words';
COMMENT ON COLUMN outage_alerts.since IS 'When the first meter went out';
COMMENT ON COLUMN outage_alerts.outage_id IS 'The outage';
COMMENT ON COLUMN outage_alerts.kind IS 'FEEDER, SECTION, LATERAL, TRANSFORMER or SERVICE';
COMMENT ON COLUMN outage_alerts.parent_id IS 'The outage that this is left over of';
COMMENT ON COLUMN outage_alerts.status IS 'As in outages';
COMMENT ON COLUMN outage_alerts.heard IS 'Meters that told';
COMMENT ON COLUMN outage_alerts.meters IS 'Active meters';
COMMENT ON COLUMN outage_alerts.expected_out IS 'Meters that are out, by the share of gasps that arrive';
COMMENT ON COLUMN outage_alerts.confidence IS 'At least';
COMMENT ON COLUMN outage_alerts.parents IS 'What feeds the device';

-- The window that was judged last, until the next one is.
CREATE MATERIALIZED VIEW receipt_alerts WITH (
    alert.key = 'transformer_id', alert.severity = 'warning', alert.title = 'Few reads',
    alert.suppressed_by = 'outage_alerts'
) AS
SELECT transformer_id, since, opens, expected, reported, adjusted_pct, parents
FROM (
    SELECT r.transformer_id, r.window_start AS since, r.adjusted_pct < p.low_receipt_pct AS opens,
        r.expected, r.reported, r.adjusted_pct, a.parents,
        r.window_start + r.interval_s * (2 + p.receipt_grace) * INTERVAL '1 second' AS judged_until
    FROM receipt_windows AS r
    CROSS JOIN ami_parameters AS p
    LEFT JOIN transformer_parents AS a ON a.transformer_id = r.transformer_id
    WHERE r.expected >= p.receipt_meters_min AND r.adjusted_pct < p.clear_receipt_pct
) AS judged
WHERE judged_until > NOW();

COMMENT ON MATERIALIZED VIEW receipt_alerts IS 'Rule: transformers whose latest window lacks reads; it opens below low_receipt_pct and clears at clear_receipt_pct';
COMMENT ON COLUMN receipt_alerts.transformer_id IS 'The transformer';
COMMENT ON COLUMN receipt_alerts.since IS 'The window';
COMMENT ON COLUMN receipt_alerts.opens IS 'Whether it is low enough to open';
COMMENT ON COLUMN receipt_alerts.expected IS 'Active meters';
COMMENT ON COLUMN receipt_alerts.reported IS 'Of these, reported';
COMMENT ON COLUMN receipt_alerts.adjusted_pct IS 'Receipt among meters with supply';
COMMENT ON COLUMN receipt_alerts.parents IS 'What feeds the transformer';

-- With few meters a share says little: so many windows without any read do.
CREATE MATERIALIZED VIEW silent_alerts WITH (
    alert.key = 'transformer_id', alert.severity = 'warning', alert.title = 'No reads',
    alert.suppressed_by = 'outage_alerts'
) AS
SELECT s.transformer_id, s.since, s.windows, a.parents
FROM (
    SELECT transformer_id, MIN(window_start) AS since, COUNT(*) AS windows, MIN(silent_windows) AS silent_windows
    FROM (
        SELECT transformer_id, window_start, silent_windows
        FROM (
            SELECT r.transformer_id, r.window_start, p.silent_windows,
                r.window_start + r.interval_s * (1 + p.receipt_grace + p.silent_windows) * INTERVAL '1 second'
                    AS counted_until
            FROM receipt_windows AS r
            CROSS JOIN ami_parameters AS p
            WHERE r.expected < p.receipt_meters_min AND r.reported = 0 AND r.meters_out < r.expected
        ) AS silent
        WHERE counted_until > NOW()
    ) AS recent
    GROUP BY transformer_id
) AS s
LEFT JOIN transformer_parents AS a ON a.transformer_id = s.transformer_id
WHERE s.windows >= s.silent_windows;

COMMENT ON MATERIALIZED VIEW silent_alerts IS 'Rule: transformers of few meters without any read for silent_windows';
COMMENT ON COLUMN silent_alerts.transformer_id IS 'The transformer';
COMMENT ON COLUMN silent_alerts.since IS 'The first of these windows';
COMMENT ON COLUMN silent_alerts.windows IS 'How many';
COMMENT ON COLUMN silent_alerts.parents IS 'What feeds the transformer';

-- What rules of voltage look at.
CREATE MATERIALIZED VIEW recent_violations AS
SELECT w.window_start, w.transformer_id, w.violation, w.extent, w.persistent, w.worst_v, w.worst_meter
FROM voltage_violations AS w
CROSS JOIN ami_parameters AS p
WHERE w.window_start > NOW() - p.alert_horizon;

COMMENT ON MATERIALIZED VIEW recent_violations IS 'Voltage violations within alert_horizon';
COMMENT ON COLUMN recent_violations.window_start IS 'Where the window begins';
COMMENT ON COLUMN recent_violations.transformer_id IS 'The transformer';
COMMENT ON COLUMN recent_violations.violation IS 'LOW_VOLTAGE or HIGH_VOLTAGE';
COMMENT ON COLUMN recent_violations.extent IS 'TRANSFORMER or SERVICE';
COMMENT ON COLUMN recent_violations.persistent IS 'Whether the window before was outside too';
COMMENT ON COLUMN recent_violations.worst_v IS 'Farthest outside';
COMMENT ON COLUMN recent_violations.worst_meter IS 'A meter that read it';

CREATE MATERIALIZED VIEW voltage_alerts WITH (
    alert.key = 'transformer_id, violation', alert.severity = 'warning', alert.title = 'Voltage outside limits',
    alert.suppressed_by = 'outage_alerts'
) AS
SELECT v.transformer_id, v.violation, v.since, v.windows, v.worst_v, a.parents
FROM (
    SELECT transformer_id, violation, MIN(window_start) AS since, COUNT(*) AS windows,
        CASE violation WHEN 'LOW_VOLTAGE' THEN MIN(worst_v) ELSE MAX(worst_v) END AS worst_v
    FROM recent_violations
    WHERE persistent
    GROUP BY transformer_id, violation
) AS v
LEFT JOIN transformer_parents AS a ON a.transformer_id = v.transformer_id;

COMMENT ON MATERIALIZED VIEW voltage_alerts IS 'Rule: transformers with two windows in a row outside the limits, within alert_horizon';
COMMENT ON COLUMN voltage_alerts.transformer_id IS 'The transformer';
COMMENT ON COLUMN voltage_alerts.violation IS 'LOW_VOLTAGE or HIGH_VOLTAGE';
COMMENT ON COLUMN voltage_alerts.since IS 'The first window';
COMMENT ON COLUMN voltage_alerts.windows IS 'How many';
COMMENT ON COLUMN voltage_alerts.worst_v IS 'Farthest from the limits';
COMMENT ON COLUMN voltage_alerts.parents IS 'What feeds the transformer';

CREATE MATERIALIZED VIEW service_voltage_alerts WITH (
    alert.key = 'meter_id, violation', alert.severity = 'info', alert.title = 'Voltage of one service',
    alert.suppressed_by = 'outage_alerts'
) AS
SELECT meter_id, violation, parent, since, windows
FROM (
    SELECT worst_meter AS meter_id, violation, transformer_id AS parent, MIN(window_start) AS since,
        COUNT(*) AS windows
    FROM recent_violations
    WHERE extent = 'SERVICE'
    GROUP BY worst_meter, violation, transformer_id
) AS counted
WHERE windows >= 2;

COMMENT ON MATERIALIZED VIEW service_voltage_alerts IS 'Rule: one meter outside the limits twice within alert_horizon, such as by a loose neutral';
COMMENT ON COLUMN service_voltage_alerts.meter_id IS 'The meter';
COMMENT ON COLUMN service_voltage_alerts.violation IS 'LOW_VOLTAGE or HIGH_VOLTAGE';
COMMENT ON COLUMN service_voltage_alerts.parent IS 'Its transformer';
COMMENT ON COLUMN service_voltage_alerts.since IS 'The first window';
COMMENT ON COLUMN service_voltage_alerts.windows IS 'How many';

CREATE MATERIALIZED VIEW overload_alerts WITH (
    alert.key = 'transformer_id', alert.severity = 'error', alert.title = 'Transformer overloaded'
) AS
SELECT transformer_id, MAX(loading_pct) AS loading_pct, MIN(window_start) AS since,
    MAX(loading_pct) > MIN(overload_pct) AS opens, COUNT(*) AS windows
FROM (
    SELECT l.transformer_id, CAST(l.loading_pct AS NUMERIC(18, 2)) AS loading_pct, l.window_start, p.overload_pct
    FROM transformer_load AS l
    CROSS JOIN ami_parameters AS p
    WHERE l.loading_pct > 100 AND l.window_start > NOW() - p.alert_horizon
) AS recent
GROUP BY transformer_id;

COMMENT ON MATERIALIZED VIEW overload_alerts IS 'Rule: transformers above overload_pct within alert_horizon; it clears when no window of these is above 100 %';
COMMENT ON COLUMN overload_alerts.transformer_id IS 'The transformer';
COMMENT ON COLUMN overload_alerts.loading_pct IS 'The highest';
COMMENT ON COLUMN overload_alerts.since IS 'The first window above 100 %';
COMMENT ON COLUMN overload_alerts.opens IS 'Whether it is high enough to open';
COMMENT ON COLUMN overload_alerts.windows IS 'Windows above 100 %';

CREATE MATERIALIZED VIEW tamper_alerts WITH (
    alert.key = 'meter_id', alert.severity = 'warning', alert.title = 'Tampering', alert.update_on = 'events'
) AS
SELECT meter_id, MIN(occurred_at) AS since, COUNT(*) AS events, MIN(transformer_id) AS parent
FROM (
    SELECT t.meter_id, t.occurred_at, t.transformer_id
    FROM tampers AS t
    CROSS JOIN ami_parameters AS p
    WHERE t.received_at <= t.occurred_at + p.alert_horizon AND t.occurred_at > NOW() - p.tamper_shown
) AS recent
GROUP BY meter_id;

COMMENT ON MATERIALIZED VIEW tamper_alerts IS 'Rule: meters somebody was at, for tamper_shown';
COMMENT ON COLUMN tamper_alerts.meter_id IS 'The meter';
COMMENT ON COLUMN tamper_alerts.since IS 'The first event';
COMMENT ON COLUMN tamper_alerts.events IS 'How many';
COMMENT ON COLUMN tamper_alerts.parent IS 'Its transformer';

CREATE MATERIALIZED VIEW loss_alerts WITH (
    alert.key = 'transformer_id', alert.severity = 'warning', alert.title = 'Energy that nothing explains'
) AS
SELECT transformer_id, MAX(local_day) AS last_day, COUNT(*) AS days
FROM (
    SELECT transformer_id, local_day
    FROM loss_candidates
    WHERE local_day AT TIME ZONE 'UTC' > NOW() - INTERVAL '3 days'
) AS recent
GROUP BY transformer_id;

COMMENT ON MATERIALIZED VIEW loss_alerts IS 'Rule: transformers that became candidates in the last days';
COMMENT ON COLUMN loss_alerts.transformer_id IS 'The transformer';
COMMENT ON COLUMN loss_alerts.last_day IS 'The last suspect day';
COMMENT ON COLUMN loss_alerts.days IS 'Days of these on which it was a candidate';
