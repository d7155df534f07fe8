-- rollup makes one summary of several; over stretches that do not overlap, that of all their rows.
CREATE TABLE readings (
    time TIMESTAMPTZ NOT NULL, cp TEXT, v DOUBLE PRECISION, state TEXT
) WITH (tsdb.hypertable);
INSERT INTO readings
SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '20 minutes', 'cp' || n % 2, n * n % 37,
       CASE WHEN n % 5 < 2 THEN 'Charging' ELSE 'Available' END
FROM generate_series(0, 200) AS n;
CREATE MATERIALIZED VIEW hours WITH (timescaledb.continuous) AS
SELECT time_bucket('1 hour', time) AS hour, cp, counter_agg(time, v) AS counter, gauge_agg(time, v) AS gauge,
       time_weight('LOCF', time, v) AS locf, time_weight('Linear', time, v) AS linear,
       state_agg(time, state) AS states, stats_agg(v) AS stats, stats_agg(v, v) AS pair,
       percentile_agg(v) AS percentiles,
       heartbeat_agg(time, time_bucket('1 hour', time), '1 hour', '35 minutes') AS beats
FROM readings GROUP BY hour, cp;
-- Days of hours, maintained.
CREATE MATERIALIZED VIEW days WITH (timescaledb.continuous) AS
SELECT time_bucket('1 day', hour) AS day, cp, delta(rollup(counter)) AS energy,
       num_resets(rollup(counter)) AS resets, delta(rollup(gauge)) AS rise, average(rollup(locf)) AS mean,
       duration_in(rollup(states), 'Charging') AS charging, approx_percentile(0.5, rollup(percentiles)) AS median,
       num_gaps(rollup(beats)) AS gaps
FROM hours GROUP BY day, cp;
SELECT day, cp, energy, resets, rise, round(mean::numeric, 3) AS mean, charging, median, gaps FROM days ORDER BY day, cp;
-- What is said of all hours is what is said of all rows.
WITH whole AS (
    SELECT cp, counter_agg(time, v) AS counter, gauge_agg(time, v) AS gauge, time_weight('LOCF', time, v) AS locf,
           time_weight('Linear', time, v) AS linear, state_agg(time, state) AS states, stats_agg(v) AS stats,
           percentile_agg(v) AS percentiles,
           heartbeat_agg(time, TIMESTAMPTZ '2026-01-01 00:00+00', '67 hours', '35 minutes') AS beats
    FROM readings GROUP BY cp
), rolled AS (
    SELECT cp, rollup(counter) AS counter, rollup(gauge) AS gauge, rollup(locf) AS locf, rollup(linear) AS linear,
           rollup(states) AS states, rollup(stats) AS stats, rollup(percentiles) AS percentiles, rollup(beats) AS beats
    FROM hours GROUP BY cp
)
SELECT cp, w.counter = r.counter AS counter, w.gauge = r.gauge AS gauge, abs(average(w.locf) - average(r.locf)) < 1e-9 AS locf,
       abs(average(w.linear) - average(r.linear)) < 1e-9 AS linear, w.states = r.states AS states,
       w.percentiles = r.percentiles AS percentiles, uptime(w.beats) = uptime(r.beats) AS uptime,
       num_gaps(w.beats) = num_gaps(r.beats) AS gaps, num_vals(w.stats) = num_vals(r.stats) AS n,
       abs(stddev(w.stats) - stddev(r.stats)) < 1e-9 AS sd, abs(skewness(w.stats) - skewness(r.stats)) < 1e-9 AS skew,
       abs(kurtosis(w.stats) - kurtosis(r.stats)) < 1e-9 AS kurt
FROM whole w JOIN rolled r USING (cp) ORDER BY cp;
-- A late row, and one that goes.
INSERT INTO readings VALUES ('2026-01-01 05:10+00', 'cp0', 99, 'Charging');
DELETE FROM readings WHERE time = TIMESTAMPTZ '2026-01-02 00:00+00';
SELECT day, cp, energy, resets, charging FROM days ORDER BY day, cp;
-- A gauge may fall: what is interpolated is on the line to the neighbour.
SELECT hour, round(interpolated_delta(gauge, hour, '1 hour', lag(gauge) OVER w, lead(gauge) OVER w)::numeric, 3) AS gauge
FROM hours WHERE cp = 'cp1' WINDOW w AS (ORDER BY hour) ORDER BY hour LIMIT 4;
SELECT cp, round(slope(rollup(pair))::numeric, 6) AS slope, num_vals(rollup(pair)) AS n FROM hours GROUP BY cp ORDER BY cp;
SELECT rollup(cp) FROM hours;
SELECT cp, count(*) FROM readings GROUP BY ROLLUP (cp) ORDER BY cp;
-- A summary of two columns is rolled up too; a pair of which one value is NULL is none.
CREATE TABLE pairs (at TIMESTAMPTZ, y DOUBLE PRECISION, x DOUBLE PRECISION);
INSERT INTO pairs SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '10 minutes', n * n % 23, CASE WHEN n % 7 > 0 THEN n % 5 + 0.5 END FROM generate_series(0, 60) AS n;
CREATE VIEW pair_hours AS SELECT time_bucket('1 hour', at) AS hour, stats_agg(y, x) AS s FROM pairs GROUP BY hour;
CREATE MATERIALIZED VIEW pair_days AS SELECT time_bucket('1 day', hour) AS day, round(slope(rollup(s))::numeric, 9) AS slope, round(covariance(rollup(s))::numeric, 9) AS covs FROM pair_hours GROUP BY day;
SELECT * FROM pair_days;
SELECT count(*) AS n, round(regr_slope(y, x)::numeric, 9) AS slope, round(covar_samp(y, x)::numeric, 9) AS covs FROM pairs WHERE y IS NOT NULL AND x IS NOT NULL;
WITH w AS (SELECT stats_agg(y, x) AS s FROM pairs), r AS (SELECT rollup(s) AS s FROM pair_hours)
SELECT num_vals(w.s) = num_vals(r.s) AS n, abs(intercept(w.s) - intercept(r.s)) < 1e-9 AS intercept, abs(corr(w.s) - corr(r.s)) < 1e-9 AS corr,
       abs(determination_coeff(w.s) - determination_coeff(r.s)) < 1e-9 AS r2, abs(covariance(w.s, 'population') - covariance(r.s, 'population')) < 1e-9 AS covp,
       abs(stddev_x(w.s) - stddev_x(r.s)) < 1e-9 AS sd_x, abs(variance_y(w.s, 'pop') - variance_y(r.s, 'pop')) < 1e-9 AS var_y, abs(kurtosis_x(w.s) - kurtosis_x(r.s)) < 1e-9 AS kurt_x,
       abs(average_x(w.s) - average_x(r.s)) < 1e-9 AS mean_x, sum_x(w.s) = sum_x(r.s) AS sum_x, sum_y(w.s) = sum_y(r.s) AS sum_y, abs(x_intercept(w.s) - x_intercept(r.s)) < 1e-9 AS x_intercept
FROM w, r;
DELETE FROM pairs WHERE x > 3 AND at > TIMESTAMPTZ '2026-01-01 09:00+00';
SELECT * FROM pair_days;
SELECT slope(rollup(s)), corr(rollup(s)), num_vals(rollup(s)) FROM pair_hours WHERE false;
