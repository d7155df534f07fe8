"""What packs make of real data with defects, beside the truth."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bench.contenders.grid import GridRun, PackRun, compare_sums, score_outages, send_day
from tests.tidy.sources import ROOT
from voltstream.cli.packs import load_pack
from voltstream.cli.replay import Replay, load_sessions
from voltstream.core.ports import RawBatch
from voltstream.datasets.defects import Defects, Rates
from voltstream.datasets.grid import Grid, load_grid
from voltstream.datasets.outages import Plan, plan_outages
from voltstream.datasets.packages import files_of
from voltstream.datasets.profiles import load_day
from voltstream.datasets.reads import day_of_reads

EXTRACT = ROOT / "examples" / "simbench" / "simbench-extract.zip"
LOAD = "SELECT * FROM ami.transformer_load ORDER BY window_start, transformer_id"
AUTUMN = date(2016, 10, 30)
READS = ("010", "020", "025", "030", "040")
SESSIONS = ("010", "015", "020", "030", "040", "045", "048")
OUTAGES = (*READS, "070", "080", "085")


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid(files_of("simbench", EXTRACT))


def needs(part: tuple[str, ...]) -> None:
    known = {name[:3] for name, _ in load_pack("ami").files}
    if not known >= set(part):
        pytest.skip("the ami pack has no views of this")


def test_sums_equal_the_truth_where_complete_and_are_flagged_where_not(
    tmp_path: Path, grid: Grid
) -> None:
    """On the day that had an hour twice; the file of the day is sent again afterwards."""
    needs(READS)
    reads = day_of_reads(grid, load_day(files_of("simbench", EXTRACT), 1, AUTUMN), noise_seed=2)
    wrong = Defects(reads, Rates(silent=0.002, seed=3))
    run = GridRun(tmp_path, grid, reads.starts_s[0], part=READS)
    try:
        send_day(run, wrong, 12 * 3600)
        found = compare_sums(run, reads, wrong)
        assert found.windows == 100 * 12
        assert found.complete == found.equal == int(wrong.complete().sum())
        assert (found.wrongly_complete, found.wrongly_flagged) == (0, 0)
        before = run.rows(LOAD)
        run.door.ask(
            "CREATE SUBSCRIPTION told FROM ami.transformer_load WITH (retention = '1 day')"
        )
        run.door.ask("DECLARE seen SUBSCRIPTION CURSOR FOR told")
        send_day(run, wrong, 48 * 3600)  # The whole file again.
        assert run.rows(LOAD) == before
        assert run.rows("FETCH NEXT FROM seen") == []
    finally:
        run.stop()


def test_outages_are_found_on_the_device_that_opened(tmp_path: Path, grid: Grid) -> None:
    needs(OUTAGES)
    plan = Plan(count=12, service_share=0.0, feeder_share=0.1, false_gasps=5, seed=1)
    made = plan_outages(grid, 1_468_533_600, plan)
    assert set(Counter(one.level for one in made)) == {"TRANSFORMER", "SECTION", "FEEDER"}
    run = GridRun(tmp_path, grid, 1_468_533_600, part=OUTAGES)
    try:
        score = score_outages(run, made, plan)
    finally:
        run.stop()
    assert score.precision >= 0.9
    assert score.recall >= 0.9


def test_sessions_have_the_energy_that_was_measured(tmp_path: Path) -> None:
    """Clean sessions: those that last longer than a sample and overlap no other of a station."""
    known = [
        one
        for one in load_sessions(ROOT / "examples" / "acn" / "sessions")
        if one.site == "caltech" and datetime.fromtimestamp(one.arrival_s, UTC).day == 14
    ][:25]
    clean = [one for one in known if one.departure_s - one.arrival_s > 60]
    assert len(clean) >= 20
    replay = Replay(clean, faults=False)
    run = PackRun(tmp_path, replay.end_s, "ocpp", SESSIONS)
    try:
        for name, rows in _by_source(replay).items():
            run.send(name, RawBatch("ndjson", rows))
        run.settle()
        found = run.rows(
            "SELECT transaction_id, energy_wh::BIGINT AS wh FROM sessions"
            " WHERE stopped_at IS NOT NULL"
        )
    finally:
        run.stop()
    assert {int(row["transaction_id"]): row["wh"] for row in found} == {
        one.number: one.delivered_wh for one in clean
    }


def _by_source(replay: Replay) -> dict[str, bytes]:
    lines: dict[str, list[str]] = {}
    for message in replay.messages():
        lines.setdefault(message.source, []).append(json.dumps(message.row))
    return {name: "\n".join(rows).encode() for name, rows in lines.items()}
