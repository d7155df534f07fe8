"""What meters call a time, as microseconds since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from voltstream.core.metering import DateOrder, Dst
from voltstream.formats.metering.records import Unreadable

SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1)
_DIGITS = re.compile(r"\d{8}(?:\d{4}|\d{6})?")
_SLASHED = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_MIDNIGHT_AFTER = re.compile(r"(.*[ T]?)24(:?00(?:(?::?00)(?:\.0+)?)?)(.*)")
_NUMBER = re.compile(r"-?\d{9,19}(?:\.\d+)?")
_DOUBLED = timedelta(hours=2)  # No zone sets its clock back by more.


def us_of(moment: datetime) -> int:
    """Return a moment without a zone, taken as UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class Times:
    """Reads the times of one document, in the order in which they stand there.

    Law: a local time that the clock shows twice is the earlier moment when its series shows it
    first, the later one when it shows it again or has passed the earlier. A third is refused, and
    so is a time that the clock passed over.
    """

    def __init__(self, zone: str, dst: Dst, order: DateOrder = "mdy") -> None:
        self._zone = ZoneInfo(zone)
        self._dst = dst
        self._order = order
        self._known: dict[str, int] = {}
        self._last: dict[object, int] = {}
        self._shown: dict[tuple[object, datetime], int] = {}

    def read(self, text: str, series: object = None) -> int:
        """Return the moment. Raises: Unreadable."""
        known = self._known.get(text)
        if known is None:
            moment = parsed(text, self._order)
            if moment.tzinfo is not None:
                known = us_of(moment.astimezone(UTC).replace(tzinfo=None))
            else:
                known = self._one_moment(moment)
                if known is None:
                    return self.of(moment, series)
            self._known[text] = known
        if self._dst == "wall":
            self._last[series] = known
        return known

    def of(self, local: datetime, series: object = None) -> int:
        """Return the moment of a local time. Raises: Unreadable."""
        only = self._one_moment(local)
        if only is None:
            first, second = self._both(local)
            shown = self._shown.get((series, local), 0)
            last = self._last.get(series)
            near = last is not None and abs(last - first) <= _DOUBLED // timedelta(microseconds=1)
            if shown == 0 and not (near and last is not None and first <= last):
                only = first
            elif shown < 2:
                only = second
            else:
                raise Unreadable(f"the time {local} stands there more than twice")
            self._shown[(series, local)] = 1 if only == first else 2
        self._last[series] = only
        return only

    def day(self, local: date) -> tuple[int, int]:
        """Return where a day begins and ends; 23 to 25 hours by a clock that is set."""
        start = datetime(local.year, local.month, local.day)
        return self._first(start), self._first(start + timedelta(days=1))

    def gap(self, local: date) -> tuple[timedelta, timedelta] | None:
        """Return which times of a day the clock passes over, since its midnight."""
        begin, end = self.day(local)
        missing = timedelta(days=1) - timedelta(microseconds=end - begin)
        if missing <= timedelta(0):
            return None
        midnight = datetime(local.year, local.month, local.day)
        for minute in range(0, 1440, 5):
            since = timedelta(minutes=minute)
            if self._passed_over(midnight + since):
                return since, since + missing
        return None

    def _first(self, local: datetime) -> int:
        if self._dst == "wall" and self._passed_over(local):  # A clock set at midnight.
            return us_of(local) - _offset_us(self._zone, local, 0)
        only = self._one_moment(local)
        return self._both(local)[0] if only is None else only

    def _one_moment(self, local: datetime) -> int | None:
        """Return the moment of a local time; None where there are two. Raises: Unreadable."""
        match self._dst:
            case "utc":
                return us_of(local)
            case "standard":
                return us_of(local) - _standard_us(self._zone, local.year)
            case "wall":
                first, second = self._both(local)
                if first == second:
                    return first
                if first > second:
                    raise Unreadable(f"no clock of {self._zone.key} showed {local}")
                return None

    def _both(self, local: datetime) -> tuple[int, int]:
        told = us_of(local)
        return (
            told - _offset_us(self._zone, local, 0),
            told - _offset_us(self._zone, local, 1),
        )

    def _passed_over(self, local: datetime) -> bool:
        first, second = self._both(local)
        return first > second


def _offset_us(zone: ZoneInfo, local: datetime, fold: int) -> int:
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)
    return offset // timedelta(microseconds=1)


@lru_cache(maxsize=256)
def _standard_us(zone: ZoneInfo, year: int) -> int:
    """Return the zone's offset without daylight saving, that of the half-year which has none."""
    for month in (1, 7):
        moment = datetime(year, month, 1, 12, tzinfo=zone)
        if not moment.dst():
            return (moment.utcoffset() or timedelta(0)) // timedelta(microseconds=1)
    moment = datetime(year, 1, 1, 12, tzinfo=zone)
    offset = (moment.utcoffset() or timedelta(0)) - (moment.dst() or timedelta(0))
    return offset // timedelta(microseconds=1)


def parsed(text: str, order: DateOrder = "mdy") -> datetime:
    """Read a time with or without an offset; ``24:00`` is the next day's midnight.

    Raises: Unreadable.
    """
    written = text.strip()
    try:
        return _parsed(written, order)
    except (ValueError, OverflowError):
        pass
    late = _MIDNIGHT_AFTER.fullmatch(written)
    if late is not None:
        head, tail, rest = late.groups()
        try:
            return _parsed(f"{head}00{tail}{rest}", order) + timedelta(days=1)
        except (ValueError, OverflowError):
            pass
    raise Unreadable(f'cannot read "{text[:80]}" as a time')


def _parsed(text: str, order: DateOrder) -> datetime:
    if _DIGITS.fullmatch(text) and text[:2] in ("19", "20"):
        year, month, day = text[:4], text[4:6], text[6:8]
        clock = [text[place : place + 2] for place in range(8, len(text), 2)]
        return _made(year, month, day, clock)
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    slashed = _SLASHED.fullmatch(text)
    if slashed is None:
        return datetime.fromisoformat(text)
    first, mark, second, year, *rest = slashed.groups()
    month, day = (second, first) if mark == "." or order == "dmy" else (first, second)
    return _made(year, month, day, [part or "0" for part in rest])


def _made(year: str, month: str, day: str, clock: Sequence[str]) -> datetime:
    hour, minute, second = (*(int(part) for part in clock), 0, 0, 0)[:3]
    return datetime(int(year), int(month), int(day), hour, minute, second)


def _since_1970(number: float) -> datetime:
    size = abs(number)
    seconds = number if size < 1e11 else number / 1e3 if size < 1e14 else number / 1e6
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
