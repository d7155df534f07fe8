-- ASOF JOIN: each left row with the nearest right row of its key.
CREATE TABLE reading (id INT PRIMARY KEY, meter INT, at TIMESTAMP);
CREATE TABLE tariff (id INT PRIMARY KEY, meter INT, since TIMESTAMP, price NUMERIC(6,2));
CREATE MATERIALIZED VIEW priced AS
SELECT r.id, r.at, t.since, t.price FROM reading r ASOF JOIN tariff t ON r.meter = t.meter AND r.at >= t.since;
CREATE MATERIALIZED VIEW before AS
SELECT r.id, t.id AS tariff FROM reading r ASOF LEFT JOIN tariff t ON r.meter = t.meter AND t.since < r.at;
CREATE MATERIALIZED VIEW upcoming AS
SELECT r.id, t.id AS tariff FROM reading r ASOF LEFT JOIN tariff t ON r.meter = t.meter AND r.at <= t.since;
CREATE MATERIALIZED VIEW of_all AS SELECT r.id, t.id AS tariff FROM reading r ASOF JOIN tariff t ON r.at >= t.since;
INSERT INTO reading VALUES (1, 1, '2026-01-01 10:00'), (2, 1, '2026-01-01 12:00'), (3, 2, '2026-01-01 10:00'), (4, 1, NULL), (5, NULL, '2026-01-01 10:00');
SELECT * FROM before ORDER BY id;
INSERT INTO tariff VALUES (10, 1, '2026-01-01 09:00', 0.30), (11, 1, '2026-01-01 10:00', 0.35), (12, NULL, '2026-01-01 09:00', 9);
SELECT * FROM priced ORDER BY id;
SELECT * FROM before ORDER BY id;
SELECT * FROM upcoming ORDER BY id;
SELECT * FROM of_all ORDER BY id;
-- A row between two moves only what lies behind it; of equal times the first key counts.
INSERT INTO tariff VALUES (14, 1, '2026-01-01 11:00', 0.40), (13, 1, '2026-01-01 11:00', 0.50);
SELECT * FROM priced ORDER BY id;
DELETE FROM tariff WHERE id = 13;
SELECT * FROM priced ORDER BY id;
UPDATE tariff SET since = '2026-01-01 13:00' WHERE id = 14;
UPDATE reading SET meter = 1, at = '2026-01-01 13:30' WHERE id = 3;
SELECT * FROM priced ORDER BY id;
SELECT * FROM upcoming ORDER BY id;
-- Both sides in one epoch.
BEGIN; DELETE FROM tariff WHERE id = 11; INSERT INTO reading VALUES (6, 1, '2026-01-01 10:30'); UPDATE tariff SET price = 0.31 WHERE id = 10; COMMIT;
SELECT * FROM priced ORDER BY id;
SELECT r.id, t.price FROM reading r ASOF LEFT JOIN tariff t ON r.meter = t.meter AND r.at > t.since ORDER BY r.id;
EXPLAIN (PLAN) SELECT r.id FROM reading r ASOF LEFT JOIN tariff t ON r.meter = t.meter AND r.at >= t.since;
EXPLAIN (INCREMENTAL) SELECT r.id FROM reading r ASOF JOIN tariff t ON r.meter = t.meter AND r.at >= t.since;
-- What it cannot be on.
CREATE MATERIALIZED VIEW refused AS SELECT r.id FROM reading r ASOF JOIN tariff t ON r.meter = t.meter;
CREATE MATERIALIZED VIEW refused AS SELECT r.id FROM reading r ASOF JOIN tariff t ON r.at >= t.since AND r.id > t.id;
CREATE MATERIALIZED VIEW refused AS SELECT r.id FROM reading r ASOF JOIN tariff t ON r.at >= t.since AND t.price > 1;
CREATE MATERIALIZED VIEW refused AS SELECT r.id FROM reading r ASOF FULL JOIN tariff t ON r.at >= t.since;
-- restart
DELETE FROM tariff;
SELECT * FROM before ORDER BY id;
SELECT * FROM priced;
