"""What each target is told of the published pipelines, and of definitions it cannot keep.

Write the golden files anew with VOLTSTREAM_GOLDEN=write, then read them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlglot
from typer.testing import CliRunner

from tests.connectors.real_postgres.given import postgresql
from tests.driver import Engine
from voltstream.cli.app import app
from voltstream.cli.definitions import Studied, scripted, studied
from voltstream.cli.definitions import told as definitions_of
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.deploy.drafting import Options
from voltstream.deploy.manifest import Deployment, changes, deployment_of, load, save
from voltstream.deploy.matrix import VERDICTS, feature_lines, function_lines
from voltstream.deploy.postgres_wire import submit
from voltstream.deploy.printing import script_text
from voltstream.deploy.script import NotDeployable, Script, Target, refuse
from voltstream.deploy.targets import script_for
from voltstream.sql.targets.features import Feature

ROOT = Path(__file__).parents[2]
SEEDS = ROOT.parent / "shared" / "seeds"
GOLDEN = Path(__file__).parent / "golden"
PIPELINES = {
    "ocpp": ["ocpp_streaming.sql"],
    "ami": ["ami_streaming.sql"],
    "cpo": ["cpo_timeseries.sql"],
}
METERS = (
    "CREATE TABLE transformer_meter_count (transformer_id VARCHAR PRIMARY KEY, total_meters BIGINT)"
)
OPTIONS = Options(kafka="kafka:9092")
seeded = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the published pipelines are not beside the project"
)


@pytest.fixture(scope="module")
def published() -> Iterator[dict[str, Studied]]:
    """Give a catalog of each pipeline."""
    found: dict[str, Studied] = {}
    stack = []
    for name, files in PIPELINES.items():
        manager = studied([METERS, *scripted([SEEDS / file for file in files])])
        found[name] = manager.__enter__()
        stack.append(manager)
    yield found
    for manager in stack:
        manager.__exit__(None, None, None)


def told(found: Studied, target: Target, options: Options = OPTIONS) -> Script:
    return script_for(target, found.catalog, found.reader, options)


@seeded
@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("name", list(PIPELINES))
def test_published_pipelines_are_written(
    published: dict[str, Studied], name: str, target: Target
) -> None:
    text = script_text(told(published[name], target))
    file = GOLDEN / f"{name}.{target.value}.sql"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@seeded
@pytest.mark.parametrize("name", list(PIPELINES))
def test_risingwave_statements_are_its_grammar(published: dict[str, Studied], name: str) -> None:
    for statement in told(published[name], Target.RISINGWAVE).statements:
        assert not isinstance(
            sqlglot.parse_one(_queried(statement.text), read="risingwave"), sqlglot.exp.Command
        ), statement.text


def _queried(text: str) -> str:
    """Leave out what only RisingWave's own parser knows: options of a format."""
    return text.split("\nFORMAT ", maxsplit=1)[0]


@seeded
def test_views_of_timescaledb_run_on_postgresql(
    published: dict[str, Studied],
) -> None:
    """Everything but the calls of the extension, which no package here has."""
    with postgresql() as server:
        url = server.url
        for name in PIPELINES:
            script = told(published[name], Target.TIMESCALEDB)
            submit(
                url, [BUCKET, *(_plain(one.text) for one in script.statements if _runs(one.kind))]
            )
            with psycopg.connect(url, autocommit=True) as connection:
                for one in script.statements:
                    if one.kind in ("view", "continuous aggregate"):
                        connection.execute(f"SELECT * FROM {one.name}".encode())
            submit(url, [one.undo for one in reversed(script.statements) if one.undo])


# The extension's function with the meaning that its documentation gives it.
BUCKET = """CREATE OR REPLACE FUNCTION time_bucket(width INTERVAL, ts TIMESTAMPTZ,
origin TIMESTAMPTZ DEFAULT '2000-01-03 00:00:00+00') RETURNS TIMESTAMPTZ
LANGUAGE SQL IMMUTABLE AS 'SELECT date_bin(width, ts, origin)'"""


def _runs(kind: str) -> bool:
    return kind not in ("hypertable", "compression", "policy")


def _plain(text: str) -> str:
    options = "WITH (timescaledb.continuous, timescaledb.materialized_only = false) "
    return text.replace(options, "").replace("\nWITH NO DATA", "")


SOURCE = (
    "CREATE SOURCE reads (meter_id VARCHAR, read_at TIMESTAMPTZ, kwh DOUBLE PRECISION, "
    "WATERMARK FOR read_at AS read_at - INTERVAL '5 minutes') WITH (connector = 'kafka', "
    "topic = 'reads', properties.bootstrap.server = 'kafka:9092') FORMAT PLAIN ENCODE JSON"
)
REFUSED = {
    "CREATE MATERIALIZED VIEW v AS SELECT meter_id, translate(meter_id, 'a', 'b') AS y FROM reads":
        "translate",
    "CREATE MATERIALIZED VIEW v AS SELECT r.*, avg(kwh) OVER (PARTITION BY meter_id "
    "ORDER BY read_at ROWS 3 PRECEDING) AS before FROM reads r": "a window frame of some rows",
}  # fmt: skip


def test_what_a_target_cannot_keep_is_refused_with_what_reads_it() -> None:
    for text, reason in REFUSED.items():
        with studied([SOURCE, text, "CREATE VIEW above AS SELECT 1 FROM v"]) as found:
            script = told(found, Target.FLINK)
            assert {note.object for note in script.refused} == {"public.v", "public.above"}
            with pytest.raises(NotDeployable, match=reason) as error:
                refuse(script)
            assert error.value.sqlstate == "0A000"
            assert error.value.hint
            only = script_for(
                Target.FLINK, found.catalog, found.reader, OPTIONS, only=["public.reads"]
            )
            refuse(only)
            assert [one.name for one in only.statements] == ["`reads`"]


SHAPES = (
    "CREATE TABLE limits (name TEXT PRIMARY KEY, after INTERVAL NOT NULL)",
    "CREATE TABLE seen (meter TEXT, at TIMESTAMPTZ, kwh NUMERIC(12, 3), flags BIGINT, "
    "rank INT, PRIMARY KEY (meter, at))",
    "CREATE TABLE zones (meter TEXT PRIMARY KEY, zone TEXT)",
    "CREATE MATERIALIZED VIEW spans AS SELECT name, 2 * after AS twice FROM limits",
    "CREATE MATERIALIZED VIEW late AS SELECT s.meter, s.at, s.at + l.after AS until "
    "FROM seen s CROSS JOIN limits l WHERE s.at + l.after < NOW()",
    "CREATE MATERIALIZED VIEW steps AS SELECT meter, at, kwh - lag(kwh) OVER w AS step, "
    "lead(at) OVER w - at > INTERVAL '1 hour' AS gap, sum(kwh) OVER w AS total FROM seen "
    "WINDOW w AS (PARTITION BY meter ORDER BY at)",
    "CREATE MATERIALIZED VIEW near AS SELECT a.meter, a.at, b.kwh FROM seen a "
    "ASOF LEFT JOIN seen b ON a.meter = b.meter AND a.at > b.at",
    "CREATE MATERIALIZED VIEW marked AS SELECT meter, at, (flags & 12) <> 0 AS bad, "
    "CASE WHEN kwh < 0 THEN 1 ELSE 0 END | CASE WHEN kwh > 9 THEN 2 ELSE 0 END AS flags FROM seen",
    "CREATE MATERIALIZED VIEW best AS SELECT meter, (top).f2 AS kwh, n FROM (SELECT meter, "
    "max(row(rank, kwh)) AS top, count(*) AS n FROM seen GROUP BY meter) AS x",
    "CREATE MATERIALIZED VIEW latest AS SELECT meter, max_by(kwh, at) AS kwh, "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY kwh::float8) AS half FROM seen GROUP BY meter",
    "CREATE MATERIALIZED VIEW quarters AS SELECT s.meter, g.q FROM seen s CROSS JOIN LATERAL "
    "generate_series(s.at, s.at + INTERVAL '1 hour', INTERVAL '15 minutes') AS g(q)",
    "CREATE MATERIALIZED VIEW days AS SELECT d FROM generate_series("
    "TIMESTAMPTZ '2026-01-01 00:00Z', NOW(), INTERVAL '1 day') AS s(d)",
    "CREATE MATERIALIZED VIEW held AS SELECT s.meter, s.at AT TIME ZONE z.zone AS clock, "
    "TIMESTAMPTZ 'infinity' AS until FROM seen s JOIN zones z ON z.meter = s.meter",
)


def test_what_flink_has_no_word_for_is_written_with_what_it_has() -> None:
    """A golden file: tests/cluster runs what packs make of the same."""
    with studied(SHAPES) as found:
        script = told(found, Target.FLINK)
    refuse(script)
    text = "".join(f"{one.text};\n\n" for one in script.definitions if one.kind == "view")
    shown = {one.name: dict(one.shown) for one in script.outputs}
    assert "* INTERVAL '1 second'" in str(shown["spans"]["twice"])
    assert "infinity" in str(shown["held"]["until"])
    assert shown["near"] == {}
    file = GOLDEN / "shapes.flink.sql"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_windows_that_close_are_window_functions_and_others_arithmetic() -> None:
    windows = (
        "SELECT meter_id, window_start, window_end, sum(kwh) AS kwh FROM "
        "TUMBLE(reads, read_at, INTERVAL '15 minutes') GROUP BY 1, 2, 3"
    )
    with studied(
        [
            SOURCE,
            f"CREATE MATERIALIZED VIEW open AS {windows}",
            f"CREATE MATERIALIZED VIEW closed AS {windows} EMIT ON WINDOW CLOSE",
        ]
    ) as found:
        views = {one.name: one.text for one in told(found, Target.FLINK).definitions}
        assert (
            "WATERMARK FOR read_at__rowtime AS read_at__rowtime - INTERVAL '5' MINUTE"
            in (views["`reads`"])
        )
        assert (
            "TABLE(TUMBLE(TABLE w1, DESCRIPTOR(`read_at__rowtime`), INTERVAL '15' MINUTE))"
            in (views["`closed`"])
        )
        assert "TUMBLE" not in views["`open`"]
        wave = {one.name: one.text for one in told(found, Target.RISINGWAVE).statements}
        assert wave["public.closed"].endswith("EMIT ON WINDOW CLOSE")
        assert {note.object for note in told(found, Target.TIMESCALEDB).refused} == {
            "public.closed"
        }


def test_a_second_deployment_makes_what_differs_and_never_a_table_anew(tmp_path: Path) -> None:
    view = "CREATE MATERIALIZED VIEW v AS SELECT meter_id, kwh FROM reads"
    above = "CREATE MATERIALIZED VIEW above AS SELECT meter_id FROM v"
    with studied([SOURCE, view, above]) as found:
        first = told(found, Target.RISINGWAVE)
    assert len(changes(Deployment(Target.RISINGWAVE), first).made) == 3
    save(tmp_path, deployment_of(first))
    before = load(tmp_path, Target.RISINGWAVE)
    assert changes(before, first).none
    with studied([SOURCE, view + " WHERE kwh > 0", above]) as found:
        planned = changes(before, told(found, Target.RISINGWAVE))
    assert planned.shown == ("~ materialized view public.v",)
    assert [one.name for one in planned.made] == ["public.v", "public.above"]
    assert planned.undone == (
        'DROP MATERIALIZED VIEW IF EXISTS "above"',
        'DROP MATERIALIZED VIEW IF EXISTS "v"',
    )
    with pytest.raises(InvalidParameter, match="not to flink"):
        load(tmp_path, Target.FLINK)
    table = "CREATE TABLE t (a INT PRIMARY KEY)"
    with studied([table]) as found:
        kept = deployment_of(told(found, Target.TIMESCALEDB))
    with (
        studied([table.replace("INT", "BIGINT")]) as found,
        pytest.raises(InvalidParameter, match="lose its rows"),
    ):
        changes(kept, told(found, Target.TIMESCALEDB))


def test_command_writes_and_compares_a_folder(tmp_path: Path) -> None:
    file, out = tmp_path / "p.sql", tmp_path / "out"
    file.write_text(SOURCE + ";\nCREATE MATERIALIZED VIEW v AS SELECT meter_id FROM reads;\n")
    arguments = ["--target", "risingwave", "-f", str(file), "--out", str(out)]
    run = CliRunner().invoke
    shown = run(app, ["deploy", *arguments[:4], "--dry-run"])
    assert shown.exit_code == 0
    assert "CREATE MATERIALIZED VIEW v AS" in shown.stdout.replace('"', "")
    assert not out.exists()
    assert run(app, ["deploy", *arguments]).exit_code == 0
    assert (out / "deploy.sql").read_text() == shown.stdout
    assert (out / "destroy.sql").read_text().startswith("DROP MATERIALIZED VIEW")
    differs = run(app, ["deploy", "diff", *arguments])
    assert differs.exit_code == 1
    assert "+ materialized view public.v" in differs.stdout


def test_greatest_record_is_the_first_row_of_each_field(tmp_path: Path) -> None:
    """Values and the greatest record, on PostgreSQL as in the engine."""
    table = "CREATE TABLE r (m TEXT, q INT, seen TIMESTAMPTZ, v NUMERIC(10, 2))"
    view = (
        "CREATE MATERIALIZED VIEW best AS SELECT m, (top).f3 AS v, n FROM "
        "(SELECT m, MAX(ROW(q, seen, v)) AS top, count(*) AS n FROM r GROUP BY m) AS x"
    )
    rows = (
        "INSERT INTO r VALUES ('a', 1, NULL, 5), ('a', 2, '2026-01-01 00:00Z', 6), "
        "('a', 2, '2026-01-02 00:00Z', 7), ('b', NULL, NULL, 8), ('b', 9, NULL, 9)"
    )
    query = "SELECT m, v, n FROM best ORDER BY m"
    engine = Engine(tmp_path, SystemClock())
    try:
        engine.run(table)
        engine.run(view)
        engine.run(rows)
        ours = engine.run(query)
    finally:
        engine.close()
    with studied([table, view]) as found, postgresql() as server:
        script = told(found, Target.TIMESCALEDB)
        submit(server.url, [one.text for one in script.statements])
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(rows.encode())
            assert connection.execute(query.encode()).fetchall() == ours


def test_definitions_of_a_server_are_those_it_was_given(address: str, tmp_path: Path) -> None:
    statements = [
        "CREATE SCHEMA grid",
        "CREATE TABLE m (time TIMESTAMPTZ NOT NULL, id TEXT NOT NULL, v DOUBLE PRECISION)",
        "SELECT create_hypertable('m', by_range('time', INTERVAL '1 day'))",
        "ALTER TABLE m SET (timescaledb.compress, timescaledb.compress_segmentby = 'id')",
        "CREATE FUNCTION twice(a DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE SQL "
        "AS 'SELECT a * 2'",
        "CREATE MATERIALIZED VIEW d AS SELECT time_bucket('1 day', time) AS day, "
        "max(twice(v)) AS v FROM m GROUP BY 1",
        "CREATE TABLE grid.t (a INT PRIMARY KEY, b TEXT)",
        "CREATE VIEW grid.w AS SELECT a FROM grid.t WHERE b = 'x'",
        "CREATE INDEX by_b ON grid.t (b)",
    ]
    with psycopg.connect(address, autocommit=True) as connection:
        for text in statements:
            connection.execute(text.encode())
        asked = definitions_of(connection)
    with studied(statements) as given, studied(asked) as found:
        wanted = script_text(told(given, Target.TIMESCALEDB))
        assert script_text(told(found, Target.TIMESCALEDB)) == wanted
    assert "by_range('time', INTERVAL '1 day')" in wanted
    assert "add_continuous_aggregate_policy" in wanted


LIVE = {
    Target.RISINGWAVE: "VOLTSTREAM_TEST_RISINGWAVE_URL",
    Target.TIMESCALEDB: "VOLTSTREAM_TEST_TIMESCALEDB_URL",
}


@seeded
@pytest.mark.parametrize("target", list(LIVE))
def test_live_target_takes_every_statement(published: dict[str, Studied], target: Target) -> None:
    url = os.environ.get(LIVE[target])
    if not url:
        pytest.skip(f"not run: {LIVE[target]} names no server")
    for name in PIPELINES:
        script = told(published[name], target)
        statements = [one for one in script.statements if one.kind != "sink"]
        try:
            submit(url, [*script.settings, *(one.text for one in statements)])
        finally:
            submit(url, [one.undo for one in reversed(statements) if one.undo])


def test_matrix_is_whole_and_published() -> None:
    for verdicts in VERDICTS.values():
        assert set(verdicts) == set(Feature)
    reference = ROOT / "docs" / "reference" / "deploy.md"
    head, _, rest = reference.read_text().partition("<!-- features -->\n")
    middle, _, tail = rest.partition("<!-- functions -->\n")
    made = "\n".join(feature_lines()) + "\n\n"
    functions = "\n".join(function_lines()) + "\n"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        between = middle[middle.find("\n\n") + 2 :] if "\n\n" in middle else ""
        reference.write_text(
            f"{head}<!-- features -->\n{made}{between}<!-- functions -->\n{functions}"
        )
        return
    assert middle.startswith(made)
    assert tail == functions
