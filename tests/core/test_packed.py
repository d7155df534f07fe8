"""Records in one buffer are the sequence they were made of."""

from __future__ import annotations

import pyarrow as pa

from voltstream.core.packed import PackedRecords, packed


def test_packed_records_are_the_records() -> None:
    records = [b"one", b"", b"three\n", bytes(range(256))]
    held = PackedRecords(records)
    assert list(held) == records
    assert held[1:3] == records[1:3]
    assert held[-1] == records[-1]
    assert (len(held), held.size) == (4, sum(map(len, records)))
    assert held.offsets.tolist() == [0, 3, 3, 9, 265]
    assert held.array.equals(pa.array(records, pa.large_binary()))
    assert packed(held) is held


def test_no_records_are_a_sequence_too() -> None:
    held = packed([])
    assert (len(held), held.size, list(held)) == (0, 0, [])
