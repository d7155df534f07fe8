-- A hopping window: HOP(relation, column, hop, size); a row is in size / hop windows.
CREATE SOURCE reading (meter VARCHAR, at TIMESTAMPTZ, kw INTEGER);
CREATE MATERIALIZED VIEW sliding AS
SELECT window_start, window_end, max(kw) AS peak, count(*) AS n
FROM HOP(reading, at, INTERVAL '5 minutes', INTERVAL '15 minutes')
GROUP BY window_start, window_end;
INSERT INTO reading VALUES ('a', '2026-01-01 00:10:00+00', 7), ('a', '2026-01-01 00:12:30+00', 9);
SELECT * FROM sliding;
INSERT INTO reading VALUES ('b', '2026-01-01 00:16:00+00', 5);
SELECT * FROM sliding;
CREATE MATERIALIZED VIEW rows AS
SELECT meter, window_start FROM HOP(reading, at, INTERVAL '10 minutes', INTERVAL '20 minutes') WHERE kw > 5;
SELECT * FROM rows;
SELECT meter, window_start, window_end FROM HOP(reading, at, INTERVAL '15 minutes', INTERVAL '15 minutes');
