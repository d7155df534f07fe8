"""What exists, as an immutable snapshot: the compiler's CatalogReader over the stored catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voltstream.core.errors import (
    AmbiguousFunction,
    FeatureNotSupported,
    UndefinedTable,
    ViewSuspended,
    VoltstreamError,
    WrongObjectType,
)
from voltstream.core.ports import ANY_SHAPE, SinkShape
from voltstream.core.schema import Schema
from voltstream.runtime.rights import Rights
from voltstream.runtime.roles import Roles
from voltstream.sql.catalog import Relation
from voltstream.sql.inline import Call, SqlFunction
from voltstream.sql.overloads import ANY, chosen, function_key, function_label
from voltstream.sql.program import Program
from voltstream.sql.resolve import Place
from voltstream.sql.statements import CreateIndex, CreateSource, ObjectName, Parsed
from voltstream.store.database import quoted
from voltstream.store.ledger import Binding, StoredObject

DEFAULT_SCHEMA = "public"
OWN_SCHEMA = "voltstream"  # What the engine keeps for its users; found after the search path.
_STORED_TABLE = re.compile(r"\bt_([0-9]+)\b")
_SYSTEM_SCHEMAS = (
    "rw_catalog", "pg_catalog", "information_schema", "timescaledb_information",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its stored row, its statement, and what the compiler made of it."""

    stored: StoredObject
    parsed: Parsed
    relation: Relation | None = None
    program: Program | None = None
    shape: SinkShape = ANY_SHAPE  # sinks: what their records are
    emit_sql: str | None = None  # sinks: SELECT key, value of the delta, in delivery order
    failed: str | None = None  # Why it stands still; then it is not read.
    broken: bool = False  # It does not even compile; ``parsed`` says nothing then.
    function: SqlFunction | None = None  # functions: what a call becomes
    comments: Mapping[str, str] = field(default_factory=dict)  # by column
    follow: Callable[[Any], None] | None = None  # what else an epoch does with its delta

    @property
    def oid(self) -> int:
        return self.stored.oid

    @property
    def kind(self) -> str:
        return self.stored.kind

    @property
    def key(self) -> tuple[str, str]:
        return (self.stored.schema, self.stored.name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every object of a database. Law: a change makes a new snapshot; readers keep theirs.

    Shape: ``roles`` are those of the server, and true in the first database only. ``overloads``
    are the keys of the functions of a schema and name.
    """

    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    schemas: frozenset[str] = frozenset({DEFAULT_SCHEMA})
    overloads: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    rights: Rights = field(default_factory=Rights)
    roles: Roles = field(default_factory=Roles)

    def get(self, schema: str | None, name: str) -> Entry | None:
        return self.entries.get((schema or DEFAULT_SCHEMA, name))

    def named(self, name: ObjectName) -> Entry | None:
        return self.get(name.schema, name.name)

    def require(self, name: ObjectName, *kinds: str) -> Entry:
        """Raises: UndefinedTable (42P01), WrongObjectType (42809)."""
        entry = self.named(name)
        if entry is None:
            raise UndefinedTable(f'relation "{spelled(name)}" does not exist')
        if entry.broken and entry.kind in ("table", "source"):
            refuse_failed(entry)
        if kinds and entry.kind not in kinds:
            raise WrongObjectType(f'"{name.name}" is not a {" or ".join(kinds)}')
        return entry

    def by_oid(self, oid: int) -> Entry | None:
        return next((entry for entry in self.entries.values() if entry.oid == oid), None)

    def of_kind(self, kind: str) -> list[Entry]:
        return sorted((e for e in self.entries.values() if e.kind == kind), key=lambda e: e.key)

    def followers(self) -> list[Entry]:
        """Return what does more with its delta than to keep it, the oldest first."""
        found = [entry for entry in self.entries.values() if entry.follow is not None]
        return sorted(found, key=lambda entry: entry.oid)

    def functions(self, schema: str, name: str) -> list[Entry]:
        """Return the functions of a name, the oldest first."""
        return [self.entries[schema, key] for key in self.overloads.get((schema, name), ())]

    def one_function(self, schema: str, key: str) -> Entry | None:
        """Return what a key without types, or one of a plain function, means.

        Raises: AmbiguousFunction (42725) when the name alone does not tell.
        """
        name = function_label(key)
        found = self.functions(schema, name)
        if not key.endswith(ANY):
            return next((one for one in found if typed_key(one) == key), None)
        if len(found) > 1:
            raise AmbiguousFunction(
                f'function name "{name}" is not unique',
                hint="Specify the argument list to select the function unambiguously.",
            )
        return found[0] if found else None

    def dependents(self, oid: int) -> list[Entry]:
        """Return what depends on an object directly, the oldest first."""
        found = [e for e in self.entries.values() if oid in e.stored.depends_on]
        return sorted(found, key=lambda entry: entry.oid)

    def with_entry(self, entry: Entry) -> Catalog:
        kept = self.without(entry) if entry.kind == "function" else self
        schema, name = entry.key
        overloads = kept.overloads
        if entry.kind == "function":
            label = (schema, function_label(name))
            overloads = {**overloads, label: (*overloads.get(label, ()), name)}
        return replace(self, entries={**self.entries, entry.key: entry}, overloads=overloads)

    def without(self, entry: Entry) -> Catalog:
        schema, name = entry.key
        overloads = self.overloads
        if entry.kind == "function":
            label = (schema, function_label(name))
            left = tuple(one for one in overloads.get(label, ()) if one != name)
            overloads = {**overloads, label: left}
        entries = {k: e for k, e in self.entries.items() if k != entry.key}
        return replace(self, entries=entries, overloads=overloads)

    def with_schema(self, name: str) -> Catalog:
        return replace(self, schemas=self.schemas | {name})

    def without_schema(self, name: str) -> Catalog:
        return replace(self, schemas=self.schemas - {name})

    def with_rights(self, rights: Rights) -> Catalog:
        return replace(self, rights=rights)

    def with_roles(self, roles: Roles) -> Catalog:
        return replace(self, roles=roles)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


def _refuse_shared(entry: Entry) -> None:
    if isinstance(entry.parsed, CreateSource) and entry.parsed.shared:
        raise FeatureNotSupported(
            f'"{entry.stored.name}" is a shared source and holds no rows',
            hint=f"CREATE TABLE … (*) FROM {entry.stored.name} TABLE 'schema.table' makes a table "
            "of the origin readable.",
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """In whose eyes names are read.

    Shape: ``path`` are schemas to look in, in order. ``bound`` overrides it for a definition that
    was read before: (schema, name) as written -> oid. ``pins`` are the columns that an object had
    when the definition was bound to it, by oid; what came later is not seen.
    """

    path: tuple[str, ...] = (DEFAULT_SCHEMA,)
    database: str = ""
    bound: Mapping[tuple[str | None, str], int] = field(default_factory=dict)
    pins: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


class Names:
    """CatalogReader and Directory over a snapshot; it notes what it was asked for."""

    def __init__(
        self, catalog: Catalog, describe: Callable[[str], Schema], scope: Scope | None = None
    ) -> None:
        self._catalog = catalog
        self._describe = describe
        self._scope = scope or Scope()
        self.used: set[int] = set()
        self.bound: dict[tuple[str | None, str], int] = {}

    # --- names as written -----------------------------------------------------------------------

    def object(self, schema: str | None, name: str) -> Place | None:
        entry = self._entry(schema, name)
        if entry is None:
            return None
        self.bound[(schema, name)] = entry.oid
        return Place(*entry.key)

    def place(self, schema: str | None, name: str) -> Place | None:
        entry = self._entry(schema, name)
        if entry is None:
            self._refuse_near(schema, name)
            return None
        _refuse_shared(entry)
        self.bound[(schema, name)] = entry.oid
        if isinstance(entry.parsed, CreateIndex):  # An index reads as its table.
            table = self._catalog.named(entry.parsed.table)
            return Place(*table.key) if table is not None else None
        return Place(*entry.key)

    def _refuse_near(self, schema: str | None, name: str) -> None:
        """Raises: UndefinedTable for a name in the wrong case: the store would forgive it."""
        path = (schema,) if schema is not None else self._scope.path
        for other_schema, other in self._catalog.entries:
            if other_schema in path and other.lower() == name.lower():
                raise UndefinedTable(
                    f'relation "{name}" does not exist', hint=f'Did you mean "{other}", in quotes?'
                )

    def _entry(self, schema: str | None, name: str) -> Entry | None:
        oid = self._scope.bound.get((schema, name))
        if oid is not None:
            return self._catalog.by_oid(oid)
        path = (schema,) if schema is not None else (*self._scope.path, OWN_SCHEMA)
        for candidate in path:
            entry = self._catalog.get(candidate, name)
            if entry is None and name.endswith(")"):
                entry = self._catalog.one_function(candidate or DEFAULT_SCHEMA, name)
            if entry is not None:
                return entry
        return None

    def creation_schema(self) -> str | None:
        if not self._scope.path:  # A definition that is read again: its place is known.
            return DEFAULT_SCHEMA
        return next((one for one in self._scope.path if one in self._catalog.schemas), None)

    def has_schema(self, name: str) -> bool:
        return name in self._catalog.schemas

    def database(self) -> str:
        return self._scope.database

    def function(self, schema: str | None, name: str, call: Call) -> SqlFunction | None:
        overloads = self._overloads(schema, name)
        for entry in overloads:
            if entry.broken:
                refuse_failed(entry)
        known = {id(e.function): e for e in overloads if e.function is not None}
        functions = [e.function for e in known.values() if e.function is not None]
        function = chosen(functions, call, self._columns) if functions else None
        if function is None:
            return None
        entry = known[id(function)]
        self.used.add(entry.oid)
        self.bound[(schema, entry.stored.name)] = entry.oid
        return function

    def _overloads(self, schema: str | None, name: str) -> list[Entry]:
        """Return the functions of a name, as the definition knew them or along the path."""
        bound = [
            entry
            for (where, key), oid in self._scope.bound.items()
            if where == schema and function_label(key) == name and key != name
            if (entry := self._catalog.by_oid(oid)) is not None
        ]
        path = (schema,) if schema is not None else self._scope.path
        return bound or [e for one in path for e in self._catalog.functions(one, name)]

    def _columns(self, schema: str | None, name: str) -> Schema:
        entry = self._entry(schema, name)
        return entry.relation.columns if entry is not None and entry.relation is not None else ()

    # --- relations ------------------------------------------------------------------------------

    def find(self, schema: str | None, name: str) -> Relation | None:
        entry = self._entry(schema, name)
        if entry is not None and (entry.relation is not None or entry.broken):
            refuse_failed(entry)
        if entry is not None and entry.relation is not None:
            _refuse_shared(entry)
            self.used.add(entry.oid)
            return self._pinned(entry.relation)
        return self._system(schema, name)

    def _pinned(self, relation: Relation) -> Relation:
        pins = self._scope.pins.get(relation.oid)
        if pins is None:
            return relation
        return replace(
            relation,
            columns=tuple(c for c in relation.columns if c.name in pins),
            stable=tuple(name for name in relation.stable if name in pins)
            if relation.kind in ("table", "source")
            else relation.stable,
        )

    def bindings(self) -> tuple[Binding, ...]:
        """Return what the definition was bound to, to be kept with it."""
        written: dict[int, list[tuple[str | None, str]]] = {}
        for key, oid in self.bound.items():
            written.setdefault(oid, []).append(key)
        found: list[Binding] = []
        for oid in sorted(self.used | set(written)):
            entry = self._catalog.by_oid(oid)
            if entry is None:
                continue
            columns = entry.relation.columns if entry.relation is not None else ()
            names = tuple(column.name for column in columns)
            found.extend(
                Binding(schema, name, oid, names)
                for schema, name in written.get(oid, [(entry.stored.schema, entry.stored.name)])
            )
        return tuple(found)

    def _system(self, schema: str | None, name: str) -> Relation | None:
        for candidate in (schema,) if schema else _SYSTEM_SCHEMAS:
            if candidate not in _SYSTEM_SCHEMAS:
                continue
            stored = f"{candidate}.{quoted(name)}"
            try:
                columns = self._describe(f"SELECT * FROM {stored}")
            except VoltstreamError:
                continue
            return Relation(
                oid=0,
                schema=candidate,
                name=name,
                kind="table",
                columns=columns,
                stored=stored,
                delta="",
                append_only=False,
                stable=tuple(column.name for column in columns),
            )
        return None


_PATH_PART = re.compile(r'"(?:[^"]|"")*"|[^\s,"][^,"]*')


def search_path(setting: str, user: str) -> tuple[str, ...]:
    """Return the schemas of a ``search_path`` setting, in order."""
    parts = [
        part[1:-1].replace('""', '"') if part.startswith('"') else part.strip()
        for part in _PATH_PART.findall(setting)
    ]
    return tuple(user if part == "$user" else part for part in parts if part)


def undescribed(_: str) -> Schema:
    """Describe nothing: for names that need only be found."""
    return ()


def bound_scope(bindings: Sequence[Binding]) -> Scope:
    """Return the scope in which a stored definition is read again."""
    return Scope(
        path=(),
        bound={(binding.schema, binding.name): binding.oid for binding in bindings},
        pins={binding.oid: binding.columns for binding in bindings if binding.columns},
    )


def with_public_names(error: VoltstreamError, catalog: Catalog) -> None:
    """Let an error name a table as its user does, not as the store does."""

    def public(found: re.Match[str]) -> str:
        entry = catalog.by_oid(int(found[1]))
        return entry.stored.name if entry is not None else found[0]

    error.message = _STORED_TABLE.sub(public, error.message)
    error.args = (error.message,)


def refuse_failed(entry: Entry) -> None:
    """Raises: ViewSuspended (55000) when the object stands still."""
    if entry.broken:
        name = bare_name(entry)
        way = f"DROP {entry.kind.upper()} {name} and create it anew"
        if entry.kind == "materialized view":
            way += f", or REFRESH MATERIALIZED VIEW {name} when it compiles again"
        raise ViewSuspended(
            f'{entry.kind} "{name}" no longer compiles: {entry.failed}',
            hint=f"{way}. rw_suspended_objects lists what stands still.",
        )
    if entry.failed is not None:
        raise ViewSuspended(
            f'{entry.kind} "{entry.stored.name}" is suspended: {entry.failed}',
            hint=f"Mend its inputs, then REFRESH MATERIALIZED VIEW {entry.stored.name}.",
        )


def spelled(name: ObjectName) -> str:
    """Write a name as error messages do."""
    return f"{name.schema}.{name.name}" if name.schema else name.name


def bare_name(entry: Entry) -> str:
    """Return an object's name without what tells a function from others of its name."""
    name = entry.stored.name
    return function_label(name) if entry.kind == "function" else name


def typed_key(entry: Entry) -> str:
    """Return a function's key; those made before functions shared names have none in the store."""
    parameters = entry.function.parameters if entry.function is not None else ()
    return function_key(function_label(entry.stored.name), [kind for _, kind in parameters])


def public_name(schema: str, name: str) -> str:
    """Write a name as DuckDB reads it."""
    return f"{quoted(schema)}.{quoted(name)}"
