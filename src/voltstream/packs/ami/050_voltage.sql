-- Voltage of transformers. One bad meter is a matter of its service, not of the transformer.

CREATE MATERIALIZED VIEW transformer_voltage AS
SELECT
    interval_start AS window_start,
    transformer_id,
    interval_s,
    COUNT(*) AS voltages,
    MIN(voltage_v) AS min_v,
    PERCENTILE_CONT(0.05) WITHIN GROUP (ORDER BY voltage_v::DOUBLE PRECISION) AS p05_v,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY voltage_v::DOUBLE PRECISION) AS median_v,
    PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY voltage_v::DOUBLE PRECISION) AS p95_v,
    MAX(voltage_v) AS max_v,
    MIN_BY(meter_id, voltage_v) AS lowest_meter,
    MAX_BY(meter_id, voltage_v) AS highest_meter
FROM checked_reads
WHERE voltage_v IS NOT NULL AND (flags & 12) = 0 AND quality_rank >= 3 AND measures = 'customer'
GROUP BY interval_start, transformer_id, interval_s;

COMMENT ON MATERIALIZED VIEW transformer_voltage IS 'Spread of the plausible voltages of a transformer''s meters in a window';
COMMENT ON COLUMN transformer_voltage.window_start IS 'Where the window begins';
COMMENT ON COLUMN transformer_voltage.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_voltage.interval_s IS 'Length of window';
COMMENT ON COLUMN transformer_voltage.voltages IS 'How many meters';
COMMENT ON COLUMN transformer_voltage.min_v IS 'Least';
COMMENT ON COLUMN transformer_voltage.p05_v IS '5 % are below';
COMMENT ON COLUMN transformer_voltage.median_v IS 'Half are below';
COMMENT ON COLUMN transformer_voltage.p95_v IS '95 % are below';
COMMENT ON COLUMN transformer_voltage.max_v IS 'Greatest';
COMMENT ON COLUMN transformer_voltage.lowest_meter IS 'A meter with the least';
COMMENT ON COLUMN transformer_voltage.highest_meter IS 'A meter with the greatest';

-- Of the meters outside their own limits: a meter of another nominal voltage is not the worst.
CREATE MATERIALIZED VIEW voltage_outliers AS
SELECT
    window_start, transformer_id, interval_s, violation,
    CASE violation WHEN 'LOW_VOLTAGE' THEN MIN(voltage_v) ELSE MAX(voltage_v) END AS worst_v,
    CASE violation WHEN 'LOW_VOLTAGE' THEN MIN_BY(meter_id, voltage_v) ELSE MAX_BY(meter_id, voltage_v) END
        AS worst_meter
FROM (
    SELECT interval_start AS window_start, transformer_id, interval_s, meter_id, voltage_v,
        CASE WHEN (flags & 16) <> 0 THEN 'LOW_VOLTAGE' ELSE 'HIGH_VOLTAGE' END AS violation
    FROM checked_reads
    WHERE (flags & 48) <> 0 AND (flags & 12) = 0 AND quality_rank >= 3 AND measures = 'customer'
) AS outside
GROUP BY window_start, transformer_id, interval_s, violation;

COMMENT ON MATERIALIZED VIEW voltage_outliers IS 'The meter of a transformer and window that is farthest outside its limits';
COMMENT ON COLUMN voltage_outliers.window_start IS 'Where the window begins';
COMMENT ON COLUMN voltage_outliers.transformer_id IS 'The transformer';
COMMENT ON COLUMN voltage_outliers.interval_s IS 'Length of window';
COMMENT ON COLUMN voltage_outliers.violation IS 'LOW_VOLTAGE or HIGH_VOLTAGE';
COMMENT ON COLUMN voltage_outliers.worst_v IS 'The lowest of the low, the highest of the high';
COMMENT ON COLUMN voltage_outliers.worst_meter IS 'A meter that read it';

-- Two rows where a window is low and high.
CREATE MATERIALIZED VIEW voltage_violations AS
SELECT
    v.window_start, v.transformer_id, v.interval_s, v.violation,
    CASE WHEN w.outside >= GREATEST(2, 0.1 * w.voltages) THEN 'TRANSFORMER' ELSE 'SERVICE' END AS extent,
    w.outside AS meters, w.voltages, v.worst_v, v.worst_meter,
    COALESCE(before.outside >= GREATEST(2, 0.1 * before.voltages), FALSE)
        AND w.outside >= GREATEST(2, 0.1 * w.voltages) AS persistent
FROM voltage_outliers AS v
JOIN (
    SELECT window_start, transformer_id, interval_s, 'LOW_VOLTAGE' AS violation, low_count AS outside, voltages
    FROM transformer_windows WHERE low_count > 0
    UNION ALL
    SELECT window_start, transformer_id, interval_s, 'HIGH_VOLTAGE' AS violation, high_count AS outside, voltages
    FROM transformer_windows WHERE high_count > 0
) AS w
    ON w.window_start = v.window_start AND w.transformer_id = v.transformer_id
    AND w.interval_s = v.interval_s AND w.violation = v.violation
LEFT JOIN (
    SELECT window_start, transformer_id, interval_s, 'LOW_VOLTAGE' AS violation, low_count AS outside, voltages
    FROM transformer_windows WHERE low_count > 0
    UNION ALL
    SELECT window_start, transformer_id, interval_s, 'HIGH_VOLTAGE' AS violation, high_count AS outside, voltages
    FROM transformer_windows WHERE high_count > 0
) AS before
    ON before.window_start = v.window_start - v.interval_s * INTERVAL '1 second'
    AND before.transformer_id = v.transformer_id AND before.interval_s = v.interval_s
    AND before.violation = v.violation;

COMMENT ON MATERIALIZED VIEW voltage_violations IS 'Windows in which voltages were outside the limits of their profile: low and high are rows of their own';
COMMENT ON COLUMN voltage_violations.window_start IS 'Where the window begins';
COMMENT ON COLUMN voltage_violations.transformer_id IS 'The transformer';
COMMENT ON COLUMN voltage_violations.interval_s IS 'Length of window';
COMMENT ON COLUMN voltage_violations.violation IS 'LOW_VOLTAGE or HIGH_VOLTAGE';
COMMENT ON COLUMN voltage_violations.extent IS 'TRANSFORMER: 2 meters at least and a tenth of them; else SERVICE';
COMMENT ON COLUMN voltage_violations.meters IS 'Meters outside';
COMMENT ON COLUMN voltage_violations.voltages IS 'Meters with a plausible voltage';
COMMENT ON COLUMN voltage_violations.worst_v IS 'Lowest of LOW_VOLTAGE, highest of HIGH_VOLTAGE';
COMMENT ON COLUMN voltage_violations.worst_meter IS 'A meter that read it';
COMMENT ON COLUMN voltage_violations.persistent IS 'Whether the window before was outside at the transformer too: what is worth an alert';
