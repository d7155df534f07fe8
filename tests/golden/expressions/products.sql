-- A product of exact numbers has room for its digits, whatever its factors were declared as.
SELECT 123456789.987654321 * 1.5 AS a, -123456789.987654321 * 1.5 AS b, 1.5 * (123456789.987654321) AS c, 0.1 * 3 AS d;
SELECT 2147483647 * 1.25::numeric(10,8) AS a, 999999.999999::numeric(12,6) * 99.999999::numeric(8,6) AS b;
CREATE TABLE bill (id INT PRIMARY KEY, kwh NUMERIC(12,6), price NUMERIC(8,6), times INT, fee NUMERIC(10,2));
CREATE MATERIALIZED VIEW amount AS
SELECT id, kwh * price AS cost, fee * fee AS square, kwh * times AS all_kwh, sum(kwh * price) OVER () AS total FROM bill;
INSERT INTO bill VALUES (1, 123456.789, 12.345678, 2000000000, 99999999.99), (2, 0.5, 0.3, 2, 1), (3, NULL, 1, 1, -0.01);
SELECT * FROM amount ORDER BY id;
UPDATE bill SET price = 99.999999 WHERE id = 1;
SELECT id, cost, total FROM amount ORDER BY id;
SELECT sum(kwh * price) AS cost, sum(kwh * times * price) AS more FROM bill;
SELECT count(*) AS refused FROM dead_letters;
