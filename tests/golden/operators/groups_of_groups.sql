-- Groups by what an aggregation below has computed.
CREATE TABLE chargers (id INT PRIMARY KEY, site VARCHAR);
CREATE TABLE sessions (id INT PRIMARY KEY, charger INT, wh INT);
INSERT INTO chargers VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, 'b');
INSERT INTO sessions VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, 3, 30);
CREATE MATERIALIZED VIEW by_number AS SELECT sessions, count(*) AS chargers, sum(wh) AS wh FROM (SELECT charger, count(*) AS sessions, sum(wh) AS wh FROM sessions GROUP BY charger) AS s GROUP BY sessions;
CREATE MATERIALIZED VIEW idle AS SELECT n, count(*) AS chargers FROM (SELECT c.id, count(s.id) FROM chargers c LEFT JOIN sessions s ON s.charger = c.id GROUP BY c.id) AS d (id, n) GROUP BY n HAVING count(*) > 1;
CREATE MATERIALIZED VIEW spread AS SELECT least, most, count(*) AS n, max(charger) AS last FROM (SELECT charger, min(wh) AS least, max(wh) AS most FROM sessions GROUP BY charger) AS s GROUP BY GROUPING SETS ((least), (most), ());
CREATE MATERIALIZED VIEW thrice AS SELECT n, count(*) AS m, sum(n) AS total FROM (SELECT wh, count(*) AS n FROM (SELECT charger, sum(wh) AS wh FROM sessions GROUP BY charger) AS a GROUP BY wh) AS b GROUP BY n;
SELECT * FROM by_number ORDER BY sessions;
SELECT * FROM idle ORDER BY n;
INSERT INTO sessions VALUES (5, 4, 30), (6, 2, 5);
UPDATE sessions SET charger = 4 WHERE id = 4;
DELETE FROM sessions WHERE id = 1;
SELECT * FROM by_number ORDER BY sessions;
SELECT * FROM spread ORDER BY least, most;
SELECT * FROM thrice ORDER BY n;
