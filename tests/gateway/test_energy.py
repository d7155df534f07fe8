"""Energy of a session: boundaries, steps, and what they say of each other."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from voltstream.ocpp.energy import Point, coverage, total_energy
from voltstream.ocpp.measurands import EXPORT_REGISTER, IMPORT_REGISTER, POWER_IMPORT
from voltstream.ocpp.quality import Quality

S_US = 1_000_000


def point(
    minute: float,
    value: float,
    context: str = "Sample.Periodic",
    *,
    measurand: str = IMPORT_REGISTER,
    phase: str | None = None,
    origin: str = "METER_VALUES",
    flags: Quality = Quality.OK,
) -> Point:
    at_us = round(minute * 60 * S_US)
    return Point(at_us, measurand, context, phase, value, origin, flags)


def session(start: float, *values: float) -> list[Point]:
    """A register a minute, with both boundaries of 2.x."""
    inner = [point(index + 1, value) for index, value in enumerate(values[:-1])]
    begin = point(0, start, "Transaction.Begin", origin="TX_BEGIN")
    end = point(len(values), values[-1], "Transaction.End", origin="TX_END")
    return [begin, *inner, end]


def test_boundaries_and_steps_agree_whatever_the_order() -> None:
    points = session(1000, 1110.5, 1220, 1330.25)
    for seed in range(5):
        random.Random(seed).shuffle(points)
        found = total_energy(points, None)
        assert (found.billed_mwh, found.basis, found.outcome) == (330_250, "BOUNDARY", "MATCHED")
        assert (found.imported.boundary_mwh, found.imported.delta_mwh) == (330_250, 330_250)


def test_meter_start_and_stop_of_16() -> None:
    points = [
        point(0, 1000, "Transaction.Begin", origin="START_TX"),
        point(1, 1000.4),
        point(2, 1119.7),
        point(3, 1200, "Transaction.End", origin="STOP_TX"),
    ]
    found = total_energy(points, None)
    assert (found.billed_mwh, found.basis, found.outcome) == (200_000, "START_STOP", "MATCHED")


def test_of_several_values_of_an_instant_the_best_is_billed() -> None:
    """Those of the boundary before all others, and of these the signed one."""
    first, *rest = session(1000, 1110, 1220)
    others = [point(0, 990), point(0, 995, "Transaction.Begin", origin="TX_BEGIN")]
    assert total_energy([*others, first, *rest], None).billed_mwh == 225_000
    signed = replace(first, is_signed=True)
    for points in ([*others, signed, *rest], [signed, *rest, *others]):
        found = total_energy(points, None)
        assert (found.billed_mwh, found.basis) == (220_000, "BOUNDARY")


def test_only_periodic_samples() -> None:
    found = total_energy([point(0, 10), point(1, 20), point(2, 35)], None)
    assert (found.billed_mwh, found.basis) == (25_000, "REGISTER")


def test_a_reset_is_not_negative_energy() -> None:
    found = total_energy(session(90_000, 90_100, 20, 120), None)
    assert (found.billed_mwh, found.basis, found.outcome) == (220_000, "REGISTER", "DISPUTED")
    assert found.flags & Quality.REG_RESET


def test_a_placeholder_at_the_start_is_not_billed() -> None:
    points = session(0, 909_900, 909_948)
    points[0] = point(0, 0, "Transaction.Begin", origin="TX_BEGIN", flags=Quality.PLACEHOLDER_ZERO)
    assert total_energy(points, None).billed_mwh == 48_000


def test_phases_are_summed_only_when_whole() -> None:
    whole = [
        point(minute, 100 * minute + index, phase=f"L{index}")
        for minute in range(3)
        for index in (1, 2, 3)
    ]
    assert total_energy(whole, None).billed_mwh == 600_000
    partial = [one for one in whole if one.phase == "L1"]
    assert total_energy(partial, None).basis == "NONE"
    # One phase is all of it when the charger says so, two of three are not.
    assert total_energy(partial, None, 1).billed_mwh == 200_000
    assert total_energy(partial, None, 2).basis == "NONE"
    assert total_energy(partial, None, 0).basis == "NONE"
    two = [one for one in whole if one.phase != "L2"]
    assert total_energy(two, None, 2).billed_mwh == 400_000
    # What is told of the others at any time belongs to it: a sum of one is another register.
    assert total_energy([*two, *whole[-3:]], None, 1).imported.times_us == (120 * S_US,)


def test_import_and_export_stay_apart() -> None:
    points = session(1000, 1100, 1200)
    points += [point(minute, 50 * minute, measurand=EXPORT_REGISTER) for minute in range(3)]
    found = total_energy(points, None)
    assert (found.billed_mwh, found.export_mwh) == (200_000, 100_000)


def test_power_alone_is_an_estimate() -> None:
    points = [point(minute, 6000, measurand=POWER_IMPORT) for minute in range(11)]
    found = total_energy(points, None)
    assert (found.billed_mwh, found.basis) == (1_000_000, "POWER")
    assert found.flags & Quality.ESTIMATED
    assert found.power_max_w == 6000


def test_power_that_does_not_fit_is_told() -> None:
    points = session(1000, *(1000 + 100 * minute for minute in range(1, 61)))
    points += [point(minute, 12_000, measurand=POWER_IMPORT) for minute in range(61)]
    assert total_energy(points, None).outcome == "MINOR"


def test_a_jump_in_the_middle_is_disputed() -> None:
    found = total_energy(session(1000, 1100, 60_000_000, 60_000_100), None)
    assert found.imported.delta_mwh == 200_000
    assert found.outcome == "DISPUTED" or found.flags & Quality.REG_RESET
    assert found.billed_mwh == 200_000


@pytest.mark.parametrize(
    ("minutes", "share"), [(range(11), 1.0), ([0, 1, 2, 3, 10], 0.55), ([0, 10], 1.0)]
)
def test_coverage(minutes: list[int], share: float) -> None:
    times = [minute * 60 * S_US for minute in minutes]
    assert coverage(times, 0, 600 * S_US) == pytest.approx(share)
