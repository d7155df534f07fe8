-- An aggregate in Python: a state, a row added to it, and what it comes to.
CREATE AGGREGATE weighted(value INT, weight INT) RETURNS DOUBLE PRECISION LANGUAGE python AS $$
def create_state():
    return (0, 0)
def accumulate(state, value, weight):
    if value is None or weight is None:
        return state
    return (state[0] + value * weight, state[1] + weight)
def retract(state, value, weight):
    return (state[0] - value * weight, state[1] - weight)
def finish(state):
    return state[0] / state[1] if state[1] else None
$$;
CREATE TABLE prices (zone TEXT, price INT, kwh INT);
CREATE MATERIALIZED VIEW means AS SELECT zone, weighted(price, kwh) AS mean, count(*) AS n FROM prices GROUP BY zone;
CREATE MATERIALIZED VIEW overall AS SELECT weighted(price, kwh) FROM prices;
SELECT * FROM overall;
INSERT INTO prices VALUES ('north', 10, 1), ('north', 40, 2), ('south', 20, 5), ('south', NULL, 3), ('east', 7, 0);
SELECT * FROM means ORDER BY zone;
SELECT * FROM overall;
DELETE FROM prices WHERE price = 40;
UPDATE prices SET kwh = 15 WHERE price = 20;
SELECT * FROM means ORDER BY zone;
-- restart
INSERT INTO prices VALUES ('east', 9, 1);
SELECT * FROM means ORDER BY zone;
-- FILTER, OVER, DISTINCT and ORDER BY are those of its rows.
SELECT weighted(price, kwh) FILTER (WHERE zone <> 'south') AS others, weighted(price * 2, kwh) / 2 AS same FROM prices;
SELECT zone, price, weighted(price, kwh) OVER (PARTITION BY zone ORDER BY price) AS so_far FROM prices ORDER BY zone, price;
CREATE AGGREGATE joined(word TEXT) RETURNS TEXT LANGUAGE python AS $$
def create_state():
    return ''
def accumulate(state, word):
    return state + word
def finish(state):
    return state
$$;
SELECT joined(zone ORDER BY price DESC), joined(DISTINCT zone) AS zones FROM prices WHERE zone = 'south' OR price = 7;
SELECT zone FROM prices GROUP BY zone HAVING joined(zone) = 'easteast';
-- A row that it cannot take is an error of the query.
CREATE AGGREGATE picky(n INT) RETURNS INT LANGUAGE python AS $$
def create_state():
    return 0
def accumulate(state, n):
    return state + n
def finish(state):
    return state
$$;
SELECT picky(price) FROM prices;
CREATE AGGREGATE picky(n INT) RETURNS INT LANGUAGE python AS $$ $$;
CREATE AGGREGATE short(n INT) RETURNS INT LANGUAGE python AS $$
def create_state():
    return 0
$$;
CREATE AGGREGATE in_sql(n INT) RETURNS INT LANGUAGE SQL AS $$ SELECT 1 $$;
DROP AGGREGATE weighted;
DROP AGGREGATE weighted(INT, INT) CASCADE;
DROP AGGREGATE IF EXISTS weighted;
DROP AGGREGATE joined, picky(INT);
SELECT joined('a');
