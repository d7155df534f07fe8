-- Policies that are taken back, by both names of the columnstore's policy.
CREATE TABLE reading (time TIMESTAMPTZ NOT NULL, v INTEGER) WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day', tsdb.columnstore = false);
SELECT add_compression_policy('reading', INTERVAL '2 days');
SELECT remove_columnstore_policy('reading');
SELECT remove_compression_policy('reading');
ALTER TABLE reading SET (timescaledb.enable_columnstore);
SELECT add_compression_policy('reading', compress_after => INTERVAL '2 days');
SELECT remove_compression_policy('reading');
SELECT remove_compression_policy('reading');
SELECT remove_compression_policy('reading', if_exists => true);
SELECT add_tiering_policy('reading', INTERVAL '90 days');
SELECT add_tiering_policy('reading', INTERVAL '90 days', if_not_exists => true);
SELECT add_tiering_policy('reading', INTERVAL '91 days');
SELECT proc_name, config FROM timescaledb_information.jobs ORDER BY job_id;
SELECT remove_tiering_policy('reading');
SELECT remove_tiering_policy('reading', if_exists => true);
