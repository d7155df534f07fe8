-- A subscription keeps the changes of a table or view; cursors read them in order.
CREATE TABLE charger (id INT PRIMARY KEY, kw INT);
INSERT INTO charger VALUES (1, 11);
CREATE SUBSCRIPTION changes FROM charger WITH (retention = '1 day');
DECLARE late SUBSCRIPTION CURSOR FOR changes;
INSERT INTO charger VALUES (2, 22);
DECLARE whole SUBSCRIPTION CURSOR FOR changes FULL;
UPDATE charger SET kw = 23 WHERE id = 2;
INSERT INTO charger VALUES (1, 12);
DELETE FROM charger WHERE id = 2;
FETCH NEXT FROM late;
FETCH 2 FROM late;
FETCH ALL FROM late;
FETCH NEXT FROM late;
FETCH 10 FROM whole;
FETCH 2 FROM whole;
CLOSE whole;
FETCH NEXT FROM whole;
DECLARE late SUBSCRIPTION CURSOR FOR changes;
DECLARE early SUBSCRIPTION CURSOR FOR changes SINCE begin();
FETCH NEXT FROM early;
CREATE MATERIALIZED VIEW per_kw AS SELECT kw, count(*) AS n FROM charger GROUP BY kw;
CREATE SUBSCRIPTION view_changes FROM per_kw;
DECLARE of_view SUBSCRIPTION CURSOR FOR view_changes;
INSERT INTO charger VALUES (5, 12), (6, 6);
FETCH ALL FROM of_view;
SHOW SUBSCRIPTIONS;
DROP TABLE charger;
DROP SUBSCRIPTION nothing;
DROP SUBSCRIPTION IF EXISTS nothing;
DROP SUBSCRIPTION changes;
FETCH NEXT FROM early;
-- A cursor over a query.
DECLARE rows CURSOR FOR SELECT id, kw FROM charger ORDER BY id;
FETCH 2 FROM rows;
FETCH ALL FROM rows;
FETCH NEXT FROM rows;
FETCH PRIOR FROM rows;
CLOSE ALL;
CLOSE rows;

-- A retention that cannot be read is refused: nothing is forgotten by mistake.
CREATE SUBSCRIPTION soon FROM per_kw WITH (retention = 'soon');
CREATE SOURCE kept (a INT) WITH (connector = 'none', retention = '1 fortnight');
CREATE SOURCE kept (a INT) WITH (connector = 'none', retention = 'none');
CREATE SOURCE shorter (a INT) WITH (connector = 'none', retention = '3 Weeks');
-- A subscription goes with what it is of.
CREATE TABLE followed (v INT);
CREATE SUBSCRIPTION following FROM followed WITH (retention = '1 day');
DROP TABLE followed;
DROP SUBSCRIPTION following;
