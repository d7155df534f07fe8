"""The guide of outgrowing one machine, its commands run on a real PostgreSQL and a folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.connectors.real_postgres.given import postgresql
from tests.driver import Engine
from tests.tidy.sources import ROOT
from voltstream.cli.app import app
from voltstream.core.clock import SystemClock

_BLOCK = re.compile(r"^```(sql|bash)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What needs a cluster or brokers is tried by the tests of these.
ELSEWHERE = ("voltstream deploy ticks", "voltstream serve", "voltstream sql")


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql() as server:
        yield server.url


def test_commands_of_the_guide_run(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "guide" / "outgrowing.md").read_text(encoding="utf-8")
    blocks = _BLOCK.findall(text)
    first = next(block for kind, block in blocks if kind == "sql")
    Path("pipeline.sql").write_text(first.partition("INSERT")[0])
    engine = Engine(tmp_path / "volt-data", SystemClock())
    engine.run(first)
    rows = engine.run("SELECT count(*), sum(kwh) FROM reading")
    engine.close()
    places = {"postgres://app@timescale:5432/fleet": url, "s3://lake/fleet": f"{tmp_path}/fleet",
              "/srv/lake": f"{tmp_path}/lake"}  # fmt: skip
    ran = 0
    for line in "".join(block for kind, block in blocks if kind == "bash").splitlines():
        if line.startswith(ELSEWHERE):
            continue
        command = line.partition(" --to http://flink")[0]
        for told, meant in places.items():
            command = command.replace(told, meant)
        done = CliRunner().invoke(app, shlex.split(command)[1:])
        assert (done.exit_code, done.exception) == (0, None), line
        ran += 1
    assert ran == 9
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*), sum(kwh) FROM reading").fetchall() == rows

        # The tables that a job on Flink writes are made there, again too, and shown by views.
        for name in ("postgres.sql", "postgres.sql", "postgres_empty.sql"):
            connection.execute((tmp_path / "cluster" / name).read_bytes())
        assert connection.execute("SELECT hour, kwh FROM kwh_per_hour").fetchall() == []

    # What was written for a serving node makes there every view that was deployed.
    node = Engine(tmp_path / "serving-data", SystemClock())
    try:
        node.run((tmp_path / "cluster" / "serving.sql").read_text())
        assert node.run("SELECT charger_id, hour, kwh FROM kwh_per_hour") == []
    finally:
        node.close()
