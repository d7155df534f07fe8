-- The difference of instants goes by the clock in every zone; of an interval, dates come first.
CREATE TABLE charge (id INT PRIMARY KEY, began TIMESTAMPTZ, ended TIMESTAMPTZ);
CREATE MATERIALIZED VIEW lasted AS
SELECT id, ended - began AS span, extract(epoch FROM ended - began) AS s FROM charge;
INSERT INTO charge VALUES
    (1, '2023-10-28 12:00+02', '2023-10-29 12:00+01'), (2, '2024-03-30 23:00Z', '2024-03-31 22:00Z'), (3, NULL, now());
SET timezone = 'Europe/Berlin';
SELECT * FROM lasted ORDER BY id;
SELECT id, ended - began AS span, extract(epoch FROM ended - began) AS s FROM charge ORDER BY id;
SELECT date '2023-10-30' - began AS since, timestamp '2023-10-30' - began AS also FROM charge WHERE id = 1;
SELECT (timestamptz '2023-10-28 12:00+02' + interval '1 day 2 hours')::timestamp AS later,
    (timestamptz '2024-02-29 23:30Z' + interval '1 year 2 mons -3 days 04:05:06')::timestamp AS much_later;
SELECT (timestamptz 'infinity')::text = 'infinity' AS never, timestamptz 'infinity' - now() AS refused;
SELECT timestamptz 'infinity' AS never;
SELECT double precision '1.5'::int AS two, json '[1]'::text AS one, numeric(4,1) '1.25'::text AS rounded;
SELECT extract(timezone FROM timestamp '2020-01-01');
-- What ends at infinity has no length: a row that a view cannot take in is refused.
INSERT INTO charge VALUES (4, '2024-01-01Z', 'infinity');
RESET timezone;
SELECT * FROM lasted WHERE id = 4;
SELECT source, reason FROM dead_letters;
SELECT 5000000000 * interval '1 microsecond' AS long, interval '1 second' * 3000000000 AS longer;
