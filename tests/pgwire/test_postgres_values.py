"""Values in every format and style, beside what a real PostgreSQL makes of them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import ExecStatus, Format

_BATCH = 25  # Values of one query.
_ROUNDS = int(os.environ.get("VOLTSTREAM_PROPERTY_EXAMPLES", "100")) // 10
_VARCHAR = {1043: 25, 1015: 1009}  # The store has one type of strings.

Make = Callable[[random.Random], str]


# --- values -------------------------------------------------------------------------------------


def _integer(bits: int) -> Make:
    top = 1 << (bits - 1)
    return lambda r: str(r.choice((0, -1, top - 1, -top, r.randrange(-top, top))))


def _float(r: random.Random) -> str:
    special = ("NaN", "Infinity", "-Infinity", "-0", "0.1", "1e15", "123456789012345680")
    if r.random() < 0.3:
        return r.choice(special)
    return repr(r.choice((1.0, -1.0)) * r.random() * 10.0 ** r.randrange(-30, 30))


def _numeric(r: random.Random) -> str:
    whole = str(r.randrange(10 ** r.randrange(1, 18)))
    scale = r.randrange(0, 10)
    fraction = "".join(r.choice("0123456789") for _ in range(scale))
    return r.choice(("", "-")) + whole + ("." + fraction if fraction else "")


def _word(r: random.Random) -> str:
    letters = "ab \\\"',{}()é€😀\t\n%"
    return r.choice(("", "NULL", "".join(r.choice(letters) for _ in range(r.randrange(8)))))


def _bytes(r: random.Random) -> str:
    return "\\x" + r.randbytes(r.randrange(6)).hex()


def _clock(r: random.Random) -> str:
    fraction = r.choice(("", f".{r.randrange(1_000_000):06d}", ".5"))
    return f"{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}{fraction}"


def _day(r: random.Random) -> str:
    year = r.choice((1, 44, 1582, 1970, 2000, 2026, 9999, 12345, r.randrange(1, 9999)))
    return f"{year:04d}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"


def _before_christ(r: random.Random) -> str:
    return f"{r.randrange(1, 4000):04d}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"


def _date(r: random.Random) -> str:
    return r.choice((_day(r), _day(r), _before_christ(r) + " BC", "infinity", "-infinity"))


def _offset(r: random.Random) -> str:
    return f"{r.choice('+-')}{r.randrange(14):02d}:{r.choice((0, 30, 45)):02d}"


def _timestamp(r: random.Random) -> str:
    if r.random() < 0.1:
        return r.choice(("infinity", "-infinity"))
    if r.random() < 0.2:
        return f"{_before_christ(r)} {_clock(r)} BC"
    return f"{_day(r)} {_clock(r)}"


def _timestamptz(r: random.Random) -> str:
    return f"{r.randrange(1, 9999):04d}-07-08 {_clock(r)}{_offset(r)}"


def _interval(r: random.Random) -> str:
    def count(most: int) -> int:
        return r.choice((0, 0, 1, -1, r.randrange(-most, most)))

    return f"{count(300)} mons {count(900)} days {count(10**12)} microseconds"


def _uuid(r: random.Random) -> str:
    return f"{r.getrandbits(128):032x}"


def _json(r: random.Random) -> str:
    return r.choice(('{"b": 1.50, "a": [true, null]}', '"x"', "[]", "1.0", '{"é": "\\n"}'))


MAKERS: dict[str, Make] = {
    "bool": lambda r: r.choice(("t", "f", "yes", "off")),
    "int2": _integer(16), "int4": _integer(32), "int8": _integer(64), "float8": _float,
    "numeric": _numeric, "text": _word, "bytea": _bytes, "uuid": _uuid, "jsonb": _json,
    "date": _date, "time": lambda r: r.choice((_clock(r), "24:00:00")),
    "timetz": lambda r: _clock(r) + _offset(r), "timestamp": _timestamp,
    "timestamptz": _timestamptz, "interval": _interval,
    "oid": lambda r: str(r.randrange(1 << 32)),
    "float4": lambda r: r.choice(("1.1", "NaN", "-Infinity", "1e-10", "3.4e38", "16777216", "0")),
}  # fmt: skip


def _quoted(item: str) -> str:
    return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(make: Make) -> Make:
    def made(r: random.Random) -> str:
        def row(length: int) -> str:
            items = (r.choice(("NULL", _quoted(make(r)), _quoted(make(r)))) for _ in range(length))
            return "{" + ",".join(items) + "}"

        shape = r.randrange(4)
        if shape == 0:
            return "{}"
        if shape == 1:
            length = r.randrange(1, 3)
            return "{" + ",".join(row(length) for _ in range(r.randrange(1, 4))) + "}"
        return row(r.randrange(1, 4))

    return made


# An array of numerics has one scale here, so it prints otherwise than it was written.
ARRAYS = {f"{name}[]": _array(make) for name, make in MAKERS.items() if name != "numeric"}


def _rows(result: Any) -> tuple[list[bytes | None], list[int]]:
    assert result.status == ExecStatus.TUPLES_OK, result.error_message
    count = result.nfields
    oids = [_VARCHAR.get(result.ftype(i), result.ftype(i)) for i in range(count)]
    return [result.get_value(0, i) for i in range(count)], oids


def _casts(names: Sequence[str]) -> bytes:
    return ("SELECT " + ", ".join(f"${n}::{name}" for n, name in enumerate(names, 1))).encode()


@pytest.mark.parametrize("kinds", [MAKERS, ARRAYS], ids=["scalars", "arrays"])
def test_any_value_comes_back_as_postgresql_sends_it(
    both: tuple[Any, Any], kinds: dict[str, Make]
) -> None:
    theirs, ours = (one.pgconn for one in both)
    r = random.Random(int(os.environ.get("VOLTSTREAM_PROPERTY_SEED", "20260102")))
    for _ in range(_ROUNDS):
        names = [r.choice(list(kinds)) for _ in range(_BATCH)]
        texts = [kinds[name](r).encode() for name in names]
        query = _casts(names)
        shown, oids = _rows(theirs.exec_params(query, texts))
        packed, _ = _rows(theirs.exec_params(query, texts, None, None, Format.BINARY))
        said = list(zip(names, texts, strict=True))
        asked = ours.exec_params(query, texts)
        assert list(zip(said, _rows(asked)[0], strict=True)) == list(zip(said, shown, strict=True))
        assert _rows(asked)[1] == oids
        # Binary in, binary out, by the types alone.
        plain = ("SELECT " + ", ".join(f"${n}" for n in range(1, _BATCH + 1))).encode()
        formats = [Format.BINARY] * _BATCH
        back = _rows(ours.exec_params(plain, packed, oids, formats, Format.BINARY))
        assert list(zip(said, back[0], strict=True)) == list(zip(said, packed, strict=True))
        assert back[1] == oids


# --- styles -------------------------------------------------------------------------------------

_DATES = (
    "date '2020-02-03'", "timestamp '2020-02-03 04:05:06.789'", "date '0044-03-15 BC'",
    "timestamptz '2020-07-03 04:05:06.7+02'", "timestamptz '0001-01-03 04:05:06 BC'",
    "timestamptz '1890-01-01 00:00:00+00'", "timestamp '-infinity'", "timetz '04:05:06.1+05:30'",
    "array[date '2020-02-03', null]", "row(date '2020-02-03', timestamp '2020-02-03 04:05:06')",
)  # fmt: skip
_SPANS = tuple(
    f"interval '{span}'"
    for span in (
        "1 year 2 mons 3 days 04:05:06.7", "-1 year -2 mons +3 days -04:05:06.7", "0", "1 year",
        "-3 days", "1 day -00:00:01", "-0.1 sec", "1 sec", "1 mon -1 day", "-4 hours",
        "100 hours 1 min", "-1 mon -1 sec", "5.5 sec",
    )
)  # fmt: skip
_FLOATS = (
    "1.1::float8", "1e15::float8", "1e-5::float8", "123456789.123456789::float8", "1.1::float4",
    "'NaN'::float8", "0.1::float8 + 0.2::float8", "1234567::float4", "'-0'::float8",
)  # fmt: skip
_BLOBS = ("'\\x00ff5c27417e7f'::bytea", "array['\\x00ff'::bytea]")


def _styles() -> Iterator[tuple[str, Sequence[str]]]:
    for zone in ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata"):
        for style in ("ISO", "SQL", "Postgres", "German"):
            for order in ("MDY", "DMY", "YMD"):
                yield f"SET timezone = '{zone}'; SET datestyle = '{style}, {order}'", _DATES
    for style in ("postgres", "postgres_verbose", "sql_standard", "iso_8601"):
        yield f"SET intervalstyle = {style}", _SPANS
    for style in ("hex", "escape"):
        yield f"SET bytea_output = {style}", _BLOBS
    for digits in (-15, -3, 0, 1, 3):
        yield f"SET extra_float_digits = {digits}", _FLOATS


def test_every_style_is_written_as_postgresql_writes_it(both: tuple[Any, Any]) -> None:
    for setting, values in _styles():
        rows = []
        for one in both:
            one.execute(setting)
            rows.append(_rows(one.pgconn.exec_(f"SELECT {', '.join(values)}".encode()))[0])
        for value, theirs, ours in zip(values, *rows, strict=True):
            assert (setting, value, ours) == (setting, value, theirs)
    for one in both:
        one.execute("RESET ALL; SET timezone = 'UTC'")


@pytest.mark.parametrize("order", ["MDY", "DMY", "YMD"])
@pytest.mark.parametrize("text", ["02/03/2020", "02/03/20", "13/02/2020", "2020-03-02", "1/2/99"])
def test_dates_are_read_in_the_order_of_the_session(
    both: tuple[Any, Any], order: str, text: str
) -> None:
    found = []
    for one in both:
        one.execute(f"SET datestyle = 'ISO, {order}'")
        result = one.pgconn.exec_(f"SELECT date '{text}'".encode())
        sqlstate = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        found.append(sqlstate or result.get_value(0, 0))
        one.execute("RESET datestyle")
    assert found[1] == found[0]


# --- settings -----------------------------------------------------------------------------------


def _said(connection: Any, statement: str) -> object:
    """Return rows, command tag, or SQLSTATE and message."""
    result = connection.pgconn.exec_(statement.encode())
    if result.status == ExecStatus.TUPLES_OK:
        return [
            [result.get_value(i, j) for j in range(result.nfields)] for i in range(result.ntuples)
        ]
    if result.status == ExecStatus.COMMAND_OK:
        return result.command_status
    field = psycopg.pq.DiagnosticField
    return result.error_field(field.SQLSTATE), result.error_field(field.MESSAGE_PRIMARY)


def test_settings_answer_as_those_of_postgresql(both: tuple[Any, Any]) -> None:
    script = Path(__file__).with_name("session_settings.sql").read_text()
    statements = [line for line in script.splitlines() if not line.startswith("--")]
    theirs, ours = ([(s, _said(one, s)) for s in statements] for one in both)
    assert ours == theirs
    for one in both:
        one.execute("DISCARD ALL")
        one.execute("SET timezone = 'UTC'")
