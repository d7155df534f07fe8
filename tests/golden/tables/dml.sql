-- INSERT, UPDATE, DELETE, RETURNING, TRUNCATE, and a view that follows.
CREATE TABLE charger (id VARCHAR PRIMARY KEY, site VARCHAR, kw INTEGER DEFAULT 11, CHECK (kw > 0));
CREATE MATERIALIZED VIEW sites AS SELECT site, count(*) AS chargers, sum(kw) AS kw FROM charger GROUP BY site;
INSERT INTO charger (id, site) VALUES ('a', 'Ulm'), ('b', 'Bonn') RETURNING id, kw;
INSERT INTO charger VALUES ('c', 'Ulm', 22) RETURNING *;
INSERT INTO charger (kw, id) SELECT kw + 1, id || '2' FROM charger WHERE site = 'Ulm';
SELECT * FROM charger;
SELECT * FROM sites;
UPDATE charger SET kw = kw * 2, site = upper(site) WHERE site = 'Ulm' RETURNING id, site, kw;
UPDATE charger SET site = 'Kiel' WHERE site IS NULL;
UPDATE charger SET kw = 1 WHERE false;
SELECT * FROM sites;
DELETE FROM charger WHERE kw > 40 RETURNING id;
SELECT * FROM sites;

-- Upserts.
INSERT INTO charger VALUES ('a', 'Ulm', 50) ON CONFLICT (id) DO NOTHING;
INSERT INTO charger VALUES ('a', 'Ulm', 50), ('z', 'Ulm', 1) ON CONFLICT (id) DO UPDATE SET kw = excluded.kw;
SELECT * FROM charger;
SELECT * FROM sites;

-- A statement that fails changes nothing, in no view.
INSERT INTO charger VALUES ('y', 'Ulm', 5), (NULL, 'Ulm', 5);
UPDATE charger SET kw = kw - 11;
SELECT * FROM charger;
SELECT * FROM sites;

-- A key that moves; a row replaced in one transaction.
UPDATE charger SET id = 'aa' WHERE id = 'a';
BEGIN;
DELETE FROM charger WHERE id = 'aa';
INSERT INTO charger VALUES ('aa', 'Bonn', 7);
COMMIT;
SELECT * FROM charger;
SELECT * FROM sites;
TRUNCATE charger;
SELECT * FROM sites;
UPDATE charger SET kw = 3;
DELETE FROM charger;

-- A table without a key: equal rows are several rows.
CREATE TABLE log (line VARCHAR);
CREATE MATERIALIZED VIEW lines AS SELECT line, count(*) AS n FROM log GROUP BY line;
INSERT INTO log VALUES ('x'), ('x'), ('y');
UPDATE log SET line = 'y' WHERE line = 'x';
SELECT * FROM lines;
DELETE FROM log WHERE line = 'y';
SELECT * FROM lines;

-- COPY in and out.
COPY charger (id, site) FROM STDIN WITH (FORMAT csv, HEADER);
id,site
a,Ulm
b,"Bonn, south"
c,
\.
COPY charger FROM STDIN;
d	Kiel	3
e	\N	4
\.
SELECT * FROM charger;
COPY (SELECT id, kw FROM charger ORDER BY id LIMIT 2) TO STDOUT;
SELECT * FROM sites;
COPY charger FROM STDIN;
f	Kiel	many
\.
