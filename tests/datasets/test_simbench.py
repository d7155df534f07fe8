"""The grid of the extract, its days, voltages, and what is done to reads on purpose."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.tidy.sources import ROOT
from voltstream.core.errors import InvalidParameter
from voltstream.datasets.defects import KINDS, Defects, Rates
from voltstream.datasets.grid import Grid, load_grid
from voltstream.datasets.outages import POWER_OUT, Plan, events, plan_outages, truth
from voltstream.datasets.packages import files_of
from voltstream.datasets.profiles import STEP_S, load_day
from voltstream.datasets.reads import DayOfReads, day_of_reads, max_kw, registry
from voltstream.datasets.voltages import SOURCE_PU, RadialGrid

EXTRACT = ROOT / "examples" / "simbench" / "simbench-extract.zip"
JULY = date(2016, 7, 15)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid(files_of("simbench", EXTRACT))


@pytest.fixture(scope="module")
def reads(grid: Grid) -> DayOfReads:
    return day_of_reads(grid, load_day(files_of("simbench", EXTRACT), 1, JULY))


def test_meters_hang_on_transformers_and_these_on_feeders(grid: Grid) -> None:
    assert len(grid.meters) == 638
    assert Counter(one.feeder_id for one in grid.transformers) == {
        "MV1.101 feeder 1": 5,  # SimBench's own names of them are Feeder3 and Feeder7.
        "MV1.101 feeder 2": 7,
    }
    assert {m.transformer for m in grid.meters} == set(range(12))
    for meter in grid.meters:  # The name of a low-voltage grid is part of both.
        assert meter.meter_id.split(" ")[0] in grid.transformers[meter.transformer].transformer_id
    assert grid.parents == {
        "MV1.101 feeder 1 section 1": "MV1.101 feeder 1",
        "MV1.101 feeder 2 section 1": "MV1.101 feeder 2",
    }


@pytest.mark.parametrize(
    ("local", "count", "first"),
    [
        (date(2016, 3, 27), 92, 1_459_033_200),
        (JULY, 96, 1_468_533_600),
        (date(2016, 10, 30), 100, 1_477_778_400),
    ],
)
def test_days_have_as_many_quarters_as_the_clock_gave_them(
    local: date, count: int, first: int
) -> None:
    day = load_day(files_of("simbench", EXTRACT), 1, local)
    assert (len(day.starts_s), day.starts_s[0]) == (count, first)
    assert {after - before for before, after in pairwise(day.starts_s)} == {STEP_S}
    assert all(len(values) == count for values in [*day.load_p.values(), *day.plants.values()])


def test_a_day_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no day 2017-01-01"):
        load_day(files_of("simbench", EXTRACT), 1, date(2017, 1, 1))


def test_energy_is_shape_times_power(grid: Grid, reads: DayOfReads) -> None:
    day = load_day(files_of("simbench", EXTRACT), 1, JULY)
    place = next(at for at, meter in enumerate(grid.meters) if not meter.plants)
    meter = grid.meters[place]
    expected = day.load_p[meter.profile] * meter.p_mw * 250
    assert np.allclose(reads.delivered_kwh[place], expected, atol=0.0005)
    assert reads.received_kwh[place].max() == 0
    sunny = [at for at, one in enumerate(grid.meters) if one.plants]
    assert (reads.received_kwh[sunny].max(axis=1) > 0).mean() > 0.9
    assert reads.received_kwh[sunny][:, 0].max() == 0  # At midnight.


def test_noise_is_drawn_from_its_seed(grid: Grid) -> None:
    day = load_day(files_of("simbench", EXTRACT), 1, JULY)
    one, same, other = (day_of_reads(grid, day, noise_seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.delivered_kwh, same.delivered_kwh)
    assert not np.array_equal(one.delivered_kwh, other.delivered_kwh)


def power_flow(grid: Grid, at: int, p_mw: np.ndarray, q_mw: np.ndarray) -> np.ndarray:
    """Solve the full equations of a radial grid by sweeping back and forth."""
    transformer = grid.transformers[at]
    around: dict[str, list[tuple[str, complex]]] = {}
    for branch in grid.branches[at]:
        z = complex(branch.r_ohm, branch.x_ohm)
        around.setdefault(branch.node_a, []).append((branch.node_b, z))
        around.setdefault(branch.node_b, []).append((branch.node_a, z))
    order, parent, ohms = [transformer.node_lv], {transformer.node_lv: ""}, {}
    ohms[transformer.node_lv] = complex(transformer.r_ohm, transformer.x_ohm)
    for node in order:
        for other, z in around.get(node, ()):
            if other not in parent:
                parent[other], ohms[other] = node, z
                order.append(other)
    members = [m for m in grid.meters if m.transformer == at]
    taken = dict.fromkeys(order, 0j)
    for meter, p, q in zip(members, p_mw, q_mw, strict=True):
        taken[meter.node] += complex(p, q)
    source = transformer.volts_lv_kv * SOURCE_PU * transformer.ratio
    volts = dict.fromkeys(order, complex(source))
    for _ in range(30):
        current = {node: (taken[node] / volts[node]).conjugate() for node in order}
        for node in reversed(order):
            if parent[node]:
                current[parent[node]] += current[node]
        for node in order:
            above = volts[parent[node]] if parent[node] else source
            volts[node] = above - ohms[node] * current[node]
    found: np.ndarray = np.array([abs(volts[m.node]) for m in members]) * 1000 / np.sqrt(3)
    return found


@pytest.mark.parametrize(("scale", "volts"), [(0.3, 0.05), (1.0, 0.2), (2.5, 1.0), (-2.0, 0.6)])
def test_voltages_are_those_of_a_full_power_flow(grid: Grid, scale: float, volts: float) -> None:
    for at in range(len(grid.transformers)):
        members = [m for m in grid.meters if m.transformer == at]
        p_mw = np.array([m.p_mw * 0.4 * scale for m in members])
        q_mw = np.array([m.q_mw * 0.4 for m in members])
        radial = RadialGrid(grid.transformers[at], grid.branches[at])
        nodes = [m.node for m in members]
        found = radial.volts(nodes, p_mw[:, None], q_mw[:, None])[:, 0]
        exact = power_flow(grid, at, p_mw, q_mw)
        assert np.abs(found - exact).max() < volts
        assert np.ptp(exact) > 2 * np.abs(found - exact).max()


def test_a_node_that_nothing_feeds_has_no_voltage(grid: Grid) -> None:
    radial = RadialGrid(grid.transformers[0], grid.branches[0])
    assert radial.volts(["nowhere"], np.ones((1, 2)), np.ones((1, 2))).tolist() == [[0.0, 0.0]]


def test_what_arrives_last_is_true_and_the_rest_is_told(reads: DayOfReads) -> None:
    rates = Rates(silent=0.02, resent=0.01, corrected=0.01, spike=0.001, seed=3)
    wrong = Defects(reads, rates)
    steps = list(wrong.sent())
    assert [one.at_s for one in steps] == sorted(one.at_s for one in steps)
    rows = pa.concat_tables([one.rows for one in steps])
    stamped = rows.set_column(
        1, "interval_start", rows.column("interval_start").cast(pa.int64())
    ).select(["meter_id", "interval_start", "delivered_kwh", "quality"])
    last: dict[tuple[str, int], tuple[float, str]] = {
        (row["meter_id"], row["interval_start"] // 1_000_000): (
            row["delivered_kwh"],
            row["quality"],
        )
        for row in stamped.to_pylist()
    }
    told = Counter(wrong.truth().column("defect").to_pylist())
    assert set(told) == set(KINDS)
    assert len(last) == reads.rows() - told["missing"]
    assert len(rows) == len(last) + told["resent"] + told["corrected"]
    for (at, slot), kwh in np.ndenumerate(reads.delivered_kwh):
        found = last.get((reads.grid.meters[at].meter_id, reads.starts_s[slot]))
        assert (found is None) == wrong.masks["missing"][at, slot]
        if found is None:
            continue
        if wrong.masks["estimated"][at, slot]:
            assert found[1] == "ESTIMATED"
        elif wrong.masks["spike"][at, slot]:
            assert found[0] > max_kw(reads.grid.meters[at]) / 4
        else:
            assert found == (kwh, "ACTUAL")
    again = Defects(reads, rates)
    assert again.truth().equals(wrong.truth())


def test_outages_take_what_hangs_on_a_switch(grid: Grid) -> None:
    plan = Plan(count=40, feeder_share=0.2, seed=7)
    made = plan_outages(grid, 1_468_533_600, plan)
    assert made == plan_outages(grid, 1_468_533_600, plan)
    assert {one.level for one in made} == {"SERVICE", "TRANSFORMER", "SECTION", "FEEDER"}
    for one in made:
        behind = {grid.transformers[grid.meters[m].transformer] for m in one.meters}
        match one.level:
            case "SERVICE":
                assert [grid.meters[m].meter_id for m in one.meters] == [one.device_id]
            case "TRANSFORMER":
                assert {t.transformer_id for t in behind} == {one.device_id}
            case "SECTION":
                assert {t.section_id for t in behind} == {one.device_id}
            case _:
                assert {t.feeder_id for t in behind} == {one.device_id}
    for before, after in pairwise(made):
        if before.end_s > after.start_s:
            assert not set(before.meters) & set(after.meters)
    told = pa.concat_tables([rows for _, rows in events(grid, made, plan)])
    gasps = told.column("type_code").to_pylist().count(POWER_OUT)
    assert abs(gasps / sum(len(one.meters) for one in made) - plan.gasp_success) < 0.05
    assert truth(made).column("device_id").to_pylist() == [one.device_id for one in made]


def test_the_registry_says_what_is_where(grid: Grid) -> None:
    tables = registry(grid, 0)
    assert {name: len(rows) for name, rows in tables.items()} == {
        "meter_registry": 638,
        "transformers": 12,
        "network_sections": 4,
    }
    stations = {one.transformer_id: one for one in grid.transformers}
    for meter in tables["meter_registry"].to_pylist():
        station = stations[meter["transformer_id"]]
        assert math.dist((meter["lon"], meter["lat"]), (station.lon, station.lat)) < 0.05
    kinds = tables["network_sections"].column("kind").to_pylist()
    assert Counter(kinds) == {"FEEDER": 2, "SECTION": 2}


def test_a_package_that_is_not_there_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter) as told:
        files_of("a_package_nobody_has")
    assert told.value.hint == "pip install --no-deps a_package_nobody_has"
    with pytest.raises(InvalidParameter, match="holds no package simbench"):
        files_of("simbench", tmp_path)
