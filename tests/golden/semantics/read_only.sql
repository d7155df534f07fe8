-- A READ ONLY transaction reads; what would change something is refused, and so is all after it.
CREATE TABLE meter (id int, at struct<feeder int, name varchar>);
BEGIN READ ONLY;
SELECT count(*) FROM meter;
INSERT INTO meter VALUES (1, NULL);
SELECT 1;
ROLLBACK;
START TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ;
CREATE TABLE other (id int);
COMMIT;
BEGIN READ WRITE;
INSERT INTO meter VALUES (1, (7, 'north'));
SET TRANSACTION READ ONLY;
DELETE FROM meter;
ROLLBACK;
INSERT INTO meter VALUES (2, (8, 'south'));
-- The field of a record is named after it.
CREATE VIEW place AS SELECT (at).feeder, (meter.at).name FROM meter;
SELECT feeder, name FROM place;
DROP VIEW place;
DROP TABLE meter;
