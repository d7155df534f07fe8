-- A zone is found in any case and by whole hours; what is no zone is refused.
SET timezone = 'us/pacific';
SHOW timezone;
SELECT '2024-01-01'::date::timestamptz AS local_midnight;
SELECT '2024-01-01 00:30:00+00'::timestamptz::time AS local_clock;
SELECT '2024-01-01 00:00:00-08'::timestamptz = '2024-01-01'::date AS same_day;
SET TIME ZONE '+08:00';
SELECT '2024-01-01 00:00:00+00'::timestamptz AS east;
SET TIME ZONE -3;
SELECT '2024-01-01 00:00:00+00'::timestamptz AS west;
SET timezone TO 'no/where';
SET TIME ZONE LOCAL;
SHOW timezone;
