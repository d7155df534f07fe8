-- What a column gets when nobody says: a default, a number, or the value of an expression.
CREATE TABLE session (
  id SERIAL PRIMARY KEY,
  start_wh INT NOT NULL,
  end_wh INT DEFAULT 100 + 1,
  energy_wh INT AS (end_wh - start_wh),
  label VARCHAR DEFAULT 'none',
  number INT GENERATED ALWAYS AS IDENTITY,
  CONSTRAINT forward CHECK (end_wh >= start_wh)
);
CREATE MATERIALIZED VIEW total AS SELECT sum(energy_wh) AS wh, count(*) AS n FROM session;
INSERT INTO session (start_wh) VALUES (1), (2) RETURNING *;
INSERT INTO session (start_wh, end_wh, label) VALUES (5, DEFAULT, NULL) RETURNING start_wh, energy_wh, label;
UPDATE session SET start_wh = 50 WHERE id = 1 RETURNING energy_wh;
UPDATE session SET end_wh = DEFAULT, label = 'x' WHERE id = 2 RETURNING end_wh, energy_wh, label;
SELECT * FROM total;
INSERT INTO session (start_wh, energy_wh) VALUES (1, 2);
INSERT INTO session (start_wh, number) VALUES (1, 2);
INSERT INTO session (end_wh) VALUES (1);
INSERT INTO session (start_wh) VALUES (500);
INSERT INTO session (nothing) VALUES (1);
INSERT INTO session (start_wh, start_wh) VALUES (1, 2);
INSERT INTO session (start_wh, end_wh) VALUES (1);
INSERT INTO session (start_wh) VALUES (1, 2);
UPDATE session SET energy_wh = 1;
UPDATE session SET start_wh = 1, start_wh = 2;
UPDATE session SET (start_wh, end_wh) = (SELECT 1);
UPDATE session SET (start_wh, end_wh) = (SELECT 10, 60), label = upper('both') WHERE id = 3 RETURNING *;
CREATE TABLE wrong (a INT AS (b + 1), b INT AS (a + 1));
SELECT * FROM total;

-- Literals are read as their column's type; other values are cast where PostgreSQL casts.
CREATE TABLE every (i SMALLINT, f REAL, n NUMERIC(6,2), b BOOLEAN, d DATE, ts TIMESTAMP, v INTERVAL, j JSONB, a INT[], y BYTEA, s STRUCT<x INT, t VARCHAR>);
INSERT INTO every VALUES ('1', '2.5', '3.456', 'yes', '2026-01-02', '2026-01-02 03:04:05', '1 day', '{"a": 1}', '{1,NULL}', '\xdead', ROW(1, 'one'));
INSERT INTO every (i, f, n, b) VALUES (1.5, 2, 3, true);
INSERT INTO every (d, a) SELECT DATE '2026-01-01' + 1, ARRAY[1, 2];
SELECT * FROM every;
INSERT INTO every (i) VALUES ('many');
INSERT INTO every (i) VALUES (99999);
INSERT INTO every (d) SELECT label FROM session;
INSERT INTO every DEFAULT VALUES;
SELECT count(*) FROM every;
