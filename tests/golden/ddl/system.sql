-- What RisingWave's system catalog tells, and EXPLAIN of what is not a query.
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR);
CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t;
CREATE INDEX i ON t (v);
CREATE FUNCTION f(a INT) RETURNS INT LANGUAGE SQL RETURN a + 1;
CREATE SUBSCRIPTION s FROM m WITH (retention = '2 hours');
SELECT name, relation_type FROM rw_catalog.rw_relations ORDER BY id;
SELECT name FROM rw_indexes;
SELECT name FROM rw_schemas ORDER BY name;
SELECT name, data_type FROM rw_columns WHERE relation_id = (SELECT id FROM rw_tables WHERE name = 't') ORDER BY position;
SELECT * FROM rw_ddl_progress;
SELECT name, state FROM rw_materialized_views;
SELECT name, retention FROM rw_subscriptions;
SELECT name, language FROM rw_functions;
EXPLAIN INSERT INTO t VALUES (1, 'a');
EXPLAIN CREATE TABLE q (a INT);
EXPLAIN CREATE SINK s FROM m WITH (connector = 'blackhole');
EXPLAIN CREATE INDEX k ON t (id);
INSERT INTO t VALUES (true, 'x');
FLUSH; WAIT; RECOVER;
CREATE USER operator WITH PASSWORD 'secret';
GRANT SELECT ON TABLE t TO operator;
CREATE SECRET key WITH (backend = 'meta') AS 'value';
SHOW SECRETS;
DROP SECRET key;
DROP SECRET key;
SET streaming_parallelism = 4;
SHOW streaming_parallelism;
SHOW nothing_of_that_name;

-- What runs is listed as RisingWave lists it.
CREATE TABLE needed (k INT PRIMARY KEY, v INT NOT NULL, note TEXT);
CREATE MATERIALIZED VIEW summed AS SELECT k % 2 AS odd, SUM(v) AS v FROM needed GROUP BY 1;
SELECT name, is_nullable FROM rw_columns WHERE relation_id = (SELECT id FROM rw_tables WHERE name = 'needed') ORDER BY position;
SELECT t.name, f.status, f.parallelism FROM rw_table_fragments f JOIN rw_tables t ON t.id = f.table_id WHERE t.name = 'needed';
SELECT name, relation_type, schema_name FROM rw_streaming_jobs WHERE name IN ('needed', 'summed') ORDER BY name;
SELECT count(*) > 0 FROM rw_internal_table_info WHERE job_name = 'summed';
SELECT count(*) FROM rw_event_logs;
SELECT name, schema_name FROM rw_materialized_views WHERE name = 'summed';
SELECT name FROM rw_system_tables WHERE name = 'rw_tables';
-- An index is spread by the beginning of its keys.
CREATE INDEX spread_by_k ON needed (k, v) DISTRIBUTED BY (k);
CREATE INDEX spread_by_v ON needed (k, v) DISTRIBUTED BY (v);
DROP TABLE needed CASCADE;
-- RisingWave's switches are true or false.
SET rw_implicit_flush TO off;
SHOW rw_implicit_flush;
SET rw_implicit_flush TO maybe;
SET rw_implicit_flush TO DEFAULT;

-- What runs inside is one fragment and one actor for each job; what one process has none of is empty.
CREATE TABLE parts (k INT PRIMARY KEY);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM parts;
SELECT name, relation_type, parallelism, distribution_type FROM rw_fragment_parallelism WHERE name IN ('parts', 'counted') ORDER BY name;
SELECT name, relation_type, parallelism FROM rw_streaming_parallelism WHERE name IN ('parts', 'counted') ORDER BY name;
SELECT relationname, relationtype, relationtimezone FROM rw_relation_info WHERE relationname IN ('parts', 'counted') ORDER BY 1;
SELECT name, ddl_type FROM rw_fragment_id_to_ddl WHERE name IN ('parts', 'counted') ORDER BY 1;
SELECT name, ddl_type FROM rw_actor_id_to_ddl WHERE name IN ('parts', 'counted') ORDER BY 1;
SELECT count(*) > 0 FROM rw_table_stats;
SELECT count(*) > 0 FROM rw_actor_infos;
SELECT recovery_state, in_global_running FROM rw_recovery_info;
SELECT * FROM rw_hummock_current_version;
SELECT * FROM rw_meta_snapshot;
SELECT count(*) FROM rw_iceberg_files;
DROP TABLE parts CASCADE;
-- Options that no view has, and databases that are none.
CREATE MATERIALIZED VIEW slow WITH (streaming_rate_limit = 1000, state_ttl = '1 day') AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW typo WITH (state_tll = '1 day') AS SELECT 1 AS x;
SELECT has_database_privilege('nowhere', 'CONNECT');
SELECT has_database_privilege(current_database(), 'CONNECT'), pg_relation_size('slow', 'fsm') AS beside;
