-- What each operator of each view has cost since the start; some epochs are sampled for what they scan.
CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER);
CREATE TABLE u (k INTEGER);
CREATE MATERIALIZED VIEW v AS SELECT t.k, count(*) AS n FROM t JOIN u ON u.k = t.k GROUP BY t.k;
SELECT * FROM rw_operator_costs WHERE statements > 100;
INSERT INTO u VALUES (1), (2);
INSERT INTO t VALUES (1, 1), (2, 1), (3, 2);
DELETE FROM t WHERE id = 1;
SELECT name, operator, epochs, rows_in, statements > 0 AS ran, seconds > 0 AS timed, scanned_per_delta_row > 0 AS sampled FROM rw_operator_costs ORDER BY name, operator;
