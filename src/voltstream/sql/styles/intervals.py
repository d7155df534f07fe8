"""Intervals in PostgreSQL's four styles.

Source: PostgreSQL, src/backend/utils/adt/datetime.c, EncodeInterval.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Parts:
    """An interval's fields, each with its own sign."""

    years: int
    months: int
    days: int
    hours: int
    minutes: int
    seconds: int
    micros: int

    @property
    def all(self) -> tuple[int, ...]:
        return (
            self.years, self.months, self.days, self.hours, self.minutes, self.seconds, self.micros,
        )  # fmt: skip

    @property
    def clock(self) -> tuple[int, ...]:
        return (self.hours, self.minutes, self.seconds, self.micros)

    def negated(self) -> _Parts:
        return _Parts(*(-part for part in self.all))

    def seconds_text(self, width: int = 1) -> str:
        """Spell seconds and fraction without their sign."""
        text = f"{abs(self.seconds):0{width}d}"
        return f"{text}.{abs(self.micros):06d}".rstrip("0") if self.micros else text


def interval_text(months: int, days: int, micros: int, style: str = "postgres") -> str:
    """Spell an interval in an IntervalStyle."""
    if style == "postgres":
        return _postgres(months, days, micros)
    parts = _parts(months, days, micros)
    match style:
        case "postgres_verbose":
            return _verbose(parts)
        case "sql_standard":
            return _standard(parts)
        case _:
            return _iso(parts)


def clock_text(micros: int) -> str:
    """Spell a time of day or a longer span as hh:mm:ss with its fraction trimmed."""
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def _divided(number: int, divisor: int) -> tuple[int, int]:
    """Divide towards zero, as C does."""
    quotient = abs(number) // divisor * (1 if number >= 0 else -1)
    return quotient, number - quotient * divisor


def _parts(months: int, days: int, micros: int) -> _Parts:
    years, months = _divided(months, 12)
    hours, micros = _divided(micros, 3_600_000_000)
    minutes, micros = _divided(micros, 60_000_000)
    seconds, micros = _divided(micros, 1_000_000)
    return _Parts(years, months, days, hours, minutes, seconds, micros)


def _postgres(months: int, days: int, micros: int) -> str:
    parts: list[str] = []
    before_negative = False
    years, months = _divided(months, 12)
    for count, unit in ((years, "year"), (months, "mon"), (days, "day")):
        if count:
            # A plus is printed only where it ends a run of minus signs.
            sign = "+" if before_negative and count > 0 else ""
            parts.append(f"{sign}{count} {unit}{'' if count == 1 else 's'}")
            before_negative = count < 0
    if micros or not parts:
        sign = "-" if micros < 0 else "+" if before_negative else ""
        parts.append(sign + clock_text(abs(micros)))
    return " ".join(parts)


def _verbose(parts: _Parts) -> str:
    spelled: list[str] = []
    is_ago = False
    named = (
        (parts.years, "year"), (parts.months, "mon"), (parts.days, "day"), (parts.hours, "hour"),
        (parts.minutes, "min"),
    )  # fmt: skip
    for count, unit in named:
        if not count:
            continue
        if not spelled:
            is_ago = count < 0
        shown = -count if is_ago else count
        spelled.append(f"{shown} {unit}{'' if shown == 1 else 's'}")
    if parts.seconds or parts.micros:
        is_negative = parts.seconds < 0 or parts.micros < 0
        if not spelled:
            is_ago = is_negative
        one = abs(parts.seconds) == 1 and not parts.micros
        sign = "-" if is_negative is not is_ago else ""
        spelled.append(f"{sign}{parts.seconds_text()} sec{'' if one else 's'}")
    return " ".join(["@", *(spelled or ["0"]), *(["ago"] if is_ago else [])])


def _standard(parts: _Parts) -> str:
    negative = any(part < 0 for part in parts.all)
    positive = any(part > 0 for part in parts.all)
    of_year = bool(parts.years or parts.months)
    of_day = bool(parts.days or any(parts.clock))
    if not negative and not positive:
        return "0"
    if (negative and positive) or (of_year and of_day):
        # Signs everywhere, or it could be read as another interval.
        signs = ["-" if any(p < 0 for p in group) else "+" for group in (
            (parts.years, parts.months), (parts.days,), parts.clock,
        )]  # fmt: skip
        return (
            f"{signs[0]}{abs(parts.years)}-{abs(parts.months)} {signs[1]}{abs(parts.days)} "
            f"{signs[2]}{abs(parts.hours)}:{abs(parts.minutes):02d}:{parts.seconds_text(2)}"
        )
    sign, size = ("-", parts.negated()) if negative else ("", parts)
    if of_year:
        return f"{sign}{size.years}-{size.months}"
    clock = f"{size.hours}:{size.minutes:02d}:{size.seconds_text(2)}"
    return f"{sign}{size.days} {clock}" if size.days else sign + clock


def _iso(parts: _Parts) -> str:
    if not any(parts.all):
        return "PT0S"
    dates = ((parts.years, "Y"), (parts.months, "M"), (parts.days, "D"))
    text = "P" + "".join(f"{count}{unit}" for count, unit in dates if count)
    if not any(parts.clock):
        return text
    text += "T" + "".join(
        f"{count}{unit}" for count, unit in ((parts.hours, "H"), (parts.minutes, "M")) if count
    )
    if parts.seconds or parts.micros:
        sign = "-" if parts.seconds < 0 or parts.micros < 0 else ""
        text += f"{sign}{parts.seconds_text()}S"
    return text
