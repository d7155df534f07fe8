-- Each row is counted on either side; the counts decide how often it shows.
CREATE TABLE ac (kind VARCHAR, kw INTEGER);
CREATE TABLE dc (kind VARCHAR, kw INTEGER);
CREATE MATERIALIZED VIEW kinds AS SELECT DISTINCT kind FROM ac;
CREATE MATERIALIZED VIEW any_kind AS SELECT kind FROM ac UNION SELECT kind FROM dc;
CREATE MATERIALIZED VIEW both_kinds AS SELECT kind FROM ac INTERSECT SELECT kind FROM dc;
CREATE MATERIALIZED VIEW both_all AS SELECT kind FROM ac INTERSECT ALL SELECT kind FROM dc;
CREATE MATERIALIZED VIEW ac_only AS SELECT kind FROM ac EXCEPT SELECT kind FROM dc;
CREATE MATERIALIZED VIEW ac_rest AS SELECT kind FROM ac EXCEPT ALL SELECT kind FROM dc;
INSERT INTO ac VALUES ('a', 1), ('a', 2), ('b', 1), (NULL, 1);
INSERT INTO dc VALUES ('a', 5), ('c', 6), (NULL, 2);
SELECT * FROM kinds;
SELECT * FROM any_kind;
SELECT * FROM both_kinds;
SELECT * FROM ac_only;
SELECT * FROM ac_rest;
INSERT INTO dc VALUES ('a', 7);
SELECT * FROM both_all;
SELECT * FROM ac_rest;
DELETE FROM ac WHERE kw = 1;
SELECT * FROM kinds;
SELECT * FROM any_kind;
SELECT * FROM both_kinds;
SELECT * FROM both_all;
SELECT * FROM ac_only;
-- Operations of operations; branches of two types meet in the wider one.
CREATE MATERIALIZED VIEW mixed AS
SELECT kw FROM ac UNION SELECT kw * 0.5 FROM dc EXCEPT SELECT 2.5;
SELECT * FROM mixed;
DELETE FROM ac;
DELETE FROM dc;
SELECT * FROM mixed;
SELECT * FROM any_kind;
SELECT kind FROM ac UNION SELECT kind, kw FROM dc;
CREATE MATERIALIZED VIEW wrong AS SELECT kind FROM ac UNION SELECT kind, kw FROM dc;
