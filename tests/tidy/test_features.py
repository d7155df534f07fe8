"""Every SQL feature that is promised has its line in the reference and a golden script."""

from __future__ import annotations

import re

import pytest

from tests.tidy.sources import ROOT

REFERENCE = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/reference").glob("sql*.md"))
)
SCRIPTS = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests/golden").glob("*/*.sql"))
)
VIEWS = re.findall(r"CREATE MATERIALIZED VIEW.*?;\n", SCRIPTS, re.DOTALL | re.IGNORECASE)

# What a view maintains: the words of its line in the reference, and how a view's script spells it.
MAINTAINED = {
    "inner join": ("joins: inner", r"FROM \w+( AS)? ?\w* JOIN "),
    "left join": ("`LEFT`", r"LEFT JOIN"),
    "right join": ("`RIGHT`", r"RIGHT JOIN"),
    "full join": ("`FULL`", r"FULL (OUTER )?JOIN"),
    "cross join": ("`CROSS`", r"CROSS JOIN"),
    "natural join": ("`NATURAL`", r"NATURAL "),
    "using": ("`USING`", r"USING ?\("),
    "null-safe join": ("`IS NOT DISTINCT FROM`", r"IS NOT DISTINCT FROM"),
    "semi join": ("`EXISTS`, `IN`", r" IN \(SELECT| EXISTS \(SELECT"),
    "anti join": ("and their negations", r"NOT (IN|EXISTS) \("),
    "temporal join": ("AS OF PROCTIME()", r"FOR SYSTEM_TIME AS OF PROCTIME\(\)"),
    "asof join": ("`ASOF [LEFT] JOIN", r"ASOF (LEFT )?JOIN"),
    "interval join": ("BETWEEN r.at - a AND r.at + b", r"ON .*BETWEEN .*INTERVAL"),
    "count and sum": ("`count`, `sum`", r"sum\(|count\(\*\)"),
    "avg": ("`avg`", r"avg\("),
    "min and max": ("`min`, `max`", r"m(in|ax)\("),
    "count distinct": ("`count(DISTINCT)`", r"count\(DISTINCT"),
    "filter": ("`FILTER`", r"FILTER \(WHERE"),
    "having": ("`HAVING`", r"HAVING "),
    "stddev and variance": ("`stddev`", r"(stddev|var)_?\w*\("),
    "bool_and": ("`bool_and`", r"bool_(and|or)\("),
    "string_agg": ("`string_agg`", r"string_agg\("),
    "array_agg": ("`array_agg`", r"array_agg\("),
    "jsonb_agg": ("`jsonb_agg`", r"jsonb_agg\("),
    "percentiles": ("`percentile_cont`", r"percentile_(cont|disc)\("),
    "mode": ("`mode`", r"mode\(\)"),
    "first_value": ("`first_value` `last_value`", r"first_value\(.*ORDER BY"),
    "approx_count_distinct": ("`approx_count_distinct`", r"approx_count_distinct\("),
    "grouping sets": ("`GROUPING SETS`, `CUBE`, `ROLLUP`", r"GROUPING SETS|CUBE|ROLLUP"),
    "distinct": ("`DISTINCT`, `UNION`", r"SELECT DISTINCT (?!ON)"),
    "union": ("`UNION ALL`", r"UNION ALL"),
    "intersect": ("`INTERSECT`", r"INTERSECT"),
    "except": ("`EXCEPT`", r"EXCEPT"),
    "limit": ("`ORDER BY … LIMIT … OFFSET`", r"LIMIT \d+ OFFSET \d+"),
    "with ties": ("`WITH TIES`", r"WITH TIES"),
    "row_number": ("`row_number`, `rank`, `dense_rank`", r"row_number\(\) OVER"),
    "rank": ("`row_number`, `rank`, `dense_rank`", r"\brank\(\) OVER"),
    "dense_rank": ("`row_number`, `rank`, `dense_rank`", r"dense_rank\(\) OVER"),
    "distinct on": ("`DISTINCT ON`", r"DISTINCT ON"),
    "rows frame": ("`OVER` with any frame", r"ROWS BETWEEN"),
    "range frame": ("`OVER` with any frame", r"RANGE BETWEEN"),
    "groups frame": ("`OVER` with any frame", r"GROUPS BETWEEN"),
    "lag and lead": ("`OVER` with any frame", r"la(g|st_value)\(|lead\("),
    "named window": ("named windows", r"WINDOW \w+ AS"),
    "tumble": ("`TUMBLE`", r"TUMBLE ?\("),
    "hop": ("`HOP`", r"HOP ?\("),
    "session function": ("`SESSION(rel", r"SESSION ?\("),
    "session frame": ("SESSION WITH GAP", r"SESSION WITH GAP"),
    "time_bucket": ("`time_bucket`", r"time_bucket\("),
    "gap filling": ("`GAP_FILL(rel", r"GAP_FILL ?\("),
    "locf": ("`LOCF(x)`", r"LOCF ?\("),
    "interpolate": ("`INTERPOLATE(x)`", r"INTERPOLATE ?\("),
    "window close": ("`EMIT ON WINDOW CLOSE`", r"EMIT ON WINDOW CLOSE"),
    "state ttl": ("state_ttl", r"state_ttl"),
    "temporal filter": ("`NOW()` in `WHERE`", r"NOW\(\)"),
    "temporal filter, OR": ("in branches of `OR`", r"NOW\(\).* OR | OR .*NOW\(\)"),
    "temporal filter, BETWEEN": ("`NOW()` in `WHERE`", r"BETWEEN .*NOW\(\)|NOW\(\) BETWEEN"),
    "temporal filter, cut": ("date_trunc('hour', NOW())", r"date_trunc\('\w+', NOW\(\)\)"),
    "scalar subquery": ("subqueries as values", r"\(SELECT (max|count|avg|sum)\("),
    "lateral": ("`LATERAL`", r"LATERAL"),
    "values": ("| `VALUES`", r"AS\s+VALUES|\(VALUES"),
    "generate_series": ("`generate_series`", r"generate_series\("),
    "series up to now": ("`generate_series(start, NOW(), step)`", r"generate_series\(.*NOW\(\)"),
    "unnest": ("`UNNEST`", r"unnest\("),
    "changelog": ("AS changelog FROM", r"AS changelog FROM"),
}  # fmt: skip
# Statements and functions: the words of the reference, and of any script.
OFFERED = {
    "watermark": ("`EMIT ON WINDOW CLOSE`", r"WATERMARK FOR"),
    "common tables": ("`WITH RECURSIVE`", r"WITH \w+( ?\([^)]*\))? AS"),
    "jsonb": ("## jsonb", r"jsonb_build_object\("),
    "arrays": ("## Arrays, maps and records", r"array_append\("),
    "intervals": ("Intervals are read in every spelling", r"'P\w+'|INTERVAL '1-2'|1 day 2"),
    "dates": ("## Dates and times", r"make_date\("),
    "vectors": ("## Vectors", r"l2_distance\("),
    "regular expressions": ("Regular expressions:", r"regexp_matches\("),
    "sql functions": ("LANGUAGE SQL", r"LANGUAGE SQL"),
    "python functions": ("LANGUAGE python", r"LANGUAGE python"),
    "primary key": ("`PRIMARY KEY (a, b)`", r"PRIMARY KEY ?\("),
    "on conflict": ("`ON CONFLICT DO NOTHING`", r"ON CONFLICT"),
    "default": ("`DEFAULT expr`", r"DEFAULT "),
    "not null and check": ("`UNIQUE`, `CHECK`, `NOT NULL`", r"CHECK \("),
    "identity": ("`SERIAL`", r"IDENTITY|SERIAL"),
    "generated column": ("`GENERATED ALWAYS AS (expr) STORED`", r"\w+ (INT|INTEGER) AS \("),
    "merge": ("`MERGE` takes", r"MERGE INTO"),
    "returning": ("`RETURNING`", r"RETURNING"),
    "alter table": ("`ALTER TABLE t` takes", r"ALTER TABLE \w+ ADD"),
    "schemas": ("`search_path`", r"search_path"),
    "index": ("`CREATE INDEX", r"CREATE INDEX"),
    "views": ("`CREATE VIEW`", r"CREATE VIEW"),
    "show and describe": ("`DESCRIBE t`", r"DESCRIBE "),
    "explain analyze": ("`EXPLAIN ANALYZE", r"EXPLAIN ANALYZE"),
    "sink into table": ("`CREATE SINK s INTO t", r"CREATE SINK \w+ INTO"),
    "subscription": ("`CREATE SUBSCRIPTION", r"CREATE SUBSCRIPTION"),
    "cursor": ("SUBSCRIPTION CURSOR", r"SUBSCRIPTION CURSOR"),
    "flush": ("`FLUSH` and `WAIT`", r"FLUSH"),
    "transactions": ("`SAVEPOINT`", r"SAVEPOINT"),
}  # fmt: skip


@pytest.mark.parametrize("feature", MAINTAINED)
def test_what_views_maintain_is_documented_and_played(feature: str) -> None:
    words, spelled = MAINTAINED[feature]
    assert words in REFERENCE
    pattern = re.compile(spelled, re.IGNORECASE)
    assert any(pattern.search(view) for view in VIEWS)


@pytest.mark.parametrize("feature", OFFERED)
def test_what_is_offered_is_documented_and_played(feature: str) -> None:
    words, spelled = OFFERED[feature]
    assert words in REFERENCE
    assert re.search(spelled, SCRIPTS, re.IGNORECASE)


def test_every_line_of_the_operators_table_belongs_to_a_feature() -> None:
    table = REFERENCE.split("## What views maintain from changes")[1].split("\n\n")[1]
    lines = [line for line in table.splitlines()[2:] if not line.startswith("| anything else")]
    words = [words for words, _ in MAINTAINED.values()]
    assert [line for line in lines if not any(word in line for word in words)] == []
