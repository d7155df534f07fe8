-- to_char of what is no number, of zero and of instants that never come.
SELECT to_char('NaN'::float8, '999.99') AS a, to_char('NaN'::float8, 'FM99') AS b, to_char('NaN'::float8, '99V9') AS c,
    to_char('-Infinity'::float8, '999D9') AS d, to_char('Infinity'::float8, '9.99EEEE') AS e, to_char('NaN'::float8, 'RN') AS f;
SELECT to_char(0, '9.99EEEE') AS a, to_char(12345, '9.99EEEE') AS b, to_char(2.5, 'FMRN') AS c, to_char(0.4, 'RN') AS d;
SELECT to_char(timestamp 'infinity', 'Dy DD Mon') AS a, to_char(timestamptz '-infinity', 'HH12 TZ') AS b, to_char(date 'infinity', 'Q') AS c;
CREATE TABLE ends (id INT PRIMARY KEY, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW named AS SELECT id, to_char(at, 'Dy DD Mon') AS day FROM ends;
INSERT INTO ends VALUES (1, '2026-01-01Z'), (2, 'infinity');
SELECT * FROM named ORDER BY id;
