"""The register state machine: which steps are energy."""

from __future__ import annotations

import random

import pytest

from voltstream.ocpp.quality import Quality
from voltstream.ocpp.registers import MWH_PER_WH, Step, advance, first

MINUTE_US = 60_000_000
POWER_W = 22_000.0


def run(*values: float, power_w: float = POWER_W, zero: bool = False) -> list[Step]:
    """Feed samples a minute apart. Units: Wh."""
    register = first(0, round(values[0] * MWH_PER_WH), boundary=False)
    return [
        advance(
            register,
            (index + 1) * MINUTE_US,
            round(value * MWH_PER_WH),
            power_w=power_w,
            may_be_placeholder=zero,
        )
        for index, value in enumerate(values[1:])
    ]


def energy_wh(steps: list[Step]) -> float:
    return sum(step.delta_mwh for step in steps) / MWH_PER_WH


def test_steps_add_up_to_the_difference() -> None:
    steps = run(1000, 1100.5, 1300, 1666.125)
    assert energy_wh(steps) == 666.125
    assert {step.flags for step in steps} == {Quality.OK}


def test_what_may_flow_is_a_fifth_more_than_the_power_and_50_wh() -> None:
    bound_wh = 1.2 * POWER_W / 60 + 50
    assert bound_wh == 490
    (most,) = run(1000, 1000 + bound_wh)
    (more,) = run(1000, 1000 + bound_wh + 0.001)
    assert (most.delta_mwh, most.flags) == (490_000, Quality.OK)
    assert (more.delta_mwh, more.flags) == (0, Quality.IMPLAUSIBLE)


def test_order_does_not_change_the_sum() -> None:
    chance = random.Random(7)
    for _ in range(50):
        samples = [(minute * MINUTE_US, minute * 200_000) for minute in range(20)]
        shuffled = samples[1:]
        chance.shuffle(shuffled)
        register = first(*samples[0], boundary=False)
        total = sum(advance(register, at, v, power_w=POWER_W).delta_mwh for at, v in shuffled)
        assert total == 19 * 200_000


def test_late_sample_adds_nothing_and_says_so() -> None:
    register = first(10 * MINUTE_US, 5_000, boundary=False)
    assert advance(register, MINUTE_US, 4_000, power_w=POWER_W) == Step(0, Quality.LATE, 0)


def test_same_instant_same_value_is_a_duplicate() -> None:
    register = first(0, 5_000, boundary=False)
    assert advance(register, 0, 5_000, power_w=POWER_W) == Step(0, Quality.DUPLICATE, 0)
    assert advance(register, 0, 6_000, power_w=POWER_W) == Step(1_000, Quality.OK, 0)


def test_jitter_is_not_negative_energy() -> None:
    steps = run(1000.9, 1000, 1200)
    assert [step.flags for step in steps] == [Quality.NEG_DELTA, Quality.OK]
    assert energy_wh(steps) == pytest.approx(199.1)


def test_one_wild_sample_is_not_counted() -> None:
    steps = run(1000, 900_000, 1200)
    assert [step.flags for step in steps] == [Quality.IMPLAUSIBLE, Quality.OK]
    assert energy_wh(steps) == 200


def test_a_unit_slip_is_named() -> None:
    steps = run(1000, 1_100_000, 1200)
    assert steps[0].flags == Quality.IMPLAUSIBLE | Quality.UNIT_SUSPECT
    assert energy_wh(steps) == 200


def test_a_jump_that_is_confirmed_begins_a_new_epoch() -> None:
    steps = run(1000, 900_000, 900_100, 900_200)
    assert [step.flags for step in steps] == [
        Quality.IMPLAUSIBLE,
        Quality.REG_RESET,
        Quality.OK,
    ]
    assert energy_wh(steps) == 200
    assert steps[-1].epoch == 1


def test_placeholder_zero_is_not_a_reset() -> None:
    steps = run(909_900, 0, 909_948, zero=True)
    assert [step.flags for step in steps] == [Quality.PLACEHOLDER_ZERO, Quality.OK]
    assert energy_wh(steps) == 48


def test_a_zero_that_grows_was_a_reset() -> None:
    steps = run(909_900, 0, 100, 200, zero=True)
    assert [step.flags for step in steps] == [
        Quality.PLACEHOLDER_ZERO,
        Quality.REG_RESET,
        Quality.OK,
    ]
    assert energy_wh(steps) == 200


def test_reset_counts_what_is_there_when_it_is_little() -> None:
    steps = run(50_000, 30, 130)
    assert steps[0].flags == Quality.REG_RESET
    assert (energy_wh(steps), steps[-1].epoch) == (130, 1)


def test_reset_to_something_unknown_counts_nothing_of_it() -> None:
    steps = run(50_000, 20_000, 20_100)
    assert steps[0].flags == Quality.REG_RESET
    assert energy_wh(steps) == 100


@pytest.mark.parametrize("modulus_wh", [2**16, 2**31, 2**32, 10**9])
def test_rollover(modulus_wh: int) -> None:
    steps = run(modulus_wh - 100, 50, 150)
    assert steps[0].flags == Quality.ROLLOVER
    assert energy_wh(steps) == 250


def test_a_register_far_from_its_end_does_not_turn_over() -> None:
    # 65,536 - 40,000 + 100 Wh could flow in that time, but the register was far from its end.
    register = first(0, 40_000 * MWH_PER_WH, boundary=False)
    step = advance(register, 600 * MINUTE_US, 100 * MWH_PER_WH, power_w=POWER_W)
    assert step.flags == Quality.REG_RESET


def test_session_relative_samples() -> None:
    # The boundary counts a lifetime (4,076 kWh), the samples count the session.
    register = first(0, 4_076_000_000, boundary=True)
    seen = []
    for minute, value_wh in enumerate([104, 204, 304], start=1):
        seen.append(advance(register, minute * MINUTE_US, value_wh * MWH_PER_WH, power_w=POWER_W))
    assert {step.flags for step in seen} == {Quality.SESSION_RELATIVE}
    end = advance(register, 4 * MINUTE_US, 4_076_400_000, power_w=POWER_W, boundary=True)
    assert end == Step(96_000, Quality.OK, 0)
    assert sum(step.delta_mwh for step in [*seen, end]) == 400_000
