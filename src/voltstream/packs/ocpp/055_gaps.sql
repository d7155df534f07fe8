-- Where samples are missing, by what is expected: a grid from the start of a session, with the
-- interval that the charger is set to.

-- A gap lies between two samples of the register, before the first or behind the last. A session
-- without any sample is one gap. The energy across it is known when the register spans it.
CREATE MATERIALIZED VIEW metering_gaps AS
WITH silent AS (
    SELECT
        charge_point_id, evse_id, connector_id, transaction_id,
        from_at AS gap_start, sampled_at AS gap_end, sample_interval, delta_wh AS energy_wh
    FROM register_steps
    WHERE gap AND NOT exported
    UNION ALL
    SELECT
        charge_point_id, evse_id, connector_id, transaction_id,
        started_at AS gap_start, COALESCE(first_sample_at, stopped_at) AS gap_end, sample_interval,
        CAST(NULL AS DECIMAL(18, 3)) AS energy_wh
    FROM finished_sessions
    WHERE COALESCE(first_sample_at, stopped_at) - started_at > gap_after
    UNION ALL
    SELECT
        charge_point_id, evse_id, connector_id, transaction_id,
        last_sample_at AS gap_start, stopped_at AS gap_end, sample_interval,
        CAST(NULL AS DECIMAL(18, 3)) AS energy_wh
    FROM finished_sessions
    WHERE stopped_at - last_sample_at > gap_after
)
SELECT
    charge_point_id, evse_id, connector_id, transaction_id, gap_start, gap_end,
    (epoch_ms(gap_end) - epoch_ms(gap_start) - 1)
        / NULLIF(epoch_ms(gap_start + sample_interval) - epoch_ms(gap_start), 0) AS samples_missing,
    energy_wh,
    energy_wh IS NULL AS energy_lost
FROM silent;

COMMENT ON MATERIALIZED VIEW metering_gaps IS
    'Stretches of a session without samples, and the energy that the register shows across them';

-- Driven by the session, so that the worst gap, a session without any sample, is one too.
CREATE MATERIALIZED VIEW open_metering_gaps AS
SELECT
    charge_point_id, evse_id, connector_id, transaction_id,
    last_sample_at AS gap_start, gap_from AS opened_at
FROM active_sessions
WHERE gap_from < NOW();

COMMENT ON MATERIALIZED VIEW open_metering_gaps IS
    'Running sessions whose energy register was last sampled more than gap_factor intervals ago';

-- The expected grid by quarters of an hour. A window counts when it is over and gap_grace has
-- passed, so a window that still fills is never short; one without any sample has its row.
CREATE MATERIALIZED VIEW expected_samples_15min AS
SELECT
    m.charge_point_id, m.evse_id, m.connector_id, m.transaction_id, g.window_start,
    (epoch_ms(LEAST(m.expected_until, g.window_start + INTERVAL '15 minutes'))
        - epoch_ms(GREATEST(m.started_at, g.window_start)))
        / NULLIF(epoch_ms(m.started_at + m.sample_interval) - epoch_ms(m.started_at), 0) AS expected
FROM (
    SELECT
        s.charge_point_id, s.evse_id, s.connector_id, s.transaction_id, s.sample_interval,
        s.started_at, p.gap_grace,
        COALESCE(s.stopped_at, s.superseded_at, s.started_at + INTERVAL '2 days') AS expected_until
    FROM session_context AS s
    CROSS JOIN (SELECT gap_grace FROM ocpp_parameters) AS p
    WHERE s.started_at IS NOT NULL
) AS m
CROSS JOIN LATERAL generate_series(
    date_bin(INTERVAL '15 minutes', m.started_at, TIMESTAMPTZ '2000-01-01 00:00:00+00'),
    LEAST(m.expected_until, m.started_at + INTERVAL '7 days'),
    INTERVAL '15 minutes'
) AS g(window_start)
WHERE g.window_start + INTERVAL '15 minutes' + m.gap_grace <= NOW();

COMMENT ON MATERIALIZED VIEW expected_samples_15min IS
    'How many samples each session should have sent in each quarter of an hour that is over';

CREATE VIEW metering_coverage_15min AS
SELECT
    w.charge_point_id, w.evse_id, w.connector_id, w.transaction_id, w.window_start,
    w.window_start + INTERVAL '15 minutes' AS window_end,
    w.expected,
    COALESCE(e.reading_count, 0) AS seen,
    LEAST(1, COALESCE(e.reading_count, 0) / CAST(w.expected AS DOUBLE PRECISION)) AS coverage
FROM expected_samples_15min AS w
LEFT JOIN energy_15min AS e
    ON e.charge_point_id = w.charge_point_id
    AND e.transaction_id = w.transaction_id
    AND e.window_start = w.window_start
WHERE w.expected > 0;

COMMENT ON VIEW metering_coverage_15min IS
    'Samples expected and seen of each session and quarter of an hour that is over';
