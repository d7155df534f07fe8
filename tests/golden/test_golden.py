"""Every script prints what its .out file says, and views are right after what can change them."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from tests.golden.player import Player
from voltstream.sql.natives import expression

_HERE = Path(__file__).parent
_SCRIPTS = sorted(path.relative_to(_HERE).with_suffix("") for path in _HERE.glob("*/*.sql"))
_WRITES = os.environ.get("VOLTSTREAM_GOLDEN") == "write"


@pytest.mark.parametrize("name", [str(path) for path in _SCRIPTS])
def test_script_prints_what_is_expected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expression, "REGEX_SECONDS_MAX", 0.2)  # What never ends is told as well.
    script = (_HERE / f"{name}.sql").read_text()
    player = Player(tmp_path)
    try:
        printed = player.play(script)
    finally:
        player.close()
    expected = _HERE / f"{name}.out"
    if _WRITES:
        expected.write_text(printed)
    wanted = expected.read_text() if expected.exists() else ""
    changes = difflib.unified_diff(
        wanted.splitlines(), printed.splitlines(), f"{name}.out", "printed", lineterm=""
    )
    assert printed == wanted, "\n" + "\n".join(changes)
