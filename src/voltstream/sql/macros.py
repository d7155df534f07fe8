"""SQL macros of the functions that rules call: PostgreSQL's results in the store's words."""

from __future__ import annotations

from voltstream.core.limits import TEXT_BYTES_MAX
from voltstream.sql import fitting

_TRUE = "('t','tr','tru','true','y','ye','yes','on','1')"
_FALSE = "('f','fa','fal','fals','false','n','no','of','off','0')"


def _fail(sqlstate: str, message: str, kind: str = "DOUBLE") -> str:
    return f"CAST(_vs_fail('{sqlstate}', {message}) AS {kind})"


_CHARACTERS_MAX = TEXT_BYTES_MAX // 4  # Of four bytes at most, as PostgreSQL counts.
_TOO_LONG = "_vs_fail('54000', 'requested length too large')"
_ITEMS_MAX = 134_217_727  # PostgreSQL's bound of an array.
_TOO_MANY = _fail("54000", f"'array size exceeds the maximum allowed ({_ITEMS_MAX})'", "BIGINT")

# (name and parameters, body)
_TEXT = (
    ("_vs_head_bytes(n)", "CASE WHEN n < 127 THEN 1 ELSE 4 END"),
    ("_vs_session_gap(g)", "g IS NULL"),  # Marks a partition that is cut into sessions.
    ("_vs_numeric_text(x)",
     "CASE WHEN contains(CAST(x AS VARCHAR), '.') "
     "THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.') ELSE CAST(x AS VARCHAR) END"),
    ("_vs_bytea_text(x)", "'\\x' || lower(hex(x))"),
    ("_vs_integer_text(t, kind)",
     "CASE WHEN regexp_full_match(t, '\\s*[+-]?\\d+\\s*') THEN trim(t) ELSE _vs_fail('22P02', "
     "'invalid input syntax for type ' || kind || ': \"' || t || '\"') END"),
    ("_vs_boolean_text(t)",
     f"CASE WHEN lower(trim(t)) IN {_TRUE} THEN true WHEN lower(trim(t)) IN {_FALSE} THEN false "
     "ELSE CAST(_vs_fail('22P02', "
     "'invalid input syntax for type boolean: \"' || t || '\"') AS BOOLEAN) END"),
    ("_vs_substr(s, i)", "CASE WHEN i < 1 THEN s ELSE substring(s, i) END"),
    ("_vs_substr_for(s, i, n)",
     "CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL WHEN n < 0 THEN "
     "_vs_fail('22011', 'negative substring length not allowed') ELSE substring(s, "
     "greatest(CAST(i AS BIGINT), 1), "
     "greatest(CAST(i AS BIGINT) + n - greatest(CAST(i AS BIGINT), 1), 0)) END"),
    ("_vs_lpad(s, n, f)",
     "CASE WHEN n <= 0 THEN '' WHEN f = '' THEN left(s, n) "
     f"WHEN n > {_CHARACTERS_MAX} THEN {_TOO_LONG} ELSE lpad(s, "
     f"CAST(CASE WHEN n > {_CHARACTERS_MAX} THEN 0 ELSE n END AS INTEGER), f) END"),
    ("_vs_rpad(s, n, f)",
     "CASE WHEN n <= 0 THEN '' WHEN f = '' THEN left(s, n) "
     f"WHEN n > {_CHARACTERS_MAX} THEN {_TOO_LONG} ELSE rpad(s, "
     f"CAST(CASE WHEN n > {_CHARACTERS_MAX} THEN 0 ELSE n END AS INTEGER), f) END"),
    # The count is bounded beside the check: the store may look at both branches.
    ("_vs_repeat(s, n)",
     f"CASE WHEN CAST(strlen(s) AS HUGEINT) * n > {TEXT_BYTES_MAX} THEN {_TOO_LONG} "
     "ELSE repeat(CAST(s AS VARCHAR), CAST(CASE WHEN "
     f"CAST(strlen(s) AS HUGEINT) * n > {TEXT_BYTES_MAX} OR s = '' OR n < 0 THEN 0 ELSE n END "
     "AS BIGINT)) END"),
    ("_vs_overlay(s, new, i, n)",
     "_vs_substr_for(s, 1, i - 1) || new || _vs_substr(s, i + n)"),
    ("_vs_split_part(s, d, n)",
     "CASE WHEN n = 0 THEN _vs_fail('22023', 'field position must not be zero') "
     "WHEN d = '' THEN CASE WHEN n IN (1, -1) THEN s ELSE '' END ELSE split_part(s, d, n) END"),
    ("_vs_chr(n)",
     "CASE WHEN n = 0 THEN _vs_fail('54000', 'null character not permitted') "
     "WHEN n < 0 THEN _vs_fail('54000', 'character number must be positive') ELSE chr(n) END"),
    ("_vs_hex_place(n)", "CASE WHEN n > 0 THEN (n + 1) // 2 ELSE 0 END"),
    ("_vs_array_to_string(a, d)",
     "CASE WHEN a IS NULL OR d IS NULL THEN NULL ELSE "
     "coalesce(array_to_string(list_filter(a, lambda x: x IS NOT NULL), d), '') END"),
    ("_vs_array_to_string_null(a, d, n)",
     "_vs_array_to_string(list_transform(a, lambda x: coalesce(x, n)), d)"),
)  # fmt: skip
_JSON = (
    ("_vs_json_index(i)",
     "CASE WHEN i < 0 THEN '$[#' || CAST(i AS VARCHAR) ELSE '$[' || CAST(i AS VARCHAR) END || ']'"),
    ("_vs_json_member(k)", "'$.\"' || replace(k, '\"', '\\\"') || '\"'"),
    ("_vs_json_text(j, p)",
     "CASE WHEN json_extract_string(j, p)[1] IN ('{', '[') "
     "AND json_type(j, p) IN ('OBJECT', 'ARRAY') "
     "THEN _vs_json_normal(json_extract_string(j, p)) ELSE json_extract_string(j, p) END"),
    ("_vs_json_float(t)",
     "CASE WHEN t IN ('NaN', 'Infinity', '-Infinity') THEN '\"' || t || '\"' ELSE t END"),
    ("_vs_iso(t)", "replace(t, ' ', 'T')"),
    ("_vs_iso_zoned(t)", "regexp_replace(replace(t, ' ', 'T'), '([+-]\\d\\d)$', '\\1:00')"),
    ("_vs_odd(l)", "list_filter(l, lambda x, i: i % 2 = 1)"),
    ("_vs_even(l)", "list_filter(l, lambda x, i: i % 2 = 0)"),
)  # fmt: skip
_ARRAYS = (
    ("_vs_array_cat(a, b)",
     "CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE list_concat(a, b) END"),
    ("_vs_unless_null(x, a)", "CASE WHEN x IS NOT NULL THEN a END"),
    ("_vs_array_length(a)", "CAST(nullif(len(a), 0) AS INTEGER)"),
    ("_vs_array_length_at(a, d)", "CASE WHEN d = 1 THEN CAST(nullif(len(a), 0) AS INTEGER) END"),
    ("_vs_array_lower(a)", "CASE WHEN len(a) > 0 THEN 1 END"),
    ("_vs_array_lower_at(a, d)", "CASE WHEN d = 1 AND len(a) > 0 THEN 1 END"),
    ("_vs_array_ndims(a, n)", "CASE WHEN len(a) > 0 THEN n END"),
    ("_vs_array_dims(a)", "CASE WHEN len(a) > 0 THEN '[1:' || CAST(len(a) AS VARCHAR) || ']' END"),
    ("_vs_array_positions(a, x)",
     "CAST(list_filter(list_transform(a, lambda e, i: CASE WHEN e IS NOT DISTINCT FROM x THEN i "
     "END), lambda p: p IS NOT NULL) AS INTEGER[])"),
    ("_vs_array_contains(a, b)", "list_has_all(a, b)"),
    ("_vs_array_overlaps(a, b)", "list_has_any(a, b)"),
    ("_vs_array_remove(a, x)", "list_filter(a, lambda e: e IS DISTINCT FROM x)"),
    ("_vs_array_replace(a, x, y)",
     "list_transform(a, lambda e: CASE WHEN e IS NOT DISTINCT FROM x THEN y ELSE e END)"),
    ("_vs_array_sort(a)", "list_sort(a, 'ASC', 'NULLS LAST')"),
    ("_vs_array_distinct(a)",
     "list_filter(a, lambda e, i: len(list_filter(list_slice(a, 1, i - 1), "
     "lambda o: o IS NOT DISTINCT FROM e)) = 0)"),
    ("_vs_any(l)",
     "CASE WHEN list_contains(l, true) THEN true WHEN len(l) > list_count(l) THEN NULL "
     "WHEN l IS NOT NULL THEN false END"),
    ("_vs_all(l)",
     "CASE WHEN list_contains(l, false) THEN false WHEN len(l) > list_count(l) THEN NULL "
     "WHEN l IS NOT NULL THEN true END"),
    ("_vs_slice(a, lo, hi)", "list_slice(a, greatest(lo, 1), greatest(hi, 0))"),
    ("_vs_element(a, i)", "CASE WHEN i >= 1 THEN list_extract(a, i) END"),
    ("_vs_array_fill(x, n)",
     f"list_transform(range(CASE WHEN n > {_ITEMS_MAX} THEN {_TOO_MANY} ELSE n END), "
     "lambda i: x)"),
    ("_vs_l1_distance(a, b)",
     "list_sum(list_transform(list_zip(a, b), lambda p: abs(p[1] - p[2])))"),
    ("_vs_over_norm(a, n)",
     "list_transform(a, lambda e: CASE WHEN n = 0 THEN CAST(0 AS DOUBLE) ELSE e / n END)"),
    ("_vs_vector_plus(a, b)", "list_transform(list_zip(a, b), lambda p: p[1] + p[2])"),
    ("_vs_vector_minus(a, b)", "list_transform(list_zip(a, b), lambda p: p[1] - p[2])"),
    ("_vs_vector_times(a, b)", "list_transform(list_zip(a, b), lambda p: p[1] * p[2])"),
    ("_vs_from_second(t, lengths)",
     "substring(t, list_extract(list_filter(lengths, lambda n: n IS NOT NULL), 1) + 1)"),
    ("_vs_vector_items(a, n)",
     "list_transform(range(1, n + 1), lambda i: list_sum(list_transform(a, "
     "lambda v: CAST(v[i] AS DOUBLE))))"),
    ("_vs_vector_sum(a, n)",
     "CASE WHEN list_count(a) > 0 THEN _vs_vector_items(a, n) END"),
    ("_vs_vector_avg(a, n)",
     "CASE WHEN list_count(a) > 0 THEN list_transform(_vs_vector_items(a, n), "
     "lambda s: s / list_count(a)) END"),
    ("_vs_trim_array(a, n)",
     "CASE WHEN n < 0 OR n > len(a) THEN list_slice(a, 1, CAST(_vs_fail('22023', "
     "'number of elements to trim must be between 0 and ' || CAST(len(a) AS VARCHAR)) AS BIGINT)) "
     "ELSE list_slice(a, 1, len(a) - n) END"),
    ("_vs_subscripts(a)", "CAST(range(1, len(a) + 1) AS INTEGER[])"),
    ("_vs_subscripts_at(a, d)", "CASE WHEN d = 1 THEN _vs_subscripts(a) ELSE [] END"),
    ("_vs_numeric_series(a, b, s)",
     "list_transform(range(0, CAST(floor(CAST(b - a AS DOUBLE) / CAST(s AS DOUBLE)) AS BIGINT) "
     "+ 1), lambda i: a + CAST(i AS INTEGER) * s)"),
)  # fmt: skip
_NUMBERS = (
    ("_vs_round(x, n)", "CAST(round(CAST(x AS DOUBLE), n) AS DECIMAL(38,10))"),
    ("_vs_round_left(x, p)",
     "sign(x) * ((CAST(trunc(abs(x)) AS HUGEINT) + p // 2) // p) * p"),
    ("_vs_trunc_left(x, p)", "sign(x) * (CAST(trunc(abs(x)) AS HUGEINT) // p) * p"),
    ("_vs_trunc(x, n)", "trunc(x, n)"),
    ("_vs_power(a, b)",
     "CASE WHEN a = 0 AND b < 0 THEN "
     + _fail("2201F", "'zero raised to a negative power is undefined'")
     + " WHEN a < 0 AND b <> trunc(b) THEN "
     + _fail("2201F", "'a negative number raised to a non-integer power yields a complex result'")
     + " WHEN isinf(power(a, b)) AND NOT isinf(a) AND NOT isinf(b) THEN "
     + _fail("22003", "'value out of range: overflow'")
     + " WHEN power(a, b) = 0 AND a <> 0 AND NOT isinf(a) AND NOT isinf(b) THEN "
     + _fail("22003", "'value out of range: underflow'") + " ELSE power(a, b) END"),
    ("_vs_sqrt(x)",
     "CASE WHEN x < 0 THEN "
     + _fail("2201F", "'cannot take square root of a negative number'") + " ELSE sqrt(x) END"),
    ("_vs_ln(x)",
     "CASE WHEN x = 0 THEN " + _fail("2201E", "'cannot take logarithm of zero'")
     + " WHEN x < 0 THEN " + _fail("2201E", "'cannot take logarithm of a negative number'")
     + " ELSE ln(x) END"),
    ("_vs_log10(x)",
     "CASE WHEN x = 0 THEN " + _fail("2201E", "'cannot take logarithm of zero'")
     + " WHEN x < 0 THEN " + _fail("2201E", "'cannot take logarithm of a negative number'")
     + " ELSE log10(x) END"),
    ("_vs_exp(x)",
     "CASE WHEN isinf(exp(x)) AND NOT isinf(x) THEN "
     + _fail("22003", "'value out of range: overflow'")
     + " WHEN exp(x) = 0 AND NOT isinf(x) THEN "
     + _fail("22003", "'value out of range: underflow'") + " ELSE exp(x) END"),
    ("_vs_gamma(x)",
     "CASE WHEN isnan(x) OR x = 'Infinity' THEN x WHEN isinf(x) OR (x <= 0 AND x = floor(x)) THEN "
     + _fail("22003", "'value out of range: overflow'") + " WHEN isinf(gamma(x)) THEN "
     + _fail("22003", "'value out of range: overflow'") + " WHEN gamma(x) = 0 THEN "
     + _fail("22003", "'value out of range: underflow'") + " ELSE gamma(x) END"),
    ("_vs_lgamma(x)",
     "CASE WHEN isnan(x) OR isinf(x) THEN abs(x) WHEN x <= 0 AND x = floor(x) THEN "
     + _fail("22003", "'value out of range: overflow'") + " WHEN isinf(lgamma(x)) THEN "
     + _fail("22003", "'value out of range: overflow'") + " ELSE lgamma(x) END"),
    ("_vs_quotient(a, b)",
     "CAST(trunc(CAST(a AS DOUBLE) / CAST(b AS DOUBLE)) AS DECIMAL(38,0))"),
    ("_vs_width_bucket(x, lo, hi, n)",
     "CAST(CASE WHEN n <= 0 THEN " + _fail("2201G", "'count must be greater than zero'")
     + " WHEN lo = hi THEN " + _fail("2201G", "'lower bound cannot equal upper bound'")
     + " WHEN lo < hi THEN CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1 "
     "ELSE floor((x - lo) * n / (hi - lo)) + 1 END ELSE CASE WHEN x > lo THEN 0 "
     "WHEN x <= hi THEN n + 1 ELSE floor((lo - x) * n / (lo - hi)) + 1 END END AS INTEGER)"),
    ("_vs_width_bucket_of(x, a)", "CAST(len(list_filter(a, lambda e: e <= x)) AS INTEGER)"),
    ("_vs_digits_after(t)",
     "CAST(CASE WHEN contains(t, '.') THEN length(t) - strpos(t, '.') ELSE 0 END AS INTEGER)"),
    ("_vs_asin(x)",
     "CASE WHEN abs(x) > 1 THEN " + _fail("22003", "'input is out of range'")
     + " ELSE asin(x) END"),
    ("_vs_acos(x)",
     "CASE WHEN abs(x) > 1 THEN " + _fail("22003", "'input is out of range'")
     + " ELSE acos(x) END"),
    ("_vs_coth(x)", "1 / tanh(x)"),
    # The functions of degrees give round values at round angles, and keep every digit elsewhere.
    ("_vs_near(x, part)",
     "CASE WHEN abs(x - round(x * part) / part) < 4e-14 / part THEN round(x * part) / part "
     "ELSE x END"),
    ("_vs_sind(x)", "_vs_near(sin(radians(x % 360)), 2)"),
    ("_vs_cosd(x)", "_vs_near(cos(radians(x % 360)), 2)"),
    ("_vs_tand(x)",
     "CASE WHEN abs(x) % 180 = 90 THEN CAST(CASE WHEN (x % 360 + 360) % 360 = 90 "
     "THEN 'infinity' ELSE '-infinity' END AS DOUBLE) "
     "ELSE _vs_near(tan(radians(x % 360)), 1) END"),
    ("_vs_cotd(x)",
     "CASE WHEN x % 180 = 0 THEN CAST(CASE WHEN x % 360 = 0 "
     "THEN 'infinity' ELSE '-infinity' END AS DOUBLE) "
     "WHEN abs(x) % 180 = 90 THEN CAST(0 AS DOUBLE) "
     "ELSE 1 / _vs_near(tan(radians(x % 360)), 1) END"),
    ("_vs_asind(x)", "_vs_near(degrees(_vs_asin(x)), 1)"),
    ("_vs_acosd(x)", "90 - _vs_asind(x)"),
    ("_vs_atand(x)", "_vs_near(degrees(atan(x)), 1)"),
    ("_vs_atan2d(y, x)", "_vs_near(degrees(atan2(y, x)), 1)"),
    ("_vs_shift_left(a, n)",
     "CAST(CAST(a AS HUGEINT) * CAST(power(2, n) AS HUGEINT) AS BIGINT)"),
    ("_vs_shift_right(a, n)",
     "CASE WHEN a >= 0 THEN a >> n ELSE -((-a - 1) >> n) - 1 END"),
    ("_vs_numeric(x)", "CAST(x AS DECIMAL(38,16))"),
)  # fmt: skip
_DATES = (
    ("_vs_seconds(x)",
     "CAST(date_part('microseconds', x) AS DECIMAL(32,0)) * CAST(0.000001 AS DECIMAL(6,6))"),
    ("_vs_milliseconds(x)",
     "CAST(date_part('microseconds', x) AS DECIMAL(32,0)) * CAST(0.001 AS DECIMAL(3,3))"),
    ("_vs_microseconds(x)", "CAST(date_part('microseconds', x) AS DECIMAL(32,0))"),
    ("_vs_span_epoch(i)",
     "CAST(CAST(date_part('year', i) AS BIGINT) * 31557600 + CAST(date_part('month', i) AS BIGINT) "
     "* 2592000 + CAST(date_part('day', i) AS BIGINT) * 86400 + "
     "CAST(date_part('hour', i) AS BIGINT) * 3600 + CAST(date_part('minute', i) AS BIGINT) * 60 "
     "AS DECIMAL(32,0)) + _vs_seconds(i)"),
    ("_vs_span_months(i)",
     "CAST(date_part('year', i) AS BIGINT) * 12 + CAST(date_part('month', i) AS BIGINT)"),
    ("_vs_span_days(i)", "CAST(date_part('day', i) AS BIGINT)"),
    ("_vs_span_us(i)",
     "CAST(date_part('hour', i) AS BIGINT) * 3600000000 + CAST(date_part('minute', i) AS BIGINT) "
     "* 60000000 + CAST(date_part('microseconds', i) AS BIGINT)"),
    ("_vs_span(m, d, us)",
     "to_months(CAST(m AS INTEGER)) + to_days(CAST(d AS INTEGER)) + "
     "to_microseconds(CAST(us AS BIGINT))"),
    ("_vs_date_trunc(u, x)",
     "CASE WHEN u LIKE 'c%' OR u LIKE 'mil%' AND u NOT LIKE 'milli%' OR u LIKE 'millen%' "
     "THEN date_trunc(u, x - INTERVAL '1 year') + INTERVAL '1 year' ELSE date_trunc(u, x) END"),
    ("_vs_finite(x)", "CASE WHEN isfinite(x) THEN x END"),
    # Each argument once: it may be a query, and what is around this repeats it many times.
    ("_vs_elapsed(a, b)", "timezone('UTC', a) - timezone('UTC', b)"),
    ("_vs_trunc_beside(u, x, wall)",
     "CASE WHEN isfinite(x) THEN x - (wall - date_trunc(u, wall)) ELSE x END"),
    ("_vs_trunc_instant(u, x)", "_vs_trunc_beside(u, x, CAST(x AS TIMESTAMP))"),
    ("_vs_julian(x)",
     "CAST(2440588 + CAST(epoch_us(x) AS DOUBLE) / 86400000000 AS DECIMAL(38,10))"),
    ("_vs_century(y)", "CASE WHEN y > 0 THEN (y + 99) // 100 ELSE -((99 - (y - 1)) // 100) END"),
    ("_vs_millennium(y)",
     "CASE WHEN y > 0 THEN (y + 999) // 1000 ELSE -((999 - (y - 1)) // 1000) END"),
    ("_vs_make_interval(y, mo, w, d, h, mi, s)",
     "to_months(CAST(y * 12 + mo AS INTEGER)) + to_days(CAST(w * 7 + d AS INTEGER)) + "
     "to_microseconds(CAST(CAST(h AS BIGINT) * 3600000000 + CAST(mi AS BIGINT) * 60000000 + "
     "round(CAST(s AS DOUBLE) * 1000000) AS BIGINT))"),
    ("_vs_make_date(y, m, d)",
     "coalesce(TRY(make_date(CASE WHEN y < 0 THEN y + 1 ELSE nullif(y, 0) END, m, d)), "
     "CASE WHEN y IS NOT NULL AND m IS NOT NULL AND d IS NOT NULL THEN "
     + _fail("22008", "'date field value out of range: ' || y || '-' || printf('%02d', m) || '-' "
             "|| printf('%02d', d)", "DATE") + " END)"),
    ("_vs_time_span(h, mi, s)",
     "CASE WHEN h NOT BETWEEN 0 AND 24 OR mi NOT BETWEEN 0 AND 59 OR s NOT BETWEEN 0 AND 60 OR "
     "h * 3600 + mi * 60 + s > 86400 THEN "
     + _fail("22008", "'time field value out of range: ' || h || ':' || printf('%02d', mi) || ':' "
             "|| printf('%02g', s)", "INTERVAL")
     + " ELSE to_microseconds(CAST((h * 3600 + mi * 60) AS BIGINT) * 1000000 + "
     "CAST(round(s * 1000000) AS BIGINT)) END"),
    ("_vs_make_time(h, mi, s)",
     "CASE WHEN h * 3600 + mi * 60 + s = 86400 THEN TIME '24:00:00' "
     "ELSE CAST('00:00' AS TIME) + _vs_time_span(h, mi, s) END"),
    ("_vs_make_timestamp(y, m, d, h, mi, s)",
     "CAST(_vs_make_date(y, m, d) AS TIMESTAMP) + _vs_time_span(h, mi, s)"),
    ("_vs_overlaps(a, b, c, d)",
     "(least(a, b) = least(c, d)) OR (least(a, b) < greatest(c, d) AND "
     "least(c, d) < greatest(a, b))"),
    # What the store reads by itself is read there; other writings one by one.
    *(
        (f"_vs_{kind.lower()}_text(t, o)",
         f"coalesce(TRY_CAST(t AS {kind}), CAST(_vs_read_{kind.lower()}(t, o) AS {kind}))")
        for kind in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME")
    ),
    ("_vs_time_interval(t)", "to_microseconds(epoch_us(t))"),
    ("_vs_time_minus(a, b)", "to_microseconds(epoch_us(a) - epoch_us(b))"),
    ("_vs_interval_time(i)", "CAST('00:00' AS TIME) + i"),
    # Without months and days a product is one of numbers: no row is looked at by itself.
    ("_vs_interval_times(i, x)",
     "CASE WHEN date_part('year', i) = 0 AND date_part('month', i) = 0 AND date_part('day', i) = 0 "
     "AND abs(epoch_us(i) * x) < 9.2e15 "
     "THEN to_microseconds(CAST(round_even(epoch_us(i) * x, 0) AS BIGINT)) "
     "ELSE _vs_interval_product(i, x) END"),
)  # fmt: skip

MACROS: tuple[str, ...] = (
    *(
        f"CREATE OR REPLACE MACRO main.{head} AS {body}"
        for family in (fitting.MACROS, _TEXT, _JSON, _ARRAYS, _NUMBERS, _DATES)
        for head, body in family
    ),
    "CREATE OR REPLACE MACRO main._vs_array_position "
    "(a, x) AS list_extract(_vs_array_positions(a, x), 1), "
    "(a, x, i) AS CASE WHEN i IS NULL THEN CAST(_vs_fail('22004', "
    "'initial position must not be null') AS INTEGER) ELSE "
    "list_extract(list_filter(_vs_array_positions(a, x), lambda p: p >= i), 1) END",
    "CREATE OR REPLACE MACRO main._vs_substr_bytes "
    "(b, i) AS unhex(substring(hex(b), greatest(i, 1) * 2 - 1)), "
    "(b, i, n) AS unhex(substring(hex(b), greatest(i, 1) * 2 - 1, "
    "greatest(i + n - greatest(i, 1), 0) * 2))",
)
