"""A wheel has what a checkout has beside Python: the page, the packs, the demo's recordings."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wheel_shows_the_demo_its_recordings_and_the_page(tmp_path: Path) -> None:
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    package = tmp_path / "site" / "voltstream"
    assert (package / "web" / "assets" / "page.js").stat().st_size > 50_000
    assert sorted(path.parent.name for path in package.glob("packs/*/pack.toml")) == [
        "ami", "grid", "ocpp",
    ]  # fmt: skip

    asked = "from voltstream.cli import extracts as e; print(e.SESSIONS, e.GRID)"
    said = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    sessions, grid = map(Path, said.stdout.split())
    assert package in sessions.parents
    assert len(list(sessions.glob("*.ndjson.gz"))) == 7
    assert zipfile.is_zipfile(grid)
