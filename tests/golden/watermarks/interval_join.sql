-- An interval join of two streams with watermarks forgets the rows that only late ones could meet.
CREATE SOURCE ordered (id INT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1 minute');
CREATE SOURCE paid (id INT, at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '1 minute');
CREATE MATERIALIZED VIEW settled AS
SELECT o.id, o.at AS ordered_at, p.at AS paid_at FROM ordered o JOIN paid p
ON o.id = p.id AND p.at BETWEEN o.at AND o.at + INTERVAL '10 minutes';
-- An outer join keeps everything, and one bound alone lets one side go.
CREATE MATERIALIZED VIEW every AS SELECT o.id, p.at FROM ordered o LEFT JOIN paid p ON o.id = p.id AND p.at BETWEEN o.at AND o.at + INTERVAL '10 minutes';
CREATE MATERIALIZED VIEW half AS SELECT o.id FROM ordered o JOIN paid p ON o.id = p.id AND p.at >= o.at;
INSERT INTO ordered VALUES (1, '2026-01-01 10:00'), (2, '2026-01-01 10:05');
INSERT INTO paid VALUES (1, '2026-01-01 10:03Z'), (2, '2026-01-01 10:14Z');
SELECT * FROM settled ORDER BY id;
SELECT name, watermark FROM rw_watermarks ORDER BY name;
-- The paid watermark is 10:13: the order of 10:00 can meet no payment in time. Payments stay: an order of 10:04 may come.
SELECT (SELECT count(*) FROM _vs.join_16386_1) AS orders, (SELECT count(*) FROM _vs.join_16386_3) AS payments;
INSERT INTO ordered VALUES (3, '2026-01-01 10:20');
INSERT INTO paid VALUES (3, '2026-01-01 10:20Z');
SELECT (SELECT count(*) FROM _vs.join_16386_1) AS orders, (SELECT count(*) FROM _vs.join_16386_3) AS payments;
-- Rows in time find all their matches; a late one may find none.
INSERT INTO ordered VALUES (3, '2026-01-01 10:19:30'), (2, '2026-01-01 10:05');
SELECT * FROM settled ORDER BY id, ordered_at;
-- restart
INSERT INTO ordered SELECT n, '2026-01-01 11:00'::timestamp + n * INTERVAL '1 minute' FROM generate_series(1, 60) AS n;
INSERT INTO paid SELECT n, '2026-01-01 11:05Z'::timestamptz + n * INTERVAL '1 minute' FROM generate_series(1, 60) AS n;
SELECT count(*) FROM settled;
SELECT (SELECT count(*) FROM _vs.join_16386_1) AS orders, (SELECT count(*) FROM _vs.join_16386_3) AS payments;
EXPLAIN (INCREMENTAL) SELECT o.id FROM ordered o JOIN paid p ON o.id = p.id AND o.at >= p.at - INTERVAL '10 minutes' AND o.at <= p.at;
-- Windows that meet go when they are over.
CREATE MATERIALIZED VIEW same_window AS
SELECT o.window_start, o.id FROM TUMBLE(ordered, at, INTERVAL '1 hour') o JOIN TUMBLE(paid, at, INTERVAL '1 hour') p ON o.id = p.id AND o.window_start = p.window_start;
INSERT INTO ordered VALUES (7, '2026-01-01 12:58'), (8, '2026-01-01 13:02');
INSERT INTO paid VALUES (7, '2026-01-01 12:59Z'), (8, '2026-01-01 13:03Z');
SELECT count(*) FROM same_window;
EXPLAIN (INCREMENTAL) SELECT o.id FROM ordered o JOIN paid p ON o.id = p.id AND p.at >= o.at;
