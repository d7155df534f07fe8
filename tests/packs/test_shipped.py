"""The tests and panels that shipped packs bring pass."""

from __future__ import annotations

import pytest

from voltstream.cli.pack_trial import panels_run, run_trial
from voltstream.cli.packs import load_pack, shipped_packs

PACKS = [load_pack(name) for name in shipped_packs()]
TRIALS = [(pack.name, name) for pack in PACKS for name, _ in pack.tests]


@pytest.mark.parametrize(("pack", "name"), TRIALS)
def test_test_of_a_shipped_pack_passes(pack: str, name: str) -> None:
    found = load_pack(pack)
    assert run_trial(found, name, dict(found.tests)[name])


@pytest.mark.parametrize("pack", [pack.name for pack in PACKS])
def test_tests_of_a_folder_are_named_and_panels_are_answered(pack: str) -> None:
    found = load_pack(pack)
    assert sorted(name for name, _ in found.tests) == sorted(
        f"tests/{path.name}" for path in (found.folder / "tests").glob("*.toml")
    )
    panels_run(found)
