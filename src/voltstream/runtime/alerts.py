"""Alerts: what opens, changes and clears, settled once for each epoch before it is durable.

Law: an alert is open exactly while its rule's view has a row of its key, put off by ``open_after``
and ``clear_after``; each change of that is one row of ``alert_events``, in the epoch that made it.
What an epoch does and undoes never happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voltstream.core.errors import LimitExceeded
from voltstream.core.limits import SINK_DEPTH_MAX
from voltstream.runtime import alert_steps
from voltstream.runtime.alert_rules import TOUCHED, Rule, rule_of
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Books, Epoch
from voltstream.store.alerts import STATE
from voltstream.store.database import Connection


@dataclass(slots=True)
class _Known:
    """The rules of a catalog, and when a timer is due. Units: microseconds."""

    catalog: Catalog
    rules: Mapping[int, Rule] = field(default_factory=dict)
    due_us: int | None = None


class Alerts:
    """Observes the epochs of one database. Used on the writer thread only."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._made: dict[int, tuple[Entry, Rule]] = {}
        books.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {TOUCHED} (oid BIGINT, key VARCHAR)"
        )
        self._known = _Known(books.catalog, self._rules(books.catalog))
        self._known.due_us = self._next_due_us(self._known.rules.values())
        self._settled = self._known
        self._touched: set[int] = set()
        books.dataflow.alarm_us = self._known.due_us

    def begins(self) -> frozenset[str]:
        self._touched = set()
        self._settled = self._known
        return frozenset(rule.delta for rule in self._known.rules.values() if rule.rows)

    def sees(self, epoch: Epoch, made: Mapping[str, int]) -> None:
        for rule in self._known.rules.values():
            if rule.rows is not None and made.get(rule.delta, 0):
                self._touch(epoch.connection, rule.oid, f"SELECT {rule.key} FROM {rule.delta}")

    def _touch(self, connection: Connection, oid: int, keys: str) -> None:
        connection.execute(f"INSERT INTO {TOUCHED} SELECT {oid}, key FROM ({keys}) AS k(key)")
        self._touched.add(oid)

    def settles(self, epoch: Epoch) -> None:
        """Raises: LimitExceeded (54000) when rules feed each other without end."""
        before, known = self._known, self._known
        if epoch.catalog is not before.catalog:
            known = _Known(epoch.catalog, self._rules(epoch.catalog), before.due_us)
            self._follow(epoch, before.rules, known.rules)
        now_us = epoch.row.now_us
        due = before.due_us is not None and before.due_us <= now_us
        changed = due or bool(self._touched)
        for _ in range(SINK_DEPTH_MAX):
            if not due and not self._touched:
                break
            self._round(epoch, known.rules)
            due = False
            epoch.flush()
        else:
            raise LimitExceeded(
                "alert rules feed each other without end", hint="Drop one of the rules."
            )
        if changed:
            known = _Known(known.catalog, known.rules, self._next_due_us(known.rules.values()))
        self._settled = known

    def committed(self) -> None:
        self._known = self._settled
        self._books.dataflow.alarm_us = self._known.due_us

    # --- rules ----------------------------------------------------------------------------------

    def _rules(self, catalog: Catalog) -> Mapping[int, Rule]:
        """Return the rules of a catalog; what did not change is not read again."""
        rules: dict[int, Rule] = {}
        kept: dict[int, tuple[Entry, Rule]] = {}
        for entry in catalog.of_kind("materialized view"):
            known = self._made.get(entry.oid)
            if known is not None and known[0] is entry:
                rule: Rule | None = known[1]
            else:
                rule = rule_of(entry, catalog, self._books.connection)
            if rule is not None:
                rules[entry.oid] = rule
                kept[entry.oid] = (entry, rule)
        self._made = kept
        return rules

    def _follow(self, epoch: Epoch, before: Mapping[int, Rule], after: Mapping[int, Rule]) -> None:
        """Look at all of the rules that are new or changed; clear the alerts of those that went.

        A rule that was dropped and made again in one epoch is the same rule.
        """
        connection = epoch.connection
        come = {rule.view: oid for oid, rule in after.items() if oid not in before}
        for oid, rule in before.items():
            if oid in after:
                continue
            heir = come.get(rule.view)
            if heir is not None:
                connection.execute(f"UPDATE {STATE} SET oid = {heir} WHERE oid = {oid}")
                connection.execute(f"DELETE FROM {TOUCHED} WHERE oid = {oid}")
                self._touched.discard(oid)
            else:
                self._touch(connection, oid, f"SELECT key FROM {STATE} WHERE oid = {oid}")
        for oid, rule in after.items():
            if rule.rows is not None and before.get(oid) != rule:
                self._touch(connection, oid, f"SELECT {rule.key} FROM {rule.place}")
                self._touch(connection, oid, f"SELECT key FROM {STATE} WHERE oid = {oid}")

    def _next_due_us(self, rules: Iterable[Rule]) -> int | None:
        timed = any(r.options.open_after_us or r.options.clear_after_us for r in rules)
        if not timed:
            return None
        found = self._books.connection.rows(
            f"SELECT epoch_us(min(due)) FROM {STATE} WHERE due > {alert_steps.NOW}"
        )[0][0]
        return None if found is None else int(found)

    # --- one round ------------------------------------------------------------------------------

    def _round(self, epoch: Epoch, rules: Mapping[int, Rule]) -> None:
        connection = epoch.connection
        touched, self._touched = self._touched, set()
        # Nobody can tell what is true of a view that stands still: its alerts stay as they are.
        standing = {oid for oid, rule in rules.items() if rule.rows is None}
        seen = [rules[oid] for oid in sorted((touched & rules.keys()) - standing)]
        alert_steps.see(epoch, seen)
        alert_steps.step(epoch, rules.values(), standing)
        connection.execute(f"DELETE FROM {TOUCHED}")
        alert_steps.keep(epoch)
        alert_steps.show(epoch, rules.values())
