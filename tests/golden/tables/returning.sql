-- RETURNING tells the changed rows, and what FROM and USING joined them with.
CREATE TABLE meters (id INT PRIMARY KEY, kwh INT, note VARCHAR);
CREATE TABLE reads (meter INT, amount INT, feeder VARCHAR);
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(kwh) AS kwh FROM meters;
INSERT INTO meters VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');
INSERT INTO reads VALUES (1, 100, 'north'), (2, 200, 'south');
UPDATE meters SET kwh = reads.amount FROM reads WHERE meters.id = reads.meter RETURNING meters.id, meters.kwh, reads.feeder, reads.amount + 1 AS more;
UPDATE meters SET kwh = kwh + 1 FROM reads WHERE id = meter AND meter = 1 RETURNING *;
UPDATE meters AS m SET kwh = m.kwh + r.amount FROM reads AS r WHERE m.id = r.meter AND r.meter = 1 RETURNING m.*, feeder;
UPDATE meters SET note = x.feeder || y.feeder FROM reads x JOIN reads y ON x.meter = y.meter WHERE id = x.meter AND id = 2 RETURNING id, x.*, y.feeder AS again;
UPDATE meters SET kwh = 0 FROM reads WHERE id = meter RETURNING other.feeder;
SELECT * FROM totals;
DELETE FROM meters USING reads WHERE id = meter AND meter = 1 RETURNING id, feeder, kwh;
DELETE FROM meters USING reads r WHERE id = r.meter RETURNING *;
SELECT * FROM totals;
