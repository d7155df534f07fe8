-- Numerics of more than 18 digits take 16 bytes in a chunk file, whatever their values are.
CREATE TABLE tariff (time TIMESTAMPTZ NOT NULL, id TEXT NOT NULL, price NUMERIC, total NUMERIC(30, 6))
WITH (tsdb.hypertable, tsdb.segmentby = 'id', tsdb.chunk_interval = '1 day');
INSERT INTO tariff
SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '5 minutes', 'T-' || n % 3, n / 3.0, n * 1000000000000.25
FROM generate_series(0, 499) AS n;
SELECT count(compress_chunk(c)) FROM show_chunks('tariff') AS c;
SELECT count(*), min(price), max(total), sum(total) FROM tariff;
SELECT time, price, total FROM tariff WHERE id = 'T-1' AND time < '2026-01-01 00:10+00' ORDER BY time;
