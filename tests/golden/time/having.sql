-- NOW() in HAVING: the group is kept, and shown when its time has come.
CREATE SOURCE reading (meter VARCHAR, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW gap AS
SELECT meter, max(at) AS last, count(*) AS n FROM reading GROUP BY meter HAVING max(at) < NOW() - INTERVAL '30 minutes';
INSERT INTO reading VALUES ('a', '2026-01-01 00:00+00'), ('b', '2026-01-01 00:10+00');
SELECT * FROM gap;
-- clock +30 minutes
SELECT * FROM gap;
-- clock +1 second
SELECT * FROM gap;
-- clock +15 minutes
SELECT * FROM gap;
INSERT INTO reading VALUES ('a', NOW());
SELECT * FROM gap;
-- clock +1 hour
SELECT * FROM gap;
