-- A value that cannot be computed is NULL in the view and a dead letter; the view goes on.
CREATE SOURCE reading (meter VARCHAR, kwh INTEGER, hours INTEGER, text VARCHAR);
CREATE MATERIALIZED VIEW power AS SELECT meter, kwh / hours AS kw, text::integer AS number FROM reading;
CREATE MATERIALIZED VIEW total AS SELECT sum(kwh / hours) AS kw, count(*) AS n FROM reading;
INSERT INTO reading VALUES ('a', 10, 2, '7'), ('b', 1, 0, '8'), ('c', 5, 1, 'x');
SELECT * FROM power;
SELECT * FROM total;
SELECT source, raw, reason, at FROM dead_letters ORDER BY reason, raw;
INSERT INTO reading VALUES ('d', 9, 3, NULL);
SELECT * FROM power;

-- Asked ad hoc it is an error, as in PostgreSQL.
SELECT kwh / hours FROM reading;
SELECT text::integer FROM reading;

-- In a filter the row is not in; in a group key it is NULL.
CREATE MATERIALIZED VIEW high AS SELECT meter FROM reading WHERE kwh / hours > 3;
CREATE MATERIALIZED VIEW grouped AS SELECT kwh / hours AS kw, count(*) AS n FROM reading GROUP BY kwh / hours;
SELECT * FROM high;
SELECT * FROM grouped;
INSERT INTO reading VALUES ('e', 9, 0, NULL);
SELECT * FROM high;
SELECT * FROM grouped;

-- A group that fails and is touched without a change of what it shows leaves no second letter.
CREATE MATERIALIZED VIEW ratio AS SELECT meter, max(kwh) / min(hours) AS kw FROM reading GROUP BY meter;
SELECT count(*) AS n FROM dead_letters WHERE source = 'ratio';
INSERT INTO reading VALUES ('b', 1, 0, '8');
SELECT count(*) AS n FROM dead_letters WHERE source = 'ratio';
INSERT INTO reading VALUES ('b', 2, 0, '8');
SELECT count(*) AS n FROM dead_letters WHERE source = 'ratio';
