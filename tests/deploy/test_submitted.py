"""Deployments to a real PostgreSQL: made once, compared, changed, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from tests.connectors.real_postgres.given import postgresql
from tests.driver import Engine, bag
from voltstream.cli.app import app
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter, TargetRefused

PIPELINE = """
CREATE SCHEMA grid;
CREATE TABLE grid.sites (site TEXT PRIMARY KEY, region TEXT NOT NULL);
CREATE TABLE reading (time TIMESTAMPTZ NOT NULL, site TEXT, kwh NUMERIC(10, 3), price NUMERIC)
WITH (tsdb.hypertable, tsdb.chunk_interval = '1 day');
CREATE INDEX by_site ON reading (site, time DESC);
CREATE MATERIALIZED VIEW hourly AS
SELECT site, time_bucket('1 hour', time) AS hour, sum(kwh) AS kwh, max(price) AS price
FROM reading GROUP BY 1, 2;
CREATE MATERIALIZED VIEW quarters AS
SELECT window_start, count(*) AS n FROM TUMBLE(reading, time, INTERVAL '15 minutes') GROUP BY 1;
CREATE MATERIALIZED VIEW regions AS
SELECT s.region, h.hour, sum(h.kwh) AS kwh FROM hourly h
JOIN grid.sites s USING (site) GROUP BY 1, 2;
CREATE MATERIALIZED VIEW pairs AS
SELECT h.hour, s.region FROM hourly h FULL JOIN grid.sites s ON h.site IS NOT DISTINCT FROM s.site;
CREATE VIEW lately AS SELECT site, kwh FROM reading WHERE time > NOW() - INTERVAL '1000 days';
"""
ROWS = """
INSERT INTO grid.sites VALUES ('a', 'north'), ('b', 'south');
INSERT INTO reading SELECT TIMESTAMPTZ '1999-12-31 20:00+00' + n * INTERVAL '7 minutes',
CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, n / 8.0, n / 3.0 FROM generate_series(0, 99) AS n;
"""
VIEWS = ("hourly", "quarters", "regions", "pairs", "lately")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as server:
        yield server.url


def deployed(*arguments: str | Path) -> Result:
    found = CliRunner().invoke(app, ["deploy", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def asked(url: str, statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statements.encode())
        return cursor.fetchall() if cursor.description is not None else []


def relations(url: str) -> set[tuple[Any, ...]]:
    query = (
        "SELECT nspname, relname, relkind FROM pg_class c JOIN pg_namespace n ON n.oid = "
        "relnamespace WHERE nspname !~ '^(pg_|information_schema)' UNION ALL SELECT nspname, '', "
        "'n' FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
    )
    return set(asked(url, query))


def test_a_deployment_is_made_once_changed_and_taken_away(url: str, tmp_path: Path) -> None:
    """Law: what is there afterwards is what was there before."""
    data, file, out = tmp_path / "data", tmp_path / "p.sql", tmp_path / "out"
    file.write_text(PIPELINE)
    engine = Engine(data, SystemClock())
    try:
        engine.run(PIPELINE + ROWS)
        ours = {view: bag(engine.run(f"SELECT * FROM {view}")) for view in VIEWS}
    finally:
        engine.close()
    asked(url, "CREATE TABLE own (a INT)")
    before = relations(url)
    target = ("--target", "timescaledb", "--plain", "--out", out)
    assert deployed(*target, "-f", file, "--to", url).exit_code == 0
    asked(url, ROWS)
    assert {view: bag(asked(url, f"SELECT * FROM {view}")) for view in VIEWS} == ours

    # The same definitions, of the script and of a data directory that no server has open.
    there = relations(url)
    again = deployed(*target, "-f", file, "--to", url)
    assert again.stdout == "timescaledb has everything already\n"
    assert (deployed("diff", *target, "-f", file).exit_code, relations(url)) == (0, there)
    stopped = deployed("diff", *target, "--data", data)
    assert (stopped.exit_code, stopped.stdout) == (0, "")

    file.write_text(PIPELINE.replace("max(price)", "min(price)"))
    shown = deployed("diff", *target, "-f", file)
    assert (shown.exit_code, shown.stdout) == (1, "~ view public.hourly\n")
    assert deployed(*target, "-f", file, "--to", url).exit_code == 0
    assert relations(url) == there
    assert asked(url, "SELECT count(*) FROM reading") == [(100,)]
    (low,) = asked(url, "SELECT min(price) FROM hourly")
    assert low == (0,)

    gone = deployed("destroy", "--target", "timescaledb", "--out", out, "--to", url)
    assert "objects are gone" in gone.stdout
    assert relations(url) == before
    gone = deployed("destroy", "--target", "timescaledb", "--out", out, "--to", url)
    assert gone.stdout == "nothing is deployed\n"


def test_a_deployment_that_failed_in_the_middle_goes_on(url: str, tmp_path: Path) -> None:
    file, out = tmp_path / "p.sql", tmp_path / "out"
    file.write_text(
        "CREATE TABLE one (a INT PRIMARY KEY); CREATE TABLE two (a INT PRIMARY KEY);"
        "CREATE MATERIALIZED VIEW both_ AS SELECT one.a FROM one JOIN two USING (a);"
    )
    target = ("--target", "timescaledb", "--plain", "-f", file, "--out", out, "--to", url)
    asked(url, "CREATE TABLE two (b TEXT)")
    with pytest.raises(TargetRefused, match="already exists"):
        deployed(*target)
    asked(url, "DROP TABLE two")
    assert deployed(*target).exit_code == 0
    assert asked(url, "SELECT count(*) FROM both_") == [(0,)]
    deployed("destroy", *target[:3], *target[5:])


def test_a_table_that_the_script_lacks_keeps_its_rows(url: str, tmp_path: Path) -> None:
    whole, less, out = tmp_path / "whole.sql", tmp_path / "less.sql", tmp_path / "out"
    view = "CREATE MATERIALIZED VIEW sums AS SELECT sum(kwh) AS kwh FROM meters;"
    meters = "CREATE SCHEMA depot; CREATE TABLE meters (id INT PRIMARY KEY, kwh INT);"
    whole.write_text(f"{meters} CREATE TABLE depot.bays (id INT PRIMARY KEY); {view}")
    less.write_text(f"{meters} {view}")
    target, before = ("--target", "timescaledb", "--plain", "--out", out), relations(url)
    assert deployed(*target, "-f", whole, "--to", url).exit_code == 0
    asked(url, "INSERT INTO depot.bays VALUES (1), (2); INSERT INTO meters VALUES (1, 10)")
    there = relations(url)
    for fewer in (("-f", less), ("-f", whole, "--only", "sums")):
        for verb in (("--to", url), ()):
            with pytest.raises(InvalidParameter, match="lose its rows") as error:
                deployed(*target, *fewer, *verb)
            assert "table depot.bays is not in the script" in error.value.message
            assert "destroy" in str(error.value.hint)
    assert relations(url) == there
    assert asked(url, "SELECT count(*) FROM depot.bays") == [(2,)]

    # What only reads goes, and the table is still known.
    less.write_text(whole.read_text().replace(view, ""))
    assert deployed(*target, "-f", less, "--to", url).stdout.endswith("- view public.sums\n")
    assert asked(url, "SELECT count(*) FROM depot.bays") == [(2,)]
    deployed("destroy", *target[:2], "--out", out, "--to", url)
    assert relations(url) == before
