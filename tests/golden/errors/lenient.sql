-- A query may ask for NULL where a value cannot be computed, as RisingWave's setting says.
CREATE TABLE meter (id INT, kwh INT, hours INT, note TEXT);
INSERT INTO meter VALUES (1, 10, 2, '5'), (2, 7, 0, 'none'), (3, 9, 3, '2');
SELECT id, kwh / hours AS kw, note::int AS n FROM meter ORDER BY id;
SET batch_expr_strict_mode = false;
SELECT id, kwh / hours AS kw, note::int AS n FROM meter ORDER BY id;
SELECT id FROM meter WHERE kwh / hours > 3 ORDER BY id;
SELECT sum(kwh / hours) AS kw, max(note::int) + 1 AS more, count(*) AS rows FROM meter;
SELECT id, lag(kwh / hours) OVER (ORDER BY id) AS before FROM meter ORDER BY id;
SELECT m.id, q.kw FROM meter m JOIN (SELECT id, kwh / hours AS kw FROM meter) q USING (id) ORDER BY 1;
SELECT 1 / 0 AS none, (SELECT max(kwh) FROM meter) AS most;
RESET batch_expr_strict_mode;
SELECT 1 / 0;
