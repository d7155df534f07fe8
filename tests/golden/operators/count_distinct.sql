CREATE TABLE tap (id INTEGER PRIMARY KEY, charger VARCHAR, tag VARCHAR, day DATE);
CREATE MATERIALIZED VIEW drivers AS
SELECT charger, count(DISTINCT tag) AS tags, count(*) AS taps, count(DISTINCT day) AS days FROM tap GROUP BY charger;
CREATE MATERIALIZED VIEW everywhere AS SELECT count(DISTINCT tag) AS tags FROM tap;
SELECT * FROM everywhere;
INSERT INTO tap VALUES (1, 'a', 't1', '2026-01-01'), (2, 'a', 't1', '2026-01-02'), (3, 'a', NULL, NULL), (4, 'b', 't1', NULL);
SELECT * FROM drivers;
SELECT * FROM everywhere;
-- One of two equal values goes, and the value stays; then the other.
DELETE FROM tap WHERE id = 1;
SELECT * FROM drivers;
UPDATE tap SET tag = 't2' WHERE id = 2;
SELECT * FROM drivers;
SELECT * FROM everywhere;
DELETE FROM tap WHERE charger = 'b';
SELECT * FROM drivers;
SELECT * FROM everywhere;
DELETE FROM tap;
SELECT * FROM drivers;
SELECT * FROM everywhere;

-- sum and avg of distinct values.
CREATE MATERIALIZED VIEW odd AS SELECT charger, sum(DISTINCT length(tag)) AS total, avg(DISTINCT id) AS mean FROM tap GROUP BY charger;
INSERT INTO tap VALUES (1, 'a', 'xx', NULL), (2, 'a', 'yy', NULL), (3, 'a', 'z', NULL);
SELECT * FROM odd;
DELETE FROM tap WHERE id = 3;
SELECT * FROM odd;
