"""What Flink reads: from where on, which rows of a key, and what a refused view leaves behind."""

from __future__ import annotations

import pytest

from voltstream.cli.definitions import studied
from voltstream.deploy.drafting import Options
from voltstream.deploy.script import Script, Target
from voltstream.deploy.targets import script_for
from voltstream.sql.targets.flink_series import TICKS

SOURCE = """CREATE SOURCE reading (charger_id TEXT, at TIMESTAMPTZ, kwh DOUBLE PRECISION)
WITH (connector = 'kafka', topic = 'reading', properties.bootstrap.server = 'kafka:9092'{start})
FORMAT PLAIN ENCODE JSON"""
TOTALS = "CREATE MATERIALIZED VIEW totals AS SELECT sum(kwh) AS kwh FROM reading"
METERS = """CREATE TABLE meters (id INT PRIMARY KEY, site TEXT){conflict}
WITH (connector = 'kafka', topic = 'meters', properties.bootstrap.server = 'kafka:9092')
FORMAT {form} ENCODE JSON"""
SITES = "CREATE MATERIALIZED VIEW sites AS SELECT site, count(*) AS n FROM meters GROUP BY site"


DEPTH = 4  # Each view reads the one below twice: the last is planned from 31.


def script(*statements: str, null_keys: bool = False) -> Script:
    options = Options(kafka="kafka:9092", null_keys=null_keys)
    with studied(statements) as found:
        return script_for(Target.FLINK, found.catalog, found.reader, options, ())


def text(made: Script, name: str) -> str:
    [found] = [one.text for one in made.definitions if one.name.strip("`") == name]
    return found


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("", ["'scan.startup.mode' = 'earliest-offset'"]),
        (", scan.startup.mode = 'latest'", ["'scan.startup.mode' = 'latest-offset'"]),
        (
            ", scan.startup.mode = 'timestamp', scan.startup.timestamp.millis = '1700000000000'",
            ["'scan.startup.mode' = 'timestamp'", "'scan.startup.timestamp-millis' = '170000000"],
        ),
    ],
)
def test_a_topic_is_read_from_where_it_is_read_here(start: str, told: list[str]) -> None:
    found = text(script(SOURCE.format(start=start), TOTALS), "reading")
    assert all(one in found for one in told), found


def test_what_is_sent_again_to_a_topic_of_ours_counts_once() -> None:
    found = script("CREATE SOURCE pushed (kwh FLOAT)", TOTALS.replace("reading", "pushed"))
    assert "'properties.isolation.level' = 'read_committed'" in text(found, "pushed")


@pytest.mark.parametrize(
    ("form", "conflict", "refused"),
    [("UPSERT", "", []), ("PLAIN", "", ["FORMAT PLAIN"]),
     ("UPSERT", " ON CONFLICT DO NOTHING", ["ON CONFLICT"])],
)  # fmt: skip
def test_rows_of_a_key_are_those_of_records_keys(
    form: str, conflict: str, refused: list[str]
) -> None:
    found = script(METERS.format(form=form, conflict=conflict), SITES)
    named = [one.said for one in found.refused if one.object == "public.meters"]
    assert [any(word in one for one in named) for word in refused] == [True] * len(refused)
    assert len(named) == len(refused)
    if not refused:
        assert "'value.json.ignore-parse-errors' = 'true'" in text(found, "meters")


@pytest.mark.parametrize("null_keys", [False, True])
def test_a_view_is_read_from_its_topic_where_that_has_all_its_rows(null_keys: bool) -> None:
    pairs = (
        f"CREATE MATERIALIZED VIEW v{n} AS SELECT a.charger_id, max(a.kwh + b.kwh) AS kwh "
        f"FROM v{n - 1} AS a JOIN v{n - 1} AS b ON a.kwh = b.kwh GROUP BY a.charger_id"
        for n in range(1, DEPTH + 1)
    )
    first = (
        "CREATE MATERIALIZED VIEW v0 AS SELECT charger_id, max(kwh) AS kwh FROM reading GROUP BY 1"
    )
    found = script(SOURCE.format(start=""), first, *pairs, null_keys=null_keys)
    assert any(one.name.endswith("__read_back") for one in found.statements) is null_keys


def test_a_refused_view_leaves_the_clock_to_the_next() -> None:
    recent = "FROM reading WHERE at > NOW() - INTERVAL '1 hour' GROUP BY charger_id"
    found = script(
        SOURCE.format(start=""),
        f"CREATE MATERIALIZED VIEW a AS SELECT charger_id, regr_slope(kwh, kwh) AS s {recent}",
        f"CREATE MATERIALIZED VIEW b AS SELECT charger_id, sum(kwh) AS kwh {recent}",
    )
    assert {one.object for one in found.refused} == {"public.a"}
    made = [one.name.strip("`") for one in found.definitions]
    assert made.index(TICKS.strip("`")) < made.index("b")
