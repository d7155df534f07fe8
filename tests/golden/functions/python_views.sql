-- A view of a Python function follows its input; a row that raises gives NULL and a dead letter.
CREATE TABLE read (meter int PRIMARY KEY, wh int, tags varchar);
CREATE FUNCTION div(a int, b int) RETURNS int LANGUAGE python AS $$
def div(a, b):
    return a // b
$$;
CREATE FUNCTION pairs(kv varchar) RETURNS TABLE (key varchar, value int) LANGUAGE python AS $$
def pairs(kv):
    for part in (kv or '').split(','):
        if '=' in part:
            key, value = part.split('=')
            yield key, int(value)
$$;
CREATE MATERIALIZED VIEW shown AS SELECT meter, div(100, wh) AS share, div(100, wh) + 1 AS more FROM read;
CREATE MATERIALIZED VIEW kept AS SELECT meter FROM read WHERE div(wh, meter) > 1;
CREATE MATERIALIZED VIEW grouped AS SELECT div(wh, 10) AS tens, sum(div(wh, meter)) AS parts, count(*) FILTER (WHERE div(wh, 2) > 5) AS many FROM read GROUP BY div(wh, 10);
CREATE MATERIALIZED VIEW joined AS SELECT a.meter, b.meter AS other FROM read a JOIN read b ON div(a.wh, 10) = div(b.wh, 10) AND a.meter < b.meter;
CREATE MATERIALIZED VIEW opened AS SELECT r.meter, p.key, p.value FROM read r, pairs(r.tags) p;
CREATE MATERIALIZED VIEW newest AS SELECT max(div(wh, 2)) AS most, count(DISTINCT div(wh, 10)) AS kinds FROM read;
CREATE MATERIALIZED VIEW stacked AS SELECT share, count(*) AS n FROM shown GROUP BY share;
INSERT INTO read VALUES (1, 10, 'x=1,y=2'), (2, 15, NULL), (3, 0, 'z=3');
SELECT * FROM shown ORDER BY meter;
SELECT * FROM kept ORDER BY meter;
SELECT * FROM grouped ORDER BY tens;
SELECT * FROM joined ORDER BY meter;
SELECT * FROM opened ORDER BY meter, key;
SELECT * FROM newest;
SELECT * FROM stacked ORDER BY share;
SELECT source, encode(raw, 'escape') AS raw, reason FROM dead_letters;
-- The row that raised is mended, others change and go: each call is made again for the old row.
UPDATE read SET wh = 20 WHERE meter = 3;
DELETE FROM read WHERE meter = 1;
SELECT * FROM shown ORDER BY meter;
SELECT * FROM grouped ORDER BY tens;
SELECT * FROM joined ORDER BY meter;
SELECT * FROM newest;
SELECT count(*) FROM dead_letters;
-- restart
INSERT INTO read VALUES (4, 25, 'q=7');
SELECT * FROM shown ORDER BY meter;
SELECT * FROM opened ORDER BY meter, key;
SELECT * FROM newest;
-- In a statement that changes rows a call that raises ends it.
INSERT INTO read SELECT div(meter, 0), 1, '' FROM read;
INSERT INTO read SELECT div(meter, 1) + 10, 1, 'd=1' FROM read WHERE meter = 4;
SELECT * FROM opened ORDER BY meter, key;
-- What depends on a function keeps it.
DROP FUNCTION div;
CREATE OR REPLACE FUNCTION div(a int, b int) RETURNS int LANGUAGE python AS $$
def div(a, b):
    return 0
$$;
-- A function that says it is volatile cannot be kept up to date.
CREATE FUNCTION counted() RETURNS int VOLATILE LANGUAGE python AS $$
seen = []
def counted():
    seen.append(1)
    return len(seen)
$$;
CREATE MATERIALIZED VIEW v AS SELECT meter, counted() FROM read;
DROP FUNCTION div CASCADE;
DELETE FROM read;
SELECT * FROM opened;
