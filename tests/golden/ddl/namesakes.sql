-- Tables of one name in two schemas, told apart by schema.table.column.
CREATE SCHEMA north;
CREATE SCHEMA south;
CREATE TABLE north.site (id INT, name TEXT);
CREATE TABLE south.site (id INT, town TEXT);
INSERT INTO north.site VALUES (1, 'pier'), (2, 'quarry'), (3, 'mill');
INSERT INTO south.site VALUES (1, 'Ada'), (3, 'Bo'), (4, 'Cy');
SELECT north.site.name, south.site.town FROM north.site, south.site WHERE north.site.id = south.site.id ORDER BY 1;
SELECT name FROM north.site WHERE EXISTS (SELECT 1 FROM south.site WHERE south.site.id = north.site.id) ORDER BY 1;
CREATE MATERIALIZED VIEW alone AS
SELECT site.name FROM north.site WHERE NOT EXISTS (SELECT 1 FROM south.site WHERE south.site.id = north.site.id);
SELECT * FROM alone;
DELETE FROM south.site WHERE id = 1;
SELECT * FROM alone ORDER BY name;
-- A join as of the time of processing reads what the table holds.
SELECT n.id, s.town FROM north.site n LEFT JOIN south.site FOR SYSTEM_TIME AS OF PROCTIME() AS s ON n.id = s.id ORDER BY 1;
-- Unnamed calls are called after their function, in queries as in views.
CREATE MATERIALIZED VIEW named AS
SELECT id, row_number() OVER (ORDER BY id), max(id) OVER (), bool_and(id > 0) OVER () FROM north.site;
SELECT * FROM named ORDER BY id;
DROP SCHEMA north CASCADE;
DROP SCHEMA south CASCADE;
