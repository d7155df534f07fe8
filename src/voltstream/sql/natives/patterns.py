"""to_char, to_timestamp and to_date: PostgreSQL's date patterns.

Source: PostgreSQL's manual, 9.8 "Data Type Formatting Functions".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from voltstream.core.errors import DatetimeOverflow, InvalidDatetime, InvalidParameter
from voltstream.core.native import NativeFunction
from voltstream.sql.natives.intervals import span_of

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Longest first, so that HH24 is not read as HH.
_PATTERNS = sorted(
    [
        "Y,YYY",
        "YYYY",
        "YYY",
        "YY",
        "Y",
        "IYYY",
        "IYY",
        "IY",
        "I",
        "MONTH",
        "MON",
        "MM",
        "DAY",
        "DY",
        "DDD",
        "IDDD",
        "DD",
        "D",
        "ID",
        "WW",
        "W",
        "IW",
        "CC",
        "J",
        "Q",
        "RM",
        "HH24",
        "HH12",
        "HH",
        "MI",
        "SSSSS",
        "SSSS",
        "SS",
        "MS",
        "US",
        "FF1",
        "FF2",
        "FF3",
        "FF4",
        "FF5",
        "FF6",
        "A.M.",
        "P.M.",
        "AM",
        "PM",
        "B.C.",
        "A.D.",
        "BC",
        "AD",
        "TZH",
        "TZM",
        "TZ",
        "OF",
    ],
    key=len,
    reverse=True,
)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_CALENDAR_ONLY = frozenset(
    [
        "MONTH",
        "MON",
        "DAY",
        "DY",
        "D",
        "ID",
        "DDD",
        "IDDD",
        "WW",
        "W",
        "IW",
        "TZ",
        "TZH",
        "TZM",
        "OF",
        "BC",
        "AD",
        "J",
        "RM",
    ]
)
_NAMES = {"MONTH": _MONTHS, "MON": _MONTHS, "DAY": _DAYS, "DY": _DAYS}


class _Piece:
    """One pattern of a template, or literal text."""

    __slots__ = ("fill", "ordinal", "pattern", "spelled", "text")

    def __init__(self, text: str, pattern: str | None, fill: bool, ordinal: str) -> None:
        self.text = text
        self.pattern = pattern
        self.spelled = text
        self.fill = fill
        self.ordinal = ordinal


@lru_cache(maxsize=256)
def _pieces(template: str) -> tuple[_Piece, ...]:
    pieces: list[_Piece] = []
    at, fill = 0, True
    while at < len(template):
        upper = template[at:].upper()
        if upper.startswith(("FM", "TM", "FX")):
            fill = fill and not upper.startswith("FM")
            at += 2
            continue
        if template[at] == '"':
            end = template.find('"', at + 1)
            end = len(template) if end < 0 else end
            pieces.append(_Piece(template[at + 1 : end], None, True, ""))
            at = end + 1
            continue
        if template[at] == "\\" and template[at + 1 : at + 2] == '"':
            pieces.append(_Piece('"', None, True, ""))
            at += 2
            continue
        pattern = next((p for p in _PATTERNS if upper.startswith(p)), None)
        if pattern is None:
            pieces.append(_Piece(template[at], None, True, ""))
            at += 1
            continue
        spelled = template[at : at + len(pattern)]
        at += len(pattern)
        ordinal = template[at : at + 2] if template[at : at + 2] in ("TH", "th") else ""
        at += len(ordinal)
        pieces.append(_Piece(spelled, pattern, fill, ordinal))
        fill = True
    return tuple(pieces)


def _cased(name: str, spelled: str, width: int) -> str:
    text = name[:width] if width < 9 else name
    if spelled.isupper():
        text = text.upper()
    elif spelled.islower():
        text = text.lower()
    return text


def _ordinal(text: str, suffix: str) -> str:
    number = abs(int(text))
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return text + (ending.upper() if suffix == "TH" else ending)


def _padded(number: int, width: int, fill: bool) -> str:
    if not fill:
        return str(number)
    return f"-{abs(number):0{width}}" if number < 0 else f"{number:0{width}}"


def _century(year: int) -> int:
    return (year + 99) // 100 if year > 0 else year // 100


def _date_number(moment: datetime, pattern: str) -> tuple[int, int] | None:
    """Return (number, width) of a pattern that prints a number."""
    iso_year, iso_week, iso_day = moment.isocalendar()
    day_of_year = moment.timetuple().tm_yday
    midnight_s = moment.hour * 3600 + moment.minute * 60 + moment.second
    hour12 = moment.hour % 12 or 12
    us = moment.microsecond
    values: dict[str, tuple[int, int]] = {
        "YYYY": (moment.year, 4), "YYY": (moment.year % 1000, 3), "YY": (moment.year % 100, 2),
        "Y": (moment.year % 10, 1), "IYYY": (iso_year, 4), "IYY": (iso_year % 1000, 3),
        "IY": (iso_year % 100, 2), "I": (iso_year % 10, 1), "MM": (moment.month, 2),
        "DDD": (day_of_year, 3), "IDDD": ((iso_week - 1) * 7 + iso_day, 3), "DD": (moment.day, 2),
        "D": (iso_day % 7 + 1, 1), "ID": (iso_day, 1), "WW": ((day_of_year - 1) // 7 + 1, 2),
        "W": ((moment.day - 1) // 7 + 1, 1), "IW": (iso_week, 2),
        "CC": (_century(moment.year), 2), "J": (moment.toordinal() + 1721425, 1),
        "Q": ((moment.month + 2) // 3, 1), "HH24": (moment.hour, 2), "HH12": (hour12, 2),
        "HH": (hour12, 2), "MI": (moment.minute, 2), "SS": (moment.second, 2),
        "SSSS": (midnight_s, 1), "SSSSS": (midnight_s, 1), "MS": (us // 1000, 3), "US": (us, 6),
    }  # fmt: skip
    if pattern.startswith("FF"):
        digits = int(pattern[2])
        return us // 10 ** (6 - digits), digits
    return values.get(pattern)


def format_moment(moment: datetime, template: str) -> str:
    """Print a time stamp by a template."""
    out: list[str] = []
    for piece in _pieces(template):
        pattern = piece.pattern
        if pattern is None:
            out.append(piece.text)
            continue
        number = _date_number(moment, pattern)
        if number is not None:
            text = _padded(number[0], number[1], piece.fill)
            out.append(_ordinal(text, piece.ordinal) if piece.ordinal else text)
        else:
            out.append(_date_word(moment, pattern, piece))
    return "".join(out)


def _date_word(moment: datetime, pattern: str, piece: _Piece) -> str:
    if pattern in _NAMES:
        index = moment.month - 1 if pattern in ("MONTH", "MON") else moment.weekday()
        short = pattern in ("MON", "DY")
        text = _cased(_NAMES[pattern][index], piece.spelled, 3 if short else 9)
        return text.ljust(9) if piece.fill and not short else text
    if pattern in ("AM", "PM", "A.M.", "P.M."):
        return _half(moment.hour, pattern, piece.spelled)
    if pattern in ("BC", "AD", "B.C.", "A.D."):
        text = "A.D." if "." in pattern else "AD"
        return text.lower() if piece.spelled.islower() else text
    if pattern == "Y,YYY":
        return (
            f"{moment.year:,}"
            if not piece.fill
            else f"{moment.year // 1000},{moment.year % 1000:03}"
        )
    if pattern == "RM":
        text = _ROMAN[moment.month - 1].ljust(4 if piece.fill else 0)
        return text.lower() if piece.spelled.islower() else text
    return _zone(moment, pattern, piece.spelled)


def _half(hour: int, pattern: str, spelled: str) -> str:
    text = "PM" if hour % 24 >= 12 else "AM"
    if "." in pattern:
        text = f"{text[0]}.{text[1]}."
    return text.lower() if spelled.islower() else text


def _zone(moment: datetime, pattern: str, spelled: str) -> str:
    if moment.tzinfo is None:
        return "" if pattern == "TZ" else "+00" if pattern in ("TZH", "OF") else "00"
    offset = moment.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    match pattern:
        case "TZH":
            return f"{sign}{hours:02}"
        case "TZM":
            return f"{rest:02}"
        case "OF":
            return f"{sign}{hours:02}" + (f":{rest:02}" if rest else "")
        case _:
            name = moment.tzname() or ""
            return name.lower() if spelled.islower() else name


def format_interval(value: Any, template: str) -> str:
    """Print an interval by a template. Raises: InvalidDatetime (22007)."""
    span = span_of(value)
    sign = -1 if span.us < 0 else 1
    seconds, us = divmod(abs(span.us), 1_000_000)
    hours = sign * (seconds // 3600)
    years, months = int(span.months / 12), span.months - 12 * int(span.months / 12)
    numbers: dict[str, tuple[int, int]] = {
        "YYYY": (years, 4), "YYY": (years % 1000, 3), "YY": (int(abs(years) % 100), 2),
        "Y": (abs(years) % 10, 1), "IYYY": (years, 4), "IY": (abs(years) % 100, 2),
        "MM": (months, 2), "DD": (span.days, 2), "HH24": (hours, 2),
        "HH12": (sign * (abs(hours) % 12 or (12 if hours == 0 or abs(hours) % 12 == 0 else 0)), 2),
        "MI": (sign * (seconds // 60 % 60), 2), "SS": (sign * (seconds % 60), 2),
        "MS": (sign * (us // 1000), 3), "US": (sign * us, 6),
        "SSSS": (sign * seconds, 1), "SSSSS": (sign * seconds, 1), "CC": (years // 100, 2),
        "Q": ((abs(months) + 2) // 3, 1),
    }  # fmt: skip
    numbers["HH"] = numbers["HH12"]
    out: list[str] = []
    for piece in _pieces(template):
        pattern = piece.pattern
        if pattern is None:
            out.append(piece.text)
        elif pattern in _CALENDAR_ONLY:
            raise InvalidDatetime("invalid format specification for an interval value")
        elif pattern in ("AM", "PM", "A.M.", "P.M."):
            out.append(_half(hours % 24 if hours >= 0 else 0, pattern, piece.spelled))
        elif pattern in numbers:
            out.append(_padded(*numbers[pattern], piece.fill))
        else:
            out.append(piece.text)
    return "".join(out)


_WIDTHS = {
    "YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "IYYY": 4, "MM": 2, "DD": 2, "DDD": 3, "HH24": 2,
    "HH12": 2, "HH": 2, "MI": 2, "SS": 2, "MS": 3, "US": 6, "FF1": 1, "FF2": 2, "FF3": 3,
    "FF4": 4, "FF5": 5,
    "FF6": 6, "IW": 2, "ID": 1, "D": 1, "J": 7, "Q": 1, "CC": 2, "SSSS": 5, "SSSSS": 5, "WW": 2,
    "W": 1,
}  # fmt: skip
_TWO_DIGIT_LIMIT = 2070  # YY is the year nearest to 2020.
_FRACTIONS = frozenset({"MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6"})


class _Reader:
    """Reads a text by a template into fields."""

    def __init__(self, text: str, template: str) -> None:
        self.text = text
        self.at = 0
        self.fields: dict[str, int] = {}
        self.fraction_us = 0
        self.zone: tuple[int, int] | None = None
        self.afternoon: bool | None = None
        pieces = _pieces(template)
        for index, piece in enumerate(pieces):
            following = pieces[index + 1] if index + 1 < len(pieces) else None
            self._read(piece, following)

    def _read(self, piece: _Piece, following: _Piece | None) -> None:
        pattern = piece.pattern
        if pattern is None:
            self._skip(piece.text)
        elif pattern in _NAMES:
            self._name(pattern)
        elif pattern in ("AM", "PM", "A.M.", "P.M."):
            self._meridiem()
        elif pattern in ("TZH", "TZM", "TZ", "OF"):
            self._offset(pattern)
        elif pattern in _WIDTHS:
            self._number(pattern, following is not None and following.pattern is not None)

    def _skip(self, literal: str) -> None:
        if self.at < len(self.text):
            here = self.text[self.at]
            sign = here in "+-" and literal == " "  # Of the number or the offset that follows.
            if (literal.isalnum() or not here.isalnum()) and not sign:
                self.at += len(literal)

    def _spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _number(self, pattern: str, glued: bool) -> None:
        self._spaces()
        width = _WIDTHS[pattern]
        limit = width if glued or pattern not in ("YYYY", "J") else 9
        found = re.compile(rf"[+-]?\d{{1,{limit}}}").match(self.text, self.at)
        if not found:
            rest = self.text[self.at : self.at + width]
            raise InvalidDatetime(f'invalid value "{rest}" for "{pattern}"')
        self.at = found.end()
        digits = found[0]
        if pattern in _FRACTIONS:
            self.fraction_us = int(digits.ljust(6, "0")[:6])
        else:
            self.fields[pattern] = int(digits)

    def _name(self, pattern: str) -> None:
        self._spaces()
        rest = self.text[self.at :].lower()
        for index, name in enumerate(_NAMES[pattern]):
            for spelled in (name.lower(), name[:3].lower()):
                if rest.startswith(spelled):
                    self.at += len(spelled)
                    if pattern in ("MONTH", "MON"):
                        self.fields["MM"] = index + 1
                    return
        raise InvalidDatetime(f'invalid value "{self.text[self.at : self.at + 3]}" for "{pattern}"')

    def _meridiem(self) -> None:
        self._spaces()
        found = re.compile(r"([ap])\.?m\.?", re.IGNORECASE).match(self.text, self.at)
        if not found:
            raise InvalidDatetime(f'invalid value "{self.text[self.at : self.at + 2]}" for "AM"')
        self.afternoon = found[1].lower() == "p"
        self.at = found.end()

    def _offset(self, pattern: str) -> None:
        self._spaces()
        hours, minutes = self.zone or (0, 0)
        if pattern == "TZM":
            found = re.compile(r"\d{2}").match(self.text, self.at)
            minutes = int(found[0]) if found else 0
        else:
            found = re.compile(r"([+-]?)(\d{2})(?::(\d{2}))?|Z|UTC|GMT").match(self.text, self.at)
            if found is None:
                raise InvalidDatetime(f'invalid value "{self.text[self.at :]}" for "{pattern}"')
            if pattern == "TZH":
                found = re.compile(r"([+-]?)(\d{2})").match(self.text, self.at)
                assert found is not None
            if found.lastindex:
                hours = int(found[2]) * (-1 if found[1] == "-" else 1)
                minutes = int(found[3]) if found.lastindex > 2 else 0
        if found:
            self.at = found.end()
        self.zone = (hours, minutes)

    def moment(self) -> datetime:
        fields = self.fields
        hour = fields.get("HH24", 0)
        for name in ("HH12", "HH"):
            if name in fields:
                hour = fields[name]
                if not 1 <= hour <= 12 and self.afternoon is not None:
                    raise DatetimeOverflow(f'hour "{hour}" is invalid for the 12-hour clock')
                if self.afternoon is not None:
                    hour = hour % 12 + (12 if self.afternoon else 0)
        seconds = fields.get("SS", 0)
        extra = fields.get("SSSSS", fields.get("SSSS", 0))
        if hour > 23 or fields.get("MI", 0) > 59 or seconds > 60:
            raise DatetimeOverflow(f'date/time field value out of range: "{self.text}"')
        day = self._day()
        return datetime(day.year, day.month, day.day) + timedelta(
            hours=hour, minutes=fields.get("MI", 0), seconds=seconds + extra,
            microseconds=self.fraction_us,
        )  # fmt: skip

    def _day(self) -> date:
        fields = self.fields
        try:
            if "J" in fields:
                return date.fromordinal(fields["J"] - 1721425)
            if "IYYY" in fields:
                return date.fromisocalendar(
                    fields["IYYY"], fields.get("IW", 1), fields.get("ID", 1)
                )
            year = self._year()
            if "DDD" in fields:
                return date(year, 1, 1) + timedelta(days=fields["DDD"] - 1)
            return date(year, fields.get("MM", 1), fields.get("DD", 1))
        except (ValueError, OverflowError) as error:
            message = f'date/time field value out of range: "{self.text}"'
            raise DatetimeOverflow(message) from error

    def _year(self) -> int:
        fields = self.fields
        for pattern in ("YYYY", "YYY", "YY", "Y"):
            if pattern in fields:
                year: int = fields[pattern]
                if pattern != "YYYY" and year < 1000:  # The year nearest to 2020.
                    base: int = 10 ** len(pattern)
                    year += (2000 // base) * base
                    return year - base if pattern == "YY" and year >= _TWO_DIGIT_LIMIT else year
                return year or 1
        return 1  # PostgreSQL's year 1 BC has no date here.


def parse_moment(text: str, template: str) -> datetime:
    """Read a time stamp by a template; an offset in it is applied."""
    reader = _Reader(text, template)
    moment = reader.moment()
    if reader.zone is not None:
        hours, minutes = reader.zone
        offset = timedelta(hours=abs(hours), minutes=minutes)
        moment = moment.replace(tzinfo=timezone(-offset if hours < 0 else offset))
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def _moment_text(moment: datetime, template: str) -> str:
    return format_moment(moment, template)


def _zoned_text(moment: datetime, template: str, offset_s: int) -> str:
    zone = timezone(timedelta(seconds=offset_s)) if offset_s else UTC
    return format_moment(moment.replace(tzinfo=zone), template)


def _parsed_date(text: str, template: str) -> date:
    if not template:
        raise InvalidParameter("an empty pattern")
    return parse_moment(text, template).date()


NATIVES = (
    NativeFunction("_vs_to_char", ("TIMESTAMP", "VARCHAR"), "VARCHAR", _moment_text),
    NativeFunction(
        "_vs_to_char_zoned", ("TIMESTAMP", "VARCHAR", "INTEGER"), "VARCHAR", _zoned_text
    ),
    NativeFunction("_vs_to_char_span", ("INTERVAL", "VARCHAR"), "VARCHAR", format_interval),
    NativeFunction("_vs_to_timestamp", ("VARCHAR", "VARCHAR"), "TIMESTAMP", parse_moment),
    NativeFunction("_vs_to_date", ("VARCHAR", "VARCHAR"), "DATE", _parsed_date),
)
