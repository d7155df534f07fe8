"""Protocol buffers: by the registry's .proto texts, and by a descriptor file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tests.connectors.real_registry.server import Registry
from tests.driver import Engine
from voltstream.connectors.proto_files import descriptors_of
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import RawBatch

SHARED = """
syntax = "proto3";
package grid;
message Place { string feeder = 1; repeated int32 taps = 2; }
"""
READING = """
syntax = "proto3";
package grid;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "shared.proto";
enum Quality { UNKNOWN = 0; ACTUAL = 1; }
message Other { int32 x = 1; }
message Reading {
  int64 id = 1;
  string meter = 2;
  optional double kwh = 3;
  google.protobuf.Timestamp at = 4;
  Quality quality = 5;
  Place place = 6;
  map<string, int32> counts = 7;
  google.protobuf.Int32Value phase = 8;
  uint64 wide = 9;
  bytes raw = 10;
  Reading previous = 11;
}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", SystemClock())
    yield running
    running.close()


def made(name: str) -> Any:
    """Return the class of a message of the schema."""
    whole = descriptors_of(READING.encode(), (("shared.proto", SHARED),), "test")
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(whole).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def reading() -> Any:
    message = made("grid.Reading")(id=7, meter="m", quality=1, wide=2**64 - 1, raw=b"\x01\xff")
    message.at.FromJsonString("2026-01-02T03:04:05.5Z")
    message.place.feeder = "f7"
    message.place.taps.extend([1, 2])
    message.counts["a"] = 3
    message.phase.value = 2
    message.previous.id = 6
    return message


def bring(engine: Engine, records: list[bytes]) -> None:
    batch = RawBatch("bytes", records=records, position="t@0")
    engine.instance.submit("volt", "s", batch).result(30)


EXPECTED = (7, "m", None, True, "ACTUAL", "f7", [1, 2], "3", 2, str(2**64 - 1), b"\x01\xff", "6")
ASKED = (
    "SELECT id, meter, kwh, at = '2026-01-02 03:04:05.5Z', quality, (place).feeder, "
    "(place).taps, counts ->> 'a', phase, wide::text, raw, previous ->> 'id' FROM s"
)


def test_messages_of_a_registry(registry: Registry, engine: Engine) -> None:
    registry.register("shared", SHARED, "PROTOBUF")
    number = registry.register("pb-value", READING, "PROTOBUF", (("shared.proto", "shared"),))
    engine.run(
        "CREATE SOURCE s WITH (connector = 'none', topic = 'pb') FORMAT PLAIN ENCODE PROTOBUF "
        f"(schema.registry = '{registry.url}', message = 'grid.Reading')"
    )
    head = b"\0" + struct.pack(">I", number)
    second = b"\x02\x02"  # One step: the second message of the file.
    body = reading().SerializeToString()
    bring(engine, [head + second + body, head + b"\0" + body, head + second + body[:-1]])
    assert engine.run(ASKED) == [EXPECTED]
    assert engine.run("SELECT position, reason FROM dead_letters ORDER BY 1") == [
        ("t@0:2", "not a message grid.Reading but another of its file"),
        ("t@0:3", "not a message grid.Reading"),
    ]


@pytest.mark.parametrize("compiled", [True, False])
def test_messages_of_a_file(tmp_path: Path, engine: Engine, compiled: bool) -> None:
    place = tmp_path / "reading.desc"
    whole = READING.replace('import "shared.proto";', SHARED.split("package grid;")[1])
    place.write_bytes(descriptors_of(whole.encode(), (), "test") if compiled else whole.encode())
    given = "CREATE SOURCE s WITH (connector = 'none') FORMAT PLAIN ENCODE PROTOBUF "
    with pytest.raises(InvalidParameter, match="it has several messages, and none is named"):
        engine.run(f"{given} (schema.location = 'file://{place}')")
    with pytest.raises(InvalidParameter, match='it has no message "Nothing"'):
        engine.run(f"{given} (schema.location = 'file://{place}', message = 'Nothing')")
    engine.run(f"{given} (schema.location = 'file://{place}', message = 'Reading')")
    bring(engine, [reading().SerializeToString()])
    assert engine.run(ASKED) == [EXPECTED]
