-- sum of nothing is NULL; the types are PostgreSQL's: bigint for integers, numeric for bigint.
CREATE TABLE energy (id INTEGER PRIMARY KEY, meter VARCHAR, small SMALLINT, whole INTEGER, wide BIGINT, price NUMERIC(8,2), kwh DOUBLE PRECISION, single REAL);
CREATE MATERIALIZED VIEW totals AS
SELECT meter, sum(small) AS small, sum(whole) AS whole, sum(wide) AS wide, sum(price) AS price, sum(kwh) AS kwh, sum(single) AS single
FROM energy GROUP BY meter;
DESCRIBE totals;
CREATE MATERIALIZED VIEW grand AS SELECT sum(whole) AS whole, sum(kwh) AS kwh FROM energy;
SELECT * FROM grand;
INSERT INTO energy VALUES (1, 'a', 1, 2147483647, 9223372036854775807, 0.10, 0.1, 1.5), (2, 'a', 2, 2147483647, 9223372036854775807, 0.20, 0.2, 2.5);
INSERT INTO energy (id, meter) VALUES (3, 'b');
SELECT * FROM totals;
SELECT * FROM grand;
UPDATE energy SET whole = NULL, kwh = -1 WHERE id = 1;
SELECT * FROM totals;
DELETE FROM energy WHERE id = 2;
SELECT * FROM totals;
SELECT * FROM grand;
DELETE FROM energy WHERE meter = 'a';
SELECT * FROM totals;
SELECT * FROM grand;

-- The ends of a type's range, and one value many times: what is weighed is wider than the type.
CREATE TABLE extreme (k INTEGER, whole INTEGER, wide BIGINT);
CREATE MATERIALIZED VIEW extremes AS SELECT k, sum(whole) AS whole, sum(wide) AS wide FROM extreme GROUP BY k;
CREATE MATERIALIZED VIEW every AS SELECT whole, wide FROM extreme;
CREATE MATERIALIZED VIEW every_sum AS SELECT sum(whole) AS whole, sum(wide) AS wide FROM every;
INSERT INTO extreme VALUES (1, -2147483648, -9223372036854775808), (1, 5, 5);
DELETE FROM extreme WHERE whole < 0;
SELECT * FROM extremes;
INSERT INTO extreme VALUES (2, 2000000000, 9000000000000000000), (2, 2000000000, 9000000000000000000), (2, 2000000000, 9000000000000000000);
SELECT * FROM every_sum;
DELETE FROM extreme WHERE k = 2;
SELECT * FROM every_sum;
