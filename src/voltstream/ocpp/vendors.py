"""Which vendors' data is understood: what a DataTransfer is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voltstream.ocpp.frames import Json

UNKNOWN_VENDOR = "UnknownVendorId"


class Vendors:
    """The registered vendors and their messages.

    Shape: a vendor without messages has them all; the empty message is one without a messageId.
    Case does not matter (1.6: CiString).
    """

    def __init__(self, registered: Mapping[str, Sequence[str]]) -> None:
        self._messages = {
            vendor.casefold(): frozenset(message.casefold() for message in messages)
            for vendor, messages in registered.items()
        }

    def status(self, given: Json) -> str:
        """Return the status that a DataTransfer is answered with."""
        messages = self._messages.get(_word(given.get("vendorId")))
        if messages is None:
            return UNKNOWN_VENDOR
        known = not messages or _word(given.get("messageId")) in messages
        return "Accepted" if known else "UnknownMessageId"


def _word(value: Any) -> str:
    return value.casefold() if isinstance(value, str) else ""
