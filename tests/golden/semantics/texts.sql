-- Text functions, patterns and names.
SELECT length('Zähler') AS a, upper('äb') AS b, substring('charger' from 2 for 3) AS c, position('g' in 'charger') AS d, split_part('a/b/c', '/', 2) AS e, left('charger', 2) AS f, right('charger', 2) AS g;
SELECT 'CP-1' LIKE 'CP-%' AS a, 'cp-1' LIKE 'CP-%' AS b, 'cp-1' ILIKE 'CP-_' AS c, 'abc' ~ '^a.c$' AS d, 'ABC' ~* 'b' AS e, 'abc' !~ 'x' AS f;
SELECT regexp_replace('a1b22', '[0-9]+', '#') AS a, regexp_replace('a1b22', '[0-9]+', '#', 'g') AS b, replace('aXbX', 'X', '-') AS c, translate('abc', 'ab', 'x') AS d, lpad('7', 3, '0') AS e, rpad('7', 3, '.') AS f, trim('  x ') AS g, trim(both '-' from '--x-') AS h, initcap('hello world') AS i, reverse('abc') AS j, repeat('ab', 2) AS k;
SELECT $$it's$$ AS a, 'it''s' AS b, 'a' || 'b' AS c;
SELECT "Quoted" FROM (SELECT 1 AS "Quoted") q;
SELECT 1 AS Folded;
