"""Upserts with tombstones, and change events of Debezium."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

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


METER_OF_MYSQL: Schema = (
    Column("meter", "BIGINT"),
    Column("name", "VARCHAR"),
    Column("live", "BOOLEAN"),
    Column("kwh", "DECIMAL(12,3)"),
    Column("day", "DATE"),
    Column("at", "TIMESTAMP"),
    Column("fine", "TIMESTAMP"),
    Column("stamp", "TIMESTAMP WITH TIME ZONE"),
    Column("opens", "TIME"),
    Column("raw", "BLOB"),
    Column("doc", "JSON"),
    Column("made", "SMALLINT"),
)
ROW_OF_MYSQL = {
    "meter": 7, "name": "north", "live": 1, "kwh": "12.500", "day": 20514,
    "at": 1772409601000, "fine": 1772409601123456, "stamp": "2026-03-02T00:00:01Z",
    "opens": 27000000000, "raw": "Af9B", "doc": '{"a": 1}', "made": 2019,
}  # fmt: skip
READ_OF_MYSQL = (
    7, "north", True, Decimal("12.500"), date(2026, 3, 2), datetime(2026, 3, 2, 0, 0, 1),
    datetime(2026, 3, 2, 0, 0, 1, 123456), datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC),
    time(7, 30), b"\x01\xffA", '{"a": 1}', 2019,
)  # fmt: skip


def envelope_of_mysql(
    op: str, before: object, after: object, *, beside: bool, snapshot: str = "false"
) -> bytes:
    """Write an envelope as Debezium's connector for MySQL does, beside its schema or bare."""
    payload = {
        "before": before, "after": after,
        "source": {
            "version": "3.0.0.Final", "connector": "mysql", "name": "billing", "ts_ms": 1,
            "snapshot": snapshot, "db": "billing", "sequence": None, "table": "meters",
            "server_id": 223344, "gtid": None, "file": "mysql-bin.000003", "pos": 484, "row": 0,
            "thread": 7, "query": None,
        },
        "transaction": None, "op": op, "ts_ms": 1772409601123,
    }  # fmt: skip
    schema = {"type": "struct", "optional": False, "name": "billing.billing.meters.Envelope"}
    return json.dumps({"schema": schema, "payload": payload} if beside else payload).encode()


@pytest.mark.parametrize("beside", [True, False])
def test_envelopes_of_mysql(beside: bool) -> None:
    moved = ROW_OF_MYSQL | {"meter": 8, "live": False}
    records = [
        envelope_of_mysql("r", None, ROW_OF_MYSQL, beside=beside, snapshot="first"),
        envelope_of_mysql("c", None, ROW_OF_MYSQL | {"raw": None}, beside=beside),
        envelope_of_mysql("u", ROW_OF_MYSQL, moved, beside=beside),
        envelope_of_mysql("d", moved, None, beside=beside),
        b"",  # The tombstone that follows a delete.
    ]
    decoded = changes("debezium", RawBatch("json", records=records), METER_OF_MYSQL)
    assert letters(decoded) == []
    bare = tuple(None for _ in METER_OF_MYSQL[1:])
    assert rows(decoded) == [
        (*READ_OF_MYSQL, False),
        (*READ_OF_MYSQL[:9], None, *READ_OF_MYSQL[10:], False),
        (7, *bare, True),
        (8, "north", False, *READ_OF_MYSQL[3:], False),
        (8, *bare, True),
    ]


def test_values_of_mysql_that_cannot_be_are_letters() -> None:
    bad = [
        envelope_of_mysql("c", None, ROW_OF_MYSQL | {"raw": "no base64!"}, beside=True),
        envelope_of_mysql("c", None, ROW_OF_MYSQL, beside=True),
        envelope_of_mysql("c", None, ROW_OF_MYSQL | {"opens": 90_000_000_000}, beside=True),
        envelope_of_mysql("t", None, None, beside=True),
        b'{"source": {"connector": "mysql"}, "databaseName": "billing", "ddl": "DROP TABLE t"}',
    ]
    decoded = changes("debezium", RawBatch("json", records=bad, position="t/0@0"), METER_OF_MYSQL)
    assert rows(decoded) == [(*READ_OF_MYSQL, False)]
    assert letters(decoded) == [
        ("t/0@0:1", 'column "raw": not base64'),
        ("t/0@0:3", 'column "opens": cannot read "90000000000" as time without time zone'),
        ("t/0@0:4", 'the operation "t" changes no row'),
        ("t/0@0:5", 'not a change event: it has no "op"'),
    ]
