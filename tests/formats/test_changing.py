"""Upserts with tombstones, and change events of Debezium."""

from __future__ import annotations

import json

import pytest

from tests.formats.decoder import PlainDecoder
from voltstream.core.errors import FeatureNotSupported
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.changing import read
from voltstream.formats.declared import Form, declared
from voltstream.formats.result import Decoded

DECODER = PlainDecoder()
METERS: Schema = (
    Column("meter", "BIGINT"),
    Column("feeder", "VARCHAR", not_null=True),
    Column("since", "DATE"),
)


def changes(form: Form, batch: RawBatch, schema: Schema = METERS) -> Decoded:
    return read(batch, form, ("meter",), schema, DECODER, 7)


def rows(decoded: Decoded) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in decoded.table.to_pylist()]


def letters(decoded: Decoded) -> list[tuple[str, str]]:
    return [(letter.position, letter.reason) for letter in decoded.dead_letters]


def event(op: str, before: object = None, after: object = None) -> bytes:
    return json.dumps({"op": op, "before": before, "after": after, "ts_ms": 1}).encode()


@pytest.mark.parametrize(
    "key", [b"7", b'"7"', b'{"meter": 7}', b'{"schema": {}, "payload": {"meter": 7}}']
)
def test_a_tombstone_takes_the_row_of_its_key(key: bytes) -> None:
    value = b'{"meter": 8, "feeder": "north"}'
    decoded = changes("upsert", RawBatch("json", records=[value, b""], keys=[b"8", key]))
    assert rows(decoded) == [(8, "north", None, False), (7, None, None, True)]
    assert decoded.origins is not None
    assert decoded.origins.tolist() == [0, 1]
    assert not decoded.dead_letters


def test_changes_keep_their_order_and_faults_their_places() -> None:
    good = b'{"meter": 1, "feeder": "a"}'
    decoded = changes(
        "upsert",
        RawBatch(
            "json",
            records=[b"", good, b"{", b"", b"", b""],
            keys=[b"1", b"1", b"1", None, b"no number", b"2"],
            position="t/0@5",
        ),
    )
    assert rows(decoded) == [(1, None, None, True), (1, "a", None, False), (2, None, None, True)]
    assert [place for place, _ in letters(decoded)] == ["t/0@5:3", "t/0@5:4", "t/0@5:5"]


def test_a_key_that_is_not_among_the_fields_is_left_to_what_came_beside() -> None:
    decoded = changes("upsert", RawBatch("json", records=[b""], keys=[b"k"]), METERS[1:])
    assert rows(decoded) == [(None, None, True)]


def test_change_events_become_rows_that_come_and_go() -> None:
    old, new = {"meter": 1, "feeder": "a"}, {"meter": 1, "feeder": "b", "since": 19000}
    decoded = changes(
        "debezium",
        RawBatch(
            "json",
            records=[
                event("r", after=old),
                event("c", after={"meter": 2, "feeder": "x"}),
                json.dumps({"schema": {}, "payload": json.loads(event("u", old, new))}).encode(),
                event("d", before={"meter": 2}),
                b"",  # The tombstone that follows a delete says nothing new.
                event("u", new, {"meter": 3, "feeder": "b"}),
            ],
        ),
    )
    found = [(*row[:2], str(row[2]), row[3]) for row in rows(decoded)]
    assert found == [
        (1, "a", "None", False),
        (2, "x", "None", False),
        (1, "b", "2022-01-08", False),
        (2, None, "None", True),
        (1, None, "None", True),  # The key moved.
        (3, "b", "None", False),
    ]
    assert not decoded.dead_letters


def test_events_that_change_no_row_are_kept() -> None:
    bad = [b"{", b"[1]", b'{"meter": 1}', event("t"), event("d"), event("c"), event("d", {"x": 1})]
    decoded = changes("debezium", RawBatch("json", records=bad, position="t/0@0"))
    assert rows(decoded) == []
    assert [place for place, _ in letters(decoded)] == [f"t/0@0:{n}" for n in range(1, 8)]
    assert letters(decoded)[3][1] == 'the operation "t" changes no row'


@pytest.mark.parametrize("form", ["upsert", "debezium"])
def test_no_change_at_all(form: Form) -> None:
    assert rows(changes(form, RawBatch("json", records=[]))) == []


@pytest.mark.parametrize("wrong", [("canal", "csv"), ("upsert", "csv"), ("debezium", "bytes")])
def test_what_cannot_be_read_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(FeatureNotSupported):
        declared({"format": wrong[0], "encode": wrong[1]}, "x")


def test_maxwell_tells_rows_and_what_changed_of_them() -> None:
    def told(kind: str, data: object, old: object = None) -> bytes:
        event_ = {"database": "d", "table": "t", "type": kind, "data": data}
        return json.dumps(event_ if old is None else {**event_, "old": old}).encode()

    batch = RawBatch("json", position="t", records=[
        told("insert", {"meter": 1, "feeder": "a", "since": "2024-01-02"}),
        told("bootstrap-start", {}),
        told("bootstrap-insert", {"meter": 2, "feeder": "b"}),
        told("update", {"meter": 2, "feeder": "c"}, {"feeder": "b"}),
        told("update", {"meter": 3, "feeder": "c"}, {"meter": 2}),
        told("delete", {"meter": 1, "feeder": "a"}),
        told("table-alter", None),
        b"{}",
    ])  # fmt: skip
    decoded = changes("maxwell", batch)
    assert [(row[0], row[1], row[3]) for row in rows(decoded)] == [
        (1, "a", False), (2, "b", False), (2, "c", False), (2, None, True), (3, "c", False),
        (1, None, True),
    ]  # fmt: skip
    assert letters(decoded) == [
        ("t:7", 'the operation "table-alter" changes no row'),
        ("t:8", 'not a change event: it has no "type"'),
    ]


def test_canal_tells_several_rows_at_once() -> None:
    def told(kind: str, data: object, old: object = None) -> bytes:
        return json.dumps({"type": kind, "isDdl": False, "data": data, "old": old}).encode()

    batch = RawBatch("json", position="t", records=[
        told("INSERT", [{"meter": "1", "feeder": "a"}, {"meter": "2", "feeder": "b"}]),
        told("UPDATE", [{"meter": "1", "feeder": "c"}, {"meter": "3", "feeder": "b"}],
             [{"feeder": "a"}, {"meter": "2"}]),
        told("DELETE", [{"meter": "3", "feeder": "b"}]),
        told("QUERY", None),
    ])  # fmt: skip
    decoded = changes("canal", batch)
    assert sorted((row[0], row[3]) for row in rows(decoded)) == [
        (1, False), (1, False), (2, False), (2, True), (3, False), (3, True),
    ]  # fmt: skip
    assert letters(decoded) == [("t:4", 'the operation "QUERY" changes no row')]


def test_documents_of_mongo_are_refused() -> None:
    with pytest.raises(FeatureNotSupported, match="FORMAT DEBEZIUM_MONGO"):
        declared({"format": "DEBEZIUM_MONGO"}, "source")
