"""What there is to deploy: the catalog's definitions with their bound queries, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from voltstream.core.errors import InternalError, NotIncremental, UndefinedTable
from voltstream.runtime.catalog import OWN_SCHEMA, Catalog, Entry, Names, Scope, bound_scope
from voltstream.runtime.entries import whole
from voltstream.runtime.secrets import stated
from voltstream.sql.alert_options import alert_options
from voltstream.sql.catalog import Relation
from voltstream.sql.statements import CreateSink, CreateView
from voltstream.sql.targets.render import BoundQuery, bound, shows_now
from voltstream.store.database import Connection
from voltstream.store.hypertable import Hypertable, find

KINDS = ("source", "table", "view", "materialized view", "sink", "index", "subscription")
_QUERIES = (CreateView, CreateSink)


@dataclass(frozen=True)
class Deployed:
    """One definition.

    Shape: ``query`` is bound, or ``unplanned`` says why it is not. ``hypertable`` is what a table
    is beside its columns. ``alert`` says that it is a rule; ``shows_now`` that NOW() is in a
    sink's select list, where NULL stands for it in ``query``. ``properties`` are its own and those
    of its connection; secrets are named in them.
    """

    entry: Entry
    query: BoundQuery | None = None
    unplanned: str = ""
    hypertable: Hypertable | None = None
    alert: bool = False
    shows_now: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.entry.stored.schema}.{self.entry.stored.name}"

    @property
    def bare(self) -> str:
        return self.entry.stored.name

    @property
    def kind(self) -> str:
        return self.entry.kind

    @property
    def relation(self) -> Relation:
        found = self.entry.relation
        if found is None:
            raise UndefinedTable(f'"{self.name}" is not a relation')
        return found


def deployed(catalog: Catalog, reader: Connection, only: Sequence[str] = ()) -> list[Deployed]:
    """Return the definitions asked for and all that they read, each after what it reads.

    Raises: UndefinedTable (42P01) for a name that nothing has.
    """
    entries = in_order(catalog, KINDS)
    if only:
        entries = _wanted(catalog, entries, only)
    return [_described(entry, catalog, reader) for entry in entries]


def in_order(catalog: Catalog, kinds: Collection[str]) -> list[Entry]:
    """Return the definitions of some kinds, each after what it reads."""
    found: dict[int, Entry] = {}
    known = {e.oid: e for e in catalog if e.kind in kinds and e.stored.schema != OWN_SCHEMA}

    def visit(entry: Entry) -> None:
        if entry.oid in found:
            return
        for oid in sorted(entry.stored.depends_on):
            below = known.get(oid)
            if below is not None:
                visit(below)
        found[entry.oid] = entry

    for oid in sorted(known):
        visit(known[oid])
    return list(found.values())


def _wanted(catalog: Catalog, entries: list[Entry], only: Sequence[str]) -> list[Entry]:
    wanted: set[int] = set()
    by_oid = {entry.oid: entry for entry in entries}

    def take(entry: Entry) -> None:
        wanted.add(entry.oid)
        for oid in entry.stored.depends_on:
            if oid in by_oid and oid not in wanted:
                take(by_oid[oid])

    for name in only:
        found = [
            entry
            for entry in entries
            if name in (entry.stored.name, f"{entry.stored.schema}.{entry.stored.name}")
        ]
        if not found:
            raise UndefinedTable(
                f'nothing named "{name}" can be deployed',
                hint="Name a source, table, view, sink or index.",
            )
        for entry in found:
            take(entry)
    return [entry for entry in entries if entry.oid in wanted]


def _described(entry: Entry, catalog: Catalog, reader: Connection) -> Deployed:
    parsed = entry.parsed
    told = stated(getattr(parsed, "properties", {}), entry.stored.schema, catalog)
    if not isinstance(parsed, _QUERIES):
        return Deployed(entry, hypertable=find(reader, entry.oid), properties=told)
    scope = bound_scope(entry.stored.bindings)
    names = Names(catalog, reader.describe, Scope(path=(), pins=scope.pins))
    tree = parsed.query
    if tree is None and isinstance(parsed, CreateSink) and parsed.from_name is not None:
        tree = whole(parsed.from_name)
    alert = isinstance(parsed, CreateView) and alert_options(parsed.properties) is not None
    if tree is None:
        raise InternalError(f'"{entry.stored.name}" has neither a query nor a relation')
    columns = parsed.column_names if isinstance(parsed, CreateView) else ()
    try:
        timed = isinstance(parsed, CreateSink) and shows_now(tree, names, reader)
        made = bound(tree, columns, names, reader, frozen_now=timed)
    except NotIncremental as reason:
        return Deployed(entry, unplanned=reason.message, alert=alert, properties=told)
    return Deployed(entry, made, alert=alert, shows_now=timed, properties=told)
