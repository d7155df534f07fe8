-- CURRENT_DATE and its like are NOW() in another type; a view over them moves with the clock.
SELECT CURRENT_DATE AS day, CURRENT_TIMESTAMP AS at, LOCALTIMESTAMP AS local, CURRENT_TIME AS zoned, LOCALTIME AS time;
CREATE TABLE plan (id INTEGER, day DATE);
INSERT INTO plan VALUES (1, '2025-12-31'), (2, '2026-01-01'), (3, '2026-01-02');
CREATE MATERIALIZED VIEW today AS SELECT id FROM plan WHERE day = CURRENT_DATE;
CREATE MATERIALIZED VIEW due AS SELECT id, day - CURRENT_DATE AS days FROM plan WHERE day >= CURRENT_DATE;
SELECT * FROM today;
SELECT * FROM due;
-- clock +23.5 hours
SELECT * FROM today;
-- clock +30 minutes
SELECT * FROM today;
SELECT * FROM due;
SELECT CURRENT_DATE AS day, LOCALTIMESTAMP AS local;
