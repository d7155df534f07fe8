-- Every stage prints itself.
CREATE SOURCE reading (meter INTEGER, at TIMESTAMPTZ, kwh DOUBLE PRECISION);
CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR);
EXPLAIN SELECT feeder FROM meter WHERE id > 1;
EXPLAIN (AST) SELECT id FROM meter;
EXPLAIN (PLAN) SELECT m.feeder, sum(r.kwh) AS kwh FROM reading r JOIN meter m ON m.id = r.meter GROUP BY m.feeder;
EXPLAIN (DUCKDB) SELECT id / 2 AS half FROM meter WHERE feeder = 'n';

-- One operator after the other.
EXPLAIN (INCREMENTAL) SELECT id + 1 AS next FROM meter WHERE feeder = 'n';
EXPLAIN (INCREMENTAL) SELECT m.feeder, r.kwh FROM reading r JOIN meter m ON m.id = r.meter;
EXPLAIN (INCREMENTAL) SELECT m.feeder, r.kwh FROM meter m LEFT JOIN reading r ON m.id = r.meter;
EXPLAIN (INCREMENTAL) SELECT id FROM meter UNION ALL SELECT meter FROM reading;
EXPLAIN (INCREMENTAL) SELECT meter, sum(kwh) AS kwh, max(at) AS last FROM reading GROUP BY meter;
EXPLAIN (INCREMENTAL) SELECT feeder, count(DISTINCT id) AS n FROM meter GROUP BY feeder;
EXPLAIN (INCREMENTAL) SELECT DISTINCT ON (meter) meter, at, kwh FROM reading ORDER BY meter, at DESC;
EXPLAIN (INCREMENTAL) SELECT DISTINCT ON (feeder) feeder, id FROM meter ORDER BY feeder, id;
EXPLAIN (INCREMENTAL) SELECT window_start, count(*) AS n FROM TUMBLE(reading, at, INTERVAL '15 minutes') GROUP BY window_start;
EXPLAIN (INCREMENTAL) SELECT meter FROM reading WHERE at > NOW() - INTERVAL '5 minutes';
EXPLAIN (INCREMENTAL) SELECT id FROM meter ORDER BY id LIMIT 3;
EXPLAIN (INCREMENTAL) CREATE MATERIALIZED VIEW v AS SELECT feeder, count(*) AS n FROM meter GROUP BY feeder HAVING count(*) > 1;
EXPLAIN (PLAN) CREATE SINK s AS SELECT id FROM meter WITH (connector = 'blackhole');
