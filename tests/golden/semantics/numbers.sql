-- PostgreSQL's arithmetic.
SELECT 7 / 2 AS a, -7 / 2 AS b, 7 % 3 AS c, -7 % 3 AS d, 7 / 2.0 AS e, 7.0 / 2 AS f;
SELECT round(2.5) AS a, round(-2.5) AS b, round(3.5) AS c, round(2.5::double precision) AS d, round(1.005, 2) AS e, trunc(-2.7) AS f, ceil(2.1) AS g, floor(-2.1) AS h;
SELECT 2.5::integer AS a, 3.5::integer AS b, -2.5::integer AS c, 2.5::double precision::integer AS d, 3.5::double precision::integer AS e;
SELECT 1.10 + 2.205 AS a, 1.10 * 2.205 AS b, 10.00 - 3 AS c, 1.0 AS d, 100::numeric AS e, 1e3 AS f, 0.1 + 0.2 AS g, 0.1::double precision + 0.2::double precision AS h;
SELECT 'NaN'::double precision AS a, 'Infinity'::double precision AS b, '-Infinity'::double precision AS c, 1e15::double precision AS d, 1e14::double precision AS e, 1.5e-7::double precision AS f, 0.1::real AS g, 16777217::real AS h;
SELECT sum(x) AS sum, avg(x) AS avg, count(*) AS n FROM (VALUES (1), (2), (4)) AS t (x);
SELECT greatest(1, NULL, 3) AS a, least(2, NULL) AS b, nullif(1, 1) AS c, coalesce(NULL, NULL, 5) AS d;
SELECT 5 = 5.0 AS a, NULL = NULL AS b, NULL IS NOT DISTINCT FROM NULL AS c, 1 IS DISTINCT FROM NULL AS d, NOT NULL::boolean AS e;
