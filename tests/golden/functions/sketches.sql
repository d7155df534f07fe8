-- approx_percentile gives RisingWave's digits: the middle of a bucket, at most the error away.
CREATE TABLE load (site TEXT, kw DOUBLE PRECISION);
INSERT INTO load SELECT 'a', x FROM generate_series(-20, 220) AS g(x);
INSERT INTO load VALUES ('b', 7.5), ('b', 0), ('c', NULL);
SELECT site, approx_percentile(0.5, 0.01) WITHIN GROUP (ORDER BY kw) AS half, approx_percentile(0.02, 0.05) WITHIN GROUP (ORDER BY kw) AS low, approx_percentile(1) WITHIN GROUP (ORDER BY kw) AS top FROM load GROUP BY site ORDER BY site;
CREATE MATERIALIZED VIEW near AS SELECT site, count(*) AS n, approx_percentile(0.9, 0.01) WITHIN GROUP (ORDER BY kw) FILTER (WHERE kw > 0) AS high FROM load GROUP BY site;
INSERT INTO load VALUES ('b', 300), ('c', 2);
DELETE FROM load WHERE kw < 0;
SELECT * FROM near ORDER BY site;
SELECT approx_percentile(0.5, 1.5) WITHIN GROUP (ORDER BY kw) FROM load;
-- Subscripts count along the dimension that is asked for; one that is not there has none.
SELECT generate_subscripts(ARRAY[[7, 8, 9], [4, 5, 6]], 2) AS n;
SELECT count(*) FROM generate_subscripts(ARRAY[7, 8], 3);
SELECT * FROM generate_subscripts(ARRAY[7, 8, 9], 1, true) WITH ORDINALITY AS s(place, n) ORDER BY n;
SELECT n, array_agg(place ORDER BY x) FROM (SELECT n, x, place FROM generate_series(1, 2) AS g(n), generate_subscripts(ARRAY[7, 8, 9], 1, n > 1) WITH ORDINALITY AS s(place, x)) GROUP BY n ORDER BY n;
SELECT n, generate_subscripts(ARRAY[7, 8], n) AS place FROM generate_series(0, 2) AS s(n);
-- BROADCAST before a join says how rows travel; alone it is a name.
CREATE TABLE reading (site TEXT, wh INT) APPEND ONLY;
CREATE TABLE site (site TEXT PRIMARY KEY, town TEXT);
INSERT INTO site VALUES ('a', 'Vigo');
CREATE MATERIALIZED VIEW placed AS SELECT reading.site, wh, town FROM reading BROADCAST LEFT JOIN site FOR SYSTEM_TIME AS OF PROCTIME() ON reading.site = site.site;
INSERT INTO reading VALUES ('a', 5), ('z', 6);
SELECT * FROM placed ORDER BY wh;
SELECT broadcast.wh FROM reading broadcast LEFT JOIN site ON broadcast.site = site.site ORDER BY 1;
-- The catalogs tell of generated columns.
CREATE TABLE priced (kwh INT, cents INT AS kwh * 24);
SELECT attname, atthasdef, attgenerated FROM pg_attribute WHERE attrelid = 'priced'::regclass AND attnum > 0 ORDER BY attnum;
SELECT column_name, column_default, is_generated, generation_expression FROM information_schema.columns WHERE table_name = 'priced' ORDER BY ordinal_position;
