-- A row takes the place of the one with its key; of two in a statement the later stands.
CREATE TABLE charger (site VARCHAR, bay INT, kw DOUBLE PRECISION, PRIMARY KEY (site, bay));
CREATE MATERIALIZED VIEW per_site AS SELECT site, sum(kw) AS kw, count(*) AS bays FROM charger GROUP BY site;
INSERT INTO charger VALUES ('Ulm', 1, 11), ('Ulm', 2, 22), ('Ulm', 1, 50);
SELECT * FROM charger ORDER BY site, bay;
SELECT * FROM per_site;
INSERT INTO charger (bay, site) VALUES (2, 'Ulm') RETURNING *;
SELECT * FROM per_site;
INSERT INTO charger VALUES ('Ulm', NULL, 1);
UPDATE charger SET bay = bay + 1;
SELECT * FROM charger ORDER BY site, bay;
SELECT * FROM per_site;

-- Conflicts: ignored, folded together, or decided by a version.
CREATE TABLE first_seen (id INT PRIMARY KEY, kw INT) ON CONFLICT DO NOTHING;
INSERT INTO first_seen VALUES (1, 1), (1, 2);
INSERT INTO first_seen VALUES (1, 3), (2, 2);
SELECT * FROM first_seen ORDER BY id;
CREATE TABLE folded (id INT PRIMARY KEY, a INT, b INT) ON CONFLICT DO UPDATE IF NOT NULL;
CREATE MATERIALIZED VIEW folded_sum AS SELECT sum(a) AS a, sum(b) AS b FROM folded;
INSERT INTO folded VALUES (1, 1, NULL), (1, NULL, 2);
INSERT INTO folded VALUES (1, 5, NULL);
SELECT * FROM folded;
SELECT * FROM folded_sum;
CREATE TABLE newest (id INT PRIMARY KEY, kw INT, version INT) ON CONFLICT OVERWRITE WITH VERSION COLUMN (version);
CREATE MATERIALIZED VIEW newest_sum AS SELECT sum(kw) AS kw FROM newest;
INSERT INTO newest VALUES (1, 10, 5), (1, 11, 4);
INSERT INTO newest VALUES (1, 12, 4);
SELECT * FROM newest;
INSERT INTO newest VALUES (1, 13, 5);
SELECT * FROM newest;
SELECT * FROM newest_sum;
INSERT INTO newest VALUES (1, 14, NULL), (2, 20, NULL);
INSERT INTO newest VALUES (2, 21, NULL);
INSERT INTO newest VALUES (2, 22, 0), (2, 23, NULL);
SELECT * FROM newest ORDER BY id;
SELECT * FROM newest_sum;
CREATE TABLE newer (id INT PRIMARY KEY, kw INT, major INT, minor INT) ON CONFLICT OVERWRITE WITH VERSION COLUMN (major, minor);
INSERT INTO newer VALUES (1, 1, 2, NULL);
INSERT INTO newer VALUES (1, 2, NULL, 9);
INSERT INTO newer VALUES (1, 3, 2, 0);
INSERT INTO newer VALUES (1, 4, 2, NULL);
SELECT * FROM newer;

-- PostgreSQL's clause of the INSERT itself.
INSERT INTO charger VALUES ('Ulm', 2, 1), ('Bonn', 1, 7) ON CONFLICT DO NOTHING;
INSERT INTO charger AS c VALUES ('Ulm', 2, 1), ('Kiel', 1, 3) ON CONFLICT (site, bay) DO UPDATE SET kw = excluded.kw + c.kw WHERE c.kw > 1 RETURNING *;
INSERT INTO charger VALUES ('Ulm', 2, 1), ('Ulm', 2, 2) ON CONFLICT (site, bay) DO UPDATE SET kw = 0;
INSERT INTO charger VALUES ('Ulm', 2, 1) ON CONFLICT (kw) DO NOTHING;
SELECT * FROM per_site ORDER BY site;

-- UNIQUE refuses; a table that only grows stays so.
CREATE TABLE card (id INT PRIMARY KEY, tag VARCHAR UNIQUE);
INSERT INTO card VALUES (1, 'a');
INSERT INTO card VALUES (2, 'a');
INSERT INTO card VALUES (2, 'a') ON CONFLICT (tag) DO UPDATE SET id = excluded.id RETURNING *;
CREATE TABLE read (meter INT, wh INT) APPEND ONLY;
INSERT INTO read VALUES (1, 5);
UPDATE read SET wh = 6;
DELETE FROM read;
CREATE TABLE keyed_log (id INT PRIMARY KEY) APPEND ONLY;
CREATE TABLE no_key (id INT) ON CONFLICT IGNORE;
