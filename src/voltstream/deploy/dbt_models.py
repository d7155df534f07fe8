"""Views as models of dbt: the author's query, with relations by reference."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from voltstream.runtime.catalog import DEFAULT_SCHEMA, OWN_SCHEMA, Catalog, Entry
from voltstream.sql.relation_names import Mention, with_references
from voltstream.sql.renaming import spelled
from voltstream.sql.statements import CreateIndex, CreateSource, CreateView

_TAG = re.compile(r"\{[{%#]")
_WRAPPED = "voltstream_query"  # The name of a query whose columns are named outside of it.


@dataclass(frozen=True)
class Model:
    """A view as dbt knows it; ``path`` is in the folder of the project."""

    entry: Entry
    name: str
    path: str
    text: str


def guarded(text: str) -> str:
    """Return a text that a template shows as it is."""
    return _TAG.sub(lambda found: "{{ '" + found[0] + "' }}", text)


def literal(value: object) -> str:
    """Return a value as an expression of a template."""
    return json.dumps(value, ensure_ascii=False)


def word(name: str) -> str:
    """Return a name as files and models can have it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def is_origin(entry: Entry) -> bool:
    """Tell whether rows come into the database by an object, and can be read there."""
    shared = isinstance(entry.parsed, CreateSource) and entry.parsed.shared
    return entry.kind in ("source", "table") and not shared and entry.stored.schema != OWN_SCHEMA


def is_model(entry: Entry) -> bool:
    return isinstance(entry.parsed, CreateView) and entry.stored.schema != OWN_SCHEMA


def models_of(catalog: Catalog, schemas: Container[str]) -> list[Model]:
    """Return the views of schemas, by schema and name; other views that they read are sources."""
    wanted = (one for one in catalog if is_model(one) and one.stored.schema in schemas)
    entries = sorted(wanted, key=lambda one: one.key)
    names = _names(entries)
    return [
        Model(
            entry,
            names[entry.oid],
            f"models/{word(entry.stored.schema)}/{names[entry.oid]}.sql",
            _text(entry, catalog, names),
        )
        for entry in entries
    ]


def _names(entries: Iterable[Entry]) -> dict[int, str]:
    """Return a name for each that no other has, in capitals or not: models have no schemas."""
    listed = list(entries)
    counted = Counter(word(entry.stored.name).lower() for entry in listed)
    taken: set[str] = set()
    found: dict[int, str] = {}
    for entry in listed:
        base = word(entry.stored.name)
        if counted[base.lower()] > 1:
            base = f"{word(entry.stored.schema)}__{base}"
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.lower())
        found[entry.oid] = name
    return found


def _text(entry: Entry, catalog: Catalog, names: Mapping[int, str]) -> str:
    view = entry.parsed
    assert isinstance(view, CreateView)
    bound = {(one.schema, one.name): one.oid for one in entry.stored.bindings}

    def reference(mention: Mention) -> str | None:
        oid = bound.get((mention.schema, mention.name))
        read = catalog.by_oid(oid) if oid is not None else None
        if read is None:
            return None
        if read.oid in names:
            path = f"{{{{ ref({literal(names[read.oid])}) }}}}"
        elif is_origin(read) or is_model(read):
            path = f"{{{{ source({literal(read.stored.schema)}, {literal(read.stored.name)}) }}}}"
        else:
            return None
        if mention.bare and mention.name != read.stored.name:
            path += f" AS {guarded(spelled(mention.name))}"
        return path

    query = with_references(view.query_text, reference, guarded)
    if view.column_names:
        columns = guarded(", ".join(map(spelled, view.column_names)))
        query = f"SELECT * FROM (\n{query}\n) AS {_WRAPPED} ({columns})"
    if view.on_close:
        query += "\nEMIT ON WINDOW CLOSE"
    return f"{{{{ config({_config(entry, view, catalog, names[entry.oid])}) }}}}\n\n{query}\n"


def _config(entry: Entry, view: CreateView, catalog: Catalog, name: str) -> str:
    kind = "materialized_view" if view.materialized else "view"
    said = [f"materialized={literal(kind)}"]
    if entry.stored.schema != DEFAULT_SCHEMA:
        said.append(f"schema={literal(entry.stored.schema)}")
    if name != entry.stored.name:
        said.append(f"alias={literal(entry.stored.name)}")
    indexes = [
        {"columns": list(index.columns), "unique": index.unique}
        for index in (one.parsed for one in indexes_of(entry, catalog))
        if isinstance(index, CreateIndex) and is_plain(index)
    ]
    if indexes:
        said.append(f"indexes={literal(indexes)}")
    return ", ".join(said)


def indexes_of(entry: Entry, catalog: Catalog) -> list[Entry]:
    """Return the indexes of a relation, by name."""
    found = [one for one in catalog.dependents(entry.oid) if isinstance(one.parsed, CreateIndex)]
    return sorted(found, key=lambda one: one.key)


def is_plain(index: CreateIndex) -> bool:
    """Tell whether columns in ascending order are all that there is to an index."""
    ascending = all(order.upper() == "ASC" for _, order in index.keys)
    plain = len(index.columns) == len(index.keys) and ascending
    return plain and not index.include and not index.distributed
