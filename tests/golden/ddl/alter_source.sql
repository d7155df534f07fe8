-- A source gains columns: what is there has NULL, views stay as they are.
CREATE SOURCE reads (meter VARCHAR, kwh INT) WITH (connector = 'none');
CREATE MATERIALIZED VIEW total AS SELECT meter, sum(kwh) AS kwh FROM reads GROUP BY meter;
INSERT INTO reads VALUES ('a', 1);
ALTER SOURCE reads ADD COLUMN feeder VARCHAR;
INSERT INTO reads VALUES ('a', 2, 'north'), ('b', 5, NULL);
CREATE MATERIALIZED VIEW by_feeder AS SELECT feeder, count(*) AS n FROM reads GROUP BY feeder;
INSERT INTO reads (feeder, meter, kwh) VALUES ('south', 'c', 7);
SELECT * FROM reads ORDER BY kwh;
SELECT * FROM total ORDER BY meter;
SELECT * FROM by_feeder ORDER BY feeder;
SHOW CREATE SOURCE reads;
ALTER SOURCE reads ADD COLUMN feeder INT;
ALTER SOURCE reads ADD COLUMN IF NOT EXISTS feeder INT;
ALTER SOURCE reads ADD COLUMN phase INT NOT NULL;
ALTER SOURCE reads DROP COLUMN kwh;
-- A watermark goes on by another rule, and never back.
CREATE SOURCE marked (kwh INT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1 hour') WITH (connector = 'none');
CREATE MATERIALIZED VIEW hours AS SELECT window_start, sum(kwh) AS kwh FROM TUMBLE(marked, at, INTERVAL '1 hour') GROUP BY window_start EMIT ON WINDOW CLOSE;
INSERT INTO marked VALUES (1, '2026-01-01 00:10'), (2, '2026-01-01 01:50');
SELECT * FROM hours;
ALTER SOURCE marked ALTER WATERMARK FOR at AS at - INTERVAL '5 minutes';
INSERT INTO marked VALUES (3, '2026-01-01 01:55');
SELECT * FROM hours;
SHOW CREATE SOURCE marked;
-- restart
INSERT INTO marked VALUES (4, '2026-01-01 02:06');
SELECT * FROM hours ORDER BY window_start;
ALTER SOURCE marked ALTER WATERMARK FOR kwh AS kwh - 1;
ALTER SOURCE reads ALTER WATERMARK FOR meter AS meter;
