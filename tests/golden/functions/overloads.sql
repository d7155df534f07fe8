-- Functions of one name are told apart by the types of their arguments.
CREATE TABLE readings (meter TEXT, wh BIGINT, kwh NUMERIC(12, 3), at TIMESTAMP);
INSERT INTO readings VALUES ('m1', 1500, 1.5, '2026-01-01 00:00'), ('m2', 250, NULL, NULL);
CREATE FUNCTION shown(wh BIGINT) RETURNS TEXT LANGUAGE SQL AS $$ SELECT (wh / 1000.0)::DOUBLE PRECISION || ' kWh' $$;
CREATE FUNCTION shown(kwh NUMERIC) RETURNS TEXT LANGUAGE SQL AS $$ SELECT kwh::DOUBLE PRECISION || ' kWh' $$;
CREATE FUNCTION shown(meter TEXT) RETURNS TEXT LANGUAGE SQL AS $$ SELECT 'meter ' || meter $$;
CREATE FUNCTION shown(meter TEXT, wh BIGINT) RETURNS TEXT LANGUAGE SQL AS $$ SELECT shown(meter) || ': ' || shown(wh) $$;
CREATE FUNCTION shown(BIGINT) RETURNS TEXT LANGUAGE SQL AS $$ SELECT 'again' $$;
SELECT shown(meter), shown(wh), shown(kwh), shown(meter, wh) FROM readings ORDER BY meter;
-- An integer fits the nearest number, a string constant is text, a cast says what is meant.
SELECT shown(7) AS an_integer, shown(7.25) AS a_numeric, shown('7') AS a_string, shown('7'::BIGINT) AS a_cast;
-- Columns of subqueries and of WITH have their types too.
WITH w AS (SELECT meter AS m, wh + 1 AS n FROM readings) SELECT shown(m), shown(n) FROM w ORDER BY m;
SELECT shown(q.x) FROM (SELECT kwh AS x FROM readings) q ORDER BY 1;
CREATE FUNCTION day_of(a DATE) RETURNS TEXT LANGUAGE SQL AS $$ SELECT 'date' $$;
CREATE FUNCTION day_of(a TIMESTAMP) RETURNS TEXT LANGUAGE SQL AS $$ SELECT 'timestamp' $$;
SELECT day_of(at), day_of(DATE '2026-01-01') FROM readings WHERE at IS NOT NULL;
SELECT day_of('2026-01-01');
-- A view keeps to the function that it was made with.
CREATE MATERIALIZED VIEW texts AS SELECT meter, shown(wh) AS power FROM readings;
CREATE FUNCTION shown(wh INT) RETURNS TEXT LANGUAGE SQL AS $$ SELECT 'an int' $$;
INSERT INTO readings VALUES ('m3', 3000, 3, NULL);
-- restart
INSERT INTO readings VALUES ('m4', 4000, 4, NULL);
SELECT * FROM texts ORDER BY meter;
SELECT shown(7), shown(wh) FROM readings WHERE meter = 'm1';
-- Which one is meant must be said when there are several.
DROP FUNCTION shown;
DROP FUNCTION shown(BIGINT);
DROP FUNCTION shown(DOUBLE PRECISION, INT);
DROP FUNCTION IF EXISTS shown(DATE);
DROP FUNCTION shown(TEXT, BIGINT), shown(kwh NUMERIC);
ALTER FUNCTION shown(INT) RENAME TO told;
SELECT told(1), shown('a');
DROP FUNCTION told;
DROP FUNCTION shown(BIGINT) CASCADE;
DROP FUNCTION shown;
SHOW FUNCTIONS;
CREATE FUNCTION total(a INT) RETURNS INT LANGUAGE SQL AS 'SELECT a';
CREATE FUNCTION total(a DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE SQL AS 'SELECT a';
SHOW CREATE FUNCTION total;
SHOW CREATE FUNCTION total(INT);
SHOW CREATE FUNCTION missing;
SELECT name, schema_id FROM rw_functions WHERE name = 'total';
