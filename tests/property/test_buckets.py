"""Buckets in a zone: they part the line, in order, and each row lies in its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock

# Clocks that go forward and back by an hour, half an hour or two, also at midnight, also never.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana",
         "Africa/Cairo", "Antarctica/Troll", "Asia/Kathmandu", "UTC")  # fmt: skip
WIDTHS = ("15 minutes", "30 minutes", "1 hour", "3 hours", "8 hours", "1 day", "7 days", "1 month")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = Engine(Path(tmp_path_factory.mktemp("buckets")) / "data", ManualClock())
    yield running
    running.close()


def changes(zone: str) -> list[datetime]:
    """Return the hours in a year in which a zone's offset changes."""
    place = ZoneInfo(zone)
    at, found = datetime(2026, 1, 1, tzinfo=UTC), []
    while at.year == 2026:
        if (
            at.astimezone(place).utcoffset()
            != (at + timedelta(hours=1)).astimezone(place).utcoffset()
        ):
            found.append(at)
        at += timedelta(hours=1)
    return found or [datetime(2026, 3, 1, tzinfo=UTC)]


def instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


@pytest.mark.parametrize("zone", ZONES)
def test_buckets_part_the_line_across_every_change_of_the_clock(engine: Engine, zone: str) -> None:
    for change in changes(zone):
        listed = ", ".join(
            f"time_bucket('{width}', at, '{zone}') AS b{n}" for n, width in enumerate(WIDTHS)
        )
        start = (change - timedelta(days=2)).isoformat()
        rows = engine.run(
            f"SELECT at, {listed} FROM generate_series(TIMESTAMPTZ '{start}', "
            f"TIMESTAMPTZ '{start}' + INTERVAL '4 days', INTERVAL '5 minutes') AS g(at) ORDER BY at"
        )
        for number, width in enumerate(WIDTHS):
            found = [(instant(row[0]), instant(row[number + 1])) for row in rows]
            assert all(b <= at for at, b in found), f"{width}: a row lies before its bucket"
            starts = [b for _, b in found]
            assert starts == sorted(starts), f"{width}: buckets are not in order"
            # A bucket that begins within the rows begins with itself: nothing is in two of them.
            inside = {b for _, b in found} & {at for at, _ in found}
            assert all(b == at for at, b in found if at in inside), f"{width}: {zone}"
            local = {b.astimezone(ZoneInfo(zone)) for b in starts}
            if width == "1 day" and zone not in ("America/Havana", "Africa/Cairo"):
                assert all(b.hour == b.minute == 0 for b in local), f"{width}: {local}"
