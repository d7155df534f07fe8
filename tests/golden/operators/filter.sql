-- A filter is linear: it applies to the delta. NULL is not true.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, power_kw DOUBLE PRECISION);
INSERT INTO reading VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, 'a', -2);

CREATE MATERIALIZED VIEW high AS
SELECT id, power_kw FROM reading WHERE power_kw > 1;
CREATE MATERIALIZED VIEW other AS
SELECT id FROM reading WHERE NOT (power_kw > 1) OR meter IN ('b') AND power_kw IS NULL;
CREATE MATERIALIZED VIEW none AS SELECT id FROM reading WHERE NULL;
SELECT * FROM high;
SELECT * FROM other;
SELECT * FROM none;

-- An update may move a row into the view, out of it, or leave it there with other values.
UPDATE reading SET power_kw = power_kw + 10;
SELECT * FROM high;
SELECT * FROM other;
UPDATE reading SET power_kw = NULL WHERE id = 3;
SELECT * FROM high;
SELECT * FROM other;
DELETE FROM reading WHERE id = 1;
SELECT * FROM high;

-- Equal rows count.
CREATE TABLE event (kind VARCHAR);
CREATE MATERIALIZED VIEW starts AS SELECT kind FROM event WHERE kind LIKE 'start%';
INSERT INTO event VALUES ('start'), ('start'), ('stop'), ('started');
SELECT * FROM starts;
DELETE FROM event WHERE kind = 'start';
SELECT * FROM starts;
