-- The hidden number of a row in a table without a primary key.
CREATE TABLE events (name TEXT, kwh INT);
INSERT INTO events VALUES ('a', 1), ('b', 2), ('a', 1);
SELECT * FROM events ORDER BY name;
SELECT _row_id IS NOT NULL AS known, name FROM events ORDER BY name;
SELECT count(name), count(DISTINCT name), count(DISTINCT _row_id) FROM events;
SELECT e.*, e._row_id >= 0 AS at_least_zero FROM events e WHERE e._row_id IS NOT NULL ORDER BY name;
SELECT name, count(DISTINCT _row_id) AS n, rw_vnode(min(_row_id)) IS NOT NULL AS vnode FROM events GROUP BY name ORDER BY name;
WITH typed AS (SELECT _row_id, * FROM events) SELECT count(DISTINCT _row_id), max(kwh) FROM typed;
SELECT count(*) FROM events a JOIN events b ON a._row_id = b._row_id;
CREATE VIEW numbered AS SELECT _row_id, name FROM events;
SELECT count(DISTINCT _row_id) FROM numbered;
CREATE MATERIALIZED VIEW kept AS SELECT _row_id, name FROM events;
CREATE TABLE keyed (id INT PRIMARY KEY);
SELECT _row_id FROM keyed;
