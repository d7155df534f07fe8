-- EXPLAIN ANALYZE of a view: what each of its operators has cost, and scanned per row of delta.
CREATE TABLE meter (id INT PRIMARY KEY, feeder TEXT);
CREATE MATERIALIZED VIEW per_feeder AS SELECT feeder, COUNT(*) AS meters FROM meter GROUP BY feeder;
INSERT INTO meter VALUES (1, 'n'), (2, 'n'), (3, 's');
SELECT operator, rows_in > 0 AS took, epochs > 0 AS ran FROM rw_operator_costs WHERE name = 'per_feeder';
EXPLAIN ANALYZE SINK nothing;

-- A change of rows is not run to be explained.
EXPLAIN ANALYZE INSERT INTO meter VALUES (4, 's');
SELECT COUNT(*) FROM meter;
