-- A sum or a difference that is too large for its type is NULL, and a dead letter says so.
CREATE TABLE t (a INT, b BIGINT, c SMALLINT, at TIMESTAMPTZ, d DOUBLE PRECISION);
CREATE MATERIALIZED VIEW sums AS SELECT a + 1 AS one, b - a AS two, -b AS three, abs(a) AS more, at + INTERVAL '1 day' AS four, d + 1 AS five FROM t;
CREATE MATERIALIZED VIEW grouped AS SELECT c, sum(b + a) AS total, count(*) AS n FROM t GROUP BY c;
CREATE MATERIALIZED VIEW picked AS SELECT b FROM t WHERE b + 1 > 0;
INSERT INTO t VALUES (1, 2, 3, '2026-03-01 10:00:00+00', 0.5);
INSERT INTO t VALUES (2147483647, 9223372036854775807, 3, '2026-03-01 10:00:00+00', 1e308);
SELECT * FROM sums;
SELECT * FROM grouped;
SELECT * FROM picked;
SELECT source, reason FROM rw_dead_letters ORDER BY source, reason;
INSERT INTO t VALUES (-2147483648, -9223372036854775808, 4, NULL, NULL);
SELECT source, reason FROM rw_dead_letters ORDER BY source, reason;
SELECT * FROM sums;
