-- What no calendar has is refused as PostgreSQL does; years before 1 are BC.
SELECT make_date(2024, 2, 29), make_date(-1, 2, 3), make_date(-5, 2, 29), make_time(24, 0, 0), make_time(8, 59, 60);
SELECT make_date(0, 2, 3);
SELECT make_date(2023, 2, 29);
SELECT make_date(2023, -2, 9);
SELECT make_time(8, 61, 3.5);
SELECT make_time(24, 0, 0.5);
SELECT make_timestamp(2026, 3, 1, 6, 45, 12.25), make_timestamp(-44, 3, 15, 6, 45, 60);
SELECT make_timestamp(2026, 13, 1, 6, 45, 0);
SELECT make_timestamptz(2026, 6, 31, 6, 45, 0);
SELECT make_timestamptz(2026, 6, 30, 6, -45, 0);
SELECT make_timestamptz(2026, 6, 30, 6, 45, 0, 'Nowhere/Land');
SELECT make_timestamptz(2026, 6, 30, 6, 45, 0, 'Europe/Madrid'), make_timestamptz(NULL, 6, 30, 6, 45, 0);
-- Rows are written in the time zone of the session: texts, local times and what makes instants of them.
CREATE TABLE tariff (n INT, since TIMESTAMPTZ DEFAULT TIMESTAMP '2026-07-01 12:00');
CREATE MATERIALIZED VIEW days AS SELECT since::date AS day, count(*) AS n FROM tariff GROUP BY 1;
SET TimeZone = 'Europe/Madrid';
INSERT INTO tariff VALUES (1, '2026-07-01 00:30'), (2, TIMESTAMP '2026-01-01 00:30'), (3, make_timestamptz(2026, 7, 1, 0, 30, 0)), (4, DEFAULT);
INSERT INTO tariff VALUES (5, '2026-07-01 00:30+00'), (6, date_trunc('day', TIMESTAMPTZ '2026-07-01 22:30+00'));
UPDATE tariff SET since = '2026-07-02 01:00' WHERE since = '2026-01-01 00:30';
DELETE FROM tariff WHERE since::date = '2026-07-01' AND n = 4;
INSERT INTO tariff VALUES (7, 'no time');
SELECT n, since, since AT TIME ZONE 'UTC' AS utc FROM tariff ORDER BY n;
-- A block reads in its zone what it wrote; views stay in UTC.
BEGIN;
INSERT INTO tariff VALUES (8, '2026-07-03 00:15') RETURNING since, since::date AS day;
SELECT since, since::date AS day FROM tariff WHERE since > '2026-07-02 12:00';
SELECT * FROM days ORDER BY day;
COMMIT;
RESET TimeZone;
INSERT INTO tariff VALUES (9, '2026-07-04 00:15');
SELECT n, since FROM tariff WHERE n > 7 ORDER BY n;
SELECT * FROM days ORDER BY day;
