-- EXISTS and IN keep rows by whether a match is there, NOT EXISTS and NOT IN by whether none is.
CREATE TABLE session (id INTEGER PRIMARY KEY, card VARCHAR, kwh INTEGER);
CREATE TABLE blocked (card VARCHAR, above INTEGER);
CREATE MATERIALIZED VIEW bad AS
SELECT id FROM session s WHERE EXISTS (SELECT 1 FROM blocked b WHERE b.card = s.card AND s.kwh > b.above);
CREATE MATERIALIZED VIEW good AS
SELECT id FROM session s WHERE NOT EXISTS (SELECT 1 FROM blocked b WHERE b.card = s.card);
CREATE MATERIALIZED VIEW listed AS SELECT id FROM session WHERE card IN (SELECT card FROM blocked);
CREATE MATERIALIZED VIEW unlisted AS SELECT id FROM session WHERE card NOT IN (SELECT card FROM blocked);
INSERT INTO session VALUES (1, 'a', 5), (2, 'b', 9), (3, NULL, 1);
-- NOT IN over nothing is true, also for NULL.
SELECT * FROM unlisted;
INSERT INTO blocked VALUES ('a', 3), ('a', 4), ('c', 0);
SELECT * FROM bad;
SELECT * FROM good;
SELECT * FROM listed;
SELECT * FROM unlisted;
-- Of two matches one goes: nothing changes. A NULL in the list leaves NOT IN nothing.
DELETE FROM blocked WHERE above = 3;
SELECT * FROM bad;
INSERT INTO blocked VALUES (NULL, 0);
SELECT * FROM listed;
SELECT * FROM unlisted;
DELETE FROM blocked WHERE card IS NULL;
SELECT * FROM unlisted;
UPDATE session SET card = 'c' WHERE id = 2;
SELECT * FROM listed;
SELECT * FROM good;

-- As values; ANY and ALL; rows; a list that is itself grouped.
CREATE MATERIALIZED VIEW marked AS
SELECT id, card IN (SELECT card FROM blocked) AS hit, EXISTS (SELECT 1 FROM blocked b WHERE b.card = s.card) AS known
FROM session s;
CREATE MATERIALIZED VIEW most AS SELECT id FROM session WHERE kwh >= ALL (SELECT kwh FROM session);
CREATE MATERIALIZED VIEW pairs AS SELECT id FROM session WHERE (card, kwh) IN (SELECT card, above FROM blocked);
CREATE MATERIALIZED VIEW often AS
SELECT id FROM session WHERE card IN (SELECT card FROM blocked GROUP BY card HAVING count(*) > 1);
SELECT * FROM marked;
SELECT * FROM most;
INSERT INTO blocked VALUES ('c', 9), (NULL, 1);
SELECT * FROM marked;
SELECT * FROM pairs;
SELECT * FROM often;
DELETE FROM session WHERE id = 2;
SELECT * FROM most;
SELECT * FROM often;
