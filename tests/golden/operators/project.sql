-- A projection is linear; names and types are PostgreSQL's.
CREATE TABLE session (id INTEGER PRIMARY KEY, charger VARCHAR, wh BIGINT, minutes INTEGER, price NUMERIC(10,4));
CREATE MATERIALIZED VIEW shown AS
SELECT
    id,
    upper(charger) AS charger,
    wh / 1000 AS whole_kwh,
    wh / 1000.0 AS kwh,
    round(wh / 1000.0, 1) AS rounded,
    wh * price AS cost,
    CASE WHEN minutes > 60 THEN 'long' WHEN minutes IS NULL THEN 'open' ELSE 'short' END AS length,
    coalesce(minutes, 0) + 1 AS billed_minutes
FROM session;
DESCRIBE shown;
INSERT INTO session VALUES (1, 'cp-1', 12345, 61, 0.2999), (2, 'cp-2', 999, NULL, NULL);
SELECT * FROM shown;
UPDATE session SET minutes = 60 WHERE id = 1;
UPDATE session SET minutes = 10, price = 1 WHERE id = 2;
SELECT * FROM shown;
DELETE FROM session;
SELECT * FROM shown;

-- Unnamed outputs, a star, a table's star, a column list.
CREATE MATERIALIZED VIEW unnamed AS SELECT count(*), max(wh), 1, upper('x'), wh::text FROM session GROUP BY wh;
DESCRIBE unnamed;
CREATE MATERIALIZED VIEW everything AS SELECT s.*, s.wh AS again FROM session s;
DESCRIBE everything;
CREATE MATERIALIZED VIEW renamed (a, b) AS SELECT id, charger FROM session;
DESCRIBE renamed;

-- Two rows that become equal both count.
CREATE MATERIALIZED VIEW chargers AS SELECT charger FROM session;
INSERT INTO session (id, charger) VALUES (1, 'cp-1'), (2, 'cp-1');
SELECT * FROM chargers;
DELETE FROM session WHERE id = 1;
SELECT * FROM chargers;
