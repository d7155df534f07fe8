"""The conversation under any messages: well-formed answers, documented errors, never a hang."""

from __future__ import annotations

import struct

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pgwire.test_protocol import Client, bind, execute, frame, parse, query

_TEXTS = (
    "select 1", "selec", "", "select * from nope", "create table t(a varchar)",
    "insert into t values ('x')", "copy t from stdin", "copy t to stdout", "select 1; select 2",
    "deallocate all", "select * from range(3)",
)  # fmt: skip
_NAMES = st.sampled_from(("", "a"))
_SYNC = frame("S")
_MESSAGES = st.one_of(
    st.sampled_from(_TEXTS).map(query),
    st.builds(parse, st.sampled_from(_TEXTS), _NAMES),
    st.builds(lambda s, p, v: bind(*v, statement=s, portal=p), _NAMES, _NAMES,
              st.lists(st.binary(max_size=4), max_size=2)),
    st.builds(lambda kind, name: frame("D", kind + name.encode() + b"\0"),
              st.sampled_from((b"S", b"P", b"x")), _NAMES),
    st.integers(0, 2).map(execute),
    st.builds(lambda kind, name: frame("C", kind + name.encode() + b"\0"),
              st.sampled_from((b"S", b"P")), _NAMES),
    st.sampled_from((_SYNC, frame("H"), frame("c"), frame("f", b"no\0"), frame("d", b"1\n"))),
    st.builds(frame, st.sampled_from("QPBDECdfpF"), st.binary(max_size=12)),
)  # fmt: skip
_ANSWERS = frozenset("12CDEGHINRSTZcdnstK3v")


def answered(data: bytes) -> list[tuple[str, bytes]]:
    """Cut what the server said into messages; it must be whole."""
    found = []
    while data:
        tag, (size,) = chr(data[0]), struct.unpack_from("!i", data, 1)
        assert tag in _ANSWERS and 4 <= size <= len(data) - 1
        found.append((tag, data[5 : size + 1]))
        data = data[size + 1 :]
    return found


def _state(body: bytes) -> str:
    fields = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
    return fields[b"C"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages=st.lists(_MESSAGES, max_size=12), cut=st.integers(1, 40))
def test_any_messages(messages: list[bytes], cut: int) -> None:
    data = b"".join(messages) + frame("f", b"end\0") + _SYNC
    told = []
    for size in (len(data), cut):
        client = Client()
        said = b"".join(
            piece
            for at in range(0, len(data), size)
            if not client.conversation.finished
            for piece in client.conversation.receive(data[at : at + size])
        )
        found = answered(said)
        assert not any(b"Minternal error" in body for _, body in found)
        assert client.conversation.finished or found[-1][0] == "Z"
        client.conversation.close()
        told.append([(t, b if t != "E" else _state(b).encode()) for t, b in found])
    if len(messages) == 1:  # What is one transaction is cut by what has arrived.
        assert told[0] == told[1]


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_after_startup(data: bytes) -> None:
    client = Client()
    answered(b"".join(client.conversation.receive(data)))
    client.conversation.close()
