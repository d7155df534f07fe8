"""Functions of our own: laws that golden scripts cannot state."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from voltstream.core.errors import (
    DatetimeOverflow,
    InvalidDatetime,
    InvalidParameter,
    InvalidRegex,
    InvalidText,
)
from voltstream.sql.functions import MACROS, NATIVES
from voltstream.sql.natives.datetimes import read_date, read_time, read_timestamp
from voltstream.sql.natives.expression import choices, tries_few_ways
from voltstream.sql.natives.intervals import Span, interval_text, parse_interval, scale
from voltstream.sql.natives.json_values import normal_json, read_json, write_json
from voltstream.sql.natives.jsonb import contains
from voltstream.sql.natives.jsonpath import compile_path
from voltstream.sql.natives.number_patterns import format_number
from voltstream.sql.natives.patterns import format_moment, parse_moment
from voltstream.sql.natives.regex import compiled, similar_pattern
from voltstream.sql.natives.texts import array_item, array_items, float_text

spans = some.builds(
    Span,
    some.integers(-12_000, 12_000),
    some.integers(-10_000, 10_000),
    some.integers(-(10**14), 10**14),
)
documents = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)


@given(span=spans)
def test_an_interval_reads_back_what_it_prints(span: Span) -> None:
    assert parse_interval(interval_text(span)) == span


@given(span=spans)
def test_one_times_an_interval_is_the_interval(span: Span) -> None:
    assert scale(span, Fraction(1)) == span


@given(document=documents)
def test_jsonb_is_normal_once_and_for_all(document: object) -> None:
    text = write_json(document)
    assert normal_json(text) == text
    assert read_json(text) == document


@given(document=documents)
def test_jsonb_contains_itself(document: object) -> None:
    assert contains(document, document)


@given(items=some.lists(some.none() | some.text()))
def test_an_array_reads_back_what_it_prints(items: list[str | None]) -> None:
    assert array_items("{" + ",".join(map(array_item, items)) + "}") == items


@given(value=some.floats(allow_nan=False))
def test_a_double_reads_back_what_it_prints(value: float) -> None:
    assert float(float_text(value)) == value


@given(moment=some.datetimes(min_value=datetime(1000, 1, 1)))
def test_a_moment_reads_back_what_its_template_prints(moment: datetime) -> None:
    template = "YYYY-MM-DD HH24:MI:SS.US"
    assert parse_moment(format_moment(moment, template), template) == moment


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-1-2", "2026-01-02"),
        ("20260102", "2026-01-02"),
        ("Jan 2, 2026", "2026-01-02"),
        ("2 January 2026", "2026-01-02"),
        ("1/2/2026", "2026-01-02"),
        ("2026-01-02 10:00", "2026-01-02"),
    ],
)
def test_dates_in_their_spellings(text: str, read: str) -> None:
    assert read_date(text) == read


def test_a_zone_counts_only_where_there_is_one() -> None:
    assert read_timestamp("2026-01-02T03:04:05+02", zoned=True) == "2026-01-02 03:04:05+02:00"
    assert read_timestamp("2026-01-02T03:04:05+02", zoned=False) == "2026-01-02 03:04:05"
    assert read_timestamp("2026-01-02 24:00", zoned=False) == "2026-01-03 00:00:00"


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01"])
def test_a_day_that_is_none(text: str) -> None:
    with pytest.raises(DatetimeOverflow, match="out of range"):
        read_date(text)


@pytest.mark.parametrize("text", ["", "soon", "10", "10:xx"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(InvalidDatetime):
        read_time(text)


@pytest.mark.parametrize("text", ["", "1 parsec", "day", "1 2"])
def test_an_interval_that_is_none(text: str) -> None:
    with pytest.raises(InvalidDatetime, match="invalid input syntax for type interval"):
        parse_interval(text)


@pytest.mark.parametrize(
    ("number", "template", "printed"),
    [
        ("1234.5", "9,999.99", " 1,234.50"),
        ("-5", "999", "  -5"),
        ("0.1", "FM9.9", ".1"),
        ("485", "RN", "        CDLXXXV"),
        ("12345", "999", " ###"),
        ("-485", "999PR", "<485>"),
        ("0.0004859", "9.99EEEE", " 4.86e-04"),
    ],
)
def test_numbers_by_template(number: str, template: str, printed: str) -> None:
    assert format_number(number, template) == printed


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a[*] ? (@ > 1)", [2, 3]),
        ("$.a[last]", [3]),
        ("$.a.size()", [3]),
        ("$.b.c == 5", [True]),
        ("lax $.missing", []),
        ('$.s ? (@ starts with "he")', ["hello"]),
        ("$.a[0] + 3", [Decimal(4)]),
    ],
)
def test_json_paths(path: str, found: list[object]) -> None:
    document = read_json('{"a": [1, 2, 3], "b": {"c": 5}, "s": "hello"}')
    assert compile_path(path).values(document, {}) == found


def test_what_a_strict_path_refuses_a_silent_one_leaves_out() -> None:
    path = compile_path("strict $.missing")
    with pytest.raises(InvalidParameter, match="does not contain key"):
        path.values({}, {})
    assert path.values({}, {}, silent=True) == []


@pytest.mark.parametrize("text", ["$.", "a b", "$[", "$.a ? (@ >)"])
def test_a_path_that_is_none(text: str) -> None:
    with pytest.raises(InvalidText, match="jsonpath"):
        compile_path(text)


def test_patterns_of_postgresql() -> None:
    assert compiled(r"\mcat\M").search("a cat!") is not None
    assert compiled("[[:digit:]]+").search("ab12") is not None
    assert similar_pattern("a_%") == "^(?:a..*)$"
    with pytest.raises(InvalidRegex):
        compiled("(")


def test_a_pattern_stops_and_lets_others_run_meanwhile() -> None:
    beats: list[float] = []
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.01):
            beats.append(time.monotonic())

    other = threading.Thread(target=beat)
    other.start()
    try:
        with pytest.raises(InvalidRegex, match="too complex"):
            compiled("^(a|aa)+$").search("a" * 90 + "b")
    finally:
        over.set()
        other.join()
    assert len(beats) > 10


def test_a_long_text_has_time_in_proportion() -> None:
    assert sum(1 for _ in compiled("a").finditer("a " * 100_000)) == 100_000


def test_names_of_ours_are_told_apart() -> None:
    names = [native.name for native in NATIVES]
    assert len(names) == len(set(names))
    assert all(name.startswith("_vs_") for name in names)
    assert all(f"MACRO main.{name}(" not in macro for macro in MACROS for name in names)


@pytest.mark.parametrize(
    ("pattern", "text", "few"),
    [
        ("(&|^)channel_id=([^&]*)", "u" * 200, True),
        (r"a+\)*[)]+", "u" * 20, True),
        ("a+", "u" * 2_000, False),  # Of one repetition, but in a long text.
        ("(a+)+$", "u", False),
        ("(?:a|b){2}", "u", False),
        ("(?=a)", "u", False),
        (r"(a)\1", "u", False),
        ("a?" * 30, "u", False),
    ],
)
def test_a_search_is_timed_unless_it_can_only_try_few_ways(
    pattern: str, text: str, few: bool
) -> None:
    assert tries_few_ways(choices(pattern), len(text)) is few
