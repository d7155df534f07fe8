"""Who may charge: tokens compared as the standard says, and what the list answers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from voltstream.ocpp.instants import spell_instant

_EMAID = re.compile(r"[A-Z]{2}-?[A-Z0-9]{3}-?C?[A-Z0-9]{8}-?[A-Z0-9]?")
Policy = Literal["auto", "accept", "refuse"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a token is answered. Units: ``cache_us`` in microseconds UTC."""

    status: str = "Accepted"
    group_id: str | None = None
    cache_us: int | None = None

    def for_16(self) -> dict[str, str]:
        """Return idTagInfo of 1.6, which knows five words and tags of 20 characters."""
        known = {"Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"}
        info = {"status": self.status if self.status in known else "Invalid"}
        if self.group_id and len(self.group_id) <= 20:
            info["parentIdTag"] = self.group_id
        if self.cache_us is not None:
            info["expiryDate"] = spell_instant(self.cache_us)
        return info

    def for_2(self) -> dict[str, object]:
        """Return idTokenInfo of 2.x."""
        info: dict[str, object] = {"status": self.status}
        if self.group_id:
            info["groupIdToken"] = {"idToken": self.group_id[:36], "type": "Central"}
        if self.cache_us is not None:
            info["cacheExpiryDateTime"] = spell_instant(self.cache_us)
        return info


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of id_tokens."""

    status: str | None
    group_id: str | None
    expires_us: int | None
    cache_us: int | None


def normal(token: str) -> str:
    """Return a token as it is compared: case aside, and an eMAID without hyphens."""
    upper = token.strip().upper()
    return upper.replace("-", "") if _EMAID.fullmatch(upper) and "-" in upper else upper


def token_digest(token: str) -> str:
    return hashlib.sha256(normal(token).encode("utf-8", "replace")).hexdigest()


def judge(listed: Listed | None, now_us: int, *, policy: Policy, list_is_empty: bool) -> Verdict:
    """Decide about a token. ``auto``: an empty list means that nobody keeps one."""
    if listed is None:
        accepts = policy == "accept" or (policy == "auto" and list_is_empty)
        return Verdict("Accepted" if accepts else "Unknown")
    status = listed.status or "Accepted"
    if status == "Accepted" and listed.expires_us is not None and listed.expires_us <= now_us:
        status = "Expired"
    return Verdict(status, listed.group_id, listed.cache_us)
