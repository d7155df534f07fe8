-- FOR SYSTEM_TIME AS OF PROCTIME(): a row keeps what it was joined with when it came.
CREATE TABLE tap (card INT, kw INT) APPEND ONLY;
CREATE TABLE customer (card INT PRIMARY KEY, name TEXT);
CREATE MATERIALIZED VIEW named AS
SELECT tap.card, kw, name FROM tap LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card;
CREATE MATERIALIZED VIEW known AS
SELECT tap.card, kw, c.name FROM tap JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() AS c ON tap.card = c.card AND c.name <> 'nobody';
INSERT INTO tap VALUES (1, 11);
INSERT INTO customer VALUES (1, 'Ann');
INSERT INTO tap VALUES (1, 12);
UPDATE customer SET name = 'Bea' WHERE card = 1;
INSERT INTO tap VALUES (1, 13), (2, 14);
DELETE FROM customer;
SELECT * FROM named ORDER BY kw;
SELECT * FROM known ORDER BY kw;
-- A view above it goes by its rows; a new view joins with what is there now.
CREATE MATERIALIZED VIEW total AS SELECT name, sum(kw) AS kw FROM named GROUP BY name;
SELECT * FROM total ORDER BY name;
CREATE MATERIALIZED VIEW later AS
SELECT tap.card, kw, name FROM tap LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card;
SELECT * FROM later ORDER BY kw;
-- Both in one epoch: the row sees the customer of its epoch.
BEGIN; INSERT INTO tap VALUES (3, 15); INSERT INTO customer VALUES (3, 'Cid'); COMMIT;
-- restart
INSERT INTO tap VALUES (3, 16);
SELECT * FROM known ORDER BY kw;
SELECT * FROM total ORDER BY name;
-- Asked once, it is an ordinary join.
SELECT tap.card, name FROM tap LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card ORDER BY kw;
EXPLAIN (PLAN) SELECT kw FROM tap LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card;
EXPLAIN (INCREMENTAL) SELECT kw FROM tap LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card;

-- Rows that change: one that goes takes back what it was joined with, a new one is joined anew.
CREATE TABLE visit (card INT, place TEXT);
CREATE MATERIALIZED VIEW visitors AS
SELECT visit.card, place, name FROM visit LEFT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON visit.card = customer.card;
CREATE MATERIALIZED VIEW members AS
SELECT visit.card, place, name FROM visit JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON visit.card = customer.card;
INSERT INTO visit VALUES (4, 'north');
INSERT INTO customer VALUES (4, 'Dan');
INSERT INTO visit VALUES (4, 'north');
DELETE FROM customer;
SELECT * FROM visitors ORDER BY name;
SELECT * FROM members;
UPDATE visit SET place = 'south';
SELECT * FROM visitors;
SELECT * FROM members;
INSERT INTO customer VALUES (4, 'Eve');
INSERT INTO visit VALUES (4, 'south');
DELETE FROM visit WHERE place = 'south';
SELECT * FROM visitors;
SELECT * FROM members;
EXPLAIN (INCREMENTAL) SELECT place FROM visit JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON visit.card = customer.card;

-- Without JOIN, what WHERE asks becomes the join's condition.
EXPLAIN (PLAN) SELECT kw, c.name FROM tap, customer FOR SYSTEM_TIME AS OF PROCTIME() AS c WHERE tap.card = c.card AND kw > 10 AND c.name <> '';
-- Other times and kinds are refused, and so is what would have to be recomputed.
CREATE MATERIALIZED VIEW refused AS SELECT 1 AS one FROM tap RIGHT JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card;
CREATE MATERIALIZED VIEW refused AS SELECT 1 AS one FROM tap JOIN customer FOR SYSTEM_TIME AS OF tap.at ON tap.card = customer.card;
CREATE MATERIALIZED VIEW refused AS SELECT kw FROM tap JOIN customer FOR SYSTEM_TIME AS OF PROCTIME() ON tap.card = customer.card ORDER BY kw OFFSET 1;
