"""What each setting may be, and how PostgreSQL spells it back.

Source: PostgreSQL 15, manual chapter "Server Configuration", and SHOW.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from voltstream.core.encodings import ENCODINGS
from voltstream.core.errors import CannotChange, InvalidParameter
from voltstream.core.zones import fixed_zone
from voltstream.runtime.deadline import duration_s

_TRUE = frozenset({"on", "true", "yes", "1", "t", "y", "tr", "tru", "ye"})
_FALSE = frozenset({"off", "false", "no", "0", "f", "n", "of", "fa", "fal", "fals"})
_LEVELS = ("serializable", "repeatable read", "read committed", "read uncommitted")
_MESSAGES = (
    "debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error",
)  # fmt: skip

# How PostgreSQL writes names that are not in lower case.
SHOWN: Mapping[str, str] = {
    "datestyle": "DateStyle", "intervalstyle": "IntervalStyle", "timezone": "TimeZone",
}  # fmt: skip
_BOOLEANS = frozenset({
    "array_nulls", "default_transaction_deferrable", "default_transaction_read_only",
    "escape_string_warning", "jit", "row_security", "standard_conforming_strings",
    "transaction_deferrable", "transaction_read_only", "synchronize_seqscans",
})  # fmt: skip
_DURATIONS = frozenset({
    "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout",
    "statement_timeout",
})  # fmt: skip
_INTEGERS: Mapping[str, tuple[int, int]] = {"extra_float_digits": (-15, 3)}
_CHOICES: Mapping[str, Sequence[str]] = {
    "backslash_quote": ("safe_encoding", "on", "off"),
    "bytea_output": ("escape", "hex"),
    "client_min_messages": _MESSAGES,
    "default_transaction_isolation": _LEVELS,
    "intervalstyle": ("postgres", "postgres_verbose", "sql_standard", "iso_8601"),
    "password_encryption": ("scram-sha-256",),
    "synchronous_commit": ("local", "remote_write", "remote_apply", "on", "off"),
    "transaction_isolation": _LEVELS,
    "xmlbinary": ("base64", "hex"),
    "xmloption": ("content", "document"),
}
_FIXED = frozenset({
    "block_size", "in_hot_standby", "integer_datetimes", "lc_collate", "lc_ctype",
    "max_identifier_length", "max_index_keys", "server_encoding", "server_version",
    "server_version_num",
})  # fmt: skip
_AT_START = frozenset({"max_connections", "wal_level"})
_APPLICATION_BYTES_MAX = 63  # PostgreSQL's NAMEDATALEN - 1.


def check_changeable(name: str) -> None:
    """Raises: CannotChange (55P02)."""
    if name in _FIXED:
        raise CannotChange(f'parameter "{shown_name(name)}" cannot be changed')
    if name in _AT_START:
        said = f'parameter "{name}" cannot be changed without restarting the server'
        raise CannotChange(said)


def canonical(name: str, value: str, before: str = "") -> str:
    """Return a value as it is kept; ``before`` completes what names only a part.

    Raises: InvalidParameter (22023).
    """
    if name in _BOOLEANS:
        return _boolean(name, value)
    if name in _DURATIONS:
        return _duration(name, value)
    if name in _INTEGERS:
        return _integer(name, value)
    if name in _CHOICES:
        return _choice(name, value)
    read = _READERS.get(name)
    return read(value, before) if read is not None else value


def switched(name: str, value: str) -> str:
    """Return true or false, as RisingWave shows its switches; ``default`` stays what it is.

    Raises: InvalidParameter (22023).
    """
    if value.lower() == "default":
        return value
    return "true" if _boolean(name, value) == "on" else "false"


def shown_name(name: str) -> str:
    return SHOWN.get(name, name)


@dataclass(frozen=True, slots=True)
class Facts:
    """What pg_settings says of a setting beside its value."""

    kind: str = "string"
    unit: str | None = None
    low: str | None = None
    high: str | None = None
    choices: Sequence[str] | None = None
    context: str = "user"


def facts_of(name: str) -> Facts:
    context = "internal" if name in _FIXED else "postmaster" if name in _AT_START else "user"
    if name in _BOOLEANS:
        return Facts("bool", context=context)
    if name in _DURATIONS:
        return Facts("integer", "ms", "0", "2147483647", context=context)
    if name in _INTEGERS:
        low, high = _INTEGERS[name]
        return Facts("integer", None, str(low), str(high), context=context)
    if name in _CHOICES:
        return Facts("enum", choices=_CHOICES[name], context=context)
    return Facts(context=context)


def raw_value(name: str, value: str) -> str:
    """Return a value as pg_settings has it: a duration in its unit."""
    return str(round(duration_s(name, value) * 1000)) if name in _DURATIONS else value


# --- kinds --------------------------------------------------------------------------------------


def _boolean(name: str, value: str) -> str:
    word = value.strip().lower()
    if word in _TRUE:
        return "on"
    if word in _FALSE:
        return "off"
    raise InvalidParameter(f'parameter "{name}" requires a Boolean value')


_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1))


def _duration(name: str, value: str) -> str:
    ms = round(duration_s(name, value) * 1000)
    if not ms:
        return "0"
    unit, size = next((unit, size) for unit, size in _UNITS_MS if ms % size == 0)
    return f"{ms // size}{unit}"


def _integer(name: str, value: str) -> str:
    try:
        number = round(float(value))
    except (ValueError, OverflowError):
        raise InvalidParameter(f'invalid value for parameter "{name}": "{value}"') from None
    low, high = _INTEGERS[name]
    if not low <= number <= high:
        raise InvalidParameter(
            f'{number} is outside the valid range for parameter "{name}" ({low} .. {high})'
        )
    return str(number)


def _choice(name: str, value: str) -> str:
    word = value.strip().lower()
    if word in _CHOICES[name]:
        return word
    if name in ("synchronous_commit", "backslash_quote") and word in _TRUE | _FALSE:
        return _boolean(name, word)
    raise InvalidParameter(
        f'invalid value for parameter "{shown_name(name)}": "{value}"',
        hint=f"Available values: {', '.join(_CHOICES[name])}.",
    )


_STYLES = {"iso": "ISO", "sql": "SQL", "german": "German"}
_ORDERS = {"ymd": "YMD", "dmy": "DMY", "mdy": "MDY"}


def _date_style(value: str, before: str) -> str:
    style = order = ""
    old_style, _, old_order = (before or "ISO, MDY").partition(", ")

    def refuse(detail: str) -> InvalidParameter:
        said = f'invalid value for parameter "DateStyle": "{value}"'
        return InvalidParameter(said, detail=detail)

    for word in filter(None, re.split(r"[,\s]+", value.lower())):
        found_style = "Postgres" if word.startswith("postgres") else _STYLES.get(word, "")
        found_order = _ORDERS.get(word, "")
        if word.startswith("euro"):
            found_order = "DMY"
        elif word == "us" or word.startswith("noneuro"):
            found_order = "MDY"
        elif word == "default":
            found_style, found_order = style or "ISO", order or "MDY"
        if not found_style and not found_order:
            raise refuse(f'Unrecognized key word: "{word}".')
        if (style and found_style not in ("", style)) or (order and found_order not in ("", order)):
            raise refuse('Conflicting "datestyle" specifications.')
        style, order = found_style or style, found_order or order
    if style == "German" and not order:
        order = "DMY"
    return f"{style or old_style}, {order or old_order}"


def _encoding(value: str, _: str) -> str:
    word = re.sub(r"[^a-z0-9]", "", value.lower())
    found = next((e for e in ENCODINGS.values() if word in e.spellings), None)
    if found is None:
        raise InvalidParameter(
            f'invalid value for parameter "client_encoding": "{value}"',
            hint=f"Available values: {', '.join(ENCODINGS)}.",
        )
    return found.name


def _application(value: str, _: str) -> str:
    printable = "".join(
        letter if " " <= letter <= "~" else "?" * len(letter.encode()) for letter in value
    )
    return printable[:_APPLICATION_BYTES_MAX]


def zone_named(name: str) -> str:
    """Return a time zone's own name, in whatever case it was given; so many hours are zones too.

    Raises: InvalidParameter (22023).
    """
    found = _zones().get(name.strip().lower())
    if found is not None:
        return found
    hours = _HOURS.fullmatch(name.strip())
    if hours is not None and abs(int(hours[1])) <= 12:
        # The database of zones counts west of Greenwich as positive; people and PostgreSQL do not.
        return f"Etc/GMT{-int(hours[1]):+d}" if int(hours[1]) else "UTC"
    minutes = _minutes(name.strip())
    if minutes is not None and abs(minutes) <= 14 * 60:
        return fixed_zone(minutes)
    raise InvalidParameter(f'invalid value for parameter "TimeZone": "{name}"')


def _minutes(text: str) -> int | None:
    """Read an offset that is not of whole hours: -3.5, or an interval."""
    if re.fullmatch(r"[+-]?\d{1,2}\.\d+", text):
        return round(float(text) * 60)
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    size = int(found[2]) * 60 + int(found[3] or 0)
    return -size if found[1] == "-" else size


_OFFSET = re.compile(
    r"interval\s+([+-]?)(\d{1,2})(?::(\d\d))?(?:\s+hour(?:\s+to\s+minute)?)?", re.IGNORECASE
)
_HOURS = re.compile(r"(?:UTC|GMT)?([+-]?\d{1,2})(?::?00)?", re.IGNORECASE)


@cache
def _zones() -> Mapping[str, str]:
    return {"z": "UTC", "local": "UTC", **{name.lower(): name for name in available_timezones()}}


_READERS: Mapping[str, Callable[[str, str], str]] = {
    "application_name": _application,
    "client_encoding": _encoding,
    "datestyle": _date_style,
    "timezone": lambda value, _: zone_named(value),
}
