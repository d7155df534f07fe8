-- The first row of each key in the given order: "the latest state".
CREATE TABLE state (id INTEGER PRIMARY KEY, charger VARCHAR, at TIMESTAMPTZ, status VARCHAR);
CREATE MATERIALIZED VIEW latest AS
SELECT DISTINCT ON (charger) charger, at, status FROM state ORDER BY charger, at DESC;
INSERT INTO state VALUES
    (1, 'a', '2026-01-01 10:00+00', 'Available'),
    (2, 'a', '2026-01-01 11:00+00', 'Charging'),
    (3, 'b', '2026-01-01 09:00+00', 'Faulted');
SELECT * FROM latest;
-- Late data does not win; the winner's end brings the second back.
INSERT INTO state VALUES (4, 'a', '2026-01-01 10:30+00', 'Preparing');
SELECT * FROM latest;
DELETE FROM state WHERE id = 2;
SELECT * FROM latest;
UPDATE state SET at = '2026-01-01 12:00+00' WHERE id = 1;
SELECT * FROM latest;
-- NULL is the largest: first in descending order.
INSERT INTO state VALUES (5, 'b', NULL, 'Unknown');
SELECT * FROM latest;
DELETE FROM state WHERE charger = 'b';
SELECT * FROM latest;

CREATE MATERIALIZED VIEW earliest AS
SELECT DISTINCT ON (charger) charger, status FROM state ORDER BY charger, at NULLS LAST, id DESC;
SELECT * FROM earliest;

-- Over an append-only source the winners are enough.
CREATE SOURCE heartbeat (charger VARCHAR, at TIMESTAMPTZ, status VARCHAR);
CREATE MATERIALIZED VIEW seen AS
SELECT DISTINCT ON (charger) charger, at, status FROM heartbeat ORDER BY charger, at DESC;
INSERT INTO heartbeat VALUES ('a', '2026-01-01 10:00+00', 'one'), ('a', '2026-01-01 09:00+00', 'zero');
SELECT * FROM seen;
INSERT INTO heartbeat VALUES ('a', '2026-01-01 11:00+00', 'two'), ('b', '2026-01-01 08:00+00', 'other');
SELECT * FROM seen;

-- A view on the winners.
CREATE MATERIALIZED VIEW by_status AS SELECT status, count(*) AS n FROM latest GROUP BY status;
SELECT * FROM by_status;
DELETE FROM state WHERE id = 1;
SELECT * FROM by_status;
