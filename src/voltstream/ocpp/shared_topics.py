"""What gateways and the servers behind them tell each other: topics, and records in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.registry import PUBLISHED
from voltstream.ocpp.v16 import Numbers

FRAMES = "ocpp.gateway.frames"  # Every message of every charger, as it came.
CONTROL = "ocpp.gateway.control"  # Who has which charger, and commands, in one order.
REPLIES = "ocpp.gateway.replies"  # What came of commands.
_DAY_MS = 86_400_000
# Claims and commands are of the moment; frames are kept for who is away at most a week.
TOPICS: Mapping[str, Mapping[str, str]] = {
    FRAMES: {"retention.ms": str(7 * _DAY_MS)},
    CONTROL: {"retention.ms": str(_DAY_MS)},
    REPLIES: {"retention.ms": str(_DAY_MS)},
    **{name: {"cleanup.policy": "compact"} for name in PUBLISHED},
}
COMMAND_SLACK_S = 5.0  # What a command's way through the topics may take, beside its answer.
_INT32 = 2**31 - 1


class Given(Numbers):
    """A transaction id that is known already."""

    def __init__(self, number: int) -> None:
        super().__init__(0, 0)
        self._number = number

    def take(self) -> int:
        """Return the id; asked again, one that is as good."""
        given, self._number = self._number, self._number % _INT32 + 1
        return given


def transaction_number(charger: str, payload: Json) -> int:
    """Return the id of a transaction that starts, from what its message says.

    Law: the same message gets the same id from every gateway, so that one sent again after its
    gateway was lost starts nothing twice. Ids are positive, of 31 bits, and differ per charger.
    """
    said = f"{charger}\n{document(payload)}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest()) % _INT32 + 1


def claim(gateway: str, connection_id: int) -> dict[str, Any]:
    """Return the record by which a gateway says that it has a charger now."""
    return {"kind": "claim", "gateway": gateway, "connection": connection_id}
