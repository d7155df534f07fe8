-- A transaction is one epoch: it sees its own writes, in views too; others see all or nothing.
CREATE TABLE meter (id INTEGER UNIQUE, kwh INTEGER);
CREATE MATERIALIZED VIEW total AS SELECT sum(kwh) AS kwh, count(*) AS n FROM meter;
BEGIN;
INSERT INTO meter VALUES (1, 10), (2, 20);
SELECT * FROM total;
UPDATE meter SET kwh = kwh + 1;
SELECT * FROM total;
-- session other
SELECT * FROM total;
SELECT * FROM meter;
-- session one
COMMIT;
-- session other
SELECT * FROM total;
-- session one
BEGIN;
DELETE FROM meter WHERE id = 1;
SELECT * FROM total;
ROLLBACK;
SELECT * FROM total;

-- DDL belongs to the transaction.
BEGIN;
CREATE TABLE site (name VARCHAR);
INSERT INTO site VALUES ('Ulm');
CREATE MATERIALIZED VIEW names AS SELECT name FROM site;
SELECT * FROM names;
ROLLBACK;
SELECT * FROM names;
SELECT * FROM site;
BEGIN;
CREATE TABLE site (name VARCHAR);
INSERT INTO site VALUES ('Ulm');
CREATE MATERIALIZED VIEW names AS SELECT name FROM site;
INSERT INTO site VALUES ('Bonn');
SELECT * FROM names;
COMMIT;
SELECT * FROM names;
BEGIN;
DROP TABLE site CASCADE;
ROLLBACK;
INSERT INTO site VALUES ('Kiel');
SELECT * FROM names;

-- After an error only the end is accepted.
BEGIN;
INSERT INTO meter VALUES (3, 30);
INSERT INTO meter VALUES (3, 30);
SELECT * FROM total;
COMMIT;
SELECT * FROM total;
-- restart
SELECT * FROM total;
SELECT * FROM names;
