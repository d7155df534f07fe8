"""The law of the engine: after every epoch each view equals its query recomputed."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.driver import Engine, Row, bag
from tests.property.cases import Case, block, cases, emptied, statements
from tests.property.queries import tamed
from voltstream.core.clock import ManualClock

# VOLTSTREAM_PROPERTY_EXAMPLES=500 VOLTSTREAM_PROPERTY_SEED=7 looks further than CI does.
EXAMPLES = int(os.environ.get("VOLTSTREAM_PROPERTY_EXAMPLES", "15"))
SEED = os.environ.get("VOLTSTREAM_PROPERTY_SEED")
START = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
STEP_S = 97.0  # Between epochs, so that rows cross temporal filters at odd instants.


def check(engine: Engine, case: Case, after: str) -> None:
    # NOW() in a maintained view is the epoch's instant; asked ad hoc it is the reader's own.
    ((now,),) = engine.run("SELECT CAST(max(now) AS VARCHAR) FROM rw_epochs")
    for name, found in case.views:
        kept = bag(engine.run(f"SELECT * FROM {name}"))
        right = bag(engine.run(tamed(found.sql).replace("NOW()", f"'{now}'::timestamptz")))
        assert kept == right, (
            f"{name} differs after {after}\n  query: {found.sql}\n"
            f"  only kept: {kept - right}\n  only right: {right - kept}"
        )


def subscribed(engine: Engine, case: Case) -> list[str]:
    """Open a cursor that tells a view's rows and all their changes, for two of the views."""
    # What NOW() lets in or out between epochs is no change of the view's.
    names = [name for name, found in case.views if "NOW()" not in found.sql][-2:]
    for name in names:
        engine.run(f"CREATE SUBSCRIPTION of_{name} FROM {name} WITH (retention = '1 day')")
        engine.run(f"DECLARE from_{name} SUBSCRIPTION CURSOR FOR of_{name} FULL")
    return names


def integrated(rows: list[Row]) -> Counter[Row]:
    """Add up a change stream. Shape: each row ends with its operation and its time."""
    total: Counter[Row] = Counter()
    for *values, operation, _ in rows:
        (row,) = bag([tuple(values)])
        total[row] += 1 if operation in ("Insert", "UpdateInsert") else -1
        assert total[row] >= 0, f"{row} was taken back and never given"
    return +total


def check_streams(engine: Engine, names: list[str]) -> None:
    for name in names:
        rows: list[Row] = []
        while batch := engine.run(f"FETCH ALL FROM from_{name}"):  # The snapshot, then changes.
            rows += batch
        told = integrated(rows)
        kept = bag(engine.run(f"SELECT * FROM {name}"))
        assert told == kept, f"the changes of {name} do not add up to it"


def run_case(case: Case, folder: Path) -> None:
    clock = ManualClock()
    clock.set(START)
    engine = Engine(folder, clock)
    streams: list[str] = []
    try:
        for statement in case.ddl():
            engine.run(statement)
        for place, step in enumerate(case.steps):
            if place == case.early:
                for name, found in case.views:
                    engine.run(f"CREATE MATERIALIZED VIEW {name} AS {found.sql}")
                streams = subscribed(engine, case)
                check(engine, case, "the views were made")
            clock.advance(STEP_S)
            engine.run(step)
            if place >= case.early:
                check(engine, case, step)
        for step in emptied(case):
            engine.run(step)
        check(engine, case, "everything was deleted")
        check_streams(engine, streams)
        for name in streams:
            engine.run(f"DROP SUBSCRIPTION of_{name}")
    finally:
        engine.close()
    if not case.sources and all(found.bounded for _, found in case.views):
        assert left_behind(folder) == {}


def left_behind(folder: Path) -> dict[str, int]:
    """Return the state tables that still hold rows, read from the closed file."""
    with duckdb.connect(str(folder / "volt" / "volt.duckdb"), read_only=True) as store:
        names = store.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = '_vs' "
            "AND regexp_matches(table_name, '^[a-z]+_[0-9]+(_|$)')"
        ).fetchall()
        found = {}
        for (name,) in names:
            counted = store.execute(f'SELECT count(*) FROM _vs."{name}"').fetchone()
            if counted and counted[0]:
                found[str(name)] = int(counted[0])
        return found


@pytest.mark.slow
@pytest.mark.timeout(900)  # Some 2 s an example; a shared machine takes its time.
@settings(
    max_examples=EXAMPLES,
    derandomize=SEED is None,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(case=cases())
def test_views_equal_recomputation_after_every_epoch(case: Case) -> None:
    note(repr(case))
    with tempfile.TemporaryDirectory(prefix="volt-property-") as folder:
        run_case(case, Path(folder))


CUTS = ("as it is", "in one epoch", "row by row")


def cut(case: Case, how: str) -> list[str]:
    """Return the case's later changes cut into other epochs."""
    later = [one for step in case.steps[case.early :] for one in statements(step)]
    if how == "in one epoch":
        return [block(later)] if later else []
    if how == "row by row":
        return [single for one in later for single in case.singly.get(one, [one])]
    return case.steps[case.early :]


def outcome(case: Case, how: str, folder: Path) -> dict[str, Counter[Row]]:
    """Return what every view holds after the same changes, all made at one instant."""
    clock = ManualClock()
    clock.set(START)
    engine = Engine(folder, clock)
    try:
        for statement in [*case.ddl(), *case.steps[: case.early]]:
            engine.run(statement)
        for name, found in case.views:
            engine.run(f"CREATE MATERIALIZED VIEW {name} AS {found.sql}")
        clock.advance(STEP_S)
        for step in cut(case, how):
            engine.run(step)
        return {name: bag(engine.run(f"SELECT * FROM {name}")) for name, _ in case.views}
    finally:
        engine.close()


@pytest.mark.slow
@pytest.mark.timeout(900)  # Some 2 s an example; a shared machine takes its time.
@settings(
    max_examples=max(EXAMPLES // 3, 1),
    derandomize=SEED is None,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(case=cases(views=4, steps=5))
def test_views_do_not_depend_on_how_changes_are_cut_into_epochs(case: Case) -> None:
    note(repr(case))
    found = {}
    for how in CUTS:
        with tempfile.TemporaryDirectory(prefix="volt-property-") as folder:
            found[how] = outcome(case, how, Path(folder))
    for how in CUTS[1:]:
        assert found[how] == found[CUTS[0]], how


if SEED is not None:
    for _name in ("test_views_equal_recomputation_after_every_epoch",
                  "test_views_do_not_depend_on_how_changes_are_cut_into_epochs"):  # fmt: skip
        globals()[_name] = seed(int(SEED))(globals()[_name])
