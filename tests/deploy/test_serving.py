"""A serving node's tables and views over what a cluster publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from tests.driver import Engine
from voltstream.cli.app import app
from voltstream.cli.definitions import studied
from voltstream.cli.deploy_serving import fed, feeding_text
from voltstream.cli.script import split_script
from voltstream.core.clock import ManualClock
from voltstream.core.ports import RawBatch
from voltstream.deploy.drafting import Options
from voltstream.deploy.flink_deployed import appended, upserted
from voltstream.deploy.script import Field, Output, Target
from voltstream.deploy.serving import serving_script
from voltstream.deploy.serving_rest import served
from voltstream.deploy.targets import script_for

LAST = Output(
    "public.last_heartbeat", "last_heartbeat", "v.last_heartbeat",
    (Field("charge_point_id", "character varying"),
     Field("heartbeat_ts", "timestamp with time zone")),
    ("charge_point_id",),
    shown=(
        ("charge_point_id", "charge_point_id"),
        ("minutes", "EXTRACT(EPOCH FROM (NOW() - heartbeat_ts)) / 60.0"),
    ),
)  # fmt: skip
BAG = Output(
    "grid.Loads", "Loads", "v.loads",
    (Field("_key", "character varying"), Field("kw", "double precision"),
     Field("_copies", "bigint")),
    ("_key",), copies="_copies",
)  # fmt: skip
PLAIN = Output("public.totals", "totals", "v.totals", (Field("n", "integer"),), ("n",))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Engine]:
    clock = ManualClock(1_780_315_200_000_000)
    engine = Engine(tmp_path, clock)
    for text in serving_script((LAST, BAG, PLAIN), {}):
        # Rows are pushed here as the connector brings them from a topic.
        engine.run(text.replace("connector = 'kafka'", "connector = 'none'"))
    yield engine
    engine.close()


def push(engine: Engine, table: str, *records: tuple[object, object]) -> None:
    keys = pa.table({"key": pa.array([json.dumps(key).encode() for key, _ in records])})
    values = [b"" if value is None else json.dumps(value).encode() for _, value in records]
    batch = RawBatch("json", records=values, keys=keys.column(0).to_pylist())
    engine.instance.submit("volt", table, batch).result(20)


def test_rows_come_change_and_go_as_the_cluster_says(node: Engine) -> None:
    push(node, "totals", ({"n": 1}, {"n": 1}), ({"n": 2}, {"n": 2}))
    push(node, "totals", ({"n": 1}, None))
    assert node.run("SELECT * FROM totals") == [(2,)]


def test_what_shows_now_shows_it_at_the_reading(node: Engine) -> None:
    row = {"charge_point_id": "A", "heartbeat_ts": "2026-06-01T11:58:30Z"}
    push(node, "last_heartbeat__rows", ({"charge_point_id": "A"}, row))
    assert node.run("SELECT charge_point_id, minutes::FLOAT FROM last_heartbeat") == [("A", 1.5)]


def test_equal_rows_are_shown_as_often_as_they_occur(node: Engine) -> None:
    row = {"_key": "x", "kw": 1.5, "_copies": 3}
    push(node, "grid.Loads__rows", ({"_key": "x"}, row))
    assert node.run('SELECT * FROM grid."Loads"') == [(1.5,)] * 3


DEFINED = """
CREATE SCHEMA grid;
CREATE TABLE sites (site TEXT PRIMARY KEY, region TEXT NOT NULL DEFAULT 'north');
CREATE SOURCE readings (site TEXT, at TIMESTAMPTZ, kwh DOUBLE PRECISION);
CREATE FUNCTION half(a DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE SQL AS 'SELECT a / 2';
CREATE MATERIALIZED VIEW grid.totals AS
SELECT site, sum(kwh) AS kwh, count(*) AS n FROM readings GROUP BY site;
CREATE MATERIALIZED VIEW high WITH (alert.key = 'site', alert.title = 'Much') AS
SELECT site, kwh FROM grid.totals WHERE kwh > 10;
CREATE MATERIALIZED VIEW spread AS
SELECT s.region, regr_slope(t.kwh, t.n) AS slope, sum(half(t.kwh)) AS halves
FROM grid.totals t JOIN sites s USING (site) GROUP BY s.region;
CREATE VIEW regions AS SELECT region, halves FROM spread;
CREATE SCHEMA shown;
CREATE VIEW shown.regions AS SELECT region, halves FROM regions;
CREATE VIEW lately AS SELECT site, kwh FROM readings;
CREATE SINK out_there FROM spread WITH (connector = 'webhook', url = 'http://127.0.0.1:1/');
"""


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the files of a deployment, by their names."""
    file, out = tmp_path_factory.mktemp("defined") / "defined.sql", tmp_path_factory.mktemp("out")
    file.write_text(DEFINED)
    command = ["deploy", "--target", "flink", "-f", str(file), "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--kafka", "kafka:9092", "--leave-refused"])
    assert done.exit_code == 0, done.output
    assert "public.spread: refused: " in done.stderr
    return {one.name: one.read_text() for one in out.glob("*.sql")}


def test_what_the_cluster_does_not_keep_the_node_keeps_over_what_it_does(
    texts: dict[str, str], tmp_path: Path
) -> None:
    node = Engine(tmp_path / "node", ManualClock(1_780_315_200_000_000))
    try:
        node.run(texts["serving.sql"].replace("connector = 'kafka'", "connector = 'none'"))
        push(node, "sites", ({"site": "a"}, {"site": "a", "region": "north"}),
             ({"site": "b"}, {"site": "b", "region": "north"}))  # fmt: skip
        totals = (("a", 4.0, 2), ("b", 12.0, 3))
        push(
            node,
            "grid.totals",
            *(({"site": site}, {"site": site, "kwh": kwh, "n": n}) for site, kwh, n in totals),
        )
        high: dict[str, object] = {"_key": "x", "site": "b", "kwh": 12.0, "_copies": 1}
        push(node, "high__rows", ({"_key": "x"}, high))
        assert node.run("SELECT region, slope, halves FROM spread") == [("north", 8.0, 8.0)]
        assert node.run("SELECT * FROM regions") == [("north", 8.0)]
        assert node.run("SELECT * FROM high") == [("b", 12.0)]
        assert node.run("SELECT entity, title FROM alerts") == [("b", "Much")]
        push(node, "grid.totals", ({"site": "a"}, None))
        push(node, "high__rows", ({"_key": "x"}, None))
        assert node.run("SELECT * FROM shown.regions") == [("north", 6.0)]
        assert node.run("SELECT entity FROM alerts") == []
        assert node.run("SELECT * FROM lately") == []
    finally:
        node.close()
    assert "-- public.out_there: left out: " in texts["serving.sql"]


def test_the_server_in_front_sends_what_the_cluster_reads(texts: dict[str, str]) -> None:
    statements = [text for _, text in split_script(texts["feeding.sql"])]
    assert ["FORMAT UPSERT" in one for one in statements] == [True, False]
    with studied([DEFINED, *statements]) as found:
        sinks = {one.stored.name: one.stored.properties for one in found.catalog.of_kind("sink")}
        # Where the topics of sources are not to be read, what needs them is not there.
        options = Options(kafka="kafka:9092")
        script = script_for(
            Target.FLINK, found.catalog, found.reader, options, ["grid.totals", "sites"]
        )
        made = served(script, found.catalog, options, events=False)
    for name, key in (("sites", "site"), ("readings", "site")):
        sink = sinks[f"{name}__feed"]
        assert (sink["topic"], sink["primary_key"]) == (f"voltstream.{name}", key)
        assert f"'topic' = 'voltstream.{name}'" in texts["deploy.sql"]
    assert appended(script) == ("voltstream.readings",)
    assert upserted(script) == ("voltstream.sites", "voltstream.grid.totals")
    assert "voltstream.readings" not in "".join(made.inputs)
    assert made.left["public.lately"].startswith("it reads public.readings: ")
    assert any(text.startswith("CREATE MATERIALIZED VIEW spread") for text in made.rest)


def test_what_only_the_node_reads_is_sent_too_and_has_one_reader() -> None:
    statements = (
        "CREATE SOURCE reading (kwh FLOAT)",
        "CREATE TABLE prices (site TEXT PRIMARY KEY, cents FLOAT)",
        "CREATE SOURCE bells (rang FLOAT) WITH (connector = 'mqtt', url = 'tcp://here', "
        "topic = 'bells') FORMAT PLAIN ENCODE JSON",
        "CREATE MATERIALIZED VIEW a AS SELECT sum(kwh) AS kwh FROM reading",
        "CREATE MATERIALIZED VIEW b AS SELECT max(cents) AS cents FROM prices",
        "CREATE MATERIALIZED VIEW c AS SELECT count(*) AS n FROM bells",
    )
    options = Options(kafka="kafka:9092")
    with studied(statements) as found:
        script = script_for(Target.FLINK, found.catalog, found.reader, options, ["a"])
        made = served(script, found.catalog, options)
        script = replace(script, fed=fed(script, made, options))
        feeding = feeding_text(script, made, found, options)
    assert "CREATE MATERIALIZED VIEW b" in "".join(made.rest)
    assert "'voltstream.prices'" in feeding and "'voltstream.reading'" in feeding
    # Rows without a key come once, also where they are sent again.
    assert ["exactly_once" in one for one in feeding.split(";") if "SINK" in one] == [True, False]
    assert (appended(script), upserted(script)[-1]) == (
        ("voltstream.reading",),
        "voltstream.prices",
    )
    # Two servers would take the broker's one session from each other.
    assert "bells" not in "".join(made.inputs) and "one reader" in made.left["public.c"]
