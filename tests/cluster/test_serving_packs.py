"""A serving node of packs: panels, page and wire over topics are as on the embedded engine.

No Flink runs: rows of the embedded engine's views are written as Flink's upsert-kafka writes them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Producer

from tests.cluster.packs import PACKS, _live, instant, lived
from tests.cluster.results import Record, published
from tests.connectors.real_kafka.broker import Broker
from tests.driver import Engine, bag
from tests.packs.grafana import asked
from tests.web.asgi_client import AsgiClient
from tests.web.streams import streamed
from voltstream.cli.definitions import Studied
from voltstream.cli.deploy_serving import feeding_text, serving_text
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import install
from voltstream.cli.packs import load_pack
from voltstream.core.clock import ManualClock
from voltstream.core.errors import VoltstreamError
from voltstream.deploy.drafting import Options
from voltstream.deploy.objects import Deployed, deployed
from voltstream.deploy.script import Script, Target
from voltstream.deploy.serving_rest import served
from voltstream.deploy.targets import GENERATORS
from voltstream.web.app import build_app

pytestmark = pytest.mark.timeout(1800)  # Two packs are installed twice.
WAIT_S = 90  # Since anything came nearer.
SINCE = {"since", "opened_at", "at"}  # When an alert was seen: each server says its own time.
WIDE = "BETWEEN '2020-01-01T00:00:00Z' AND '2040-01-01T00:00:00Z'"
ROOT = Path(__file__).parents[2]
_WATCHED = re.compile(r"\bof: \[([^\]]*)\]")


@dataclass
class Pair:
    """What was lived through here, and who serves it there."""

    embedded: Engine
    serving: Engine
    script: Script
    objects: dict[str, Deployed]
    brokers: str

    def written(self, name: str) -> list[Record]:
        """Return a view's rows as the cluster has them now."""
        running = self.embedded.instance.engine("volt")
        [output] = [one for one in self.script.outputs if one.object == name]
        with contextlib.closing(running.reader()) as reader:
            return list(published(self.objects[name], output, reader))

    def send(self, records: list[Record] | list[tuple[str, str, None]]) -> None:
        producer = Producer({"bootstrap.servers": self.brokers, "linger.ms": 20, "log_level": 0})
        for topic, key, value in records:
            producer.produce(topic, value, key=key)
            producer.poll(0)
        assert producer.flush(120) == 0


@pytest.fixture(scope="module")
def pair(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    embedded = lived(
        "ocpp", ("sessions", "alerts", "billing", "uptime"), tmp_path_factory.mktemp("here"),
        "public",
    )  # fmt: skip
    for pack, scenarios in (("ami", ("reads", "outages")), ("grid", ("share",))):
        _more(embedded, pack, scenarios)
    running = embedded.instance.engine("volt")
    options = Options(kafka=broker.address, topics="served.")
    serving = None
    try:
        with contextlib.closing(running.reader()) as reader:
            objects = deployed(running.catalog, reader)
            script = GENERATORS[Target.FLINK](objects, reader, options)
            found = Studied(running.catalog, reader, embedded.session)
            made = served(script, found.catalog, options)
            serving_sql = serving_text(made, found)
            feeding_sql = feeding_text(script, made, found, options)
        for topic in sorted(set(re.findall(r"topic = '([^']+)'", serving_sql))):
            broker.create_topic(topic, 1)
        clock = ManualClock()
        clock.set(instant(embedded.clock))
        serving = Engine(tmp_path_factory.mktemp("there"), clock)
        both = Pair(embedded, serving, script, {one.name: one for one in objects}, broker.address)
        for output in script.outputs:
            both.send(both.written(output.object))
        embedded.run(feeding_sql)
        serving.run(serving_sql)
        yield both
    finally:
        embedded.close()
        if serving is not None:
            serving.close()


def _more(engine: Engine, pack: str, scenarios: tuple[str, ...]) -> None:
    """Install another pack and live through its tests, whose times may be earlier."""
    engine.run("SET search_path TO public")
    install(EngineDoor(engine.session), load_pack(pack))
    engine.run(f"SET search_path TO {pack}, ami, public")
    for name in scenarios:
        told = tomllib.loads((PACKS / pack / "tests" / f"{name}.toml").read_text())
        clock = engine.clock
        assert isinstance(clock, ManualClock)
        clock.set(max(instant(clock), told["clock"].astimezone(UTC)))
        for step in told["step"]:
            _live(engine, clock, step, "ami" if pack == "ami" else "public")
    engine.run("SET search_path TO public")


def rows(engine: Engine, sql: str, path: str = "public") -> Counter[Any]:
    """Return a query's rows, without what says when a server saw something."""
    engine.run(f"SET search_path TO {path}")
    names: list[str] = []
    found: list[tuple[object, ...]] = []
    for statement in engine.session.parse(sql):
        outcome = engine.session.execute(statement)
        assert outcome.rows is not None
        try:
            names = [column.name for column in outcome.rows.columns]
            for batch in outcome.rows.batches():
                found += zip(*map(_values, batch.columns), strict=True)
        finally:
            outcome.rows.close()
    alerts = "alert" in sql
    kept = [i for i, name in enumerate(names) if not (alerts and name in SINCE)]
    return bag([tuple(_plain(row[i]) for i in kept) for row in found])


def _values(column: pa.Array[Any]) -> list[Any]:
    """Return a column's values; instants, which may be infinite, as microseconds."""
    instants = pa.types.is_timestamp(column.type)
    return (column.cast(pa.int64()) if instants else column).to_pylist()


def _plain(value: object) -> object:
    nanos = getattr(value, "nanoseconds", None)
    return value if nanos is None else (value.months, value.days * 86_400 * 10**9 + nanos)  # type: ignore[attr-defined]


def differing(pair: Pair, queries: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Return the queries whose answers differ, after waiting for what is still under way."""
    left, end_s, most = dict(queries), 0.0, len(queries) + 1
    while True:
        found: dict[str, object] = {}
        for title, (sql, path) in left.items():
            here = rows(pair.embedded, sql, path)
            try:
                there = rows(pair.serving, sql, path)
            except VoltstreamError as error:
                found[title] = error.message
                continue
            if here != there:
                found[title] = list((here - there).items())[:2], list((there - here).items())[:2]
        if len(found) < most:
            most, end_s = len(found), time.monotonic() + WAIT_S
        if not found or time.monotonic() > end_s:
            return found
        left = {title: left[title] for title in found}
        time.sleep(2)


def test_every_view_has_the_rows_that_it_has_embedded(pair: Pair) -> None:
    """Those that the cluster keeps, those it refuses, and plain ones over both."""
    views = {
        name: (f"SELECT * FROM {name}", "public")
        for name, one in pair.objects.items()
        if one.kind in ("view", "materialized view")
    }
    assert len(views) > 160
    assert len(pair.script.refused) > 4
    assert differing(pair, views) == {}


def test_panels_of_packs_and_of_grafana_show_the_same(pair: Pair) -> None:
    panels = pair.embedded.run("SELECT pack, title, query, search_path FROM installed_panels")
    assert len(panels) == 15
    queries = {f"{pack}: {title}": (str(sql), str(path)) for pack, title, sql, path in panels}
    for one in asked():
        sql = re.sub(r"BETWEEN '2026-01-01\S+ AND '2026-01-02T00:00:00Z'", WIDE, one.sql)
        sql = re.sub(r"\bIN \('north','south'\)", "IS NOT NULL", sql)
        own = ("rw_catalog", "timescaledb_information", "alert_events")
        if not any(word in sql for word in own):
            queries[one.title] = (sql, "public")
        else:  # Of the server itself: it has its own figures, and its own times of alerts.
            rows(pair.serving, sql)
    assert differing(pair, queries) == {}
    assert sum(not rows(pair.serving, *query) for query in queries.values()) < len(queries) / 3


def test_page_asks_and_watches_there_as_here(pair: Pair) -> None:
    instance = pair.serving.instance
    app = build_app(instance, instance, instance, live=instance)
    client = AsgiClient(app)

    def answer(sql: str, path: str = "public") -> list[list[object]]:
        said = json.dumps({"sql": sql, "search_path": path}).encode()
        got = client.post("/v1/sql", content=said, headers={"content-type": "application/json"})
        assert got.status_code == 200, (sql, got.text)
        found: list[list[object]] = got.json()["rows"]
        return found

    listed = answer("SELECT p.title, p.query, p.search_path, i.title FROM installed_panels p "
                    "JOIN installed_packs i ON i.pack = p.pack")  # fmt: skip
    assert len(listed) == len(pair.embedded.run("SELECT * FROM installed_panels"))
    for _, query, path, _ in listed:
        answer(str(query), str(path))
    watched = {name.strip('"') for file in (ROOT / "page/src").glob("*.ts*")
               for names in _WATCHED.findall(file.read_text()) for name in names.split(", ")
               if name.startswith('"')}  # fmt: skip

    async def watch() -> None:
        for name in sorted(watched | {"active_sessions", "connector_state", "outages"}):
            async with streamed(app, name) as stream:
                assert stream.status == 200, name

    assert len(watched) > 3
    asyncio.run(watch())


def test_what_changes_on_the_cluster_changes_on_panels(pair: Pair) -> None:
    """A key with another value, and one whose record is taken away."""
    panel = "SELECT charge_point_id, transaction_id, power_w, energy_wh FROM active_sessions"
    before = rows(pair.serving, panel)
    records = pair.written("public.active_sessions")
    assert len(records) == before.total() > 1
    (topic, key, text), (_, gone, _) = records[:2]
    value = json.loads(text) | {"power_w": 4321.5}
    pair.send([(topic, key, json.dumps(value))])
    pair.send([(topic, gone, None)])
    end_s = time.monotonic() + 60
    while rows(pair.serving, panel).total() == before.total() and time.monotonic() < end_s:
        time.sleep(0.2)
    after = rows(pair.serving, panel)
    assert after.total() == before.total() - 1
    assert [row for row in after if "4321.5" in row] != []
    pair.send(records[:2])
    assert differing(pair, {"active sessions": (panel, "public")}) == {}
