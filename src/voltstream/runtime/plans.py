"""Queries translated once: what their template is in the store's words, for every value."""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from voltstream.core.limits import PLANS_MAX
from voltstream.core.ports import Description, is_plain
from voltstream.core.schema import Schema
from voltstream.core.types import Kind
from voltstream.core.values import TypedText
from voltstream.runtime.answers import Reading
from voltstream.runtime.catalog import Catalog, Entry, Names, Scope
from voltstream.runtime.describing import parameter_oids
from voltstream.runtime.pruning import Scan, filled, opened, scanned
from voltstream.runtime.roles import Roles
from voltstream.sql import statements as sql
from voltstream.sql.capture import relations
from voltstream.sql.keyed import keyed
from voltstream.sql.lifting import Cut, Lifted, Marker, cut, lifted
from voltstream.sql.parameters import gives_parameters
from voltstream.sql.parse import parse_statements
from voltstream.sql.resolve import resolved
from voltstream.sql.told import told
from voltstream.sql.translate import translate_query
from voltstream.store.database import Connection, literal, quoted

_STORE_TYPES: Mapping[Kind, str] = {
    Kind.BOOL: "BOOLEAN", Kind.INT2: "SMALLINT", Kind.INT4: "INTEGER", Kind.INT8: "BIGINT",
    Kind.FLOAT8: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.VARCHAR: "VARCHAR", Kind.UUID: "UUID",
    Kind.DATE: "DATE", Kind.TIMESTAMP: "TIMESTAMP", Kind.TIMESTAMPTZ: "TIMESTAMPTZ",
}  # fmt: skip
_TEXTS = (Kind.TEXT, Kind.VARCHAR)
_KINDS = {kind.oid: kind for kind in _STORE_TYPES}
_BITS = {Kind.INT2: 15, Kind.INT4: 31, Kind.INT8: 63}
_CLASSES: Mapping[Kind, type] = {
    Kind.TEXT: str, Kind.VARCHAR: str, Kind.UUID: UUID, Kind.DATE: date,
    Kind.TIMESTAMP: datetime, Kind.TIMESTAMPTZ: datetime,
}  # fmt: skip
# A text that PostgreSQL and the store read as the same value of a type.
_DAY = r"[12]\d{3}-\d\d-\d\d"
_HOUR = r"[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?"
_READ_ALIKE: Mapping[Kind, re.Pattern[str]] = {
    Kind.DATE: re.compile(_DAY),
    Kind.TIMESTAMP: re.compile(rf"{_DAY}(?:{_HOUR})?"),
    Kind.TIMESTAMPTZ: re.compile(rf"{_DAY}(?:{_HOUR}(?:Z|[+-]\d\d(?::?\d\d)?)?)?"),
}
# Relations of the system read NOW() themselves.
_TIMED_WORDS = ("vs_now", "_pg.", "_is.", "rw_catalog", "_information")
_TEMPLATE_CHARACTERS_MAX = 8_192  # A longer statement is translated each time.


@dataclass(frozen=True, slots=True)
class Sight:
    """All that decides what a statement's names mean and whether it may run.

    Law: two statements of one text in one sight are one statement.
    """

    catalog: Catalog
    roles: Roles
    role: int
    scope: Scope

    def same(self, other: Sight) -> bool:
        return (
            self.catalog is other.catalog
            and self.roles is other.roles
            and self.role == other.role
            and self.scope == other.scope
        )


@dataclass(slots=True, eq=False)
class Plan:
    """A translated query: its pieces stand around the values of its parameters.

    Shape: ``scans`` are the hypertables that it reads, and ``bounds`` the constants that bound
    each, cut as the query is; which files it opens is chosen when it runs.
    """

    sight: Sight
    kinds: tuple[Kind, ...]
    query: Cut
    columns: Schema
    few: bool  # Its rows can be taken value by value.
    timed: bool  # It may read NOW().
    reading: Reading | None = None  # Set where an answer may be kept until its rows change.
    scans: tuple[Scan, ...] = ()
    bounds: tuple[tuple[Cut, ...], ...] = ()

    def description(self, given: int) -> Description:
        """Tell the types of the parameters that a client gives, and of the columns."""
        return Description(tuple(kind.oid for kind in self.kinds[:given]), self.columns)

    def takes(self, given: Sequence[int]) -> bool:
        """Tell whether the types that a client names are those that were found."""
        return len(given) <= len(self.kinds) and all(
            oid in (0, kind.oid) for oid, kind in zip(given, self.kinds, strict=False)
        )

    def spelled(self, values: Sequence[object | None]) -> list[str] | None:
        """Write the values as the store reads them; None when one is not of its type."""
        if len(values) != len(self.kinds):
            return None
        spelled: list[str] = []
        for value, kind in zip(values, self.kinds, strict=True):
            one = _spelled(value, kind)
            if one is None:
                return None
            spelled.append(one)
        return spelled

    def readied(self, reader: Connection, spelled: Sequence[str]) -> str:
        """Return the statement with these values, over the chunk files of now.

        A plan with scans begins a transaction, in which its statement must run.
        """
        text = self.query.filled(spelled)
        if not self.scans:
            return text
        scans = [
            filled(scan, [bound.filled(spelled) for bound in bounds])
            for scan, bounds in zip(self.scans, self.bounds, strict=True)
        ]
        reader.execute("BEGIN")
        return opened(reader, text, scans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(sql.Parsed):
    """A query that came alone, and its template; ``query`` is None when its plan was known."""

    query: sql.Query | None
    template: str
    first: int
    values: tuple[int | str, ...]
    plan: Plan | None = None


def whole(asked: Asked) -> sql.Parsed:
    """Return the statement itself, where its plan does not serve."""
    return asked.query if asked.query is not None else parse_statements(asked.text)[0]


class Plans:
    """The plans of one database, the least used forgotten first. Calls come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: OrderedDict[str, Plan | None] = OrderedDict()  # None: seen once.
        self._without: OrderedDict[str, Sight] = OrderedDict()  # What has no plan, and where.

    def parse(self, text: str, sight: Callable[[], Sight]) -> Sequence[sql.Parsed]:
        """Parse a message, or find that its only statement has a plan."""
        if len(text) > _TEMPLATE_CHARACTERS_MAX:
            return parse_statements(text)
        known = self.recall(text, sight)
        if known is not None:
            return known
        found = lifted(text, texts=True)
        if self._is_without(found.template, sight()):
            found = lifted(text)
        statements = parse_statements(text)
        if len(statements) == 1 and type(statements[0]) is sql.Query:
            query = statements[0]
            return [
                Asked(
                    text=query.text, offset=query.offset, query=query,
                    template=found.template, first=found.first, values=found.values,
                )
            ]  # fmt: skip
        return statements

    def recall(self, text: str, sight: Callable[[], Sight]) -> Sequence[Asked] | None:
        """Find that a message is a query that has a plan."""
        if len(text) > _TEMPLATE_CHARACTERS_MAX:
            return None
        found = lifted(text, texts=True)
        known = self._recalled(text, found, sight)
        if known is None and any(isinstance(value, str) for value in found.values):
            return self._recalled(text, lifted(text), sight)
        return known

    def _recalled(
        self, text: str, found: Lifted, sight: Callable[[], Sight]
    ) -> Sequence[Asked] | None:
        plan = self._found(found.template)
        if plan is None or not plan.sight.same(sight()):
            return None
        return [
            Asked(
                text=text, offset=0, query=None, template=found.template, first=found.first,
                values=found.values, plan=plan,
            )
        ]  # fmt: skip

    def learn(self, asked: Asked, sight: Sight, reader: Callable[[], Connection]) -> None:
        """Keep the plan of a template that comes again."""
        if self._seen(asked.template, sight) or self._is_without(asked.template, sight):
            return
        connection = reader()
        try:
            plan = _planned(asked, sight, connection)
        finally:
            connection.close()
        with self._lock:
            if plan is not None:
                self._plans[asked.template] = plan
                return
            self._without[asked.template] = sight
            self._plans.setdefault(lifted(asked.text).template, None)
            while len(self._without) > PLANS_MAX:
                self._without.popitem(last=False)

    def _is_without(self, template: str, sight: Sight) -> bool:
        with self._lock:
            known = self._without.get(template)
        return known is not None and known.same(sight)

    def _found(self, template: str) -> Plan | None:
        with self._lock:
            plan = self._plans.get(template)
            if plan is not None:
                self._plans.move_to_end(template)
            return plan

    def _seen(self, template: str, sight: Sight) -> bool:
        """Tell whether there is nothing to learn now: it is new, or known in this sight."""
        with self._lock:
            new = template not in self._plans
            plan = self._plans.setdefault(template, None)
            self._plans.move_to_end(template)
            while len(self._plans) > PLANS_MAX:
                self._plans.popitem(last=False)
        return new or (plan is not None and plan.sight.same(sight))


def _planned(asked: Asked, sight: Sight, connection: Connection) -> Plan | None:
    statements = parse_statements(asked.template)
    if len(statements) != 1 or not isinstance(statements[0], sql.Query):
        return None
    qualified = resolved(statements[0], Names(sight.catalog, connection.describe, sight.scope))
    if not isinstance(qualified, sql.Query):
        return None
    if asked.first > 1 and gives_parameters(qualified.tree, asked.first):
        return None  # Its columns are of the types that the client names, each time.
    names = Names(sight.catalog, connection.describe)
    own = (Kind.INT4.oid if isinstance(value, int) else 0 for value in asked.values)
    given = (*(0,) * (asked.first - 1), *own)
    oids = parameter_oids(qualified, given, names)
    if len(oids) != len(given) or any(oid not in _KINDS for oid in oids):
        return None
    kinds = tuple(_KINDS[oid] for oid in oids)
    lifted_kinds = zip(asked.values, kinds[asked.first - 1 :], strict=True)
    alike = (*_TEXTS, *_READ_ALIKE)
    if any(isinstance(value, str) and kind not in alike for value, kind in lifted_kinds):
        return None  # What it means is told by the statement as it is.
    markers = [Marker(n, _STORE_TYPES[kind]) for n, kind in enumerate(kinds, 1)]
    tree, scans = scanned(connection, sight.catalog, qualified.tree, markers)
    text = translate_query(tree, names, connection, markers)
    query = cut(text)
    if set(query.numbers) != set(range(1, len(kinds) + 1)):
        return None
    columns = told(qualified.tree, names, connection.describe(text))
    entries = [sight.catalog.get(schema, name) for schema, name in relations(qualified.tree)]
    timed = any(word in text for word in _TIMED_WORDS) or any(map(_is_timed, entries))
    few = is_plain(columns)
    # Rows of chunks that are dropped leave no delta: an answer would outlive them.
    keepable = few and not timed and not scans
    reading = _reading(qualified, entries, kinds) if keepable else None
    bounds = tuple(tuple(cut(probe.text) for probe in scan.probes) for scan in scans)
    return Plan(sight, kinds, query, columns, few, timed, reading, tuple(scans), bounds)


# Where a value of the store and one of a client are the same object to Python, or neither is.
_KEY_TYPES: Mapping[str, tuple[Kind, ...]] = {
    "SMALLINT": tuple(_BITS), "INTEGER": tuple(_BITS), "BIGINT": tuple(_BITS),
    "VARCHAR": _TEXTS, "UUID": (Kind.UUID,),
}  # fmt: skip


def _reading(
    query: sql.Query, entries: Sequence[Entry | None], kinds: Sequence[Kind]
) -> Reading | None:
    """Tell which rows a query reads, where it is those of one table or view with one value."""
    entry = entries[0] if len(entries) == 1 else None
    if entry is None or entry.relation is None or entry.kind == "source":
        return None
    types = {column.name: column.store_type for column in entry.relation.columns}
    for one in keyed(query.tree):
        kind = kinds[one.parameter - 1]
        stable = one.column in entry.relation.stable
        if stable and kind in _KEY_TYPES.get(types.get(one.column, ""), ()):
            delta, column = entry.relation.delta, quoted(one.column)
            return Reading(entry.oid, delta, column, one.parameter - 1)
    return None


def _is_timed(entry: Entry | None) -> bool:
    if entry is None or entry.relation is None:
        return True
    kept = entry.kind in ("table", "source", "materialized view")
    return not kept or bool(entry.relation.volatile)


def _spelled(value: object | None, kind: Kind) -> str | None:
    """Write a value inside a cast to its type; None when it is of another."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper() if kind is Kind.BOOL else None
        case int() if kind in _BITS:
            return str(value) if -(1 << _BITS[kind]) <= value < 1 << _BITS[kind] else None
        case float() if kind is Kind.FLOAT8:
            return repr(value) if math.isfinite(value) else literal(repr(value))
        case _:
            return _quoted(value, kind)


def _quoted(value: object, kind: Kind) -> str | None:
    alike = _READ_ALIKE.get(kind)
    if alike is not None and isinstance(value, str):
        return literal(value) if alike.fullmatch(value) else None
    wanted = _CLASSES.get(kind)
    if wanted is None or not isinstance(value, wanted) or isinstance(value, TypedText):
        return None
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return _instant(value, kind)
    return literal(str(value))


def _instant(value: Any, kind: Kind) -> str | None:
    if kind is Kind.DATE:
        return None if isinstance(value, datetime) else literal(value.isoformat())
    zoned = value.tzinfo is not None
    return literal(value.isoformat(sep=" ")) if zoned is (kind is Kind.TIMESTAMPTZ) else None
