"""What packs make of real data with defects, beside the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench.contenders.charging import PART as SESSIONS
from bench.contenders.charging import clean, days, found_wh
from bench.contenders.grid import GridRun, PackRun, compare_sums, score_outages, send_day
from tests.tidy.sources import ROOT
from voltstream.cli.datasets import NO_DEFECTS
from voltstream.cli.pack_install import install
from voltstream.cli.packs import load_pack
from voltstream.cli.replay import Replay, load_sessions
from voltstream.core.ports import RawBatch
from voltstream.datasets.charge_points import charge_points, charges, places
from voltstream.datasets.defects import Defects, Rates
from voltstream.datasets.grid import Grid, load_grid
from voltstream.datasets.outages import Plan, plan_outages
from voltstream.datasets.packages import files_of
from voltstream.datasets.profiles import load_day
from voltstream.datasets.reads import day_of_reads

EXTRACT = ROOT / "examples" / "simbench" / "simbench-extract.zip"
LOAD = "SELECT * FROM ami.transformer_load ORDER BY window_start, transformer_id"
SPRING, AUTUMN = date(2016, 3, 27), date(2016, 10, 30)
SHARES = (
    "SELECT extract(epoch FROM window_start)::BIGINT AS second, transformer_id, complete,"
    " charging_kwh::DOUBLE PRECISION AS charging_kwh, delivered_kwh::DOUBLE PRECISION AS"
    " delivered_kwh, charging_pct::DOUBLE PRECISION AS charging_pct FROM grid.charging_share"
)
ENERGY = ("010", "015", "020", "030", "040", "045", "050")  # Of the ocpp pack.
READS = ("010", "020", "021", "025", "030", "040")
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
    """On the days of 92 and 100 quarters; the file of the second is sent again afterwards."""
    needs(READS)
    files = files_of("simbench", EXTRACT)
    both = [day_of_reads(grid, load_day(files, 1, one), noise_seed=2) for one in (SPRING, AUTUMN)]
    run = GridRun(tmp_path, grid, both[0].starts_s[0], part=READS)
    try:
        for reads, quarters in zip(both, (92, 100), strict=True):
            wrong = Defects(reads, Rates(silent=0.002, seed=3))
            send_day(run, wrong, 12 * 3600)
            found = compare_sums(run, reads, wrong)
            assert found.windows == quarters * 12
            assert 0 < found.complete == found.equal == int(wrong.complete().sum())
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


def test_charging_is_its_share_of_each_transformer_s_load(tmp_path: Path, grid: Grid) -> None:
    """SimBench's own charge points on its transformers, beside what their meters measured."""
    reads = day_of_reads(grid, load_day(files_of("simbench", EXTRACT), 1, SPRING), noise_seed=2)
    transformers = [one.transformer_id for one in grid.transformers]
    run = GridRun(tmp_path, grid, reads.starts_s[0], part=READS)
    try:
        ocpp = load_pack("ocpp")
        kept = tuple(one for one in ocpp.files if one[0].startswith(ENERGY))
        install(run.door, replace(ocpp, files=kept))
        install(run.door, load_pack("grid"))
        placed = places(reads, reads.starts_s[0])
        listed = ", ".join(
            f"('{row['charge_point_id']}', to_timestamp({reads.starts_s[0]}),"
            f" '{row['transformer_id']}')"
            for row in placed.to_pylist()
        )
        run.door.ask(
            "INSERT INTO grid.charge_point_places (charge_point_id, valid_from, transformer_id)"
            f" VALUES {listed}"
        )
        run.at(reads.starts_s[-1] + 1800)
        told = list(charges(reads))
        for source in ("charger_transactions", "charger_readings"):
            run.send_table(source, pa.concat_tables(x.rows for x in told if x.source == source))
        run.settle()
        assert run.rows("SELECT 1 FROM grid.charging_share WHERE delivered_kwh IS NOT NULL") == []
        send_day(run, Defects(reads, NO_DEFECTS), 48 * 3600)
        shares = run.rows(SHARES)
    finally:
        run.stop()
    seen = {(transformers.index(row["transformer_id"]), row["second"]): row for row in shares}
    charging, load = np.zeros((len(transformers), len(reads.starts_s))), reads.transformer_kwh()
    for place in charge_points(reads):
        charging[grid.meters[place].transformer] += reads.delivered_kwh[place]
    for (transformer, second), row in seen.items():
        at = transformer, reads.starts_s.index(second)
        assert row["charging_kwh"] == pytest.approx(charging[at])
        assert row["delivered_kwh"] == pytest.approx(load[at])
        assert row["charging_pct"] == pytest.approx(100 * charging[at] / load[at])
        assert row["complete"]
    # Quarters without charging have no row, or one of zero where a charge ended at their begin.
    assert sum(row["charging_kwh"] > 0 for row in shares) == np.count_nonzero(charging) == 50


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
    """Each clean session of two days: one that overlaps no other of its station, and can be.

    A sample each quarter of an hour, as chargers that follow the clock send them.
    """
    two_days_s = 1_557_705_600, 1_557_878_400  # 13 and 14 May 2019 in UTC.
    extract = load_sessions(ROOT / "examples" / "acn" / "sessions")
    known = [one for one in extract if two_days_s[0] <= one.arrival_s < two_days_s[1]]
    chosen = list(clean(known))
    assert len(chosen) > 0.99 * len(known) > 200
    replay = Replay(known, faults=False)
    run = PackRun(tmp_path, replay.end_s, "ocpp", SESSIONS)
    try:
        for _, sources in days(replay, sample_s=900):
            for name, rows in sources.items():
                run.send(name, RawBatch("ndjson", rows))
        run.settle()
        found = found_wh(run)
    finally:
        run.stop()
    assert {one.number: found.get(one.number) for one in chosen} == {
        one.number: one.delivered_wh for one in chosen
    }
