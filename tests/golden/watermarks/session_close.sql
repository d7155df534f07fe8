-- EMIT ON WINDOW CLOSE over sessions: their rows are let out together, when the watermark has passed the gap.
CREATE TABLE taps (at TIMESTAMP, kw INT, card INT, WATERMARK FOR at AS at - INTERVAL '5 minutes') APPEND ONLY;
CREATE MATERIALIZED VIEW framed AS
SELECT at, card, first_value(at) OVER w AS began, last_value(at) OVER w AS ended, count(*) OVER w AS n, last_value(kw) OVER w AS latest
FROM taps WINDOW w AS (PARTITION BY card ORDER BY at SESSION WITH GAP '10 minutes') EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW mixed AS
SELECT at, card, count(*) OVER s AS in_session, count(*) OVER r AS running FROM taps
WINDOW s AS (PARTITION BY card ORDER BY at SESSION WITH GAP '10 minutes'),
    r AS (PARTITION BY card ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW grouped AS
SELECT card, window_start, window_end, sum(kw) AS kw FROM SESSION(taps, card, at, INTERVAL '10 minutes')
GROUP BY card, window_start, window_end EMIT ON WINDOW CLOSE;
INSERT INTO taps VALUES ('2026-05-06 10:00', 1, 1), ('2026-05-06 10:03', 2, 1);
INSERT INTO taps VALUES ('2026-05-06 10:10', 3, 2);
-- The watermark is 10:05: a row at 10:12 could still join the first session.
SELECT count(*) FROM framed;
INSERT INTO taps VALUES ('2026-05-06 10:25', 4, 3);
-- It is 10:20 now: two sessions are over, one of them just so.
SELECT * FROM framed ORDER BY card, at;
SELECT * FROM mixed ORDER BY card, at;
SELECT * FROM grouped ORDER BY card, window_start;
-- A late row would reopen a session: it is counted, and changes nothing.
INSERT INTO taps VALUES ('2026-05-06 10:11', 9, 1);
SELECT * FROM grouped ORDER BY card, window_start;
SELECT name, late_rows FROM rw_late_rows ORDER BY name;
-- restart
INSERT INTO taps VALUES ('2026-05-06 11:00', 10, 1), ('2026-05-06 11:02', 20, 1), ('2026-05-06 11:30', 1, 9);
SELECT * FROM mixed ORDER BY card, at;
SELECT * FROM grouped ORDER BY card, window_start;
-- What mixes sessions would change what it showed.
CREATE MATERIALIZED VIEW by_card AS SELECT card, count(*) FROM SESSION(taps, card, at, '10 minutes') GROUP BY card EMIT ON WINDOW CLOSE;
