"""Passwords of charge points: hashed to be kept, checked without telling who exists."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import OrderedDict

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from voltstream.core.errors import InvalidParameter

# The secret of a charger is 16 random bytes at least, so guessing is hopeless whatever the hash
# costs; a millisecond and 1 MiB let a fleet of 10,000 come back within seconds.
_HASHER = PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1, type=Type.ID)
_NOBODY = _HASHER.hash(os.urandom(16))
_REMEMBERED_MAX = 20_000
CHARACTERS_MIN, CHARACTERS_MAX = 8, 64


def hashed(password: str) -> str:
    """Hash a password. Raises: InvalidParameter when it is too short or too long for OCPP."""
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise InvalidParameter(
            f"a charge point's password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters"
        )
    return _HASHER.hash(password)


class PasswordCheck:
    """Compares what came with what is kept; what was right once is known again quickly."""

    def __init__(self) -> None:
        self._pepper = os.urandom(16)
        self._right: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def matches(self, name: str, given: bytes, kept: str | None) -> bool:
        """Tell whether a password is right. Law: takes as long for a name that is not known."""
        known = (name, kept or "")
        digest = hashlib.blake2b(given, key=self._pepper).digest()
        before = self._right.get(known)
        if before is not None and hmac.compare_digest(before, digest):
            return True
        # 1.6 sends a key of 20 raw bytes, which is configured, and here kept, as 40 hex digits.
        spellings = [given, given.hex().encode(), given.hex().upper().encode()]
        right = any(_verify(kept or _NOBODY, one) for one in spellings)
        if kept is None or not right:
            return False
        self._right[known] = digest
        if len(self._right) > _REMEMBERED_MAX:
            self._right.popitem(last=False)
        return True


def _verify(kept: str, given: bytes) -> bool:
    try:
        return _HASHER.verify(kept, given)
    except (Argon2Error, InvalidHashError):
        return False
