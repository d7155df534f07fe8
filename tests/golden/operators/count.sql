-- count(*) counts rows, count(x) what is not NULL; a group without rows is gone.
CREATE TABLE status (id INTEGER PRIMARY KEY, charger VARCHAR, error VARCHAR);
CREATE MATERIALIZED VIEW n AS SELECT charger, count(*) AS rows, count(error) AS errors FROM status GROUP BY charger;
CREATE MATERIALIZED VIEW total AS SELECT count(*) AS rows, count(error) AS errors FROM status;
SELECT * FROM n;
SELECT * FROM total;
INSERT INTO status VALUES (1, 'a', NULL), (2, 'a', 'fire'), (3, NULL, NULL), (4, NULL, 'x');
SELECT * FROM n;
SELECT * FROM total;
UPDATE status SET error = NULL;
SELECT * FROM n;
UPDATE status SET charger = 'b' WHERE id = 3;
SELECT * FROM n;
DELETE FROM status WHERE charger = 'a' OR charger IS NULL;
SELECT * FROM n;
DELETE FROM status;
SELECT * FROM n;
SELECT * FROM total;
DESCRIBE total;
