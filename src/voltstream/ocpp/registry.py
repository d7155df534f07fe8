"""Who is registered and which tokens may charge, as a gateway without a database knows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from voltstream.core.clock import Clock
from voltstream.ocpp.fleet import Registered
from voltstream.ocpp.recall import micros
from voltstream.ocpp.tokens import Listed, Policy, Verdict, judge, normal
from voltstream.ocpp.vendors import Vendors

CHARGERS, SECRETS, TOKENS = (
    "ocpp.gateway.chargers", "ocpp.gateway.secrets", "ocpp.gateway.tokens"
)  # fmt: skip
# Topic: the query whose rows it carries, and their key.
PUBLISHED: Mapping[str, tuple[str, str]] = {
    CHARGERS: (
        "SELECT charge_point_id, registration, power_max_w FROM charge_points",
        "charge_point_id",
    ),
    SECRETS: (
        "SELECT charge_point_id, secret_hash, security_profile FROM charge_point_secrets",
        "charge_point_id",
    ),
    TOKENS: (
        "SELECT id_token, status, group_id, expires_at, cache_expires_at FROM id_tokens",
        "id_token",
    ),
}


class Registry:
    """The three tables, fed by records of their topics."""

    def __init__(
        self,
        clock: Clock,
        *,
        unknown_chargers: str,
        unknown_tokens: Policy,
        vendors: Vendors | None = None,
    ) -> None:
        self._clock = clock
        self._unknown_chargers = unknown_chargers
        self._unknown_tokens: Policy = unknown_tokens
        self.vendors = vendors or Vendors({})
        self._rows: dict[str, dict[bytes, dict[str, Any]]] = {name: {} for name in PUBLISHED}
        self._chargers: dict[str, dict[str, dict[str, Any]]] = {CHARGERS: {}, SECRETS: {}}
        self._tokens: dict[str, Listed] = {}

    def take(self, topic: str, key: bytes, value: dict[str, Any] | None) -> None:
        """Take one record; one without a value takes the row of its key away."""
        rows = self._rows[topic]
        before = rows.pop(key, None)
        if value is not None:
            rows[key] = value
        if topic == TOKENS:
            if before is not None:
                self._tokens.pop(normal(str(before["id_token"])), None)
            if value is not None:
                self._tokens[normal(str(value["id_token"]))] = _listed(value)
            return
        if before is not None:
            self._chargers[topic].pop(str(before["charge_point_id"]), None)
        if value is not None:
            self._chargers[topic][str(value["charge_point_id"])] = value

    def registered(self, name: str) -> Registered | None:
        row, secret = self._chargers[CHARGERS].get(name), self._chargers[SECRETS].get(name)
        if row is None and secret is None:
            return None
        row, secret = row or {}, secret or {}
        return Registered(
            row.get("registration") or "Accepted",
            row.get("power_max_w"),
            secret.get("secret_hash"),
            secret.get("security_profile") or 0,
        )

    def registration(self, name: str) -> str:
        """Return what a BootNotification is answered."""
        known = self.registered(name)
        return self._unknown_chargers if known is None else known.registration

    def verdict(self, token: str | None) -> Verdict:
        if token is None:
            return Verdict()
        return judge(
            self._tokens.get(normal(token)),
            self._clock.now_us(),
            policy=self._unknown_tokens,
            list_is_empty=not self._tokens,
        )


def _listed(row: Mapping[str, Any]) -> Listed:
    expires, cache = row.get("expires_at"), row.get("cache_expires_at")
    return Listed(
        row.get("status"),
        row.get("group_id"),
        None if expires is None else micros(datetime.fromisoformat(str(expires))),
        None if cache is None else micros(datetime.fromisoformat(str(cache))),
    )
