"""All charge points: what is known of each, who is registered, and which tokens may charge."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from voltstream.core.clock import Clock
from voltstream.ocpp import recall
from voltstream.ocpp.asking import Asker, literal
from voltstream.ocpp.charger import Charger, Place
from voltstream.ocpp.frames import Json
from voltstream.ocpp.tokens import Listed, Policy, Verdict, judge, normal
from voltstream.ocpp.v16 import Numbers
from voltstream.ocpp.vendors import Vendors

_FRESH_S = 1.0  # A change of the registry, or of the token list, is seen after this.
_TOKENS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Registered:
    """A row of charge_points beside its secret."""

    registration: str
    power_w: float | None
    secret_hash: str | None
    security_profile: int


class Fleet:
    """The state of a gateway. It is read from the database at the first use."""

    def __init__(
        self,
        asker: Asker,
        clock: Clock,
        ddl: Sequence[str],
        *,
        unknown_chargers: str,
        unknown_tokens: Policy,
        vendors: Vendors | None = None,
    ) -> None:
        self._asker = asker
        self._clock = clock
        self._ddl = ddl
        self._unknown_chargers = unknown_chargers
        self._unknown_tokens: Policy = unknown_tokens
        self.vendors = vendors or Vendors({})
        self._chargers: dict[str, Charger] = {}
        self.ready = False
        self._registry: dict[str, Registered] = {}
        self._topologies: dict[str, dict[int, Place]] = {}
        self._registry_at_s = float("-inf")
        self._tokens: OrderedDict[str, tuple[float, Listed | None]] = OrderedDict()
        self._tokens_empty = (float("-inf"), True)
        self._last_id = 0
        self.numbers = Numbers(0, 0)

    async def prepare(self) -> None:
        """Make the relations and read what they hold. Raises: VoltstreamError."""
        for text in self._ddl:
            await self._asker.rows(text)
        [[last]] = await self._asker.rows(recall.LAST_NUMBER)
        self.numbers = Numbers(last, self._clock.now_us())
        await self._read_registry()
        await self._recall(None)
        self.ready = True

    async def _recall(self, only: str | None) -> None:
        [[last]] = await self._asker.rows(recall.LAST_FRAME)
        # What chargers send again is what was not answered when the server went, however long ago.
        last_us = self._clock.now_us() if last is None else recall.micros(last)
        answers = {
            name: await self._asker.rows(sql)
            for name, sql in recall.questions(last_us, only).items()
        }
        recall.restore(answers, self.charger)

    def charger(self, name: str) -> Charger:
        found = self._chargers.get(name)
        if found is None:
            found = self._chargers[name] = self._made(name)
        return found

    def _made(self, name: str) -> Charger:
        charger = Charger(name)
        charger.topology = self._topologies.get(name, {})
        return charger

    def chargers(self) -> Iterable[Charger]:
        return self._chargers.values()

    async def current(self, name: str) -> Charger:
        """Return a charger as the stored rows have it, should a commit have failed."""
        found = self.charger(name)
        if found.stale:
            self._chargers[name] = self._made(name)
            await self._recall(name)
            found = self._chargers[name]
        return found

    def next_id(self) -> int:
        """Return a number that grows, for frames and connections, also across restarts."""
        self._last_id = max(self._last_id + 1, self._clock.now_us())
        return self._last_id

    # --- registry -------------------------------------------------------------------------------

    async def registered(self, name: str) -> Registered | None:
        now_s = self._clock.monotonic_s()
        if now_s - self._registry_at_s > _FRESH_S:
            self._registry_at_s = now_s
            await self._read_registry()
        return self._registry.get(name)

    async def _read_registry(self) -> None:
        self._registry = dict(map(_registered, await self._asker.rows(_REGISTRY)))
        found: dict[str, dict[int, Place]] = {}
        for name, told, *place in await self._asker.rows(_TOPOLOGY):
            found.setdefault(name, {})[told] = (place[0], place[1])
        for name in found.keys() | self._topologies.keys():
            if name in self._chargers:
                self._chargers[name].topology = found.get(name, {})
        self._topologies = found

    async def registration(self, name: str) -> str:
        """Return what a BootNotification is answered."""
        known = await self.registered(name)
        return self._unknown_chargers if known is None else known.registration

    # --- tokens ---------------------------------------------------------------------------------

    def transfer(self, given: Json) -> str:
        """Return what a DataTransfer is answered."""
        return self.vendors.status(given)

    async def verdict(self, token: str | None) -> Verdict:
        """Ask the list about a token. An empty one comes with NoAuthorization, and is fine."""
        if token is None:
            return Verdict()
        now_s = self._clock.monotonic_s()
        if now_s - self._tokens_empty[0] > _FRESH_S:
            rows = await self._asker.rows("SELECT 1 FROM id_tokens LIMIT 1")
            self._tokens_empty = (now_s, not rows)
        key = normal(token)
        known = self._tokens.get(key)
        if known is None or now_s - known[0] > _FRESH_S:
            known = (now_s, None if self._tokens_empty[1] else await self._listed(key))
            self._tokens[key] = known
            if len(self._tokens) > _TOKENS_KEPT:
                self._tokens.popitem(last=False)
        return judge(
            known[1],
            self._clock.now_us(),
            policy=self._unknown_tokens,
            list_is_empty=self._tokens_empty[1],
        )

    async def _listed(self, key: str) -> Listed | None:
        rows = await self._asker.rows(
            "SELECT status, group_id, expires_at, cache_expires_at FROM id_tokens "
            f"WHERE id_token = {literal(key)}"
        )
        if not rows:
            return None
        status, group_id, expires_at, cache_at = rows[0]
        expires_us = None if expires_at is None else recall.micros(expires_at)
        cache_us = None if cache_at is None else recall.micros(cache_at)
        return Listed(status, group_id, expires_us, cache_us)


_REGISTRY = """
SELECT COALESCE(c.charge_point_id, s.charge_point_id), c.registration, c.power_max_w,
       s.secret_hash, s.security_profile
FROM charge_points AS c
FULL OUTER JOIN charge_point_secrets AS s ON c.charge_point_id = s.charge_point_id
"""

_TOPOLOGY = (
    "SELECT charge_point_id, told_connector, evse_id, connector_id FROM charge_point_topology"
)


def _registered(row: tuple[Any, ...]) -> tuple[str, Registered]:
    name, registration, power_w, secret_hash, profile = row
    return name, Registered(registration or "Accepted", power_w, secret_hash, profile or 0)
