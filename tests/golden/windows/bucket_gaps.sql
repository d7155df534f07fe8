-- time_bucket_gapfill: a bucket at every step for each other key, whether rows came or not.
CREATE TABLE m (device INT, at TIMESTAMPTZ, kw DOUBLE PRECISION);
INSERT INTO m VALUES (1, '2026-01-01 00:01Z', 1), (1, '2026-01-01 00:04Z', 3), (1, '2026-01-01 00:31Z', 8), (2, '2026-01-01 00:11Z', 5);
SELECT time_bucket_gapfill('10 minutes', at, '2026-01-01 00:00Z', '2026-01-01 00:50Z') AS bucket, device, avg(kw) AS kw, locf(avg(kw)) AS last,
    interpolate(avg(kw)) AS line, count(*) AS n, coalesce(locf(max(kw)), 0) + 1 AS more
FROM m GROUP BY 1, 2 ORDER BY device, bucket;
-- As a view, bounded by WHERE, it follows late rows, updates and deletes.
CREATE MATERIALIZED VIEW filled AS
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, device, locf(max(kw)) AS last, interpolate(sum(kw)) AS line
FROM m WHERE at >= '2026-01-01 00:00Z' AND at < '2026-01-01 00:40Z' GROUP BY bucket, device;
CREATE MATERIALIZED VIEW of_all AS
SELECT time_bucket_gapfill('20 minutes', at) AS bucket, count(*) AS n FROM m WHERE kw > 0 AND at BETWEEN '2026-01-01 00:00Z' AND '2026-01-01 01:00Z' GROUP BY 1;
SELECT * FROM filled ORDER BY device, bucket;
SELECT * FROM of_all ORDER BY bucket;
INSERT INTO m VALUES (1, '2026-01-01 00:15Z', 2), (3, '2026-01-01 00:39Z', 7);
SELECT * FROM filled ORDER BY device, bucket;
DELETE FROM m WHERE device = 1 AND kw < 3;
UPDATE m SET device = 2 WHERE device = 3;
SELECT * FROM filled ORDER BY device, bucket;
SELECT * FROM of_all ORDER BY bucket;
DELETE FROM m;
SELECT * FROM filled;
-- Without bounds there is no first and no last bucket.
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, count(*) FROM m GROUP BY 1;
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, count(*) FROM m WHERE at > now() GROUP BY 1;
SELECT time_bucket_gapfill('10 minutes', at) AS bucket FROM m;
