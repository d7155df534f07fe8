"""Files in, files out."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.connectors.memory_feed import MemoryFeed, eventually
from voltstream.connectors import files
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import LINE_BYTES_MAX
from voltstream.core.ports import Connector, SinkRecord, SinkUnavailable


def started(feed: MemoryFeed) -> Connector:
    connector = ConnectorRegistry().source(feed)
    assert connector is not None
    connector.start()
    return connector


def feed_of(path: Path, offsets: Mapping[str, str] | None = None) -> MemoryFeed:
    return MemoryFeed({"connector": "file", "path": str(path)}, offsets or {})


def test_new_files_and_appended_lines_are_followed(tmp_path: Path) -> None:
    one = tmp_path / "one.ndjson"
    one.write_bytes(b'{"a":1}\n{"a":')
    feed = feed_of(tmp_path / "*.ndjson")
    connector = started(feed)
    eventually(lambda: feed.payload() == b'{"a":1}\n')
    with one.open("ab") as file:
        file.write(b"2}\n")
    eventually(lambda: feed.payload() == b'{"a":1}\n{"a":2}\n')
    (tmp_path / "two.ndjson").write_bytes(b'{"a":3}\n')
    eventually(lambda: feed.payload().endswith(b'{"a":3}\n'))
    connector.stop()
    assert feed.offsets()[str(one)] == "16"
    assert feed.states[0] == "running"


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(b'{"a":1}\n{"a":2}\n')
    feed = feed_of(path, {str(path): "8"})
    connector = started(feed)
    eventually(lambda: feed.payload() == b'{"a":2}\n')
    connector.stop()


def test_csv_batches_carry_the_header_and_cut_outside_quotes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1,"x\ny"\n2,"q\n')
    feed = feed_of(path)
    connector = started(feed)
    eventually(lambda: feed.payload() == b'a,b\n1,"x\ny"\n')
    with path.open("ab") as file:
        file.write(b'"\n')
    eventually(lambda: feed.payload().endswith(b'a,b\n2,"q\n"\n'))
    connector.stop()


def test_parquet_is_read_by_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(10))}), path, row_group_size=4)
    feed = feed_of(path, {str(path): "3"})
    connector = started(feed)
    eventually(lambda: feed.offsets()[str(path)] == "10")
    connector.stop()
    rows = [v for b in feed.batches if b.table is not None for v in b.table["a"].to_pylist()]
    assert rows == list(range(3, 10))


def test_without_following_a_source_finishes(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(b'{"a":1}')
    feed = MemoryFeed({"connector": "file", "path": str(path), "follow": "false"}, {})
    connector = started(feed)
    eventually(lambda: "finished" in feed.states)
    connector.stop()
    assert feed.payload() == b'{"a":1}'


def test_a_file_sink_appends_and_cuts_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_bytes(b'{"a":1}\n{"a"')
    sink = ConnectorRegistry().sink("k", {"connector": "file", "path": str(path)})
    sink.deliver([SinkRecord(1, 0, None, b'{"a":2}'), SinkRecord(1, 1, b'{"a":1}', None)])
    sink.close()
    assert path.read_bytes() == b'{"a":1}\n{"a":2}\n{"deleted": {"a":1}}\n'


def test_a_file_sink_that_cannot_write_is_unavailable(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "out"
    sink = ConnectorRegistry().sink("k", {"connector": "file", "path": str(missing)})
    with pytest.raises(SinkUnavailable):
        sink.deliver([SinkRecord(1, 0, None, b"{}")])


@pytest.mark.parametrize(
    "properties", [{"connector": "pigeon"}, {"connector": "file"}, {"connector": "kafka"}]
)
def test_wrong_properties_are_refused(properties: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().source(MemoryFeed(properties, {}))
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().sink("k", properties)


@pytest.mark.parametrize("properties", [{}, {"connector": "none"}, {"connector": "webhook"}])
def test_some_sources_are_only_pushed_to(properties: dict[str, str]) -> None:
    assert ConnectorRegistry().source(MemoryFeed(properties, {})) is None


def test_a_last_line_is_taken_without_its_newline_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "TAIL_SETTLED_S", {"ndjson": 0.5, "csv": 0.5})
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,2\n3,4")
    feed = feed_of(path)
    connector = started(feed)
    eventually(lambda: feed.payload() == b"a,b\n1,2\na,b\n3,4")
    connector.stop()
    assert feed.offsets()[str(path)] == "11~"
    with path.open("ab") as file:
        file.write(b"5\n6,7\n")
    again = feed_of(path, feed.offsets())
    connector = started(again)
    eventually(lambda: again.offsets()[str(path)] == "17")
    connector.stop()
    assert [(batch.encoding, bytes(batch.payload)) for batch in again.batches] == [
        ("rest", b"5\n"),
        ("csv", b"a,b\n6,7\n"),
    ]


def test_a_stray_quote_holds_a_file_back_no_longer_than_a_record_may_be(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = b"1,2\n" * (LINE_BYTES_MAX // 4 + 10)
    path.write_bytes(b'a,b\n1,"2\n' + rows)
    feed = feed_of(path)
    connector = started(feed)
    eventually(lambda: feed.offsets().get(str(path)) == str(path.stat().st_size))
    connector.stop()


def test_a_csv_without_header_is_cut_from_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(b"1;2\n")
    properties = {"connector": "file", "path": str(path), "encode": "CSV", "without_header": "true"}
    feed = MemoryFeed(properties | {"delimiter": ";", "include": "file"}, {})
    connector = started(feed)
    eventually(lambda: feed.payload() == b"1;2\n")
    connector.stop()
    [batch] = feed.batches
    assert (batch.encoding, batch.header) == ("csv", False)
    assert batch.beside is not None
    assert batch.beside.to_pylist() == [{"file": str(path)}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"encode": "BYTES"},
        {"encode": "AVRO"},
        {"delimiter": ";;"},
        {"without_header": "perhaps"},
        {"include": "key"},
    ],
)
def test_what_a_file_cannot_be_is_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().source(MemoryFeed({"connector": "file", "path": "x"} | wrong, {}))


def test_a_document_of_a_head_end_is_taken_whole_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "TAIL_SETTLED_S", {"metering": 0.3})
    path = tmp_path / "day.nem12"
    path.write_bytes(b"100,NEM12\n200")
    packed = tmp_path / "old.nem12.gz"
    packed.write_bytes(gzip.compress(b"900\n"))
    feed = MemoryFeed(
        {"connector": "file", "path": str(tmp_path / "*"), "encode": "NEM12"},
        {str(packed): str(packed.stat().st_size)},
    )
    connector = started(feed)
    eventually(lambda: feed.payload() == b"100,NEM12\n200")
    with path.open("ab") as file:
        file.write(b",1\n900\n")
    eventually(lambda: feed.payload().endswith(b"100,NEM12\n200,1\n900\n"))
    packed.write_bytes(gzip.compress(b"900\n900\n"))
    eventually(lambda: feed.payload().endswith(b"900\n900\n"))
    connector.stop()
    assert feed.offsets()[str(path)] == "20"
