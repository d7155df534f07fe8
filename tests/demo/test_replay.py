"""The replay is a function of the recording, and delivers exactly the energy that was measured."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from voltstream.cli.charging import fit_curve
from voltstream.cli.replay import (
    DAY_S,
    SILENCE_S,
    Message,
    Replay,
    Session,
    batches,
    load_sessions,
    ndjson,
)

EXTRACT = Path(__file__).parents[2] / "examples" / "acn" / "sessions"
REGISTER = "Energy.Active.Import.Register"


@pytest.fixture(scope="module")
def first_day() -> list[Session]:
    sessions = load_sessions(EXTRACT)
    day_start_s = Replay(sessions).start_s
    return [one for one in sessions if one.arrival_s < day_start_s + DAY_S]


@pytest.fixture(scope="module")
def messages(first_day: list[Session]) -> list[Message]:
    return list(Replay(first_day).messages())


def test_extract_is_a_week_of_real_sessions() -> None:
    sessions = load_sessions(EXTRACT)
    assert len(sessions) == 665
    assert len({one.charge_point_id for one in sessions}) == 97
    assert [one.number for one in sessions] == list(range(1, 666))


def test_same_sessions_give_same_messages(
    first_day: list[Session], messages: list[Message]
) -> None:
    assert list(Replay(first_day).messages()) == messages


def test_messages_come_in_order_of_delivery(messages: list[Message]) -> None:
    instants = [message.at_s for message in messages]
    assert instants == sorted(instants)


def test_registers_never_fall_and_end_at_the_delivered_energy(
    first_day: list[Session], messages: list[Message]
) -> None:
    registers: defaultdict[str, list[float]] = defaultdict(list)
    for message in messages:
        if message.row.get("measurand") == REGISTER:
            registers[str(message.row["transaction_id"])].append(
                float(str(message.row["value_si"]))
            )
    assert len(registers) == len(first_day)
    for session in first_day:
        series = registers[str(session.number)]
        assert series == sorted(series)
        assert series[-1] - series[0] == session.delivered_wh


def test_transaction_events_carry_the_delivered_energy(
    first_day: list[Session], messages: list[Message]
) -> None:
    energy_wh: Counter[str] = Counter()
    for message in messages:
        if message.source == "charger_transactions":
            sign = 1 if message.row["event_type"] == "STOP" else -1
            meter_wh = int(str(message.row["meter_wh"]))
            energy_wh[str(message.row["transaction_id"])] += sign * meter_wh
    assert energy_wh == Counter({str(one.number): one.delivered_wh for one in first_day})


def test_silent_station_sends_its_queue_at_the_end_of_the_silence(
    first_day: list[Session], messages: list[Message]
) -> None:
    station = next(one for one in Replay(first_day).stations if one.silences)
    begin_s, end_s = station.silences[0]
    own = [m for m in messages if m.row["charge_point_id"] == station.charge_point_id]
    assert end_s - begin_s == SILENCE_S
    assert not [m for m in own if begin_s <= m.at_s < end_s]
    late = [m for m in own if m.at_s == end_s and m.row["event_ts"] != m.row["received_ts"]]
    assert all(m.source != "charger_heartbeats" for m in late)


def test_without_faults_no_message_is_late_or_missing(first_day: list[Session]) -> None:
    clean = list(Replay(first_day, faults=False).messages())
    assert all(m.row["event_ts"] == m.row["received_ts"] for m in clean)
    session = first_day[0]
    samples = [
        m
        for m in clean
        if m.row.get("measurand") == REGISTER and m.row["transaction_id"] == str(session.number)
    ]
    # One at each end and one each minute between.
    assert len(samples) == 2 + (session.departure_s - session.arrival_s - 1) // 60


def test_batches_take_what_is_due_and_lose_nothing(first_day: list[Session]) -> None:
    replay = Replay(first_day[:3])
    stream = replay.messages()
    held: list[Message] = []
    seen = 0
    for until_s in range(replay.start_s, replay.end_s + 1, 3600):
        seen += sum(len(rows) for rows in batches(stream, until_s, held).values())
    assert seen == sum(1 for _ in replay.messages())


def test_ndjson_is_one_line_a_row() -> None:
    assert ndjson([{"a": 1}, {"a": None}]) == b'{"a":1}\n{"a":null}\n'


@pytest.mark.parametrize("total_wh", [0, 1, 740, 9_500, 51_000, 108_800])
@pytest.mark.parametrize("stay_s", [0, 60, 600, 17_100, 90_000])
def test_curve_delivers_everything_within_the_stay(total_wh: int, stay_s: int) -> None:
    curve = fit_curve(total_wh, stay_s)
    assert curve.full_s <= max(stay_s, 1.0) * (1 + 1e-9)
    assert curve.energy_wh(curve.full_s) == total_wh
    series = [curve.energy_wh(stay_s * step / 50) for step in range(51)]
    assert series == sorted(series)


def test_usual_curve_holds_full_power_then_tapers() -> None:
    curve = fit_curve(10_000, 8 * 3600)
    assert curve.power_w(0) == 6_600
    assert curve.taper_start_s == pytest.approx(8_500 / 6_600 * 3600)
    assert curve.power_w(curve.full_s - 1e-6) == pytest.approx(300, abs=0.1)
    assert curve.power_w(curve.full_s) == 0
