-- Functions of chunks among other things in a query.
CREATE TABLE m (time TIMESTAMPTZ NOT NULL, cp TEXT, v DOUBLE PRECISION) WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day');
INSERT INTO m SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '8 hours', 'a', n FROM generate_series(0, 14) AS n;
SELECT count(compress_chunk(c)) FROM show_chunks('m', older_than => TIMESTAMPTZ '2026-01-03') AS c;
SELECT compress_chunk(c, if_not_compressed => true) AS done, length(c) AS n FROM show_chunks('m') AS c ORDER BY done DESC LIMIT 2;
SELECT chunk_name, is_compressed FROM timescaledb_information.chunks ORDER BY chunk_name;
-- Each chunk once, though the calls change what WHERE asks.
SELECT decompress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass) AS chunk FROM timescaledb_information.chunks WHERE is_compressed ORDER BY chunk LIMIT 1;
SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed;
SELECT count(*) FROM m;
SELECT c FROM show_chunks('m') AS c WHERE c LIKE '%\_1\_chunk';
WITH old AS (SELECT show_chunks('m', older_than => TIMESTAMPTZ '2026-01-03') AS c) SELECT count(compress_chunk(c)), max(c) FROM old;
SELECT count(*) FROM (SELECT drop_chunks('m', TIMESTAMPTZ '2026-01-02')) AS q;
SELECT drop_chunks('m', older_than => TIMESTAMPTZ '2026-01-03') AS gone;
SELECT array_agg(c ORDER BY c) FROM show_chunks('m') AS c;
SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression';
SELECT count(*) FROM timescaledb_information.jobs;
SELECT count(compress_chunk(c)) FROM (VALUES ('nothing')) AS t (c);
SELECT 1 WHERE compress_chunk('x') = 'y';
BEGIN READ ONLY;
SELECT count(compress_chunk(c)) FROM show_chunks('m') AS c;
ROLLBACK;
-- Jobs as they are found.
SELECT add_retention_policy('m', INTERVAL '30 days');
SELECT add_compression_policy('m', INTERVAL '2 days');
SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy%' ORDER BY job_id;
SELECT proc_name, scheduled, schedule_interval FROM timescaledb_information.jobs ORDER BY job_id;
SELECT count(alter_job(job_id, schedule_interval => schedule_interval * 2, scheduled => NOT scheduled, config => jsonb_set(config, '{drop_after}', '"60 days"'))) FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
SELECT proc_name, scheduled, schedule_interval, config FROM timescaledb_information.jobs ORDER BY job_id;
SELECT alter_job(j.job_id, next_start => TIMESTAMPTZ '2030-01-01 00:00+00') AS job, j.proc_name FROM timescaledb_information.jobs j WHERE j.hypertable_name = 'm' ORDER BY 2;
SELECT DISTINCT next_start FROM timescaledb_information.jobs;
SELECT alter_job(77 + n, scheduled => false) FROM generate_series(0, 1) AS n;
SELECT alter_job(77 + n, scheduled => false, if_exists => true) FROM generate_series(0, 1) AS n;
SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy%';
SELECT count(*) FROM timescaledb_information.jobs;
