"""Bytes to rows and dead letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.decoder import PlainDecoder
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX, LINE_BYTES_MAX
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.decode import decode, decode_together
from voltstream.formats.result import Decoded

SCHEMA: Schema = (
    Column("a", "INTEGER"),
    Column("v", "DOUBLE"),
    Column("s", "VARCHAR"),
    Column("t", "TIMESTAMP WITH TIME ZONE"),
)
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
DECODER = PlainDecoder()


def read(batch: RawBatch, schema: Schema = SCHEMA) -> Decoded:
    return decode(batch, schema, DECODER, 7)


def lines(*texts: str | bytes) -> RawBatch:
    raw = [t if isinstance(t, bytes) else t.encode() for t in texts]
    return RawBatch("ndjson", b"\n".join(raw), position="p")


def reasons(decoded: Decoded) -> list[tuple[str, str]]:
    return [(letter.position, letter.reason) for letter in decoded.dead_letters]


def test_whole_objects_are_read_in_order() -> None:
    text = '{"a":%d,"v":2.5,"s":"x","t":"2025-01-01T00:00:00Z"}'
    decoded = read(lines(text % 1, text % 2))
    assert decoded.table.column_names == ["a", "v", "s", "t"]
    assert decoded.table.column("a").to_pylist() == [1, 2]
    assert decoded.table.column("t").to_pylist() == [NEW_YEAR, NEW_YEAR]
    assert not decoded.dead_letters


def test_only_bad_rows_are_refused_and_the_reason_names_the_field() -> None:
    decoded = read(
        lines(
            '{"A":1,"zz":0,"s":{"k":1}}', "", "{bad", "[1]", "null", '{"a":"x"}\r', b'\xff{"a":1}'
        )
    )
    assert decoded.table.to_pylist() == [{"a": 1, "v": None, "s": '{"k":1}', "t": None}]
    assert reasons(decoded) == [
        ("p:3", "not valid JSON"),
        ("p:4", "not a JSON object but array"),
        ("p:5", "not a JSON object but null"),
        ("p:6", 'column "a": cannot read "x" as integer'),
        ("p:7", "not UTF-8: byte 0xff at position 1"),
    ]
    assert decoded.dead_letters[3].raw == b'{"a":"x"}'
    assert decoded.dead_letters[0].at_us == 7


@pytest.mark.parametrize(
    "written",
    [
        '"2025-01-01T00:00:00Z"',
        '"2025-01-01 00:00:00"',
        '"2025-01-01T02:00:00+02:00"',
        "1735689600",
        "1735689600000",
        "1735689600000000",
        '"1735689600"',
    ],
)
def test_instants_come_as_text_and_as_numbers(written: str) -> None:
    decoded = read(lines(f'{{"t":{written}}}'))
    assert decoded.table.column("t").to_pylist() == [NEW_YEAR]


def test_a_required_column_refuses_null() -> None:
    schema = (Column("n", "BIGINT", not_null=True),)
    decoded = read(lines('{"n":1}', '{"n":null}', "{}"), schema)
    assert decoded.table.column("n").to_pylist() == [1]
    assert len(decoded.dead_letters) == 2


def test_structures_are_whole_or_refused() -> None:
    schema = (Column("j", "JSON"), Column("l", "INTEGER[]"), Column("b", "BLOB"))
    decoded = read(lines('{"j":{"x":[1]},"l":[1,2],"b":"\\\\x00ff"}', '{"l":[1,"x"]}'), schema)
    assert decoded.table.to_pylist() == [{"j": '{"x":[1]}', "l": [1, 2], "b": b"\x00\xff"}]
    assert len(decoded.dead_letters) == 1


def test_a_line_that_is_too_long_keeps_its_first_bytes() -> None:
    decoded = read(lines('{"a":1}', b'{"s":"' + b"x" * LINE_BYTES_MAX + b'"}'))
    assert len(decoded.table) == 1
    assert [len(letter.raw) for letter in decoded.dead_letters] == [DEAD_LETTER_BYTES_MAX]


@pytest.mark.parametrize("encoding", ["ndjson", "json", "csv", "arrow"])
def test_nothing_in_gives_no_rows_of_the_right_types(encoding: str) -> None:
    batches = {
        "ndjson": RawBatch("ndjson"),
        "json": RawBatch("json"),
        "csv": RawBatch("csv"),
        "arrow": RawBatch("arrow"),
    }
    decoded = read(batches[encoding])
    whole = read(lines('{"a":1,"v":1,"s":"","t":"2025-01-01"}'))
    assert len(decoded.table) == 0
    assert decoded.table.schema == whole.table.schema


def test_csv_matches_names_and_refuses_wrong_widths() -> None:
    text = b'A,zz,t,s\n1,2,2025-01-01,""\n3\n,9,1735689600,"x\ny"\nq,,,\n'
    decoded = read(RawBatch("csv", text, position="f"))
    assert decoded.table.to_pylist() == [
        {"a": 1, "v": None, "s": "", "t": NEW_YEAR},
        {"a": None, "v": None, "s": "x\ny", "t": NEW_YEAR},
    ]
    assert reasons(decoded) == [
        ("f:3", "1 fields where 4 are expected"),
        ("f:5", 'column "a": cannot read "q" as integer'),
    ]


def test_csv_without_header_goes_by_position() -> None:
    decoded = read(RawBatch("csv", b"1,2,x,2025-01-01\n", header=False))
    assert decoded.table.to_pylist() == [{"a": 1, "v": 2.0, "s": "x", "t": NEW_YEAR}]


def test_arrow_is_cast_by_name() -> None:
    table = pa.table({"A": ["1", "z"], "v": [1, 2], "q": [0, 0]})
    decoded = read(RawBatch("arrow", table=table, position="f"))
    assert decoded.table.to_pylist() == [{"a": 1, "v": 1.0, "s": None, "t": None}]
    assert reasons(decoded) == [("f:2", 'column "a": cannot read "z" as integer')]


# Characters of every length in UTF-8, the digit that makes a number begin, and what JSON escapes.
characters = st.characters() | st.sampled_from('0é\U00010000\U0001f600\x00\ud800\ufeff"\\,\r')
texts = st.text(characters, max_size=24)
written = st.sampled_from(
    ["NaN", "1e999", "-0.0", "01", "1" * 40, "1.5e3", "0.1234567890123456789"]
)
plain = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | texts
values = plain | st.just("12") | st.lists(texts, max_size=2) | st.dictionaries(texts, texts)
names = st.sampled_from(["a", "A", "v", "s", "t", "n", "q"])
objects = st.dictionaries(names, values, max_size=5)
records = st.one_of(
    objects.map(json.dumps),
    st.fixed_dictionaries(dict.fromkeys("avstn", plain | st.just("12"))).map(json.dumps),
    objects.map(lambda o: json.dumps(o, ensure_ascii=False).encode(errors="surrogatepass")),
    st.builds('{{"{}":{},"{}":1}}'.format, names, written, names),
    st.sampled_from(["{", "[]", "null", '"x"', "1", "", "\ufeff{}", '{"s":"\x00"}', b"\xff", "\r"]),
)


@settings(max_examples=60, deadline=None)
@given(given_lines=st.lists(records, min_size=1, max_size=6))
def test_a_record_is_read_alone_as_in_company(given_lines: list[str | bytes]) -> None:
    schema = (*SCHEMA, Column("n", "DECIMAL(38,18)"))
    # A mark at the start of a whole batch is passed over, elsewhere it is not.
    together = read(lines("", *given_lines), schema)
    alone = [read(lines("", text), schema) for text in given_lines]
    assert same(together.table, pa.concat_tables([one.table for one in alone]))
    assert [letter.reason for letter in together.dead_letters] == [
        letter.reason for one in alone for letter in one.dead_letters
    ]
    kept = len(together.table) + len(together.dead_letters)
    assert kept == sum(
        bool(line.strip()) for line in bytes(lines(*given_lines).payload).split(b"\n")
    )


def same(one: pa.Table, other: pa.Table) -> bool:
    return plainly(one) == plainly(other)


def plainly(table: pa.Table) -> str:
    """Return a table as text: there NaN equals itself, and instants know no bounds."""
    instants = table.column("t").cast(pa.int64())
    return repr(table.set_column(table.column_names.index("t"), "t", instants).to_pylist())


def test_batches_are_read_together_as_alone() -> None:
    beside = pa.table({"key": pa.array([b"1", b"2", b"3"], pa.binary())})
    batches = [
        RawBatch("ndjson", b'{"a":1}\n\n{"a":2}'),
        RawBatch("json", records=[b'{"a":3}', b"", b'{"a":4}'], beside=beside),
        RawBatch("json", records=[]),
    ]
    schema = (Column("a", "BIGINT"),)
    for refused in (b'{"a":5}', b'{"a":"x"}', b"{"):
        given = [*batches, RawBatch("json", records=[refused], position="p")]
        together = decode_together(given, schema, DECODER, 0)
        alone = [decode(batch, schema, DECODER, 0) for batch in given]
        for one, other in zip(together, alone, strict=True):
            assert one.table.to_pylist() == other.table.to_pylist()
            assert list(one.dead_letters) == list(other.dead_letters)
            assert list(one.origins if one.origins is not None else ()) == list(
                other.origins if other.origins is not None else ()
            )
