-- What a query may not say although its grammar lets it.
SELECT 1 AS kw UNION SELECT 2 ORDER BY kw + 1;
SELECT 2 AS kw UNION ALL SELECT 1 ORDER BY kw;
SELECT 1 AS kw LIMIT 9223372036854775808;
SELECT 1 AS kw LIMIT 9223372036854775807;
SELECT * FROM jsonb_to_recordset('[{"id": 1, "kw": 3.5}]') AS r(id INT, kw);
SELECT * FROM jsonb_to_recordset('[{"id": 1, "kw": 3.5}]') AS r(id INT, kw DOUBLE PRECISION);
-- What is forced is enabled, and what is not enabled is not forced.
SET rw_enable_two_phase_agg = false;
SET rw_force_two_phase_agg = true;
SHOW enable_two_phase_agg;
SET enable_two_phase_agg = false;
SHOW rw_force_two_phase_agg;
-- An index tells the columns that it includes after those it orders by.
CREATE TABLE feed (site INT, kw INT, note TEXT);
CREATE INDEX by_kw ON feed (kw) INCLUDE (site, kw);
SELECT indnatts, indnkeyatts, indkey, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'feed'::regclass;
SELECT now(1);
SELECT now() = current_timestamp AS same;
CREATE SUBSCRIPTION feeds FROM feed WITH (retention = '1 day');
DECLARE later SUBSCRIPTION CURSOR FOR feeds SINCE 18446744073709551615;
