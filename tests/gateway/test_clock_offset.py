"""What is known of a charger's clock, whatever its queue brings."""

from __future__ import annotations

import random

import pytest

from voltstream.ocpp.clock_offset import CLOCK_FINE_US, ClockOffset
from voltstream.ocpp.instants import US_PER_S


class Told:
    """A charger whose clock is slow by so much. Units: s."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.clock = ClockOffset()
        self.slow_s = slow_s

    def live(self, *at_s: float) -> int:
        for at in at_s:
            self.say(at, at + 0.2)
        return self.clock.offset_us()

    def say(self, written_s: float, received_s: float) -> int:
        event_us = round((written_s - self.slow_s) * US_PER_S)
        self.clock.observe(event_us, round(received_s * US_PER_S))
        return self.clock.offset_us()


@pytest.mark.parametrize("slow_s", [0.0, 120.0, -40.0])
@pytest.mark.parametrize("every_s", [1.0, 3.0, 60.0, 300.0])
def test_a_queue_that_is_emptied_changes_nothing(slow_s: float, every_s: float) -> None:
    told = Told(slow_s)
    known = told.live(0, 30, 60, 90)
    assert known == (round((slow_s + 0.2) * US_PER_S) if slow_s else 0)
    back_s = 3_000.0  # The connection was away from 100 on; 0.2 s are between two messages.
    written = [100 + number * every_s for number in range(int(2_900 / every_s))]
    for number, at_s in enumerate(written):
        assert told.say(at_s, back_s + number * 0.2) == known
    now_s = back_s + len(written) * 0.2
    assert told.live(*(now_s + 30 * turn for turn in range(5))) == known


@pytest.mark.parametrize("every_s", [1.0, 3.0, 60.0])
def test_a_queue_teaches_nothing_of_a_charger_that_is_new(every_s: float) -> None:
    told = Told()
    for number in range(int(2_700 / every_s)):
        assert told.say(number * every_s, 2_800 + number * 0.2) == 0


def test_a_clock_that_was_set_is_followed_both_ways() -> None:
    told = Told(600)
    assert told.live(0, 30, 60) == round(600.2 * US_PER_S)
    told.slow_s = 0
    assert told.live(90, 120, 150) == 0
    told.slow_s = 3_600
    assert told.live(180, 210, 240) == round(3_600.2 * US_PER_S)


def test_a_slow_network_is_no_slow_clock() -> None:
    chance = random.Random(5)
    told = Told(60)
    for turn in range(200):
        told.say(turn * 30.0, turn * 30.0 + chance.uniform(0.05, 3))
    assert abs(told.clock.offset_us() - 61.5 * US_PER_S) < CLOCK_FINE_US
