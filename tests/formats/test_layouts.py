"""CSV of every layout, bytes, and what is written behind a record that was taken."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.formats.decoder import PlainDecoder
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.declared import declared
from voltstream.formats.decode import decode
from voltstream.formats.result import Decoded

DECODER = PlainDecoder()
TWO: Schema = (Column("a", "INTEGER"), Column("s", "VARCHAR"))


def read(batch: RawBatch, schema: Schema = TWO) -> Decoded:
    return decode(batch, schema, DECODER, 7)


def rows(decoded: Decoded) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in decoded.table.to_pylist()]


def letters(decoded: Decoded) -> list[tuple[str, bytes]]:
    return [(letter.position, letter.raw) for letter in decoded.dead_letters]


@pytest.mark.parametrize(("written", "delimiter"), [(";", ";"), ("\\t", "\t"), ("|", "|")])
def test_a_delimiter_is_declared(written: str, delimiter: str) -> None:
    layout = declared({"encode": "CSV", "delimiter": written, "without_header": "true"}, "x")
    text = f'1{delimiter}"x{delimiter}y"\n'.encode()
    batch = layout.complete(RawBatch("declared", text))
    assert rows(read(batch)) == [(1, f"x{delimiter}y")]


def test_what_a_batch_says_itself_counts_more() -> None:
    layout = declared({"encode": "csv", "without_header": "true"}, "x")
    assert rows(read(layout.complete(RawBatch("csv", b"s,a\nx,1\n", header=True)))) == [(1, "x")]
    assert rows(read(layout.complete(RawBatch("ndjson", b'{"a":1,"s":"x"}')))) == [(1, "x")]


@pytest.mark.parametrize("wrong", [{"encode": "thrift"}, {"delimiter": ""}, {"delimiter": '"'}])
def test_a_wrong_layout_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        declared(wrong, "x")


def test_messages_of_csv_are_rows_and_say_where_they_came_from() -> None:
    messages = [b"1,a", b'2,"b\nc"', b'3,"open', b"4,d\n5,e\n", b"", b"x,f", b"\xff", b"6,g"]
    batch = RawBatch(
        "csv", records=messages, position="p", beside=pa.table({"key": list("abcdefgh")})
    )
    decoded = read(batch)
    assert rows(decoded) == [(1, "a"), (2, "b\nc"), (4, "d"), (5, "e"), (6, "g")]
    assert letters(decoded) == [("p:3", b'3,"open'), ("p:6", b"x,f"), ("p:7", b"\xff")]
    assert decoded.origins is not None
    assert decoded.origins.tolist() == [0, 1, 3, 3, 7]


def test_documents_say_where_they_came_from() -> None:
    records = [b'{"a":1}', b"{", b"", b'{"a":2}', b'{"a":"x"}', b'{"a":3}']
    decoded = read(RawBatch("json", records=records, beside=pa.table({"key": list("abcdef")})))
    assert decoded.origins is not None
    assert decoded.origins.tolist() == [0, 3, 5]


def test_a_quote_that_is_not_closed_costs_its_line_alone() -> None:
    decoded = read(RawBatch("csv", b'a,s\n1,x\n2,"y\n3,z\n4,"q\nr"\n5,t\n', position="p"))
    assert [row for row in rows(decoded) if row[0] in (1, 5)] == [(1, "x"), (5, "t")]
    kept = sum(len(raw) for _, raw in letters(decoded)) + sum(len(str(r[1])) for r in rows(decoded))
    assert kept >= len("xyzqrt")
    lone = read(RawBatch("csv", b'a,s\n1,x\n2,"y\n3,z\n', position="p"))
    assert rows(lone) == [(1, "x"), (3, "z")]
    assert letters(lone) == [("p:3", b'2,"y')]


def test_bytes_are_taken_as_they_are() -> None:
    schema = (Column("raw", "BLOB"),)
    decoded = read(RawBatch("bytes", records=[b"\x00\xff", b"", b"{"]), schema)
    assert rows(decoded) == [(b"\x00\xff",), (b"",), (b"{",)]


def test_what_is_written_behind_a_taken_record_is_kept_and_is_no_row() -> None:
    decoded = read(RawBatch("rest", b"5,x\n", position="p"))
    assert (rows(decoded), letters(decoded)) == ([], [("p:1", b"5,x")])
    assert letters(read(RawBatch("rest", b"\r\n"))) == []
    assert decoded.table.schema == read(RawBatch("csv")).table.schema
