"""The three versions spoken, and how a connection chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Version(StrEnum):
    """A version by the name of its WebSocket subprotocol."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


_BY_NAME = {version.value: version for version in Version}


def negotiate(offered: Sequence[str]) -> Version | None:
    """Return the first subprotocol of the client's list that is spoken here; its order decides."""
    for name in offered:
        if name in _BY_NAME:
            return _BY_NAME[name]
    return None
