-- What cannot be decoded goes to dead_letters, with its place and reason; the rest goes on.
CREATE SOURCE reading (meter VARCHAR, at TIMESTAMPTZ, kwh NUMERIC(8,3), n INTEGER);
CREATE MATERIALIZED VIEW total AS SELECT meter, sum(kwh) AS kwh, count(*) AS n FROM reading GROUP BY meter;
-- push reading
{"meter": "a", "at": "2026-01-01T00:00:00Z", "kwh": 1.5, "n": 1}
{"meter": "a", "at": "2026-01-01T00:15:00Z", "kwh": "2.5"}
not json at all
{"meter": "b", "at": "soon", "kwh": 1}
{"meter": "b", "kwh": "many"}
{"meter": "b", "n": 99999999999}
["an", "array"]
{"meter": "c", "unknown": true}
{}
\.
SELECT * FROM reading;
SELECT * FROM total;
SELECT source, position, raw, reason, at FROM dead_letters ORDER BY position;
