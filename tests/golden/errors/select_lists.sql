-- Names of a select list are not seen beside it; conditions are booleans; DISTINCT counts one value.
CREATE TABLE reads (meter INT, kwh INT, note VARCHAR);
INSERT INTO reads VALUES (1, 5, 'a'), (2, 7, 'b');
SELECT kwh * 1000 AS wh, wh + 1 FROM reads;
SELECT kwh AS energy FROM reads WHERE energy > 5;
SELECT meter AS m, count(*) FROM reads GROUP BY m HAVING m > 1;
SELECT kwh AS energy FROM reads ORDER BY energy DESC;
SELECT meter AS m, count(*) FROM reads GROUP BY m ORDER BY m;
SELECT kwh + 1 AS kwh, kwh FROM reads ORDER BY meter;
SELECT array_transform(ARRAY[kwh], |x| x + 1) AS x FROM reads ORDER BY meter;
SELECT (SELECT outside.kwh + reads.kwh FROM reads LIMIT 1) AS kwh FROM reads AS outside ORDER BY 1;
SELECT EXISTS (SELECT FROM reads WHERE kwh > 5), EXISTS (SELECT FROM reads WHERE kwh > 50);
CREATE MATERIALIZED VIEW shown AS SELECT kwh AS energy, energy + 1 AS more FROM reads;
CREATE MATERIALIZED VIEW grouped AS SELECT note FROM reads GROUP BY note HAVING sum(kwh);
SELECT note FROM reads GROUP BY note HAVING sum(kwh);
SELECT count(DISTINCT meter, kwh) FROM reads;
SELECT count(DISTINCT (meter, kwh)) FROM reads;
SELECT nth_value(kwh, 0) OVER (ORDER BY meter) FROM reads;
ALTER SYSTEM SET barrier_interval_ms = 1000;
ALTER SYSTEM SET rw_implicit_flush TO true;
ALTER SYSTEM SET nothing_known TO 1;
SET database TO nowhere;
-- A change of rows is a statement of its own.
WITH moved AS (DELETE FROM meter RETURNING *) SELECT count(*) FROM moved;
WITH made AS (INSERT INTO meter VALUES (9) RETURNING id) UPDATE meter SET kwh = 1 FROM made WHERE made.id = meter.id;
