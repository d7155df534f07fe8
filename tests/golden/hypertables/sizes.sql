-- What hypertables and chunks take, as far as it does not depend on the version of a codec.
CREATE TABLE reading (time TIMESTAMPTZ NOT NULL, cp TEXT NOT NULL, value DOUBLE PRECISION) WITH (tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day');
INSERT INTO reading SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '1 minute', 'cp' || n % 7, n / 10.0 FROM generate_series(0, 4000) AS n;
SELECT approximate_row_count('reading');
SELECT compress_chunk(c) FROM show_chunks('reading', older_than => TIMESTAMPTZ '2026-01-03 00:00+00') c;
SELECT approximate_row_count('reading');
SELECT hypertable_size('reading') > 0 AS positive, hypertable_size('public.reading') < 10000000 AS small;
SELECT pg_size_pretty(hypertable_size('reading')) <> '' AS printed;
SELECT total_bytes > 0 AS positive, index_bytes, toast_bytes FROM hypertable_detailed_size('reading');
SELECT chunk_name, total_bytes > 0 AS compressed FROM chunks_detailed_size('reading') ORDER BY chunk_name;
SELECT total_chunks, number_compressed_chunks, before_compression_total_bytes > after_compression_total_bytes * 4 AS smaller FROM hypertable_compression_stats('reading');
SELECT total_chunks, number_compressed_chunks FROM hypertable_columnstore_stats('reading');
SELECT chunk_name, compression_status, before_compression_total_bytes > after_compression_total_bytes AS smaller FROM chunk_columnstore_stats('reading') ORDER BY chunk_name;
SELECT chunk_name, compression_status FROM chunk_compression_stats('reading') ORDER BY 1;
SELECT approximate_row_count('nothing');
