"""Transcripts of the protocol: bytes in, bytes out."""

from __future__ import annotations

import struct

import pytest

from tests.pgwire.memory_session import MemorySession, MemorySessions
from voltstream.pgwire.entrance import Admitted
from voltstream.pgwire.login import Login
from voltstream.pgwire.protocol import Conversation
from voltstream.pgwire.startup import Credentials, command_line_settings

STARTUP_BODY = b"user\0al\0database\0memory\0\0"
STARTUP = struct.pack("!ii", len(STARTUP_BODY) + 8, 3 << 16) + STARTUP_BODY
SYNC = b"S\0\0\0\4"


class Desk:
    def __init__(self) -> None:
        self.session: MemorySession | None = None
        self.cancelled: list[tuple[int, bytes]] = []

        self.secured = False
        self.offers_tls = False

    def demand(self, credentials: Credentials) -> Login | None:
        return None

    def admit(self, credentials: Credentials, key_bytes: int) -> Admitted:
        self.session = MemorySessions().open(
            database=credentials.database, user=credentials.user, options=credentials.options
        )
        return Admitted(self.session, 7, bytes(range(key_bytes)))

    def cancel(self, process_id: int, secret: bytes) -> None:
        self.cancelled.append((process_id, secret))


class Client:
    """Speaks raw messages and prints the answers."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.conversation = Conversation(self.desk)
        self.greeting = b"".join(self.conversation.receive(STARTUP))

    def ask(self, *frames: bytes) -> list[str]:
        return told(b"".join(self.conversation.receive(b"".join(frames))))


def frame(tag: str, body: bytes = b"") -> bytes:
    return tag.encode() + struct.pack("!i", len(body) + 4) + body


def query(text: str) -> bytes:
    return frame("Q", text.encode() + b"\0")


def parse(text: str, name: str = "", oids: tuple[int, ...] = ()) -> bytes:
    types = struct.pack(f"!H{len(oids)}I", len(oids), *oids)
    return frame("P", name.encode() + b"\0" + text.encode() + b"\0" + types)


def bind(*values: bytes, statement: str = "", portal: str = "") -> bytes:
    cells = b"".join(struct.pack("!i", len(value)) + value for value in values)
    names = portal.encode() + b"\0" + statement.encode() + b"\0"
    return frame("B", names + struct.pack("!HH", 0, len(values)) + cells + b"\0\0")


def execute(rows_max: int = 0) -> bytes:
    return frame("E", b"\0" + struct.pack("!i", rows_max))


def told(data: bytes) -> list[str]:
    """Return each backend message as its tag and the part worth reading."""
    lines = []
    while data:
        tag, (size,) = chr(data[0]), struct.unpack_from("!i", data, 1)
        body, data = data[5 : size + 1], data[size + 1 :]
        match tag:
            case "E" | "N":
                fields = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
                place = f" at {fields[b'P']}" if b"P" in fields else ""
                lines.append(f"{tag} {fields[b'S']} {fields[b'C']}{place}")
            case "D":
                lines.append("D " + "|".join(cells(body)))
            case "T":
                lines.append(f"T {struct.unpack_from('!H', body)[0]}")
            case _:
                lines.append(f"{tag} {body.rstrip(bytes(1)).decode('latin-1')}".rstrip())
    return lines


def cells(body: bytes) -> list[str]:
    (count,) = struct.unpack_from("!H", body)
    at, found = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        found.append("NULL" if size < 0 else body[at + 4 : at + 4 + size].decode())
        at += 4 + max(0, size)
    assert at == len(body)
    return found


@pytest.fixture
def client() -> Client:
    return Client()


def test_greeting(client: Client) -> None:
    lines = told(client.greeting)
    assert lines[0] == "R"
    assert "S server_version\0" + "15.0 (Voltstream)" in lines
    assert lines[-2:] == ["K \0\0\0\x07\0\x01\x02\x03", "Z I"]


def test_unknown_database_is_fatal() -> None:
    conversation = Conversation(Desk())
    body = b"user\0nobody\0\0"
    startup = struct.pack("!ii", len(body) + 8, 3 << 16) + body
    assert told(b"".join(conversation.receive(startup))) == ["E FATAL 3D000"]
    assert conversation.finished


def test_simple_query(client: Client) -> None:
    assert client.ask(query("select 1, NULL")) == ["T 2", "D 1|NULL", "C SELECT 1", "Z I"]
    assert client.ask(query("")) == ["I", "Z I"]
    assert client.ask(query("select 1 where false")) == ["T 1", "C SELECT 0", "Z I"]


def test_several_statements_are_one_transaction(client: Client) -> None:
    client.ask(query("create table t(a varchar)"))
    script = "insert into t values ('x'); select * from nope; select 1"
    assert client.ask(query(script)) == ["C INSERT 0 1", "E ERROR 42P01 at 43", "Z I"]
    assert client.ask(query("select count(*) from t"))[1] == "D 0"
    assert client.desk.session is not None
    assert client.desk.session.calls == ["begin_implicit", "end_implicit False"]


def test_failed_block_accepts_only_its_end(client: Client) -> None:
    assert client.ask(query("begin"))[-1] == "Z T"
    assert client.ask(query("select * from nope")) == ["E ERROR 42P01 at 15", "Z E"]
    assert client.ask(query("select 1")) == ["E ERROR 25P02", "Z E"]
    assert client.ask(query("rollback")) == ["C ROLLBACK", "Z I"]


def test_extended_query(client: Client) -> None:
    ask = client.ask(
        parse("select $1::int + 1", oids=(23,)), bind(b"41"), frame("D", b"P\0"), execute(), SYNC
    )
    assert ask == ["1", "2", "T 1", "D 42", "C SELECT 1", "Z I"]


def test_error_skips_to_sync(client: Client) -> None:
    answer = client.ask(parse("selec 1"), bind(), execute(), SYNC, query("select 1"))
    assert answer == ["E ERROR 42601 at 1", "Z I", "T 1", "D 1", "C SELECT 1", "Z I"]


def test_portal_suspends(client: Client) -> None:
    client.ask(query("begin"))
    pages = client.ask(parse("select * from range(3)"), bind(), execute(2), execute(2), SYNC)
    assert pages == ["1", "2", "D 0", "D 1", "s", "D 2", "C SELECT 1", "Z T"]


def test_pipeline_fails_together(client: Client) -> None:
    client.ask(query("create table t(a varchar)"))
    insert = [parse("insert into t values ('x')"), bind(), execute()]
    client.ask(*insert, parse("select * from nope"), bind(), execute(), SYNC)
    assert client.ask(query("select count(*) from t"))[1] == "D 0"
    client.ask(*insert, *insert, SYNC)
    assert client.ask(query("select count(*) from t"))[1] == "D 2"


def test_copy_both_ways(client: Client) -> None:
    client.ask(query("create table t(a varchar, b varchar)"))
    assert client.ask(query("copy t from stdin"))[0].startswith("G")
    assert client.ask(frame("d", b"1\tx\n2\t"), frame("d", b"y\n"), frame("c")) == [
        "C COPY 2", "Z I",
    ]  # fmt: skip
    assert client.ask(query("copy t to stdout csv"))[1:] == [
        "d 1,x", "d 2,y", "c", "C COPY 2", "Z I",
    ]  # fmt: skip
    client.ask(query("copy t from stdin"))
    assert client.ask(frame("f", b"enough\0")) == ["E ERROR 57014", "Z I"]
    assert client.ask(frame("d", b"late"), query("")) == ["I", "Z I"]


def test_names_of_statements(client: Client) -> None:
    assert client.ask(parse("select 1", "a"), parse("select 1", "a"), SYNC) == [
        "1", "E ERROR 42P05", "Z I",
    ]  # fmt: skip
    assert client.ask(query("deallocate a")) == ["C DEALLOCATE", "Z I"]
    assert client.ask(bind(statement="a"), SYNC) == ["E ERROR 26000", "Z I"]
    assert client.ask(execute(), SYNC) == ["E ERROR 34000", "Z I"]


def test_violation_is_fatal(client: Client) -> None:
    assert client.ask(b"!\0\0\0\4") == ["E FATAL 08P01"]
    assert client.conversation.finished


def test_command_line_settings() -> None:
    assert command_line_settings(r"-c a=b\ c --d-e=f") == {"a": "b c", "d_e": "f"}
