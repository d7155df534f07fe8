-- The body defines a function of the same name; values come as Python's own.
CREATE FUNCTION gcd(a int, b int) RETURNS int LANGUAGE python AS $$
def gcd(a, b):
    while b != 0:
        a, b = b, a % b
    return a
$$;
SELECT gcd(25, 15), gcd(a => 7, b => 21), gcd(gcd(100, 75), 10);
CREATE FUNCTION kinds(a boolean, b smallint, c bigint, d real, e double precision, f decimal, g varchar, h bytea, i jsonb, j int[], k struct<x int, y varchar>) RETURNS varchar LANGUAGE python AS $$
def kinds(*values):
    return ' '.join(f'{type(v).__name__}:{v}' for v in values)
$$;
SELECT kinds(true, 1::smallint, 2, 1.5, 2.5, 8.9, 'abc', '\x010203', '{"key": [1, null]}', array[1, 2], row(1, 'z'));
CREATE FUNCTION moments(a timestamptz, b timestamp, c date, d time, e interval, f uuid) RETURNS varchar[] LANGUAGE python AS $$
def moments(a, b, c, d, e, f):
    return [a.isoformat(), b.isoformat(), c.isoformat(), d.isoformat(), f'{e.months} {e.days} {e.nanoseconds}', str(f)]
$$;
SELECT moments('2026-01-01 10:00+02', '2026-01-01 10:00', '2026-01-01', '10:00:01.5', '1 mon 2 days 03:00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
-- NULL is None, unless the function is STRICT.
CREATE FUNCTION told(a int) RETURNS varchar LANGUAGE python AS $$
def told(a):
    return repr(a)
$$;
CREATE FUNCTION asked(a int) RETURNS varchar STRICT LANGUAGE python AS $$
def asked(a):
    return repr(a)
$$;
SELECT told(NULL), asked(NULL), told(1), asked(1);
-- A record is a dictionary, a tuple, or anything with such attributes.
CREATE FUNCTION pair(kv varchar) RETURNS struct<key varchar, value varchar> LANGUAGE python AS $$
def pair(kv):
    return kv.split('=', 1) if kv and '=' in kv else None
$$;
SELECT pair('a=1'), (pair('b=2')).value, pair('c');
CREATE FUNCTION half(a numeric) RETURNS numeric(10, 2) LANGUAGE python AS $$
def half(a):
    return a / 2
$$;
SELECT half(1), half(0.01), half(-0.01);
SELECT half(1000000000000);
CREATE FUNCTION document(n int) RETURNS jsonb LANGUAGE python AS $$
from decimal import Decimal
def document(n):
    return {'n': n, 'half': Decimal(n) / 2, 'list': list(range(n)), 'none': None}
$$;
SELECT document(3), document(3) -> 'list' -> 1;
CREATE FUNCTION span(n int) RETURNS interval LANGUAGE python AS $$
import datetime
def span(n):
    return datetime.timedelta(days=n, seconds=5)
$$;
SELECT span(2), '2026-01-01 00:00'::timestamp + span(1);
-- Rows: a generator.
CREATE FUNCTION series(n int) RETURNS TABLE (x int) LANGUAGE python AS $$
def series(n):
    for i in range(n):
        yield i
$$;
CREATE FUNCTION pairs(kv varchar) RETURNS TABLE (key varchar, value int) LANGUAGE python AS $$
def pairs(kv):
    for part in (kv or '').split(','):
        if '=' in part:
            key, value = part.split('=')
            yield key, int(value)
$$;
SELECT * FROM series(3);
SELECT series(2);
SELECT * FROM pairs('a=1,b=2');
SELECT p.value + s.x AS sum FROM pairs('a=1,b=2') p, series(p.value) s ORDER BY 1;
SELECT * FROM pairs('a=1,b=x');
-- A call that raises ends the statement.
SELECT told(1 / 0);
CREATE FUNCTION picky(a int) RETURNS int LANGUAGE python AS $$
def picky(a):
    if a < 0:
        raise ValueError(f'{a} is negative')
    return a / 1 if a > 9 else a
$$;
SELECT picky(-1);
SELECT picky(10);
SELECT picky(1), picky(2);
CREATE FUNCTION unasked() RETURNS int LANGUAGE python AS $$
def unasked(x):
    return x
$$;
SELECT unasked();
-- What a function may not be.
CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$
def f(a) return 1
$$;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$
def g(a): return 1
$$;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$
import os
def f(a): return os.getpid()
$$;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$
def f(a): return a.__class__
$$;
CREATE FUNCTION f(a int) LANGUAGE python AS $$
def f(a): return a
$$;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE javascript AS $$ return a $$;
CREATE FUNCTION f(a int) RETURNS int AS f USING LINK 'http://localhost:8815';
CREATE FUNCTION f(a int) RETURNS int LANGUAGE python AS $$
def f(a): return open('/etc/passwd').read()
$$;
SELECT f(1);
SHOW FUNCTIONS;
SHOW CREATE FUNCTION series;
SELECT proname, lanname, proretset FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE proname IN ('gcd', 'series') ORDER BY 1, 2;
