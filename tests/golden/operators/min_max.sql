-- A retraction of the extreme asks the kept input for the next one.
CREATE TABLE voltage (id INTEGER PRIMARY KEY, node VARCHAR, volts NUMERIC(5,1), at TIMESTAMPTZ, phase VARCHAR);
CREATE MATERIALIZED VIEW band AS
SELECT node, min(volts) AS low, max(volts) AS high, min(at) AS first, max(phase) AS phase FROM voltage GROUP BY node;
CREATE MATERIALIZED VIEW all_time AS SELECT min(volts) AS low, max(volts) AS high FROM voltage;
INSERT INTO voltage VALUES
    (1, 'x', 230.1, '2026-01-01 10:00+00', 'L1'),
    (2, 'x', 228.0, '2026-01-01 09:00+00', 'L3'),
    (3, 'x', 231.0, NULL, 'L2'),
    (4, 'y', NULL, NULL, NULL);
SELECT * FROM band;
DELETE FROM voltage WHERE id = 2;
SELECT * FROM band;
UPDATE voltage SET volts = 200 WHERE id = 3;
SELECT * FROM band;
SELECT * FROM all_time;
-- The same extreme twice: one of them may go.
INSERT INTO voltage VALUES (5, 'x', 200, NULL, NULL);
DELETE FROM voltage WHERE id = 3;
SELECT * FROM band;
DELETE FROM voltage WHERE node = 'x';
SELECT * FROM band;
SELECT * FROM all_time;

-- Over an append-only source nothing has to be kept.
CREATE SOURCE reading (node VARCHAR, volts INTEGER);
CREATE MATERIALIZED VIEW peak AS SELECT node, max(volts) AS high FROM reading GROUP BY node;
INSERT INTO reading VALUES ('x', 1), ('x', 3), ('y', NULL);
SELECT * FROM peak;
INSERT INTO reading VALUES ('x', 2), ('y', 1);
SELECT * FROM peak;
