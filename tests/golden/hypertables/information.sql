-- The columns of the informational views, as TimescaleDB 2 documents them.
SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) AS columns FROM information_schema.columns WHERE table_schema = 'timescaledb_information' GROUP BY table_name ORDER BY table_name;
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'timescaledb_information' AND (table_name, column_name) IN (('jobs', 'config'), ('jobs', 'schedule_interval'), ('job_history', 'id'), ('chunks', 'range_start'), ('hypertables', 'num_dimensions'), ('hypertables', 'tablespaces')) ORDER BY 1, 2;
CREATE TABLE m (time TIMESTAMPTZ NOT NULL, cp TEXT, v DOUBLE PRECISION) WITH (tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day');
INSERT INTO m VALUES ('2026-01-01 00:00+00', 'a', 1), ('2026-01-02 00:00+00', 'a', 1);
SELECT count(compress_chunk(c)) FROM show_chunks('m', older_than => TIMESTAMPTZ '2026-01-02') AS c;
SELECT * FROM timescaledb_information.hypertables;
SELECT * FROM timescaledb_information.hypertable_columnstore_settings;
SELECT * FROM timescaledb_information.chunk_columnstore_settings;
SELECT * FROM timescaledb_information.chunk_compression_settings;
CREATE FUNCTION fails(job INTEGER, config JSONB) RETURNS INTEGER LANGUAGE SQL AS 'SELECT job / 0';
SELECT add_job('fails', INTERVAL '1 hour', config => '{"limit": 7}');
SELECT config ->> 'limit' AS limit FROM timescaledb_information.jobs WHERE proc_name = 'fails';
