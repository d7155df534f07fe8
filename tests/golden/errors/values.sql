CREATE TABLE meter (id INTEGER NOT NULL UNIQUE, feeder VARCHAR NOT NULL, kwh NUMERIC(6,2), small SMALLINT, at TIMESTAMPTZ, CHECK (kwh >= 0));
INSERT INTO meter VALUES (1, 'north', 10.5, 1, '2026-01-01 00:00+00');

-- Arithmetic.
SELECT 1 / 0;
SELECT id / (id - 1) FROM meter;
SELECT kwh / 0 FROM meter;
SELECT 1.0::double precision / 0;
SELECT 5 % 0;
SELECT 2147483647 + 1;
SELECT 9223372036854775807 + 1;
SELECT 40000::smallint;
SELECT 3000000000::integer;
SELECT 123456.78::numeric(6,2);

-- Texts that spell no value.
SELECT 'abc'::integer;
SELECT '99999999999'::integer;
SELECT 'abc'::double precision;
SELECT 'abc'::numeric;
SELECT 'maybe'::boolean;
SELECT '2026-13-01'::date;
SELECT 'soon'::timestamptz;
SELECT '25:00'::time;
SELECT 'long'::interval;
SELECT 'x'::uuid;
SELECT feeder::integer FROM meter;

-- Types that do not fit.
SELECT id + feeder FROM meter;
SELECT at + 1 FROM meter;
SELECT id FROM meter UNION ALL SELECT at FROM meter;
SELECT id FROM meter UNION ALL SELECT id, feeder FROM meter;
SELECT CASE WHEN id = 1 THEN id ELSE at END FROM meter;
SELECT id::timestamptz FROM meter;

-- Constraints.
INSERT INTO meter VALUES (1, 'south', 1, 1, NULL);
INSERT INTO meter VALUES (2, NULL, 1, 1, NULL);
INSERT INTO meter (id) VALUES (2);
INSERT INTO meter VALUES (NULL, 'south', 1, 1, NULL);
INSERT INTO meter VALUES (2, 'south', -1, 1, NULL);
INSERT INTO meter VALUES (2, 'south', 123456, 1, NULL);
INSERT INTO meter VALUES (2, 'south', 1, 70000, NULL);
INSERT INTO meter VALUES (2, 'south', 'many', 1, NULL);
INSERT INTO meter VALUES ('two', 'south', 1, 1, NULL);
INSERT INTO meter VALUES (2, 'south', 1, 1, 'soon');
INSERT INTO meter VALUES (2, 'south', 1, 1, NULL, 9);
INSERT INTO meter (id, feeder) VALUES (2);
INSERT INTO meter (id) VALUES (2, 'south');
INSERT INTO meter (id, feeder) VALUES (2, 'south'), (2, 'south');
UPDATE meter SET feeder = NULL;
UPDATE meter SET kwh = -1;
UPDATE meter SET small = 70000;
UPDATE meter SET feeder = 1 / 0;
INSERT INTO meter (id, feeder) VALUES (2, 'south');
UPDATE meter SET id = 1;
UPDATE meter SET id = 2 WHERE id = 1;
SELECT * FROM meter;
-- A condition is true, false or unknown: no number is one.
CREATE TABLE conditions (k INT PRIMARY KEY, v INT, b BOOLEAN);
SELECT k FROM conditions WHERE v;
SELECT k FROM conditions WHERE 1;
SELECT k FROM conditions WHERE b AND v;
SELECT CASE WHEN v THEN 1 END FROM conditions;
SELECT count(*) FROM conditions HAVING count(*);
SELECT k FROM conditions WHERE b OR NOT b AND 't';
CREATE MATERIALIZED VIEW never AS SELECT k FROM conditions WHERE v + 1;
SELECT width_bucket(1, 0, 0, 5);
SELECT width_bucket(1, 0, 10, 0);
SELECT jsonb_build_object('a');
SELECT string_agg(k::VARCHAR) FROM conditions;
SELECT statement_timestamp(1);
