"""Text that devices send and no one expects: read rightly, or kept as a dead letter."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest

from tests.formats.decoder import PlainDecoder
from voltstream.core.limits import LINE_BYTES_MAX
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.decode import decode
from voltstream.formats.result import Decoded

DECODER = PlainDecoder()
TWO: Schema = (Column("a", "INTEGER"), Column("s", "VARCHAR"))


def of_lines(raw: bytes, schema: Schema = TWO) -> Decoded:
    return decode(RawBatch("ndjson", raw, position="p"), schema, DECODER, 7)


def value(written: str, store_type: str) -> object:
    decoded = of_lines(f'{{"c":{written}}}'.encode(), (Column("c", store_type),))
    if decoded.dead_letters:
        return decoded.dead_letters[0].reason
    return decoded.table.column("c").to_pylist()[0]


@pytest.mark.parametrize("spell", [json.dumps, lambda o: json.dumps(o, ensure_ascii=False)])
@pytest.mark.parametrize("shift", range(8))
def test_a_fault_whose_text_is_cut_within_a_character_is_still_a_fault(
    spell: object, shift: int
) -> None:
    assert callable(spell)
    good = b'{"a":1,"s":"x"}\n'
    bad = spell({"a": {"k": "x" * shift + "é\U00010000" * 20}, "s": "0\U00010000\U00010000"})
    other = spell({"S": "x" * shift + "é\U00010000" * 20})
    decoded = of_lines(good + bad.encode() + b"\n" + other.encode())
    assert decoded.table.column("a").to_pylist() == [1, None]
    [letter] = decoded.dead_letters
    assert letter.position == "p:2"
    assert letter.raw == bad.encode()


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert value(r'"0\ud800\udc00\ud800\udc00"', "VARCHAR") == "0\U00010000\U00010000"


@pytest.mark.parametrize("written", [r'"\ud800"', r'"\udc00\ud800"', '"\x00"', '"\t"', "01", ".5"])
def test_what_is_no_json_is_kept_as_it_came(written: str) -> None:
    raw = f'{{"s":{written}}}'.encode()
    [letter] = of_lines(raw).dead_letters
    assert (letter.raw, letter.reason) == (raw, "not valid JSON")


def test_an_escaped_nul_is_a_character() -> None:
    assert value(r'"AB\u0000"', "VARCHAR") == "AB\x00"


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    mark = b"\xef\xbb\xbf"
    raw = mark + b'{"a":1,"s":"x"}\r\n{"a":2,"s":"y"}\r\n'
    assert of_lines(raw).table.column("a").to_pylist() == [1, 2]
    documents = RawBatch("json", records=[b'{"a":1}', mark + b'{"a":2}'])
    assert decode(documents, TWO, DECODER, 7).table.column("a").to_pylist() == [1, 2]
    for header, text in ((True, b"a,s\r\n1,x\r\n"), (False, b"1,x\r\n")):
        batch = RawBatch("csv", mark + text, header=header)
        assert decode(batch, TWO, DECODER, 7).table.to_pylist() == [{"a": 1, "s": "x"}]


def test_of_a_repeated_key_the_first_counts_in_any_company() -> None:
    repeated = b'{"a":1,"s":"x","a":2}\n'
    for raw in (repeated, repeated + b'{"a":3,"s":"y"}\n', repeated + b"{\n"):
        assert of_lines(raw).table.column("a").to_pylist()[0] == 1


def test_depth_has_no_bound_but_the_record_s() -> None:
    depth = 100_000
    nested = b"[" * depth + b"]" * depth
    decoded = of_lines(b'{"a":1,"s":' + nested + b"}")
    assert decoded.table.column("s").to_pylist() == [nested.decode()]


def test_a_line_of_the_longest_length_is_read() -> None:
    raw = b'{"s":"' + b"x" * (LINE_BYTES_MAX - 8) + b'"}'
    assert len(raw) == LINE_BYTES_MAX
    assert len(of_lines(raw).table) == 1
    assert len(of_lines(raw + b" ").dead_letters) == 1


@pytest.mark.parametrize("store_type", ["DOUBLE", "FLOAT"])
def test_a_number_that_is_too_large_is_refused_and_infinity_is_not(store_type: str) -> None:
    assert "1e999" in str(value("1e999", store_type))
    assert "-1e999" in str(value('"-1e999"', store_type))
    for spelled in ("Infinity", '"Infinity"', '"inf"'):
        assert value(spelled, store_type) == math.inf
    for spelled in ("NaN", '"NaN"'):
        assert math.isnan(float(str(value(spelled, store_type))))


@pytest.mark.parametrize(
    ("written", "days", "ns"),
    [
        ("-2 days +00:02:00.5", -2, 120_500_000_000),  # A sign behind a negative part.
        ("2 days -00:02:00", 2, -120_000_000_000),
        ("+3 days", 3, 0),
    ],
)
def test_intervals_are_read_as_postgresql_spells_them(written: str, days: int, ns: int) -> None:
    read = value(json.dumps(written), "INTERVAL")
    assert (getattr(read, "days", read), getattr(read, "nanoseconds", None)) == (days, ns)


@pytest.mark.parametrize(
    ("written", "store_type", "expected"),
    [
        ("9223372036854775807", "BIGINT", 2**63 - 1),
        ("12345678901234567890.123456789", "DECIMAL(38,9)", "12345678901234567890.123456789"),
        ("123456789012345678901234567890", "VARCHAR", "123456789012345678901234567890"),
        ('"12.5"', "INTEGER", 12),
        ('"7"', "BIGINT", 7),
        ('"0.25"', "DOUBLE", 0.25),
        ("true", "INTEGER", 1),
    ],
)
def test_numbers_keep_their_digits(written: str, store_type: str, expected: object) -> None:
    found = value(written, store_type)
    assert (str(found) if isinstance(found, Decimal) else found) == expected


def test_digits_are_kept_in_bad_company_too() -> None:
    schema = (Column("c", "DECIMAL(38,9)"),)
    decoded = of_lines(b'{"c":12345678901234567890.123456789,"more":1}\n{', schema)
    assert decoded.table.column("c").to_pylist() == [Decimal("12345678901234567890.123456789")]


def test_an_integer_out_of_range_is_refused() -> None:
    assert "cannot read" in str(value("9223372036854775808", "BIGINT"))
