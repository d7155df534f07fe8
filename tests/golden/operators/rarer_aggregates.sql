-- Statistics, modes and ordered values of groups; windows by values and by groups of peers.
CREATE TABLE sample (id INTEGER PRIMARY KEY, site VARCHAR, kw INTEGER);
CREATE MATERIALIZED VIEW spread AS
SELECT site, stddev_pop(kw) AS deviation, var_samp(kw) AS variance, mode() WITHIN GROUP (ORDER BY kw) AS usual,
       approx_count_distinct(kw) AS kinds
FROM sample GROUP BY site;
CREATE MATERIALIZED VIEW ends AS
SELECT site, first_value(kw ORDER BY id) AS first, last_value(kw ORDER BY id) AS last, bool_or(kw > 8) AS high
FROM sample GROUP BY site;
CREATE MATERIALIZED VIEW near AS
SELECT id, sum(kw) OVER (PARTITION BY site ORDER BY kw RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING) AS by_value,
       count(*) OVER (PARTITION BY site ORDER BY kw GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS by_peers
FROM sample;
INSERT INTO sample VALUES (1, 'a', 4), (2, 'a', 4), (3, 'a', 10), (4, 'b', 7), (5, 'b', NULL);
SELECT * FROM spread ORDER BY site;
SELECT * FROM ends ORDER BY site;
SELECT * FROM near ORDER BY id;
UPDATE sample SET kw = 6 WHERE id = 1;
INSERT INTO sample VALUES (6, 'a', 10);
SELECT * FROM spread ORDER BY site;
SELECT * FROM ends ORDER BY site;
SELECT * FROM near ORDER BY id;
DELETE FROM sample WHERE site = 'a';
SELECT * FROM spread ORDER BY site;
SELECT * FROM ends ORDER BY site;
SELECT * FROM near ORDER BY id;
