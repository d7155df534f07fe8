-- Empty constructors need a type; keys of maps cannot be inexact.
SELECT ARRAY[];
SELECT ARRAY[]::int[] AS a, ARRAY[ARRAY[]]::int[][] AS b, MAP{}::map(varchar, int) AS c;
SELECT MAP{};
SELECT map_from_key_values(ARRAY[1.5], ARRAY[1]);
CREATE TABLE wrong (m map(double precision, int));
SELECT map_delete(MAP{'a': 1, 'b': 2}, 'a') AS kept;
-- A NULL array adds nothing to an array of arrays, a NULL element does to an array.
SELECT array_cat(ARRAY[ARRAY[7]], NULL::int[]) AS a, array_cat(NULL::int[][], NULL::int[]) AS b,
       ARRAY[7] || NULL::int AS c;
-- A document as a record or a map of a declared type.
SELECT jsonb_populate_record(NULL::struct<a int, b varchar>, '{"a": 1, "b": "x", "c": 2}') AS whole,
       jsonb_populate_record(NULL::struct<a int, b varchar>, '{"b": "x"}') AS part,
       jsonb_populate_record(ROW(9, 'z')::struct<a int, b varchar>, '{"b": "x"}') AS over;
SELECT jsonb_populate_map(NULL::map(varchar, int), '{"a": 1}') AS m;
SELECT jsonb_populate_map(NULL::map(int, int), '{"a": 1}');
SELECT pg_typeof(ROW(1, 'a')) AS record;
-- Functions of degrees: round values at round angles, every digit elsewhere.
SELECT sind(30) AS a, cosd(60) AS b, tand(45) AS c, tand(90) AS d, tand(270) AS e, cotd(90) AS f,
       cotd(0) AS g, asind(0.5) AS h, acosd(0.5) AS i, atand(1) AS j;
SELECT sind(1) AS a, acosd(-0.25) AS b;
-- Maps within arrays, records and maps.
SELECT to_jsonb(array[MAP{'a': 1}, MAP{'b': 2}]) AS a, to_jsonb(MAP{'a': MAP{'b': 1}}) AS b;
SELECT map_filter(MAP{'x': MAP{'age': 20}, 'y': MAP{'age': 16}}, |k, v| v['age'] >= 18) AS a, MAP{'1': 'one'}[1] AS b;
-- Maps are joined; the second gives the value of a key that both have.
SELECT MAP {'a': 1, 'c': 3} || MAP {'b': 2, 'c': 4};
