"""Sources that make their rows up."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.connectors.memory_feed import MemoryFeed, eventually
from voltstream.connectors.generated import GeneratedSource
from voltstream.core.errors import InvalidParameter
from voltstream.core.types import DataType, Kind

_SEQUENCE = {
    "datagen.rows.per.second": "1000",
    "fields.v.kind": "sequence",
    "fields.v.start": "1",
    "fields.v.end": "5",
}


def _feed(properties: Mapping[str, str], **columns: Kind) -> MemoryFeed:
    feed = MemoryFeed(properties, {})
    feed.columns = {name: DataType(kind) for name, kind in columns.items()}
    return feed


def _rows(feed: MemoryFeed) -> list[dict[str, object]]:
    return [
        json.loads(line) for batch in feed.batches for line in bytes(batch.payload).splitlines()
    ]


def test_a_sequence_ends_and_goes_on_after_a_restart() -> None:
    feed = _feed(_SEQUENCE, v=Kind.INT4)
    source = GeneratedSource(feed)
    source.start()
    eventually(lambda: "finished" in feed.states)
    source.stop()
    assert _rows(feed) == [{"v": 1}, {"v": 2}, {"v": 3}, {"v": 4}, {"v": 5}]
    again = MemoryFeed(feed.properties, {"row": "3"})
    again.columns = feed.columns
    source = GeneratedSource(again)
    source.start()
    eventually(lambda: "finished" in again.states)
    source.stop()
    assert _rows(again) == [{"v": 4}, {"v": 5}]


def test_random_fields_fit_their_types_and_bounds() -> None:
    given = {"fields.n.min": "3", "fields.n.max": "4", "fields.s.length": "2"}
    feed = _feed(given, n=Kind.INT8, s=Kind.VARCHAR, b=Kind.BOOL, x=Kind.BYTEA)
    source = GeneratedSource(feed)
    source.start()
    eventually(lambda: bool(feed.batches))
    source.stop()
    row = _rows(feed)[0]
    assert row["n"] in (3, 4)
    assert len(str(row["s"])) == 2
    assert isinstance(row["b"], bool)
    assert row["x"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"fields.v.kind": "guess"},
        {"fields.v.min": "two"},
        {"fields.v.min": "3", "fields.v.max": "2"},
        {"datagen.rows.per.second": "0"},
    ],
)
def test_wrong_properties_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        GeneratedSource(_feed(given, v=Kind.INT4))
