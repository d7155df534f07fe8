-- Privileges on columns: given, shown, asked on every path, and gone with their columns.
CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR, phone VARCHAR, kw INT);
INSERT INTO customer VALUES (1, 'Ada', '555-1', 11), (2, 'Bo', '555-2', 22);
CREATE TABLE site (id INT, phone VARCHAR);
CREATE TABLE held (id INT, info STRUCT<a INT, b INT>);
CREATE USER ann;
CREATE USER bob;
CREATE ROLE desk;
GRANT desk TO bob;
GRANT SELECT (id, name), UPDATE (kw), INSERT (id, name) ON customer TO ann;
GRANT SELECT (id, kw) ON customer TO desk;
GRANT SELECT ON site TO ann;
GRANT SELECT (id) ON held TO ann;

-- session one as ann
SELECT id, name FROM customer ORDER BY id;
SELECT count(*) AS n FROM customer;
SELECT c.name FROM customer c WHERE c.id = 2;
SELECT upper(name) AS name FROM customer ORDER BY 1;
WITH c AS (SELECT name FROM customer) SELECT * FROM c ORDER BY name;
SELECT * FROM (SELECT id FROM customer) AS c JOIN site USING (id);
SELECT * FROM site WHERE id IN (SELECT id FROM customer);
SELECT site.*, c.id FROM customer c, site WHERE c.id = site.id;
SELECT s.id FROM site s JOIN customer c ON c.id = s.id;

-- Refused: a column that was not given decides or shows.
SELECT * FROM customer;
SELECT id, phone FROM customer;
SELECT name FROM customer WHERE phone = '555-1';
SELECT name FROM customer ORDER BY kw;
SELECT max(kw) FROM customer;
SELECT c FROM customer c;
SELECT * FROM site, customer;
SELECT * FROM (SELECT * FROM customer) AS c;
SELECT c.* FROM customer c;
SELECT to_json(customer) FROM customer;
SELECT p FROM customer AS c(i, n, p, k);
SELECT name FROM customer JOIN site USING (phone);
SELECT count(*) FROM customer NATURAL JOIN site;
SELECT id FROM customer WHERE EXISTS (SELECT 1 FROM site WHERE site.phone = customer.phone);
SELECT (SELECT min(phone) FROM customer) AS p;
COPY customer TO STDOUT;
COPY (SELECT id, name FROM customer ORDER BY id) TO STDOUT;
CREATE SUBSCRIPTION s FROM customer;
TABLE customer;
SELECT (info).a FROM held;
SELECT id FROM held WHERE (info).a = 1;
SELECT id FROM held;

-- Changes.
UPDATE customer SET kw = 12 WHERE id = 1;
UPDATE customer SET kw = 13 WHERE phone = '555-1';
UPDATE customer SET name = 'Eve' WHERE id = 1;
UPDATE customer SET kw = kw + 1 WHERE id = 1;
UPDATE customer SET kw = 14 WHERE id = 1 RETURNING id;
UPDATE customer SET kw = 14 WHERE id = 1 RETURNING phone;
INSERT INTO customer (id, name) VALUES (3, 'Cy');
INSERT INTO customer (id, phone) VALUES (4, '555-4');
INSERT INTO customer VALUES (5, 'Di');
INSERT INTO customer (id, name) VALUES (6, 'Ed') RETURNING id, name;
INSERT INTO customer (id, name) VALUES (7, 'Fi') RETURNING *;
DELETE FROM customer WHERE id = 1;
COPY customer (id, name) FROM STDIN;
8	Gus
\.
COPY customer FROM STDIN;
\.
GRANT SELECT (name) ON customer TO bob;

-- What the catalogs say.
SELECT has_table_privilege('customer', 'SELECT') AS whole, has_column_privilege('customer', 'name', 'SELECT') AS name, has_column_privilege('customer', 'phone', 'SELECT') AS phone, has_any_column_privilege('customer', 'SELECT') AS any, has_any_column_privilege('customer', 'REFERENCES') AS refs, has_column_privilege('customer', 4::smallint, 'UPDATE') AS place;
SELECT has_column_privilege('bob', 'customer', 'kw', 'SELECT') AS kw, has_column_privilege('bob', 'customer', 'name', 'SELECT') AS name;

-- session two as bob
SELECT id, kw FROM customer WHERE id < 3 ORDER BY id;
SELECT name FROM customer;

-- session main
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'customer'::regclass AND attnum > 0 ORDER BY attnum;
SELECT grantee, column_name, privilege_type, is_grantable FROM information_schema.column_privileges WHERE table_name = 'customer' AND grantee <> 'volt' ORDER BY 1, 2, 3;
GRANT SELECT (nothing) ON customer TO ann;
GRANT DELETE (id) ON customer TO ann;
GRANT SELECT (id) ON SCHEMA public TO ann;
ALTER DEFAULT PRIVILEGES GRANT SELECT (id) ON TABLES TO ann;
GRANT SELECT (phone) ON customer TO ann WITH GRANT OPTION;

-- session one as ann
GRANT SELECT (phone) ON customer TO bob;
SELECT phone FROM customer WHERE id = 2;

-- session main
REVOKE SELECT (phone) ON customer FROM ann;
REVOKE SELECT (phone) ON customer FROM ann CASCADE;
REVOKE UPDATE (kw) ON customer FROM ann;
ALTER TABLE customer RENAME COLUMN name TO called;
ALTER TABLE customer DROP COLUMN phone;

-- session one as ann
SELECT id, called FROM customer ORDER BY id;
UPDATE customer SET kw = 0 WHERE id = 1;

-- session main
REVOKE SELECT ON customer FROM ann;
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'customer'::regclass AND attnum > 0 ORDER BY attnum;
DROP ROLE desk;
DROP OWNED BY desk;
DROP OWNED BY ann;
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 'customer'::regclass AND attnum > 0 ORDER BY attnum;
