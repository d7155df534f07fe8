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


@pytest.mark.parametrize("zone", ZONES)
def test_an_offset_or_origin_moves_buckets_and_they_part_the_line_still(
    engine: Engine, zone: str
) -> None:
    """A day that begins at six by an offset begins at six by an origin, on every day."""
    for change in changes(zone):
        moved = [
            (width, f"time_bucket('{width}', at, '{zone}', {how})")
            for width in ("1 hour", "1 day", "7 days", "1 month")
            for how in (
                "\"offset\" => INTERVAL '6 hours'",
                "origin => TIMESTAMP '2000-01-03 06:00'",
            )
            if width != "1 month" or how.startswith('"offset"')
        ]
        listed = ", ".join(f"{call} AS b{n}" for n, (_, call) in enumerate(moved))
        start = (change - timedelta(days=2)).isoformat()
        rows = engine.run(
            f"SELECT at, {listed} FROM generate_series(TIMESTAMPTZ '{start}', "
            f"TIMESTAMPTZ '{start}' + INTERVAL '4 days', INTERVAL '10 minutes') AS g(at) ORDER BY 1"
        )
        columns = list(zip(*([instant(value) for value in row] for row in rows), strict=True))
        times, buckets = columns[0], columns[1:]
        for (width, call), starts in zip(moved, buckets, strict=True):
            assert list(starts) == sorted(starts), call
            assert all(b <= at for at, b in zip(times, starts, strict=True)), call
            inside = set(starts) & set(times)
            assert all(b == at for at, b in zip(times, starts, strict=True) if at in inside), call
            if width != "1 hour":
                assert all(b.astimezone(ZoneInfo(zone)).hour == 6 for b in starts), call
        for by_offset, by_origin in zip(buckets[0:6:2], buckets[1:6:2], strict=True):
            assert by_offset == by_origin
