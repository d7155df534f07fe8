-- Energy per quarter of an hour, from register steps.
--
-- Law: over its windows a transaction's energy adds up to last register minus first register,
-- as long as no window lies between two others without a reading (`contiguous` is then false).
-- MAX - MIN inside each window would lose the step from the last sample of one window to the first
-- of the next: with a sample a minute, one fifteenth of all energy.
-- Bound: a step that crosses the boundary counts for the window in which it is read, so a window
-- is off by at most the energy of one sample interval at each end, and nothing is lost.
-- Not decided here: a register that falls (reset, rollover) gives 0 for its window, never less.

CREATE MATERIALIZED VIEW registers_15min AS
SELECT
    charge_point_id, connector_id, transaction_id, window_start, window_end,
    MIN(value_si) AS register_wh_min,
    MAX(value_si) AS register_wh_max,
    COUNT(*) AS reading_count
FROM TUMBLE(
    (SELECT * FROM charger_readings
     WHERE measurand = 'Energy.Active.Import.Register'
       AND location = 'Outlet'
       AND phase IS NULL
       AND value_si IS NOT NULL
       AND transaction_id IS NOT NULL),
    event_ts,
    INTERVAL '15 MINUTES'
)
GROUP BY charge_point_id, connector_id, transaction_id, window_start, window_end;

COMMENT ON MATERIALIZED VIEW registers_15min IS
    'First and last energy register of each transaction and quarter of an hour';

CREATE MATERIALIZED VIEW energy_15min AS
SELECT
    w.charge_point_id,
    w.connector_id,
    w.transaction_id,
    w.window_start,
    w.window_end,
    GREATEST(w.register_wh_max - COALESCE(previous.register_wh_max, w.register_wh_min), 0)
        AS energy_wh,
    w.reading_count,
    COALESCE(previous.register_wh_max IS NOT NULL OR s.started_at >= w.window_start, FALSE)
        AS contiguous
FROM registers_15min AS w
LEFT JOIN registers_15min AS previous
    ON w.charge_point_id = previous.charge_point_id
    AND w.connector_id = previous.connector_id
    AND w.transaction_id = previous.transaction_id
    AND w.window_start = previous.window_end
LEFT JOIN session_starts AS s
    ON w.charge_point_id = s.charge_point_id AND w.transaction_id = s.transaction_id;

COMMENT ON MATERIALIZED VIEW energy_15min IS
    'Energy of each transaction and quarter of an hour in Wh; not contiguous: the window before had no reading';

CREATE MATERIALIZED VIEW fleet_energy_15min AS
SELECT
    window_start,
    window_end,
    SUM(energy_wh) / 1000 AS energy_kwh,
    COUNT(*) AS session_count,
    COUNT(*) FILTER (WHERE NOT contiguous) AS gap_count
FROM energy_15min
GROUP BY window_start, window_end;

COMMENT ON MATERIALIZED VIEW fleet_energy_15min IS 'Energy of all sessions per quarter of an hour, in kWh';
