"""Packs on a real PostgreSQL: it takes every statement, and views have the embedded rows."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from tests.cluster.conftest import ASKED
from tests.cluster.packs import comparable, instant, lived, spelled
from tests.connectors.real_postgres.given import postgresql
from tests.driver import Engine, Row, bag
from voltstream.core.clock import ManualClock
from voltstream.core.types import Kind
from voltstream.deploy.drafting import Options
from voltstream.deploy.objects import Deployed, deployed
from voltstream.deploy.script import Script, Target
from voltstream.deploy.targets import GENERATORS
from voltstream.sql.targets.words import FOREVER

READ_S = 20  # For one view, and for the refreshing of all.
LIVED = {
    "ocpp": ("public", ("sessions", "billing", "alerts")),
    "ami": ("ami", ("reads", "outages")),
}
# A slope's error is what is left of two numbers nearly alike: its digits are those of rounding.
ROUNDED = {"public.calibration_drift"}
REFUSED: dict[str, set[str]] = {
    "ocpp": set(),
    "ami": {"ami.suspect_reads", "ami.load_changes"},  # A subscription.
}
STILL = "SET search_path = public, fixed, pg_catalog"  # NOW() of ours is found first.


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if not os.environ.get(ASKED):
        pytest.skip("studies whole packs, a minute each: make test-cluster")
    with postgresql() as server:
        yield server.url


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("pack", list(LIVED))
def test_views_of_a_pack_are_what_they_are_embedded(pack: str, url: str, tmp_path: Path) -> None:
    schema, scenarios = LIVED[pack]
    engine = lived(pack, scenarios, tmp_path, schema)
    assert isinstance(engine.clock, ManualClock)
    try:
        running = engine.instance.engine("volt")
        with contextlib.closing(running.reader()) as reader:
            objects = deployed(running.catalog, reader)
            options = Options(kafka="kafka:9092", plain=True)
            script = GENERATORS[Target.TIMESCALEDB](objects, reader, options)
        told = {note.object: note.said for note in script.refused}
        assert set(told) == REFUSED[pack], told
        engine.run("SET search_path TO public")
        with psycopg.connect(url, autocommit=True) as there:
            _made(there, script, engine, objects)
            there.execute(f"SET statement_timeout = '{READ_S}s'")
            there.execute("CALL public.voltstream_refresh()")
            found = _differing(there, script, engine, objects)
            assert {name: said for name, said in found.items() if name not in ROUNDED} == {}
            there.execute("RESET statement_timeout")
            for one in reversed(script.statements):
                there.execute(one.undo.encode())
    finally:
        engine.close()


def _made(
    there: psycopg.Connection, script: Script, engine: Engine, objects: list[Deployed]
) -> None:
    """Run a script, put the embedded rows into its tables, and let NOW() be the embedded one."""
    now = instant(engine.clock).isoformat()
    there.execute("CREATE SCHEMA IF NOT EXISTS fixed")
    there.execute(
        "CREATE OR REPLACE FUNCTION fixed.now() RETURNS TIMESTAMPTZ LANGUAGE SQL STABLE "
        f"AS 'SELECT TIMESTAMPTZ ''{now}'''".encode()
    )
    there.execute(STILL)
    there.execute("SET TimeZone = 'UTC'")
    for statement in script.statements:
        there.execute(statement.text.encode())
    for made in objects:
        if made.kind not in ("table", "source"):
            continue
        names = [column.name for column in made.relation.columns]
        listed = ", ".join(f'"{name}"' for name in names)
        # Instants as texts: Python has none without end.
        told = ", ".join(
            f'"{one.name}"::text' if one.type.kind is Kind.TIMESTAMPTZ else f'"{one.name}"'
            for one in made.relation.columns
        )
        rows = engine.run(f"SELECT {told} FROM {made.name}")
        texts = [
            json.dumps(dict(zip(names, map(_spelled, row), strict=True)), default=spelled)
            for row in rows
        ]
        there.execute(
            f"INSERT INTO {made.name} ({listed}) SELECT {listed} FROM unnest(%s::jsonb[]) AS j, "
            f"jsonb_populate_record(NULL::{made.name}, j)".encode(),
            (texts,),
        )
    there.execute("ANALYZE")


def _spelled(value: object) -> object:
    """Spell an interval as PostgreSQL reads it; other values are JSON or spelled by others."""
    if not isinstance(value, pa.MonthDayNano):
        return value
    return f"{value.months} months {value.days} days {value.nanoseconds // 1000} microseconds"


def _finite(made: Deployed) -> str:
    """Return a view's columns, instants without end as one that Python has."""
    return ", ".join(
        f"CASE WHEN \"{one.name}\" = 'infinity' THEN TIMESTAMPTZ '{FOREVER}+00' "
        f'ELSE "{one.name}" END'
        if one.type.kind is Kind.TIMESTAMPTZ
        else f'"{one.name}"'
        for one in made.relation.columns
    )


def _differing(
    there: psycopg.Connection, script: Script, engine: Engine, objects: list[Deployed]
) -> dict[str, object]:
    kinds = {"view", "materialized view"}
    made = {one.object for one in script.statements if one.kind in kinds}
    found: dict[str, object] = {}
    for one in objects:
        if one.name not in made:
            continue
        query = f"SELECT {_finite(one)} FROM {one.name}"
        began_s = time.monotonic()
        try:
            theirs: list[Row] = there.execute(query.encode()).fetchall()
        except psycopg.Error as error:
            found[one.name] = str(error)
            continue
        took_s = time.monotonic() - began_s
        ours = bag(comparable(engine.run(query)))
        other = bag(comparable(theirs))
        if ours != other:
            found[one.name] = (
                list((ours - other).items())[:2], list((other - ours).items())[:2], took_s,
            )  # fmt: skip
        print(f"{one.name}: {len(theirs)} rows, {took_s:.2f} s")
    return found
