-- A left row without a match is padded with NULLs until a match comes, and again when it goes.
CREATE TABLE charger (id INTEGER PRIMARY KEY, site VARCHAR);
CREATE TABLE alert (charger INTEGER, code INTEGER);
CREATE MATERIALIZED VIEW state AS
SELECT c.id, c.site, a.code FROM charger c LEFT JOIN alert a ON a.charger = c.id;
INSERT INTO charger VALUES (1, 'Ulm'), (2, 'Bonn');
SELECT * FROM state;
INSERT INTO alert VALUES (1, 7);
SELECT * FROM state;
INSERT INTO alert VALUES (1, 8), (3, 9);
SELECT * FROM state;
DELETE FROM alert WHERE code = 7;
SELECT * FROM state;
DELETE FROM alert WHERE code = 8;
SELECT * FROM state;

-- Padding and match in one epoch; the left key moves.
BEGIN;
INSERT INTO charger VALUES (4, 'Kiel');
INSERT INTO alert VALUES (4, 1);
DELETE FROM alert WHERE charger = 3;
COMMIT;
SELECT * FROM state;
UPDATE charger SET id = 3 WHERE id = 4;
SELECT * FROM state;

-- A condition on the right side belongs to the match, not to the result.
CREATE MATERIALIZED VIEW severe AS
SELECT c.id, a.code FROM charger c LEFT JOIN alert a ON a.charger = c.id AND a.code > 5;
INSERT INTO alert VALUES (1, 4), (2, 6);
SELECT * FROM severe;
UPDATE alert SET code = code + 3;
SELECT * FROM severe;

-- Rows without any match: the anti join's old spelling.
CREATE MATERIALIZED VIEW quiet AS
SELECT c.id FROM charger c LEFT JOIN alert a ON a.charger = c.id WHERE a.charger IS NULL;
SELECT * FROM quiet;
DELETE FROM alert WHERE charger = 1;
SELECT * FROM quiet;

-- The other outer joins.
CREATE MATERIALIZED VIEW to_the_right AS
SELECT c.id, a.charger, a.code FROM charger c RIGHT JOIN alert a ON a.charger = c.id;
CREATE MATERIALIZED VIEW both AS
SELECT c.id, a.charger, a.code FROM charger c FULL JOIN alert a ON a.charger = c.id;
INSERT INTO alert VALUES (77, 1);
SELECT * FROM to_the_right;
SELECT * FROM both;
INSERT INTO charger VALUES (77, NULL);
DELETE FROM alert WHERE charger = 2;
SELECT * FROM to_the_right;
SELECT * FROM both;
