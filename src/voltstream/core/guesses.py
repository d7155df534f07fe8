"""Who has guessed passwords wrongly of late, and how long it waits for its next try."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from voltstream.core.limits import LOGIN_DELAY_MAX_S, LOGIN_PEERS_MAX, LOGIN_WAIT_MAX_S

_FIRST_DELAY_S = 0.25
_FORGIVEN_S = 600.0


@dataclass(slots=True)
class _Record:
    failures: int = 0
    next_try_s: float = 0.0
    last_s: float = 0.0


class Guesses:
    """Law: of one address, tries follow each other at growing distances, however many it opens."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, peer: str, now_s: float) -> float | None:
        """Take the next turn of an address; None when too many wait before it."""
        record = self._records.get(peer)
        if record is None:
            return 0.0
        if now_s - record.last_s > _FORGIVEN_S:
            del self._records[peer]
            return 0.0
        turn = max(now_s, record.next_try_s)
        if turn - now_s > LOGIN_WAIT_MAX_S:
            return None
        distance = _FIRST_DELAY_S * 2 ** min(record.failures - 1, 16)
        record.next_try_s = turn + min(distance, LOGIN_DELAY_MAX_S)
        return turn - now_s

    def failed(self, peer: str, now_s: float) -> None:
        record = self._records.setdefault(peer, _Record())
        record.failures += 1
        record.last_s = now_s
        distance = _FIRST_DELAY_S * 2 ** min(record.failures - 1, 16)
        record.next_try_s = max(record.next_try_s, now_s + min(distance, LOGIN_DELAY_MAX_S))
        self._records.move_to_end(peer)
        while len(self._records) > LOGIN_PEERS_MAX:
            self._records.popitem(last=False)

    def succeeded(self, peer: str) -> None:
        self._records.pop(peer, None)
