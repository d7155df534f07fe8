-- avg of integers and numerics is numeric, of floats a float.
CREATE TABLE load (id INTEGER PRIMARY KEY, feeder VARCHAR, amps INTEGER, price NUMERIC(8,2), kw DOUBLE PRECISION);
CREATE MATERIALIZED VIEW mean AS
SELECT feeder, avg(amps) AS amps, avg(price) AS price, avg(kw) AS kw FROM load GROUP BY feeder;
DESCRIBE mean;
INSERT INTO load VALUES (1, 'n', 1, 1.00, 0.5), (2, 'n', 2, 2.01, 1.5), (3, 'n', 2, NULL, NULL), (4, 's', NULL, NULL, NULL);
SELECT * FROM mean;
UPDATE load SET amps = 5 WHERE id = 3;
SELECT * FROM mean;
DELETE FROM load WHERE id IN (1, 2);
SELECT * FROM mean;
DELETE FROM load WHERE feeder = 'n';
SELECT * FROM mean;
CREATE MATERIALIZED VIEW overall AS SELECT avg(amps) AS amps, avg(kw) AS kw FROM load;
SELECT * FROM overall;
INSERT INTO load VALUES (5, 's', 10, 10, 10), (6, 's', 20, 20, 20);
SELECT * FROM overall;
