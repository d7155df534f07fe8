-- ANY and ALL of arrays over rows in chunks, by types that are mixed, also within a transaction.
CREATE TABLE power (at TIMESTAMPTZ NOT NULL, kw DOUBLE PRECISION, n INT);
SELECT create_hypertable('power', by_range('at'));
INSERT INTO power VALUES ('2026-01-01 00:00+00', 1.5, 1), ('2026-01-01 01:00+00', 2, 2), ('2025-01-01 00:00+00', NULL, 3);
SELECT n FROM power WHERE kw <> ALL (ARRAY[1, 2]) ORDER BY n;
SELECT n FROM power WHERE kw = ANY (ARRAY[1.5, 2]) AND at <> ALL (ARRAY['2026-01-01 00:00+00'::TIMESTAMPTZ]) ORDER BY n;
SELECT n FROM power WHERE n = ANY ('{1,3}') ORDER BY n;
SELECT n FROM power WHERE at = ANY ('{2025-01-01 00:00+00}') ORDER BY n;
SELECT n FROM power WHERE n <> ALL ('{1}'::INT[]) AND kw <> ALL (ARRAY[1.5]::NUMERIC[]) ORDER BY n;
SELECT 1 <> ALL (ARRAY[1, 2]) AS a, 2 <> ALL (ARRAY[NULL, 1]) AS b, 3 > ALL ('{1,2}') AS c, 'x' LIKE ALL (ARRAY['x%', '%x']) AS d;
BEGIN;
INSERT INTO power VALUES ('2026-01-01 02:00+00', 7, 7);
SELECT n FROM power WHERE kw <> ALL (ARRAY[1.5, 2]::NUMERIC[]) AND n = ANY ('{7}');
COMMIT;
CREATE MATERIALIZED VIEW odd AS SELECT n FROM power WHERE kw <> ALL (ARRAY[1, 2]);
SELECT * FROM odd ORDER BY n;
