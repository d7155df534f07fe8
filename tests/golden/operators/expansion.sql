-- A row becomes as many rows as its list has elements.
CREATE TABLE plan (id INTEGER PRIMARY KEY, slots INTEGER[], n INTEGER);
CREATE MATERIALIZED VIEW slot AS SELECT id, s FROM plan, unnest(slots) AS s;
CREATE MATERIALIZED VIEW numbered AS
SELECT id, s, place FROM plan CROSS JOIN unnest(slots) WITH ORDINALITY AS u(s, place);
CREATE MATERIALIZED VIEW kept AS SELECT id, s FROM plan LEFT JOIN unnest(slots) AS u(s) ON true;
CREATE MATERIALIZED VIEW counted AS SELECT id, generate_series(1, n) AS i FROM plan;
CREATE MATERIALIZED VIEW use AS SELECT s, count(*) AS n FROM (SELECT unnest(slots) AS s FROM plan) q GROUP BY s;
CREATE MATERIALIZED VIEW hours AS
SELECT h.hour, count(p.id) AS plans FROM generate_series(1, 3) AS h(hour) LEFT JOIN plan p ON p.n = h.hour GROUP BY h.hour;
CREATE MATERIALIZED VIEW names AS SELECT v.name, p.id FROM (VALUES (1, 'one'), (2, 'two')) AS v(n, name) LEFT JOIN plan p ON p.n = v.n;
SELECT * FROM hours;
SELECT * FROM names;
INSERT INTO plan VALUES (1, ARRAY[7, 8, 8], 2), (2, ARRAY[]::INTEGER[], 1), (3, NULL, 0);
SELECT * FROM slot;
SELECT * FROM numbered;
SELECT * FROM kept;
SELECT * FROM counted;
SELECT * FROM use;
SELECT * FROM hours;
SELECT * FROM names;
UPDATE plan SET slots = ARRAY[8], n = 3 WHERE id = 1;
UPDATE plan SET slots = ARRAY[1, 2] WHERE id = 3;
SELECT * FROM numbered;
SELECT * FROM kept;
SELECT * FROM counted;
SELECT * FROM use;
SELECT * FROM hours;
DELETE FROM plan;
SELECT * FROM kept;
SELECT * FROM hours;
SELECT * FROM names;
