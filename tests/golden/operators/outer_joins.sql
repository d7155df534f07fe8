-- RIGHT and FULL pad the side that has no match; USING names its columns once.
CREATE TABLE charger (id INTEGER PRIMARY KEY, site VARCHAR);
CREATE TABLE site (site VARCHAR, region VARCHAR);
CREATE MATERIALIZED VIEW by_site AS
SELECT site, c.id, s.region FROM charger c FULL JOIN site s USING (site);
CREATE MATERIALIZED VIEW of_sites AS
SELECT s.site, c.id FROM charger c RIGHT JOIN site s ON c.site = s.site;
INSERT INTO charger VALUES (1, 'Ulm'), (2, 'Bonn'), (3, NULL);
SELECT * FROM by_site;
INSERT INTO site VALUES ('Ulm', 'south'), ('Kiel', 'north'), (NULL, 'none');
SELECT * FROM by_site;
SELECT * FROM of_sites;
-- The last match goes, and the pad comes back; both sides change in one epoch.
DELETE FROM charger WHERE id = 1;
SELECT * FROM by_site;
BEGIN;
INSERT INTO charger VALUES (4, 'Kiel'), (5, 'Kiel');
DELETE FROM site WHERE site = 'Ulm';
COMMIT;
SELECT * FROM by_site;
SELECT * FROM of_sites;

-- A condition that is no equality, NULL as a key like others, and a chain.
CREATE MATERIALIZED VIEW after AS
SELECT a.id, b.id AS later FROM charger a LEFT JOIN charger b ON a.id < b.id;
CREATE MATERIALIZED VIEW same AS
SELECT c.id, s.region FROM charger c LEFT JOIN site s ON c.site IS NOT DISTINCT FROM s.site;
CREATE MATERIALIZED VIEW chained AS
SELECT c.id, s.region, d.id AS other
FROM charger c LEFT JOIN site s ON c.site = s.site
LEFT JOIN charger d ON d.site = s.site AND d.id <> c.id;
SELECT * FROM after;
SELECT * FROM same;
SELECT * FROM chained;
UPDATE charger SET site = 'Bonn' WHERE id = 5;
DELETE FROM charger WHERE id = 3;
SELECT * FROM after;
SELECT * FROM same;
SELECT * FROM chained;
CREATE MATERIALIZED VIEW common AS SELECT id, site, region FROM charger NATURAL JOIN site;
SELECT * FROM common;
DELETE FROM site;
SELECT * FROM by_site;
SELECT * FROM common;
-- The columns of USING stand first in *, once.
CREATE MATERIALIZED VIEW starred AS SELECT * FROM charger JOIN site USING (site);
INSERT INTO site VALUES ('Kiel', 'north');
SELECT * FROM starred;
SELECT * FROM charger FULL JOIN site USING (site) ORDER BY id;
CREATE MATERIALIZED VIEW twice AS SELECT * FROM charger a JOIN charger b ON a.id = b.id;
