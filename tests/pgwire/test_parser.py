"""The frontend parser: any bytes, split anywhere."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltstream.core.errors import ProtocolViolation
from voltstream.pgwire import messages as m
from voltstream.pgwire.parser import FrontendParser

STARTUP = struct.pack("!ii", 17, 3 << 16) + b"user\0al\0\0"

TAGS = st.sampled_from(b"QPBDECHSXdcfpFz").map(lambda code: bytes([code]))
FRAMES = st.builds(
    lambda tag, body: tag + struct.pack("!i", len(body) + 4) + body, TAGS, st.binary(max_size=40)
)


def parsed(pieces: list[bytes]) -> tuple[list[m.FrontendMessage], bool]:
    """Return the messages, and whether a violation ended them."""
    parser = FrontendParser()
    found: list[m.FrontendMessage] = []
    try:
        for piece in pieces:
            for message in parser.feed(piece):
                found.append(message)
    except ProtocolViolation:
        return found, True
    return found, False


@given(st.binary(max_size=200))
def test_any_bytes_give_messages_or_a_violation(data: bytes) -> None:
    parsed([data])
    parsed([STARTUP, data])


@given(st.lists(FRAMES, max_size=5), st.data())
def test_splitting_changes_nothing(frames: list[bytes], data: st.DataObject) -> None:
    whole = STARTUP + b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    assert parsed([whole[:cut], whole[cut:]]) == parsed([whole])


def test_startup_requests() -> None:
    ssl = struct.pack("!ii", 8, 80877103)
    gss = struct.pack("!ii", 8, 80877104)
    assert parsed([ssl + gss + STARTUP])[0] == [
        m.SslRequest(), m.GssRequest(), m.Startup(0, {"user": "al"}),
    ]  # fmt: skip
    cancel = struct.pack("!iiiI", 16, 80877102, 7, 4_000_000_000)
    assert parsed([cancel])[0] == [m.CancelRequest(7, struct.pack("!I", 4_000_000_000))]
    long = struct.pack("!iii", 44, 80877102, 7) + bytes(32)
    assert parsed([long])[0] == [m.CancelRequest(7, bytes(32))]


@pytest.mark.parametrize("size", [0, 3, 257])
def test_a_cancel_key_is_bounded(size: int) -> None:
    with pytest.raises(ProtocolViolation):
        list(FrontendParser().feed(struct.pack("!iii", 12 + size, 80877102, 7) + bytes(size)))


def test_a_message_before_the_login_is_over_is_bounded() -> None:
    parser = FrontendParser()
    list(parser.feed(STARTUP))
    with pytest.raises(ProtocolViolation):
        list(parser.feed(b"p" + struct.pack("!i", 65_536)))


@pytest.mark.parametrize("size", [-1, 0, 3, 10_001])
def test_startup_length_is_bounded(size: int) -> None:
    with pytest.raises(ProtocolViolation):
        list(FrontendParser().feed(struct.pack("!i", size)))
