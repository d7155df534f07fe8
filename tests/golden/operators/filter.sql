-- A filter is linear: it applies to the delta.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, power_kw DOUBLE PRECISION);
INSERT INTO reading VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, 'a', -2);

CREATE MATERIALIZED VIEW high AS
SELECT id, power_kw FROM reading WHERE power_kw > 1;
SELECT * FROM high;
UPDATE reading SET power_kw = power_kw + 10;
SELECT * FROM high;
DELETE FROM reading WHERE id = 1;
SELECT * FROM high;
