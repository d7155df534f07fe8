"""What exists, as an immutable snapshot: the compiler's CatalogReader over the stored catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from voltstream.core.errors import (
    UndefinedTable,
    ViewSuspended,
    VoltstreamError,
    WrongObjectType,
)
from voltstream.core.schema import Schema
from voltstream.sql.catalog import Relation
from voltstream.sql.program import Program
from voltstream.sql.statements import ObjectName, Parsed
from voltstream.store.database import quoted
from voltstream.store.ledger import StoredObject

DEFAULT_SCHEMA = "public"
_SYSTEM_SCHEMAS = ("rw_catalog", "pg_catalog", "information_schema")


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its stored row, its statement, and what the compiler made of it."""

    stored: StoredObject
    parsed: Parsed
    relation: Relation | None = None
    program: Program | None = None
    emit_sql: str | None = None  # sinks: SELECT key, value of the delta, in delivery order
    failed: str | None = None  # Why it stands still; then it is not read.

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
    """Every object of a database. Law: a change makes a new snapshot; readers keep theirs."""

    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    schemas: frozenset[str] = frozenset({DEFAULT_SCHEMA})

    def get(self, schema: str | None, name: str) -> Entry | None:
        return self.entries.get((schema or DEFAULT_SCHEMA, name))

    def named(self, name: ObjectName) -> Entry | None:
        return self.get(name.schema, name.name)

    def require(self, name: ObjectName, *kinds: str) -> Entry:
        """Raises: UndefinedTable (42P01), WrongObjectType (42809)."""
        entry = self.named(name)
        if entry is None:
            raise UndefinedTable(f'relation "{spelled(name)}" does not exist')
        if kinds and entry.kind not in kinds:
            raise WrongObjectType(f'"{name.name}" is not a {" or ".join(kinds)}')
        return entry

    def by_oid(self, oid: int) -> Entry | None:
        return next((entry for entry in self.entries.values() if entry.oid == oid), None)

    def of_kind(self, kind: str) -> list[Entry]:
        return sorted((e for e in self.entries.values() if e.kind == kind), key=lambda e: e.key)

    def dependents(self, oid: int) -> list[Entry]:
        """Return what depends on an object directly, the oldest first."""
        found = [e for e in self.entries.values() if oid in e.stored.depends_on]
        return sorted(found, key=lambda entry: entry.oid)

    def with_entry(self, entry: Entry) -> Catalog:
        return replace(self, entries={**self.entries, entry.key: entry})

    def without(self, entry: Entry) -> Catalog:
        return replace(self, entries={k: e for k, e in self.entries.items() if k != entry.key})

    def with_schema(self, name: str) -> Catalog:
        return replace(self, schemas=self.schemas | {name})

    def without_schema(self, name: str) -> Catalog:
        return replace(self, schemas=self.schemas - {name})

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())


class Names:
    """CatalogReader over a snapshot; also finds system views, and notes what it was asked for."""

    def __init__(self, catalog: Catalog, describe: Callable[[str], Schema]) -> None:
        self._catalog = catalog
        self._describe = describe
        self.used: set[int] = set()

    def find(self, schema: str | None, name: str) -> Relation | None:
        entry = self._catalog.get(schema, name)
        if entry is not None and entry.relation is not None:
            refuse_failed(entry)
            self.used.add(entry.oid)
            return entry.relation
        return self._system(schema, name)

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


def refuse_failed(entry: Entry) -> None:
    """Raises: ViewSuspended (55000) for what stands still: its rows are of the past."""
    if entry.failed is not None:
        raise ViewSuspended(
            f'{entry.kind} "{entry.stored.name}" is suspended: {entry.failed}',
            detail="It stopped at a failure of its program; other views go on.",
            hint="REFRESH MATERIALIZED VIEW rebuilds it from its inputs; or DROP it.",
        )


def spelled(name: ObjectName) -> str:
    """Write a name as error messages do."""
    return f"{name.schema}.{name.name}" if name.schema else name.name


def public_name(schema: str, name: str) -> str:
    """Write a name as DuckDB reads it."""
    return f"{quoted(schema)}.{quoted(name)}"
