"""The system catalogs of one database: made when a statement first asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from voltstream.core.types import declared
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.references import referred
from voltstream.runtime.roles import Roles
from voltstream.runtime.shown_roles import shown_roles
from voltstream.runtime.tables import check_name
from voltstream.runtime.tables import declared as declared_table
from voltstream.sql import system
from voltstream.sql.columns import columns_in
from voltstream.sql.statements import CreateFunction, CreateIndex, CreateTable, CreateView
from voltstream.sql.table_ddl import reference_text
from voltstream.store.pg_catalog.install import install, is_installed, refresh

Row = tuple[object, ...]
_RULES = {
    "NO ACTION": "a", "RESTRICT": "r", "CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d",
}  # fmt: skip
_RELATIONS = frozenset({"table", "view", "materialized view", "source", "index"})


class SystemCatalog:
    """Knows what the catalogs in the file show. Most programs never ask, and pay nothing."""

    def __init__(self) -> None:
        self._shown: tuple[Catalog, Roles] | None = None

    def shows(self, catalog: Catalog, roles: Roles) -> bool:
        """Tell whether the catalogs are there and of this state of affairs."""
        shown = self._shown
        return shown is not None and shown[0] is catalog and shown[1] is roles

    def make(self, epoch: Epoch, roles: Roles) -> None:
        """Bring them up to this epoch's definitions; others see them once it commits."""
        if not is_installed(epoch.connection):
            install(epoch.connection)
        catalog = epoch.catalog
        refresh(epoch.connection, {**defined(catalog), **shown_roles(catalog, roles)})

        def show() -> None:
            self._shown = (catalog, roles)

        epoch.after_commit.append(show)


def names_system(text: str, catalog: Catalog) -> bool:
    """Tell whether a statement may read the catalogs, itself or through a plain view."""
    if system.mentions(text):
        return True
    return any(
        entry.kind == "view"
        and entry.stored.name in text
        and system.mentions(entry.stored.definition)
        for entry in catalog
    )


def defined(catalog: Catalog) -> dict[str, list[Row]]:
    """Return what exists as rows of the catalogs' base tables."""
    entries = sorted(catalog, key=lambda entry: entry.oid)
    relations = [entry for entry in entries if entry.kind in _RELATIONS]
    return {
        "defined_relations": [
            (entry.oid, entry.stored.schema, entry.stored.name, entry.kind, _query(entry))
            for entry in relations
        ],
        "defined_columns": [row for entry in relations for row in _columns(entry)],
        "defined_keys": [row for entry in relations for row in _keys(entry, catalog)],
        "defined_indexes": [row for entry in relations for row in _index(entry, catalog)],
        "defined_functions": [row for entry in entries for row in _function(entry)],
    }


def _query(entry: Entry) -> str | None:
    return entry.parsed.query_text if isinstance(entry.parsed, CreateView) else None


def _columns(entry: Entry) -> Iterable[Row]:
    if entry.relation is None:
        return
    table = entry.parsed if isinstance(entry.parsed, CreateTable) else None
    specs = {spec.name: spec for spec in table.columns} if table is not None else {}
    for number, column in enumerate(entry.relation.columns, 1):
        spec = specs.get(column.name)
        required, standard, identity, generated = False, None, None, None
        if spec is not None and table is not None:
            required = spec.not_null or column.name in table.primary_key
            standard = spec.default_text
            generated = spec.generated_text
            identity = {"always": "a", "by default": "d"}.get(spec.identity or "")
        spelled = declared(column.told) if column.told is not None else column.store_type
        row = (entry.oid, number, column.name, spelled, required, standard, identity)
        yield (*row, generated)


def _keys(entry: Entry, catalog: Catalog) -> Iterable[Row]:
    """Yield a table's constraints; a foreign key only while what it names is there."""
    table = entry.parsed
    if not isinstance(table, CreateTable):
        return
    yield from ((*key, None, None, None, None) for key in _own_keys(entry, table))
    for number, one in enumerate(table.references, 1 + len(table.unique) + len(table.checks)):
        target = referred(entry, one, catalog)
        key = one.targets or (declared_table(target).primary_key if target is not None else ())
        if target is None or not key or len(_places(target, key)) != len(one.columns):
            continue
        name = one.name or f"{entry.stored.name}_{'_'.join(one.columns)}_fkey"
        text = reference_text(replace(one, targets=key))
        places, targets = _places(entry, one.columns), _places(target, key)
        rules = _RULES[one.on_update] + _RULES[one.on_delete] + ("f" if one.is_full else "s")
        row = (entry.oid, number, "FOREIGN KEY", name, list(one.columns), text, places)
        yield (*row, target.oid, list(key), targets, rules)


def _own_keys(entry: Entry, table: CreateTable) -> Iterable[Row]:
    name, oid = entry.stored.name, entry.oid
    if table.primary_key:
        columns = list(table.primary_key)
        yield (oid, 0, "PRIMARY KEY", f"{name}_pkey", columns, None, _places(entry, columns))
    for number, unique in enumerate(table.unique, 1):
        spelled = f"{name}_{'_'.join(unique)}_key"
        yield (oid, number, "UNIQUE", spelled, list(unique), None, _places(entry, unique))
    for number, check in enumerate(table.checks, 1 + len(table.unique)):
        spelled, used = check_name(name, table, check), list(columns_in(check.text))
        yield (oid, number, "CHECK", spelled, used, f"({check.text})", _places(entry, used))


def _places(entry: Entry, names: Sequence[str]) -> list[int]:
    columns = entry.relation.columns if entry.relation is not None else ()
    place = {column.name: number for number, column in enumerate(columns, 1)}
    return [place[name] for name in names if name in place]


def _index(entry: Entry, catalog: Catalog) -> Iterable[Row]:
    index = entry.parsed
    if not isinstance(index, CreateIndex):
        return
    table = catalog.named(index.table)
    if table is not None:
        beside = [name for name in index.include if name not in index.columns]
        names = [*(expression for expression, _ in index.keys), *beside]
        yield (entry.oid, table.oid, names, index.unique, len(index.keys))


def _function(entry: Entry) -> Iterable[Row]:
    made = entry.parsed
    if isinstance(made, CreateFunction):
        types = [store_type for _, store_type in made.parameters]
        name = made.name.name
        result, text = made.returns or "", made.source
        yield (entry.oid, entry.stored.schema, name, types, result, text, made.language, made.many)
