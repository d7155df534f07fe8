-- NULLs sort last when ascending and first when descending; they group together and join with nothing.
CREATE TABLE t (k INTEGER, v VARCHAR);
INSERT INTO t VALUES (2, 'b'), (NULL, 'n'), (1, 'a'), (NULL, NULL), (3, NULL);
SELECT * FROM t ORDER BY k, v;
SELECT * FROM t ORDER BY k DESC, v DESC;
SELECT * FROM t ORDER BY k NULLS FIRST, v;
SELECT * FROM t ORDER BY k DESC NULLS LAST, v;
SELECT k, count(*) AS n, count(v) AS v FROM t GROUP BY k ORDER BY k;
SELECT a.k FROM t a JOIN t b ON a.k = b.k;
SELECT v FROM t WHERE k NOT IN (1, NULL);
SELECT v FROM t WHERE k IN (1, NULL);
SELECT max(k) AS max, min(v) AS min, sum(k) AS sum, string_agg(v, ',' ORDER BY v) AS texts, array_agg(k ORDER BY k) AS all, bool_and(k > 0) AS positive FROM t;
SELECT max(k) AS max, count(*) AS n, array_agg(k) AS all FROM t WHERE false;
SELECT DISTINCT k IS NULL AS missing FROM t ORDER BY 1;
SELECT 'a' || NULL AS a, concat('a', NULL, 'b') AS b, concat_ws('-', 'a', NULL, 'b') AS c, NULL::integer + 1 AS d;
