-- One statement a line: names and types of columns, rows as text, or the SQLSTATE, are PostgreSQL's.
create table m(id int primary key, site text, ch char(6), vc varchar(10), at timestamp, atz timestamptz, d date, tm time, n numeric(10,3), nn numeric, f float8, r real, s smallint, b bigint, ok boolean, tags text[], nums int[], j json, jb jsonb, u uuid, by bytea, iv interval)
insert into m values (1,'alpha','ab','hello','2024-01-31 10:20:30.123456','2024-01-31 10:20:30+02','2024-01-31','10:20:30',12.345,1.10,1.5,1.1,3,9000000000,true,array['x','y'],array[1,2,3],'{"b" : 1,  "a":[1, 2.50], "c":{"k" :  "v"}}','{"b":1,"a":[1,2.50],"c":{"k":"v"}}','00000000-0000-0000-0000-000000000001','\x0102','1 mon 2 days 03:04:05'), (2,'beta','cd  ','wor_ld','2024-02-29 00:00:00','2024-02-29 00:00:00+00','2024-02-29','00:00:00',-7.500,100,-2.25,-0.1,-5,-1,false,array['z',null],array[]::int[],'[1,"two",null]','[1,"two",null]','ffffffff-ffff-ffff-ffff-ffffffffffff','\xff','-1 day'), (3,'alpha',null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null), (4,'Gamma','x','100%','1999-12-31 23:59:59','1999-12-31 23:59:59-05','1999-12-31','23:59:59.5',0.001,12345.6789,'NaN','Infinity',7,123,true,array[]::text[],array[4,null],'null','null','12345678-1234-5678-1234-567812345678','','2 hours'), (5,'beta','','','2024-06-15 12:00:00','2024-06-15 12:00:00+00','2024-06-15','12:00',5,0.5,1e20,1e10,0,0,false,array['a b','c"d','e,f'],array[10],'"str"','"str"',null,'\x00','1 year')
select 1/2, 5%3, -5%3, -5/2, 7.0/2, 7/2.0
select s/2, s*s, s+1, s+s, -s, pg_typeof(s/2::smallint), pg_typeof(s/2) from m where id=1
select pg_typeof(s+s), pg_typeof(s+1), pg_typeof(s+b), pg_typeof(s*1.0), pg_typeof(r*r), pg_typeof(r*f), pg_typeof(n*f), pg_typeof(n*s) from m where id=1
select pg_typeof(exp(1.0)), pg_typeof(exp(1)), pg_typeof(ln(2.0)), pg_typeof(power(2,3)), pg_typeof(power(2.0,3)), pg_typeof(sqrt(2.0)), pg_typeof(sqrt(2)), pg_typeof(log(10.0)), pg_typeof(2.0^3), pg_typeof(2^3)
select sqrt(-1)
select sqrt(-1.0::numeric)
select ln(0)
select ln(0::numeric)
select ln(-1.0)
select power(0, -1)
select (-8)^0.5
select power(0::numeric, -1)
select exp(1000)
select exp(10000::numeric)
select round(2.5), round(3.5), round(2.5::float8), round(-2.5), round(1234.567, 2), round(1234.567, -2), trunc(1.999, 2), trunc(-1.5), ceil(1.2), floor(-1.2), ceiling(1.0::float8)
select sign(-3), sign(2.5), abs(-2.50), mod(10,3), mod(-10.5,3), div(10,3), gcd(12,18), lcm(4,6), factorial(5)
select 10 / 0
select 1.0 / 0
select 1.0::float8 / 0
select mod(1, 0)
select 2147483647 + 1
select 9223372036854775807 + 1
select 32767::smallint + 1::smallint
select 1e400::float8
select 40000::smallint
select 3000000000::int
select 'abc'::int
select ''::int
select ' 12 '::int, '0x1F'::text, '1e3'::float8, '  1.50 '::numeric
select 1.5::int, 2.5::int, -1.5::int, 2.5::float8::int, 3.5::float8::int, '1.5'::numeric::int
select '1.5'::int
select 1::bool, 0::bool, true::int, 't'::bool, 'yes'::bool, 'off'::bool
select 'maybe'::bool
select 1.0::bool
select null::int + 1, null = null, null is null, null is distinct from 1, not null::bool
select true and null, false and null, true or null, null or false
select 1 < 2, 'a' < 'B', 'abc' > 'abd', 1 between 0 and 2, 1 not between symmetric 2 and 0
select coalesce(null, 1), nullif(1,1), greatest(1,null,3), least(2,1,null), coalesce(null::text,'x')
select case when 1=1 then 'a' else 'b' end, case 3 when 1 then 'one' when 3 then 'three' end, case when false then 1 end
select 1.000::numeric(5,1), 99.99::numeric(3,1), 123.456::numeric(6,2), 0.005::numeric(3,2)
select 1000::numeric(3,1)
select 1e15::float8, 1e16::float8, 123456.789::float8, 1e-4::float8, 1e-5::float8, 0.1::real, 1e6::real, 1e7::real, 3.4028235e38::real
select 1.1::real::float8, 16777217::real, 0.1::float8::real, 1.1::real = 1.1, 1::real/3
select to_char(1234.5, '9,999.99'), to_char(-1234.5, '9999.9'), to_char(12, '000'), to_char(0.5, '0.99'), to_char(485, 'RN'), to_char(1e6, '9.99EEEE'), to_char(12, 'S99'), to_char(-12, '99PR'), to_char(5, '9th'), to_char(1234567.891, 'FM9,999,999.00'), to_char(12, 'L99')
select to_number('1,234.56', '9,999.99'), to_number('-12', 'S99'), to_number('$5.50','L9.99')
select 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 256 >> 2
select min_scale(8.4100), scale(8.410), trim_scale(8.4100)
select 'abc' || 'def', 'a' || 1, 1 || 'a', 'x' || null, 'a' || 1.50, 'b' || true
select substring('hello', 2, -1)
select position('l' in 'hello'), strpos('hello','x'), overlay('hello' placing 'XX' from 2 for 3), overlay('abcdef' placing '45' from 4)
select trim('  a '), trim(both 'x' from 'xxaxx'), ltrim('xxa','x'), rtrim('axx','x'), btrim('xyaxy','xy'), trim(leading from '  b')
select lpad('5', 3, '0'), lpad('hello', 2), rpad('hi', 5, 'ab'), repeat('ab', 3), repeat('a',-1), reverse('abc'), replace('aXbX','X','yy'), translate('12345','143','ax')
select split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), split_part('abc','',1), string_to_array('a,b,,c', ','), string_to_array('abc', null), string_to_array('a,b', ',', 'b'), string_to_array('', ',')
select split_part('a,b', ',', 0)
select concat('a', null, 1, true, 1.5, date '2024-01-01'), concat_ws('-', 'a', null, 'b', 3), format('%s is %I and %L', 'x', 'My Col', 'O''Reilly'), format('%2$s %1$s %%', 'a', 'b'), format('|%10s|%-10s|', 'r', 'l')
select format('%d', 1)
select format('%s')
select ascii('a'), chr(233), md5('abc'), encode('abc'::bytea, 'hex'), encode('abc','base64'), decode('YWJj','base64'), encode('\x00ff'::bytea, 'escape'), sha256('abc')
select chr(0)
select decode('zz','hex')
select to_hex(255), to_hex(-1), to_hex(255::bigint), starts_with('hello','he'), 'hello' ^@ 'he'
select 'abc' like 'a%', 'abc' like 'A%', 'abc' ilike 'A%', 'a%c' like 'a\%c', 'abc' not like '_b_', 'abc' like 'a#%c' escape '#', 'abc' similar to '(a|b)%'
select 'abc' like 'a\'
select vc like '100\%', vc like '%o%', ch like 'ab', ch like 'ab%', ch = 'ab', ch || '|', length(ch), octet_length(ch) from m order by id
select ch like 'ab    ', ch like 'ab_%', ch not like 'ab', ch ilike 'AB', ch ~ '^ab$', ch ~ '^ab +$', ch similar to 'ab' from m where id=1
select upper(ch) || '|', ch::text || '|', concat(ch, '|'), ch::varchar || '|', substring(ch from 1 for 4) || '|', lpad(ch, 8, '*'), replace(ch, ' ', '.'), position(' ' in ch), md5(ch) = md5('ab'), ch::char(2) from m where id=1
select 'ab  '::char(4) = 'ab'::char(6), 'ab  '::char(4) = 'ab'::text, 'ab '::char(4) || 'x', 'a '::bpchar = 'a', 'a '::varchar = 'a'
select 'toolong'::varchar(3), 'toolong'::char(3), 'x'::char, 'xyz'::char
select regexp_replace('foobar', 'o+', 'X'), regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g'), regexp_replace('Hello', 'h', 'j', 'i'), regexp_replace('abc', '', '-', 'g')
select regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_match('abc','x'), regexp_matches('foobar', 'o', 'g')
select regexp_split_to_array('a1b22c', '\d+'), regexp_split_to_table('x y  z', '\s+'), regexp_count('abcabc', 'b'), regexp_instr('abcabc','b',1,2), regexp_like('ABC','b','i'), regexp_substr('abc123','\d+')
select 'abc' ~ 'b', 'abc' ~* 'B', 'abc' !~ 'x', 'abc' !~* 'B', 'a.c' ~ 'a\.c', 'foo' ~ '^(foo|bar)$', E'a\nb' ~ '^b', 'Zürich' ~ '\w{6}', 'ab' ~ '\mab\M'
select 'a' ~ '('
select regexp_replace('a', '[', 'b')
select string_agg(site, ',' order by id), string_agg(distinct site, '|' order by site), array_agg(id order by id desc), array_agg(distinct site) from m
select pg_typeof(sum(s)), pg_typeof(sum(id)), pg_typeof(sum(b)), pg_typeof(sum(n)), pg_typeof(sum(r)), pg_typeof(sum(f)), pg_typeof(avg(s)), pg_typeof(avg(r)), pg_typeof(count(*)), pg_typeof(stddev(id)), pg_typeof(avg(iv)), pg_typeof(sum(iv)) from m
select sum(iv), avg(iv), min(iv), max(iv) from m
select bool_and(ok), bool_or(ok), every(ok), bit_and(s), bit_or(s), bit_xor(s) from m
select percentile_cont(0.5) within group (order by n), percentile_disc(0.5) within group (order by n), mode() within group (order by site), percentile_cont(array[0.25,0.75]) within group (order by f) from m where id in (1,2,5)
select site, count(*) from m group by site order by site
select site, count(*) from m group by site order by 2 desc, 1
select site, ok, count(*) from m group by cube(site, ok) order by 1 nulls last, 2 nulls last, 3
select site, sum(n) filter (where ok) as x from m group by 1 having count(*) > 1 order by 1
select site, n from m group by site
select max(site) over (), count(*) from m
select nosuch from m
select * from nosuch
select nosuch(1)
select upper(1)
select 1 + 'a'
select 'a' + 'b'
select now() + 1
select id from m where site
select id id2, id from m order by id2 limit 1 offset 1
select id from m order by 2
select sum(sum(n)) from m
select id from m where sum(n) > 1
select id from m limit -1
select m.id from m x
select x.id, y.id from m x join m y on x.id = y.id + 1 where id = 1
select a.id from m a, m b where a.id = b.id and id = 1
select (select id from m)
select (select id, site from m limit 1)
select 1 union select 1, 2
select 1, 2 union all select 3, 4 order by 1 desc
select 1 intersect select 1, 2
values (1,'a'),(2,null)
select pg_typeof(max(ch)), pg_typeof(sum(s)), pg_typeof(max(site)), count(*) from m
values (1),(2,3)
select * from (values (1,'x'),(2,'y')) v(a,b) where a > 1
select id, sum(n) over (partition by site order by id), avg(id) over (order by id rows between 1 preceding and 1 following), count(*) over (partition by site), sum(id) over (order by id groups between 1 preceding and current row) from m order by id
select id, sum(id) over (order by at range between interval '1 day' preceding and current row) from m where at is not null order by at
select id, row_number() over w from m window w as (partition by site order by id desc) order by id
select row_number() over (order by id) from m where row_number() over () = 1
select date '2024-01-31' + 1, date '2024-01-31' - date '2024-01-01', date '2024-01-31' + interval '1 month', date '2024-01-31' - interval '1 day', date '2024-01-01' + time '10:00'
select timestamp '2024-01-31 10:00' + interval '1 month', timestamp '2024-03-01' - timestamp '2024-02-01 12:00', timestamp '2024-01-01' + interval '1.5 days', timestamptz '2024-03-10 01:00+00' - interval '1 hour'
select time '10:00' + interval '2 hours', time '23:00' + interval '2 hours', time '10:00' - time '09:30', interval '1 day' * 2.5, interval '1 month' / 2, 2 * interval '1 hour', -interval '1 day'
select interval '1 year 2 months 3 days 4 hours 5 min 6.789 sec', interval '-1 day +02:00', interval '100 hours', interval '1.5 hours', interval 'P1Y2M3DT4H5M6S', interval '1-2', interval '3 4:05:06', interval '90' minute, interval '1' year, interval '1 week', interval '@ 1 day ago', interval '2 decades'
select interval 'abc'
select date '2024-02-30'
select date 'foo'
select timestamp '2024-13-01'
select time '25:00'
select timestamptz '2024-01-01 00:00 Mars/Base'
select date '01/02/2024', date 'Jan 5, 2024', date '5 January 2024', date '20240105', date '2024.01.05', date 'January 8, 1999', date '1999-Jan-08', date '99-1-8'
select date '08-Jan-99', date 'Jan-08-1999', date '19990108', date '1999.008', date 'J2451187', date 'January 8, 99 BC'
select timestamp 'Jan 5 2024 3:04 PM', timestamp '2024-01-05T03:04:05Z', timestamptz '2024-01-05 03:04:05 PST', timestamptz '2024-01-05 03:04:05 America/New_York', timestamp 'epoch', timestamp 'infinity', date '-infinity', time '3:04 AM', time '040506', time 'allballs'
select x::date from (values ('01/02/2024'),('Jan 5, 2024'),('20240105'),('2024-01-05'),('5 January 2024'),('1999-Jan-08'),('2024-1-5')) v(x)
select x::timestamp from (values ('01/02/2024 10:00'),('Jan 5, 2024 3:04 PM'),('20240105 101112'),('2024-01-05T01:02:03.5Z'),('2024-01-05'),('epoch'),('infinity')) v(x)
select x::timestamptz from (values ('01/02/2024 10:00 PST'),('2024-01-05T01:02:03.5Z'),('2024-01-05 01:02:03+05:30'),('2024-01-05 10:00 Europe/Paris')) v(x)
select x::time from (values ('10:20'),('3:04 PM'),('040506'),('10:20:30.5')) v(x)
select x::interval from (values ('1 day'),('1-2'),('P1D'),('10:20'),('-3 hours 2 min')) v(x)
select x::date from (values ('nope')) v(x)
select x::timestamp from (values ('2024-02-30')) v(x)
select cast(site as date) from m
select extract(epoch from iv), extract(day from iv), extract(month from iv), extract(hour from iv), date_part('second', iv), date_part('epoch', d), extract(timezone from atz), extract(hour from tm) from m where id=1
select extract(foo from at) from m
select extract(hour from d) from m where id=1
select date_trunc('foo', at) from m
select age(timestamp '2024-03-01', timestamp '2023-01-31'), age(timestamp '2001-04-10', timestamp '1957-06-13'), justify_hours(interval '27 hours'), justify_days(interval '35 days'), justify_interval(interval '1 mon -1 hour')
select date_bin('15 minutes', timestamp '2024-01-01 10:17:00', timestamp '2001-01-01'), make_date(2024,2,29), make_time(8,15,23.5), make_timestamp(2024,1,2,3,4,5.5), make_interval(days => 10, hours => 2), make_timestamptz(2024,1,2,3,4,5,'UTC')
select make_date(2023,2,29)
select to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(at, 'Day, DD Month YYYY'), to_char(at, 'FMDay, FMDD FMMonth YYYY'), to_char(at, 'HH12:MI AM'), to_char(at, 'IYYY-IW-ID'), to_char(at, 'Q DDD WW J'), to_char(at, 'Mon Dy DDth US'), to_char(iv, 'HH24:MI:SS'), to_char(d, 'YY/MM/DD'), to_char(atz, 'TZ OF TZH:TZM') from m where id=1
select to_date('05 Dec 2000', 'DD Mon YYYY'), to_timestamp('2024-01-02 03:04:05', 'YYYY-MM-DD HH24:MI:SS'), to_timestamp(1700000000.5), to_date('20240105','YYYYMMDD'), to_timestamp('12:30 PM', 'HH:MI AM')::time
select to_date('2024-99-01', 'YYYY-MM-DD')
select at at time zone 'Europe/Paris', atz at time zone 'America/New_York', atz at time zone 'UTC', at at time zone '+03', atz at time zone '-05:30', atz at time zone interval '2 hours', atz at time zone 'EST', atz at time zone 'PST8PDT' from m where id=1
select at at time zone 'Nowhere/Bad' from m where id=1
select isfinite(date 'infinity'), timestamp 'infinity' > timestamp '2024-01-01', date 'infinity'::text, 'infinity'::timestamptz - interval '1 day'
select (date '2024-01-01', date '2024-02-01') overlaps (date '2024-01-15', date '2024-03-01'), current_date = now()::date, localtime is not null, clock_timestamp() >= now(), pg_typeof(current_time), pg_typeof(localtimestamp)
select at::date, at::time, atz::date, d::timestamp, d::timestamptz, tm::interval, iv::time, at::text, atz::text, iv::text from m where id=1
select d < at, d = timestamp '2024-01-31', atz > d, d between '2024-01-01' and '2024-12-31', at > '2024-01-01', tm > '09:00' from m where id=1
select generate_series(1,3), generate_series(5,1,-2)
select * from generate_series(timestamp '2024-01-01', timestamp '2024-01-02', interval '12 hours') g
select * from generate_series(1.5, 3, 0.5) g(x)
select generate_series(1,2,0)
select * from generate_series(1,3) with ordinality as t(a,o)
select array[1,2,3], array['a',null,'b c'], '{1,2,NULL}'::int[], array[[1,2],[3,4]], '{}'::text[], array[1.5,2], array[true,null], '{"a,b",c}'::text[]
select tags[1], nums[2:3], nums[:2], array_length(nums,1), cardinality(tags), array_lower(nums,1), array_upper(nums,1), array_ndims(nums), array_dims(nums), nums[99], (array[[1,2],[3,4]])[2][1] from m where id=1
select array_append(nums, 4), array_prepend(0, nums), array_cat(nums, array[9]), nums || 5, 0 || nums, nums || nums, array_remove(nums, 2), array_replace(nums, 2, 20), array_position(nums, 2), array_positions(array[1,2,1], 1), trim_array(nums, 1) from m where id=1
select array_to_string(array[1,null,3], ','), array_to_string(array[1,null,3], ',', '*'), unnest(array['a','b']), array_fill(7, array[3])
select nums @> array[1], nums <@ array[1,2,3,4], nums && array[3,9], 2 = any(nums), 5 <> all(nums), nums = array[1,2,3], nums < array[1,3] from m where id=1
select array[1,2] || null, null || array[1], array[]::int[] || 1, array_length(array[]::int[],1), cardinality(array[]::int[])
select array[1,'a']
select array[]
select '{1,a}'::int[]
select '{1,2'::int[]
select unnest(nums) from m where id in (1,4) order by 1
select id, x from m, unnest(tags) x order by 1, 2
select id, x, o from m cross join lateral unnest(nums) with ordinality u(x,o) order by 1, 3
select array(select id from m order by id), array_agg(nums) from m where id in (1)
select array[1,2]::text, array[1,2]::text[], array['1','2']::int[], '{a,b}'::text[]::text
select j->0, j->1, j->>1, j->2, j->>2, j->-1, jb->-1, jb->>2, jb->5 from m where id=2
select key, value from m, json_each(j) where id=1
select key, value from m, jsonb_each(jb) where id=1
select * from json_each_text('{"a" : [1,  2], "b":null}')
select * from json_array_elements('[1, {"a" :  2}, "x"]')
select * from jsonb_array_elements('[1, {"a" :  2}, "x"]')
select value from json_array_elements_text('[1, {"a" :  2}, "x", null]')
select json_array_length('[1,2]'), jsonb_array_length('[1,2,3]'), json_typeof('1.5'), jsonb_typeof('{}'), jsonb_typeof('null'), jsonb_typeof('"a"')
select jsonb_array_length('{}')
select json_object_keys('{"b":1,"a":2}')
select jsonb_object_keys('{"bb":1,"a":2}')
select jb ? 'a', jb ?| array['x','b'], jb ?& array['a','b'], jb @> '{"b":1}', '{"b":1}' <@ jb, jb - 'a', jb - array['a','b'], jb #- '{c,k}', jb || '{"z":1}', jb @? '$.a[*]', jb @@ '$.b == 1' from m where id=1
select jsonb_set('{"a":1}', '{b}', '2'), jsonb_insert('{"a":[1,2]}', '{a,1}', '9'), jsonb_strip_nulls('{"a":null,"b":1}'), jsonb_pretty('{"a":[1,{"b":2}]}'), jsonb_path_query('{"a":[1,2,3]}', '$.a[*] ? (@ > 1)'), jsonb_path_exists('{"a":1}', '$.a')
select jsonb_build_object('a',1,'b',array[1,2],'c',null), jsonb_build_array(1,'x',null,1.50), to_jsonb('x'::text), to_json(array[1,2]), to_jsonb(1.50), to_jsonb(timestamp '2024-01-01'), json_build_object('d', date '2024-01-01'), row_to_json(row(1,'a')), array_to_json(array[[1,2],[3,4]])
select jsonb_agg(id order by id), json_agg(site order by id), jsonb_object_agg(id, site), json_object_agg(id, n order by id) from m where id < 3
select row_to_json(t) from (select id, site, n, at, tags, jb from m where id=1) t
select to_jsonb(t) from (select id, f, r, ok, iv, d, atz from m where id=1) t
select * from json_to_recordset('[{"a":1,"b":"x"},{"a":2}]') as x(a int, b text)
select * from jsonb_to_record('{"a":1,"b":[1,2]}') as x(a int, b jsonb)
select 'null'::jsonb::bool
select 'null'::jsonb::int
select '"x"'::jsonb::int
select '{bad'::jsonb
select '{"a":}'::json
select '{"a":1,}'::jsonb
select ''::json
select jb::text, j::text, j::jsonb, jb::json from m order by id
select jb->'b' from m where jb->'b' = '1'
select jsonb '{"a":{"b":[1,2]}}' #> '{a,b,0}', jsonb '{"a":1}' || jsonb '[1]', jsonb '[1,2]' - 0, jsonb '{"é":"ü\n"}', json '{"é" : "ü\n"}', jsonb '"\u00e9"', jsonb '1e3', jsonb '1.10', jsonb '-0', jsonb '100000000000000000000'
select jsonb['a'] from (select '{"a":1}'::jsonb) x(jsonb)
select u, u::text, u = '00000000-0000-0000-0000-000000000001', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'::uuid from m where id=1
select 'bad'::uuid
select by, length(by), by || '\x03'::bytea, encode(by,'hex'), get_byte(by,0), substring(by from 2), 'abc'::bytea, E'\\001'::bytea, convert_from('\x616263','UTF8'), convert_to('é','UTF8'), by::text from m where id=1
select row(1,2) = row(1,2,3)
select exists(select 1 from m), not exists(select 1 from m where id=99), id in (select id from m where ok) from m order by id limit 2
select id from m where id in (1,2,null) order by id
select id from m where id not in (1,null)
select id = any(array[1,2]), id = some(select 2), id > all(select 1) from m order by id
select 1 in ('a')
select 1 = '1', '1' = 1, 1.0 = 1, 'a' = 'a '::char(3), 1::bigint = 1::smallint
select pg_typeof(1), pg_typeof(1.0), pg_typeof('a'), pg_typeof(null), pg_typeof(3000000000), pg_typeof(1e5), pg_typeof(99999999999999999999), pg_typeof(array[1]), pg_typeof(row(1)), pg_typeof(now()), pg_typeof('a'::varchar), pg_typeof('a'::char(3)), pg_typeof('x'::name)
select 1 as "A", 2 as b, 'x' as "a b", count(*), max(id), 1+1, id::text, upper(site), case when true then 1 end, site || 'x', array[1], row(1), exists(select 1), (select 1 as sub), coalesce(1), nullif(1,2), cast(1 as bigint), extract(year from now()) > 0, current_date is null, n[1] from (select 1 id, 'x' site, array[1] n) q group by id, site, n
select u::text as k, sum(id) from m group by k order by k nulls first
select site s1, id from m order by site desc nulls last, id asc limit 2 offset 1
select id from m order by n nulls first, id fetch first 2 rows only
select id from m order by lower(site), id desc
select distinct on (site) site, id from m order by site, id desc
select distinct ok from m order by ok
with a as (select id from m), b(x) as (select id*2 from a) select sum(x) from b
with recursive t(n) as (select 1 union all select n+1 from t where n < 5) select sum(n), max(n) from t
with recursive t(n, p) as (select 1, 'a' union all select n+1, p || 'b' from t where n < 3) select * from t
select x.id, y.site from m x left join m y on y.id = x.id + 1 and y.site = 'beta' order by 1
select count(*) from m x full join m y on x.id = y.id + 3
select id, l.c from m, lateral (select count(*) c from m y where y.id < m.id) l order by id
select * from (select 1 a) x natural join (select 1 a, 2 b) y
select * from (select 1 a) x join (select 1 a, 2 b) y using (a)
select count(*) from m cross join generate_series(1,3)
select a from (select 1 a) x, (select 2 a) y
select 1 where 1 = 1 -- comment
select /* c /* nested */ */ 1
select 'unterminated
selec 1
select 1 +
select * from m where
select (1
select 1 limit 'a'
select 1::nosuchtype
select cast('a' as int)
select int '5', float8 '1.5', text 'x', bool 'true', numeric '1.50', smallint '3', bigint '7'
select 5::oid, '5'::oid, 'm'::regclass, 'int4'::regtype, 'm'::regclass::oid = (select oid from pg_class where relname='m'), 'pg_class'::regclass::oid
select 'nosuch'::regclass
select 'nosuch'::regtype
select to_regclass('nosuch'), to_regtype('int'), format_type(23,-1), format_type(1043, 14), format_type(1700, 655366)
select current_setting('server_encoding'), current_setting('nosuch.x', true), current_setting('standard_conforming_strings'), current_schema, current_schemas(false)
select current_setting('nosuch')
select version() like 'PostgreSQL%', pg_backend_pid() > 0, has_table_privilege('m','select'), obj_description('m'::regclass), col_description('m'::regclass,1), pg_get_userbyid(10) is not null
select num_nulls(1,null,2), num_nonnulls(1,null), pg_column_size(1), pg_size_pretty(123456789::bigint), pg_size_pretty(1024::bigint)
select name from m limit 1
select 'a'::"char", 'abc'::name, '{1,2}'::int2[], 'x'::text collate "C"
select overlay('abc' placing 'z' from 0)
select array_agg(x) from (values (1),(null),(3)) v(x)
select sum(x) from (select 1 where false) v(x)
select avg(x), count(x), max(x) from (select 1 where false) v(x)
select count(*) filter (where x > 1), sum(x) filter (where x > 5) from (values (1),(2),(3)) v(x)
select max(d), min(atz), max(nums) from m
select sum(distinct s), avg(distinct n), count(distinct (site, ok)) from m
select greatest('a','b'), greatest(1, 2.5), least(date '2024-01-01', timestamp '2023-01-01'), greatest(1,'2')
select bit_length('abc'), 'abc' < 'abd' collate "C", 'a' || 'b' || null is null
select round(1.5::real), round(n,1), round(f::numeric, 1), trunc(n), n::int, n::text, n::float8, n::real, n::bigint from m where id=1
select r / 3, r * 2, r + 1::real, r::numeric, r::text, r::float8 from m where id in (1,2) order by id
select b / 7, b % 7, b * 2, b::int2 from m where id = 4
select b::int from m where id = 1
select s::bigint, s::text, s::bool from m
select ok::int, ok::text, ok and true, ok = 't', ok is true, ok is not false, ok is unknown from m order by id
select iv * 2, iv / 2, iv + interval '1 day', iv > interval '1 day', iv = interval '1 mon 2 days 03:04:05', extract(epoch from iv)::int from m order by id
select d - 7, d + interval '1 hour', d - at, at - d, age(d, date '2023-01-01') from m where id = 1
select tm + iv, tm - interval '1 hour', d + tm, at::date - d, tm::text from m where id in (1,4) order by id
select count(*) from m where at >= '2024-01-01' and at < date '2024-01-01' + interval '1 month'
select count(*) from m where d in ('2024-01-31', '2024-02-29')
select id from m where tags @> '{x}' or 'z' = any(tags) order by id
select case when id = 1 then 1 else 2.5 end, case when id = 1 then 'x' else null end, case id when 1 then at else null end from m where id < 3 order by id
select nullif(n, 5), nullif(site, 'beta'), nullif('', '') from m order by id
select id::text || '-' || site, id || site, site || id || n from m where id < 3 order by id
select substring(site, 1, 1) || repeat('*', length(site) - 1), md5(site), site ~ '^[A-Z]', initcap(site) from m order by id
select '2024-01-01'::date::text::date, '10'::text::int::float8::text, (1.50)::text, (1e20::float8)::text, true::text, null::text
select now()::text ~ '\+00$', now() = current_timestamp, transaction_timestamp() = now(), statement_timestamp() >= now()
select to_char(timestamp '2024-12-30', 'IYYY IW'), to_char(date '2024-01-01', 'Dy dd'), to_char(12345.678, '999G999D99'), to_char(-0.1, '99.99'), to_char(0, '9999'), to_char(1.5::float8, '99.999'), to_char(100, 'FM999'), to_char(1234, '99')
select to_char(interval '26 hours 3 min', 'HH24:MI'), to_char(interval '1 year 2 mons', 'YYYY MM'), to_char(timestamp '2024-01-05 15:04', 'HH:MI p.m.'), to_char(timestamp '2024-01-05', 'DAY|MONTH|RM')
select conname, contype, conkey from pg_constraint where conrelid='m'::regclass
select relname, relkind, relnatts from pg_class where relname='m'
select j, j->'b', j->'a', j->'c', j->>'c', j#>'{c,k}', j#>>'{a,1}', j->'c'->'k', pg_typeof(j->'a') from m where id=1
select json '{"a": 1, "a":  [2]}' -> 'a', json '[1, {"b" :2}]' -> 1, json '[1]' -> 5, json '{"a":null}' ->> 'a'
select ln(2.0), power(2.0,3), log(2.0,64.0), 2.0^3, exp(1.5::numeric), log(100.0), exp(1.0)
select @ -5, |/ 25, pg_typeof(|/ 25), s/2, pg_typeof(r/3), r::numeric from m where id=1
select (array[[1,2],[3,4]])[2][1], ('{1,2}'::int[])[2], interval '3 days 2 hours ago', interval '@ 1 day ago'
select case when id = 1 then 'x' else site end, case when id = 1 then 1 else 2::int8 end from m where id = 1
select at at time zone 'GMT+5', atz at time zone '+05:30', timezone('-3', atz) from m where id=1
select regexp_matches('foobar', 'o', 'g'), generate_series(1,2), unnest(array[1,2])
select row_to_json(t), to_jsonb(t) from (select id, d, at, iv, r, f, by, u, tags from m where id=1) t
select json_agg(t), jsonb_agg(t) from (select id, d, atz from m where id=1) t
values (1,'a'),(2,null)
select pg_typeof(max(ch)), pg_typeof(sum(s)), pg_typeof(max(site)), count(*) from m
