"""Replication messages that are cut off or unknown, and array literals."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.decoder import PlainDecoder
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.pg_array import parse_array
from voltstream.formats.pgoutput import Malformed, commit_end, read, relation_of

DECODER = PlainDecoder()
SCHEMA: Schema = (Column("id", "BIGINT"), Column("name", "VARCHAR"), Column("tags", "INTEGER[]"))
RELATION = (
    b"R" + struct.pack("!i", 7) + b"public\0meters\0d" + struct.pack("!h", 3)
    + b"".join(b"\0" + name + b"\0" + bytes(8) for name in (b"ID", b"name", b"tags"))
)  # fmt: skip


def values(*texts: bytes | None) -> bytes:
    parts = [b"n" if t is None else b"t" + struct.pack("!i", len(t)) + t for t in texts]
    return struct.pack("!h", len(texts)) + b"".join(parts)


def insert(*texts: bytes | None) -> bytes:
    return b"I" + struct.pack("!i", 7) + b"N" + values(*texts)


def rows_of(*messages: bytes) -> tuple[list[dict[str, object]], list[str]]:
    batch = RawBatch("bytes", records=messages, position="t@0")
    decoded = read(batch, ("id",), SCHEMA, DECODER, 7)
    return decoded.table.to_pylist(), [letter.position for letter in decoded.dead_letters]


def test_columns_meet_by_name_and_a_bad_value_costs_its_row_alone() -> None:
    rows, dead = rows_of(
        RELATION,
        insert(b"1", None, b"{1,NULL}"),
        insert(b"x", b"a", None),
        insert(b"3", b"a", b"{"),
        insert(b"2", b"", None),
    )
    assert [(row["id"], row["name"], row["tags"]) for row in rows] == [
        (1, None, [1, None]),
        (2, "", None),
    ]
    assert sorted(dead) == ["t@0:2", "t@0:4"]


@given(st.binary(max_size=40), st.sampled_from([b"I", b"U", b"D", b"R", b"T", b""]))
def test_any_bytes_give_rows_or_a_dead_letter(tail: bytes, kind: bytes) -> None:
    rows, dead = rows_of(RELATION, kind + tail, insert(b"5", b"whole", None))
    assert rows[-1]["id"] == 5
    assert len(dead) <= 1


@given(st.integers(min_value=1, max_value=len(RELATION) - 1))
def test_a_relation_that_is_cut_off_is_malformed(end: int) -> None:
    with pytest.raises(Malformed):
        relation_of(RELATION[:end])
    with pytest.raises(Malformed):
        commit_end(b"C" + bytes(end % 17))


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("{}", []),
        ('{a,"b,\\"c",NULL,"NULL"}', ["a", 'b,"c', None, "NULL"]),
        ("{{1,2},{3,4}}", [["1", "2"], ["3", "4"]]),
        ("[2:3]={5,6}", ["5", "6"]),
    ],
)
def test_array_literals(text: str, elements: list[object]) -> None:
    assert parse_array(text) == elements


@pytest.mark.parametrize("text", ["", "{", "a", "{1}2", "}{"])
def test_array_literals_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="malformed array"):
        parse_array(text)
