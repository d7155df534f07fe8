-- A pattern that tries exponentially many ways is stopped.
SELECT regexp_count(repeat('a', 24) || 'b', '^(a+)+$');
SELECT regexp_count(repeat('a', 90) || 'b', '^(a|aa)+$');
SELECT repeat('a', 90) || 'b' SIMILAR TO ('(a|aa)' || '+');
SELECT jsonb_path_exists(to_jsonb(repeat('a', 90) || 'b'), '$ ? (@ like_regex "^(a|aa)+$")');
-- A reference to a group that is not there is empty.
SELECT regexp_replace('abc', 'b', '[\1\&\\]');
-- In a view such a row is NULL, and the other rows are there.
CREATE TABLE texts (k INT PRIMARY KEY, t VARCHAR);
CREATE MATERIALIZED VIEW counted AS SELECT k, regexp_count(t, '^(a|aa)+$') AS n FROM texts;
INSERT INTO texts VALUES (1, 'aaa'), (2, repeat('a', 90) || 'b');
SELECT * FROM counted ORDER BY k;

-- SQL's own patterns are not offered in substring; the error says what to take.
SELECT substring('abcdef', 'b#"c#"d', '#');
SELECT substring('abcdef' FROM 2 FOR 3), substring('abcdef', 'c.');
