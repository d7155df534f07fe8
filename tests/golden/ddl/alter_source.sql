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
