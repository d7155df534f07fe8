-- A subquery as a value: one for all rows, or one for each row by what it asks for.
CREATE TABLE meter (id INTEGER PRIMARY KEY, site VARCHAR, cap INTEGER);
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter INTEGER, kw INTEGER);
INSERT INTO meter VALUES (1, 'x', 10), (2, 'x', 4), (3, 'y', 7);
CREATE MATERIALIZED VIEW over_mean AS SELECT id FROM reading WHERE kw > (SELECT avg(kw) FROM reading);
CREATE MATERIALIZED VIEW peaks AS
SELECT m.id, (SELECT max(kw) FROM reading r WHERE r.meter = m.id) AS peak,
       (SELECT count(*) FROM reading r WHERE r.meter = m.id) AS n,
       (SELECT count(*) FROM reading r WHERE r.kw > m.cap) AS above,
       (SELECT kw FROM reading r WHERE r.meter = m.id ORDER BY r.id DESC LIMIT 1) AS latest
FROM meter m;
CREATE MATERIALIZED VIEW site_of AS
SELECT r.id, (SELECT site FROM meter m WHERE m.id = r.meter) AS site FROM reading r;
CREATE MATERIALIZED VIEW sites AS
SELECT site, sum(cap) AS cap, (SELECT count(*) FROM reading) AS readings FROM meter GROUP BY site
HAVING sum(cap) > (SELECT coalesce(min(kw), 0) FROM reading);
CREATE MATERIALIZED VIEW top_of AS
SELECT m.id, q.kw FROM meter m LEFT JOIN LATERAL (SELECT kw FROM reading r WHERE r.meter = m.id ORDER BY kw DESC LIMIT 2) q ON true;
CREATE MATERIALIZED VIEW totals AS
SELECT m.id, q.n, q.kw FROM meter m CROSS JOIN LATERAL (SELECT count(*) AS n, sum(kw) AS kw FROM reading r WHERE r.meter = m.id) q;
SELECT * FROM peaks;
SELECT * FROM sites;
SELECT * FROM top_of;
SELECT * FROM totals;
INSERT INTO reading VALUES (1, 1, 5), (2, 1, 12), (3, 2, 3), (4, 9, 8);
SELECT * FROM over_mean;
SELECT * FROM peaks;
SELECT * FROM site_of;
SELECT * FROM sites;
SELECT * FROM top_of;
SELECT * FROM totals;
UPDATE reading SET kw = 30 WHERE id = 3;
DELETE FROM reading WHERE id = 2;
INSERT INTO meter VALUES (9, 'z', 1);
SELECT * FROM over_mean;
SELECT * FROM peaks;
SELECT * FROM site_of;
SELECT * FROM sites;
SELECT * FROM top_of;
SELECT * FROM totals;
DELETE FROM reading;
SELECT * FROM peaks;
SELECT * FROM sites;
SELECT * FROM totals;
