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

-- Two rows where a window is low and high.
CREATE MATERIALIZED VIEW voltage_violations AS
SELECT
    w.window_start, w.transformer_id, w.interval_s, 'LOW_VOLTAGE' AS violation,
    CASE WHEN w.low_count >= GREATEST(2, 0.1 * w.voltages) THEN 'TRANSFORMER' ELSE 'SERVICE' END AS extent,
    w.low_count AS meters, w.voltages, v.min_v AS worst_v, v.lowest_meter AS worst_meter,
    COALESCE(before.low_count >= GREATEST(2, 0.1 * before.voltages), FALSE)
        AND w.low_count >= GREATEST(2, 0.1 * w.voltages) AS persistent
FROM transformer_windows AS w
JOIN transformer_voltage AS v
    ON w.window_start = v.window_start AND w.transformer_id = v.transformer_id AND w.interval_s = v.interval_s
LEFT JOIN transformer_windows AS before
    ON before.window_start = w.window_start - w.interval_s * INTERVAL '1 second'
    AND before.transformer_id = w.transformer_id AND before.interval_s = w.interval_s
WHERE w.low_count > 0
UNION ALL
SELECT
    w.window_start, w.transformer_id, w.interval_s, 'HIGH_VOLTAGE' AS violation,
    CASE WHEN w.high_count >= GREATEST(2, 0.1 * w.voltages) THEN 'TRANSFORMER' ELSE 'SERVICE' END AS extent,
    w.high_count AS meters, w.voltages, v.max_v AS worst_v, v.highest_meter AS worst_meter,
    COALESCE(before.high_count >= GREATEST(2, 0.1 * before.voltages), FALSE)
        AND w.high_count >= GREATEST(2, 0.1 * w.voltages) AS persistent
FROM transformer_windows AS w
JOIN transformer_voltage AS v
    ON w.window_start = v.window_start AND w.transformer_id = v.transformer_id AND w.interval_s = v.interval_s
LEFT JOIN transformer_windows AS before
    ON before.window_start = w.window_start - w.interval_s * INTERVAL '1 second'
    AND before.transformer_id = w.transformer_id AND before.interval_s = w.interval_s
WHERE w.high_count > 0;

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
