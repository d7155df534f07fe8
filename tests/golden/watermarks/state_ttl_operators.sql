-- state_ttl of operators that keep what they have made: ASOF and temporal joins, sessions, gap filling.
CREATE SOURCE tap (card INT, at TIMESTAMP, kw INT);
CREATE SOURCE price (card INT, since TIMESTAMP, cents INT);
CREATE TABLE visit (id INT PRIMARY KEY, card INT, at TIMESTAMP);
CREATE TABLE owner (card INT PRIMARY KEY, name TEXT);
CREATE MATERIALIZED VIEW priced WITH (state_ttl = '1 hour') AS
SELECT t.card, t.kw, p.cents FROM tap t ASOF LEFT JOIN price p ON t.card = p.card AND t.at >= p.since;
CREATE MATERIALIZED VIEW owned WITH (state_ttl = '1 hour') AS
SELECT v.id, o.name FROM visit v LEFT JOIN owner FOR SYSTEM_TIME AS OF PROCTIME() AS o ON v.card = o.card;
CREATE MATERIALIZED VIEW charged WITH (state_ttl = '1 hour') AS
SELECT card, at, window_start FROM SESSION(tap, card, at, INTERVAL '10 minutes');
CREATE MATERIALIZED VIEW visited WITH (state_ttl = '1 hour') AS
SELECT id, card, first_value(at) OVER (PARTITION BY card ORDER BY at SESSION WITH GAP INTERVAL '10 minutes') AS began FROM visit;
CREATE MATERIALIZED VIEW filled WITH (state_ttl = '1 hour') AS
SELECT card, at, kw FROM GAP_FILL(tap, at, INTERVAL '5 minutes', SERIES(card), LOCF(kw));
INSERT INTO price VALUES (1, '2026-01-01 09:00', 30);
INSERT INTO owner VALUES (1, 'ann');
INSERT INTO tap VALUES (1, '2026-01-01 10:00', 5), (1, '2026-01-01 10:12', 6);
INSERT INTO visit VALUES (1, 1, '2026-01-01 10:00'), (2, 1, '2026-01-01 10:05');
SELECT * FROM priced ORDER BY kw;
SELECT * FROM charged ORDER BY at;
SELECT * FROM filled ORDER BY at;
-- Within the time to live a change finds what it concerns.
-- clock +30 minutes
INSERT INTO price VALUES (1, '2026-01-01 10:10', 40);
INSERT INTO tap VALUES (1, '2026-01-01 10:06', 7);
SELECT * FROM priced ORDER BY kw;
SELECT * FROM charged ORDER BY at;
SELECT * FROM filled ORDER BY at;
-- Later it meets nothing, and what was made stays.
-- clock +90 minutes
SELECT * FROM priced ORDER BY kw;
INSERT INTO price VALUES (1, '2026-01-01 09:30', 50);
INSERT INTO tap VALUES (1, '2026-01-01 10:08', 8);
SELECT * FROM priced ORDER BY kw;
SELECT * FROM charged ORDER BY at;
SELECT * FROM filled ORDER BY at;
DELETE FROM visit WHERE id = 1;
UPDATE visit SET card = 2 WHERE id = 2;
SELECT * FROM owned ORDER BY id, name;
SELECT * FROM visited ORDER BY id, card;
-- restart
-- clock +90 minutes
SELECT (SELECT count(*) FROM _vs.asof_16388_4) AS asof,
    (SELECT count(*) FROM _vs.filled_16392_10) AS filled,
    (SELECT count(*) FROM _vs.memo_16389_3) AS memo,
    (SELECT count(*) FROM _vs.session_16390_2) AS session,
    (SELECT count(*) FROM _vs.session_16391_2) AS session_2,
    (SELECT count(*) FROM _vs.sessions_16390_3) AS sessions,
    (SELECT count(*) FROM _vs.sessions_16391_3) AS sessions_2;
EXPLAIN (INCREMENTAL) CREATE MATERIALIZED VIEW v WITH (state_ttl = '1 hour') AS SELECT t.card FROM tap t ASOF JOIN price p ON t.card = p.card AND t.at >= p.since;
