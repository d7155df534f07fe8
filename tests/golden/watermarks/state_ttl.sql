-- state_ttl: what a view keeps of its inputs for itself goes when it is older.
CREATE SOURCE tap (card INT, kw INT);
CREATE SOURCE place (card INT, name TEXT);
CREATE TABLE tariff (card INT PRIMARY KEY, price INT);
CREATE MATERIALIZED VIEW named WITH (state_ttl = '1 hour') AS SELECT tap.card, kw, name FROM tap JOIN place ON tap.card = place.card;
CREATE MATERIALIZED VIEW middle WITH (state_ttl = '1 hour') AS SELECT card, count(DISTINCT kw) AS n FROM tap GROUP BY card;
CREATE MATERIALIZED VIEW doubled AS SELECT card, price * 2 AS price FROM tariff WHERE price > 0;
CREATE MATERIALIZED VIEW priced WITH (state_ttl = '1 hour') AS
SELECT d.card, d.price, e.price AS other FROM (SELECT card, sum(price) AS price FROM doubled GROUP BY card) d JOIN (SELECT card, max(price) AS price FROM tariff GROUP BY card) e ON d.card = e.card;
INSERT INTO tap VALUES (1, 5), (1, 6);
INSERT INTO place VALUES (1, 'north');
INSERT INTO tariff VALUES (1, 10), (2, 20);
-- clock +50 minutes
INSERT INTO tap VALUES (1, 7);
SELECT * FROM named ORDER BY kw;
SELECT * FROM middle;
SELECT count(*) FROM _vs.join_16387_1;
-- clock +16 minutes
SELECT count(*) FROM _vs.join_16387_1;
-- The place has gone, and so have two taps: what they made stays, and new rows do not meet them.
INSERT INTO tap VALUES (1, 8);
INSERT INTO place VALUES (1, 'south');
SELECT * FROM named ORDER BY kw, name;
SELECT * FROM middle;
-- What is taken back of rows that have gone is left as it is.
SELECT * FROM priced ORDER BY card;
DELETE FROM tariff WHERE card = 1;
UPDATE tariff SET price = 30 WHERE card = 2;
SELECT * FROM priced ORDER BY card;
-- restart
-- clock +70 minutes
SELECT (SELECT count(*) FROM _vs.join_16387_1) AS taps, (SELECT count(*) FROM _vs.join_16387_4) AS places;
EXPLAIN (INCREMENTAL) CREATE MATERIALIZED VIEW v WITH (state_ttl = '1 hour') AS SELECT tap.card FROM tap JOIN place ON tap.card = place.card;
CREATE MATERIALIZED VIEW refused WITH (state_ttl = 'soon') AS SELECT card FROM tap;
CREATE MATERIALIZED VIEW refused WITH (state_ttl = '1 hour') AS SELECT card FROM tap ORDER BY card OFFSET 1;
