"""The tests and panels that shipped packs bring pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.packs import dbt_example, grafana
from voltstream.cli.pack_trial import Trials
from voltstream.cli.packs import load_pack, shipped_packs

PACKS = {name: load_pack(name) for name in shipped_packs()}
# It requires the other two: where it is, dashboards for Grafana and models of dbt find all that
# they ask for.
ASKED = (*PACKS["grid"].panels, *grafana.asked(), *dbt_example.asked())
PACKS["grid"] = replace(PACKS["grid"], panels=ASKED)
TESTS = [(pack.name, name) for pack in PACKS.values() for name, _ in pack.tests]


@pytest.fixture(scope="module")
def trials() -> Iterator[dict[str, Trials]]:
    """Each pack, installed once for all of its tests."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Trials(pack)) for name, pack in PACKS.items()}


@pytest.mark.parametrize(("pack", "name"), TESTS)
def test_test_of_a_shipped_pack_passes(trials: dict[str, Trials], pack: str, name: str) -> None:
    assert trials[pack].run(name, dict(PACKS[pack].tests)[name])


@pytest.mark.parametrize("pack", PACKS)
def test_tests_of_a_folder_are_named_and_panels_are_answered(
    trials: dict[str, Trials], pack: str
) -> None:
    assert sorted(name for name, _ in PACKS[pack].tests) == sorted(
        f"tests/{path.name}" for path in (PACKS[pack].folder / "tests").glob("*.toml")
    )
    trials[pack].run_panels()
