-- The delta of a join: each side's delta against the other side, old or new.
CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR);
CREATE TABLE feeder (name VARCHAR, kva INTEGER);
CREATE MATERIALIZED VIEW placed AS
SELECT m.id, f.name, f.kva FROM meter m JOIN feeder f ON f.name = m.feeder;
INSERT INTO meter VALUES (1, 'north'), (2, 'south'), (3, NULL);
SELECT * FROM placed;
INSERT INTO feeder VALUES ('north', 100), (NULL, 50);
SELECT * FROM placed;

-- Both sides in one epoch.
BEGIN;
INSERT INTO feeder VALUES ('south', 200);
INSERT INTO meter VALUES (4, 'south');
COMMIT;
SELECT * FROM placed;
UPDATE meter SET feeder = 'north' WHERE id = 2;
SELECT * FROM placed;

-- A key that is there twice gives every pair.
INSERT INTO feeder VALUES ('north', 101);
SELECT * FROM placed;
DELETE FROM feeder WHERE kva = 100;
SELECT * FROM placed;

-- A condition beside the key, USING, a self join, a join of three.
CREATE MATERIALIZED VIEW large AS
SELECT m.id, f.kva FROM meter m JOIN feeder f ON f.name = m.feeder AND f.kva > 150;
CREATE MATERIALIZED VIEW pairs AS
SELECT a.id AS first, b.id AS second FROM meter a JOIN meter b ON a.feeder = b.feeder AND a.id < b.id;
CREATE TABLE town (feeder VARCHAR, town VARCHAR);
CREATE MATERIALIZED VIEW in_town AS
SELECT m.id, f.kva, t.town FROM meter m JOIN feeder f ON f.name = m.feeder JOIN town t USING (feeder);
INSERT INTO town VALUES ('north', 'Ulm'), ('south', 'Bonn'), ('south', 'Bonn');
SELECT * FROM large;
SELECT * FROM pairs;
SELECT * FROM in_town;
UPDATE meter SET feeder = 'south';
SELECT * FROM large;
SELECT * FROM pairs;
SELECT * FROM in_town;
DELETE FROM meter WHERE id < 4;
SELECT * FROM pairs;
SELECT * FROM in_town;

-- A comma and WHERE are a join, too; a cross join has no key.
CREATE MATERIALIZED VIEW comma AS SELECT m.id, f.kva FROM meter m, feeder f WHERE m.feeder = f.name;
CREATE MATERIALIZED VIEW crossed AS SELECT m.id, f.kva FROM meter m CROSS JOIN feeder f;
SELECT * FROM comma;
SELECT * FROM crossed;
INSERT INTO meter VALUES (9, 'north');
SELECT * FROM comma;
SELECT * FROM crossed;
