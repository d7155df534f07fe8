-- On the night the clocks go back an hour comes twice: it is two hours, in views and in queries.
CREATE TABLE reading (at TIMESTAMPTZ, kwh INT);
CREATE MATERIALIZED VIEW hourly AS
SELECT date_trunc('hour', at, 'Europe/Berlin') AS hour, sum(kwh) AS kwh FROM reading GROUP BY 1;
CREATE MATERIALIZED VIEW hourly_here AS SELECT date_trunc('hour', at) AS hour, sum(kwh) AS kwh FROM reading GROUP BY 1;
CREATE MATERIALIZED VIEW daily AS
SELECT date_trunc('day', at, 'Europe/Berlin') AS day, sum(kwh) AS kwh FROM reading GROUP BY 1;
INSERT INTO reading VALUES ('2023-10-29 00:15:00+00', 1), ('2023-10-29 00:45:00+00', 4), ('2023-10-29 01:15:00+00', 2), (NULL, 8);
SELECT * FROM hourly ORDER BY hour;
SELECT * FROM daily ORDER BY day;
SET timezone = 'Europe/Berlin';
SELECT * FROM hourly_here ORDER BY hour;
SELECT date_trunc('hour', at) AS hour, date_trunc('minute', at) AS minute, date_trunc('day', at) AS day FROM reading ORDER BY minute;
SET timezone = 'Australia/Lord_Howe';
SELECT date_trunc('hour', at) AS hour, at FROM (VALUES ('2023-04-01 14:45:00Z'::timestamptz), ('2023-04-01 15:15:00Z')) AS clocks(at) ORDER BY at;
RESET timezone;
SELECT date_trunc('Hour', timestamptz 'infinity', 'Europe/Berlin') AS never, date_trunc('second', timestamptz '-infinity') AS ever;
SELECT date_trunc('minute', timestamp '2023-01-01 00:00:31', 'Europe/Berlin') AS minute;
