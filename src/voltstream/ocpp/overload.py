"""A charger that sends on and on, whatever waits: first it is read slowly, then closed."""

from __future__ import annotations

from voltstream.core.limits import OCPP_INBOUND_MAX, OCPP_OVERLOAD_S

# Who waits for answers has one or two of its messages waiting; who empties a queue at once
# has many, and few again before long.
_MANY = OCPP_INBOUND_MAX // 4


class Overload:
    """How long one connection has had many messages waiting."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    def lasts(self, waiting: int, now_s: float) -> bool:
        """Tell, after a message was taken, whether it is enough. Units: s."""
        if waiting < _MANY:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= OCPP_OVERLOAD_S
