"""What is known of a charger's clock, whatever its queue brings."""

from __future__ import annotations

import random

import pytest

from tests.gateway.desk import NOON_US, Desk, clock, flags_of
from tests.gateway.test_day import record
from voltstream.ocpp.clock_offset import CLOCK_FINE_US, ClockOffset
from voltstream.ocpp.instants import US_PER_S, spell_instant
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version


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


# --- clocks that are set while messages wait ----------------------------------------------------


def live_and_away(told: Told, slow_after_s: float) -> list[tuple[float, float]]:
    """Be known, be away from 100 to 3,000, come back with a clock that was set, empty the queue.

    Returns the true time of each queued message and the time it was given, in seconds.
    """
    told.live(0, 30, 60, 90)
    slow_before_s, told.slow_s = told.slow_s, slow_after_s
    told.clock.told()
    told.live(3_000, 3_001)  # The states of the connectors are sent at once, the queue waits.
    given = []
    for number, at_s in enumerate(range(100, 3_000, 60)):
        event_us = round((at_s - slow_before_s) * US_PER_S)
        received_us = round((3_001 + number * 0.2) * US_PER_S)
        told.clock.observe(event_us, received_us)
        corrected_us = event_us + told.clock.correction_us(event_us, received_us)
        given.append((float(at_s), corrected_us / US_PER_S))
        if number % 10 == 0:  # And what is live goes on between.
            told.live(3_001 + number * 0.2)
    return given


@pytest.mark.parametrize(("before_s", "after_s"), [(600, 0), (600, 120), (-600, 0), (0, 600)])
def test_what_waited_has_the_offset_of_before_the_clock_was_set(
    before_s: float, after_s: float
) -> None:
    told = Told(before_s)
    for at_s, given_s in live_and_away(told, after_s):
        assert abs(given_s - at_s) < 6
    told.live(3_030, 3_060, 3_090)
    assert abs(told.clock.offset_us() / US_PER_S - (after_s + 0.2 if after_s else 0)) < 1
    # What is older than the step has the offset of before, although the new one is known by now.
    event_us = round((2_000 - before_s) * US_PER_S)
    corrected_us = event_us + told.clock.correction_us(event_us, 3_100 * US_PER_S)
    assert abs(corrected_us / US_PER_S - 2_000) < 6


def test_a_clock_that_was_just_set_is_believed_at_once() -> None:
    told = Told(-600)
    told.live(0, 30, 60)
    told.slow_s = 0
    told.clock.told()
    assert told.clock.correction_us(90 * US_PER_S, round(90.3 * US_PER_S)) == 0


def test_no_message_is_dated_after_it_came() -> None:
    for known in (False, True):
        told = Told(600)
        if known:
            told.live(0, 30, 60)
        # The clock was set forward; and without any knowledge one that is fast shows itself.
        assert told.clock.correction_us(100 * US_PER_S, 101 * US_PER_S) == 0
        assert told.clock.correction_us(140 * US_PER_S, 100 * US_PER_S) == -40 * US_PER_S


def test_what_a_clock_that_was_never_set_dates_shares_one_offset() -> None:
    clock_ = ClockOffset()
    first = clock_.unset_us(3_000 * US_PER_S, NOON_US)  # It came at once, then the queue:
    assert clock_.unset_us(600 * US_PER_S, NOON_US + US_PER_S) == first
    assert clock_.unset_us(660 * US_PER_S, NOON_US + 2 * US_PER_S) == first
    # A charger that was off in between counts from its own beginning.
    clock_.connected()
    assert clock_.unset_us(10 * US_PER_S, NOON_US + 9 * US_PER_S) == NOON_US - US_PER_S
    # And one whose clock jumps to another century is not dated by the last one.
    assert clock_.unset_us(NOON_US + 10**15, NOON_US + 9 * US_PER_S) < 0
    assert clock_.unset_us(50 * US_PER_S, NOON_US + 49 * US_PER_S) == NOON_US - US_PER_S


def test_a_session_begun_in_1970_and_ended_by_a_clock_that_was_set() -> None:
    """An hour offline without a clock, then an hour with one: two hours, not one or fifty years."""
    desk = Desk()

    def old(seconds: float) -> str:
        return spell_instant(round(seconds * US_PER_S))  # Power came 600 s before noon.

    began = desk.say("StartTransaction", 3_601, connectorId=1, idTag="T", meterStart=0,
                     timestamp=old(600))  # fmt: skip
    number = began["transactionId"]
    for minute in range(10, 61, 10):
        sampled = {"timestamp": old(600 + 60 * minute), "sampledValue": [{"value": 100 * minute}]}
        desk.say("MeterValues", 3_601 + minute / 10, connectorId=1, transactionId=number,
                 meterValue=[sampled])  # fmt: skip
    for minute in range(70, 121, 10):
        desk.meter(60 * minute, 100 * minute, transactionId=number)
    desk.stop(7_200, number, 12_000)
    found = record(desk, str(number))
    assert found is not None
    assert abs(float(found["duration_s"]) - 7_200) < 10
    assert (found["energy_wh"], found["delta_wh"]) == (12_000, 12_000)
    assert found["coverage"] == 1 and found["charging_s"] > 7_100
    assert Quality(found["flags"]) & Quality.ESTIMATED


@pytest.mark.parametrize("slow_s", [300.0, -300.0])
def test_a_session_is_as_long_as_its_charger_says_while_the_clock_is_being_learned(
    slow_s: float,
) -> None:
    """The first message of a charger cannot be set right yet, its last one can."""
    desk = Desk(Version.V201)

    def say(kind: str, at: float, seq: int, wh: float) -> None:
        stamp = clock(at - slow_s)
        desk.say(
            "TransactionEvent", at, eventType=kind, timestamp=stamp, seqNo=seq,
            triggerReason="ChargingStateChanged", transactionInfo={"transactionId": "tx-1"},
            evse={"id": 1}, meterValue=[{"timestamp": stamp, "sampledValue": [{"value": wh}]}],
        )  # fmt: skip

    say("Started", 0.2, 0, 0)
    for number in range(1, 60):
        say("Updated", 60 * number + 0.2, number, 100 * number)
    say("Ended", 3_600.2, 60, 6_000)
    found = record(desk, "tx-1")
    assert found is not None
    assert abs(float(found["duration_s"]) - 3_600) < 1
    assert abs(found["started_at"].timestamp() - NOON_US / US_PER_S) < 2


def test_states_teach_the_clock_too_and_another_zone_is_seen() -> None:
    """A charger that never charges sends nothing else; local time is off by whole hours."""
    for hours in (-5, -0.5, 0.75):
        desk = Desk()
        for turn in range(4):
            status = "Available" if turn % 2 else "Unavailable"
            desk.say("StatusNotification", 30 * turn + 0.1, connectorId=1, errorCode="NoError",
                     status=status, timestamp=clock(30 * turn + 3_600 * hours))  # fmt: skip
        last = desk.rows["charger_status"][-1]
        assert abs(last["corrected_ts"] - last["received_ts"]) < US_PER_S
        assert flags_of(last) & Quality.CLOCK_SKEW


def test_a_charger_says_that_it_set_its_clock() -> None:
    desk = Desk(Version.V201)

    def status(at: float, slow_s: float, word: str) -> int:
        desk.say("StatusNotification", at, evseId=1, connectorId=1, connectorStatus=word,
                 timestamp=clock(at - slow_s))  # fmt: skip
        row = desk.rows["charger_status"][-1]
        return int(row["corrected_ts"] - row["received_ts"])

    for turn in range(4):
        status(30 * turn, -600, "Available" if turn % 2 else "Occupied")
    assert status(130, -600, "Occupied") == 0
    desk.say("SecurityEventNotification", 140, type="SettingSystemTime", timestamp=clock(140))
    assert status(150, 0, "Available") == 0


def test_an_end_that_is_made_up_is_dated_as_its_session_is() -> None:
    desk = Desk()
    number = 0
    for minute in range(6):
        at = 60 * minute
        if not minute:
            begun = desk.say("StartTransaction", at, connectorId=1, idTag="T", meterStart=0,
                             timestamp=clock(at - 300))  # fmt: skip
            number = begun["transactionId"]
            continue
        sampled = {"timestamp": clock(at - 300), "sampledValue": [{"value": 100 * minute}]}
        desk.say("MeterValues", at, connectorId=1, transactionId=number, meterValue=[sampled])
    desk.say("StartTransaction", 900, connectorId=1, idTag="U", meterStart=600,
             timestamp=clock(600))  # fmt: skip
    [stop] = desk.transactions("STOP")
    assert stop["event_ts"] == NOON_US and stop["corrected_ts"] == NOON_US + 300 * US_PER_S
