-- Centuries and millennia begin with a year that ends in 1; those of an interval do not.
SELECT date_trunc('century', TIMESTAMP '2202-02-16 20:38:40') AS a,
       date_trunc('century', TIMESTAMP '2000-12-31 23:59:59') AS b,
       date_trunc('millennium', DATE '2001-01-01') AS c,
       date_trunc('decade', TIMESTAMP '2202-02-16 20:38:40') AS d;
SELECT unit, date_trunc(unit, TIMESTAMP '2202-02-16 20:38:40.1234') AS cut
FROM (VALUES ('century'), ('milliseconds'), ('millennium'), ('week'), ('c')) AS t(unit);
SELECT date_trunc('century', TIMESTAMPTZ '2202-02-16 20:38:40Z', 'Australia/Sydney') AS at;
SELECT date_trunc('century', INTERVAL '2333 years') AS a, date_trunc('hour', INTERVAL '1 day 02:47') AS b;
SELECT date_trunc('week', INTERVAL '3 days');
SELECT date_trunc('fortnight', TIMESTAMP '2024-01-01');
-- A time of day beside an interval is the time since midnight.
SELECT TIME '12:30' < INTERVAL '1 day' AS a, INTERVAL '12:30' = TIME '12:30' AS b;
