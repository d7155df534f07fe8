-- What a summary of states or heartbeats opens to: rows of stretches of time.
CREATE TABLE states (at TIMESTAMPTZ, cp TEXT, s TEXT);
INSERT INTO states VALUES ('2026-01-01 00:00:00+00', 'a', 'START'), ('2026-01-01 00:00:11+00', 'a', 'OK'), ('2026-01-01 00:01:00+00', 'a', 'ERROR'), ('2026-01-01 00:01:03+00', 'a', 'OK'), ('2026-01-01 00:02:00+00', 'a', 'STOP'), ('2026-01-01 00:00:30+00', 'b', 'OK');
SELECT state, start_time, end_time FROM state_timeline((SELECT state_agg(at, s) FROM states WHERE cp = 'a'));
SELECT start_time, end_time FROM state_periods((SELECT state_agg(at, s) FROM states WHERE cp = 'a'), 'OK');
SELECT t.* FROM into_values((SELECT state_agg(at, s) FROM states WHERE cp = 'a')) AS t(name, lasts);
SELECT cp, (state_timeline(state_agg(at, s))).* FROM states GROUP BY cp ORDER BY cp, start_time;
SELECT bucket, (interpolated_state_timeline(summary, bucket, '1 min', LAG(summary) OVER (ORDER BY bucket))).*
FROM (SELECT time_bucket('1 min'::interval, at) AS bucket, state_agg(at, s) AS summary FROM states WHERE cp = 'a' GROUP BY 1) t ORDER BY bucket, start_time;
SELECT bucket, (interpolated_state_periods(summary, 'OK', bucket, '1 min', LAG(summary) OVER (ORDER BY bucket))).*
FROM (SELECT time_bucket('1 min'::interval, at) AS bucket, state_agg(at, s) AS summary FROM states WHERE cp = 'a' GROUP BY 1) t ORDER BY bucket, start_time;
-- Numbers are states too.
SELECT * FROM state_int_timeline((SELECT state_agg(at, length(s)) FROM states WHERE cp = 'a'));
-- Maintained.
CREATE MATERIALIZED VIEW summaries AS SELECT cp, time_bucket('1 minute', at) AS minute, state_agg(at, s) AS st FROM states GROUP BY cp, minute;
CREATE MATERIALIZED VIEW stretches AS SELECT cp, t.state, t.start_time, t.end_time FROM summaries, state_timeline(st) AS t;
SELECT * FROM stretches ORDER BY cp, start_time, end_time;
CREATE MATERIALIZED VIEW whole AS SELECT cp, (state_timeline(rollup(st))).* FROM summaries GROUP BY cp;
INSERT INTO states VALUES ('2026-01-01 00:00:45+00', 'b', 'ERROR'), ('2026-01-01 00:00:40+00', 'a', 'ERROR');
DELETE FROM states WHERE s = 'STOP';
SELECT * FROM stretches ORDER BY cp, start_time, end_time;
SELECT * FROM whole ORDER BY cp, start_time, end_time;
-- Heartbeats.
CREATE TABLE beats (at TIMESTAMPTZ);
INSERT INTO beats VALUES ('2026-01-01 00:10+00'), ('2026-01-01 00:15+00'), ('2026-01-01 00:40+00'), ('2026-01-01 00:55+00'), ('2026-01-01 01:20+00');
CREATE MATERIALIZED VIEW health AS SELECT time_bucket('1 hour', at) AS hour, heartbeat_agg(at, time_bucket('1 hour', at), '1 hour', '10 minutes') AS h FROM beats GROUP BY hour;
SELECT hour, l.start, l."end" FROM health, live_ranges(h) AS l ORDER BY hour, l.start;
SELECT hour, d.* FROM health, dead_ranges(h) AS d ORDER BY hour, d.start;
SELECT hour, (dead_ranges(i)).* FROM (SELECT hour, interpolate(h, lag(h) OVER (ORDER BY hour)) AS i FROM health) q ORDER BY hour, start;
SELECT uptime(interpolate(h, p)), interpolated_uptime(h, p), num_live_ranges(interpolate(h, p)) FROM (SELECT h, hour, lag(h) OVER (ORDER BY hour) AS p FROM health) q ORDER BY hour;
SELECT (live_ranges(rollup(h))).* FROM health;
SELECT (live_ranges(trim_to(rollup(h), '2026-01-01 00:20+00', '1 hour'))).* FROM health;
SELECT uptime(trim_to(rollup(h), duration => '30 minutes')) FROM health;
SELECT downtime(trim_to(rollup(h), '2026-01-01 01:00+00')) FROM health;
SELECT trim_to(h, '2025-01-01 00:00+00', '1 day') FROM health;
SELECT * FROM live_ranges((SELECT heartbeat_agg(at, TIMESTAMPTZ '2026-01-01 00:00+00', '1 hour', '10 minutes') FROM beats WHERE false));
SELECT state_timeline(1);
