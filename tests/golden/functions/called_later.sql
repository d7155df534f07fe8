-- RETURN may come before LANGUAGE; a function that only functions call can be dropped before them.
CREATE FUNCTION half(DOUBLE PRECISION) RETURNS DOUBLE PRECISION RETURN $1 / 2 LANGUAGE SQL;
CREATE FUNCTION quarter(x DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE SQL AS 'select half(half(x))';
CREATE TABLE load (feeder TEXT, kw DOUBLE PRECISION);
INSERT INTO load VALUES ('north', 12), ('south', 6);
SELECT feeder, half(kw), quarter(kw) FROM load ORDER BY feeder;
CREATE MATERIALIZED VIEW quarters AS SELECT feeder, quarter(kw) AS q FROM load;
-- A view stands in the way, as it was compiled from both.
DROP FUNCTION half;
DROP MATERIALIZED VIEW quarters;
DROP FUNCTION half;
SELECT quarter(2);
CREATE FUNCTION half(x DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE SQL AS 'select x * 0.5';
SELECT quarter(2);
CREATE FUNCTION twice(x INT, language INT) RETURNS INT RETURN x * 2 + language;
SELECT twice(4, 1);
