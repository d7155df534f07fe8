"""What follows a rename: the texts and bindings of all that reads the object."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import VoltstreamError
from voltstream.runtime.catalog import Entry, Names, bound_scope
from voltstream.runtime.epoch import Epoch
from voltstream.sql.parse import parse_statements
from voltstream.sql.renaming import with_own_name, with_relation
from voltstream.sql.resolve import resolved
from voltstream.sql.statements import CreateView
from voltstream.store.ledger import Binding, StoredObject, set_bindings, set_definition


def renamed_itself(stored: StoredObject) -> StoredObject:
    """Return an object whose text creates it under the name it has."""
    if stored.kind in ("function", "secret", "connection"):
        return stored
    return replace(stored, definition=with_own_name(stored.definition, stored.name))


def rewrite_readers(epoch: Epoch, moved: Entry) -> None:
    """Let the texts of what reads an object say where it is now.

    A text that does not mean the same afterwards stays as it is: its bindings find the object.
    """
    for other in epoch.catalog.dependents(moved.oid):
        stored = _rewritten(epoch, other, moved)
        if stored is None:
            continue
        set_definition(epoch.connection, stored)
        set_bindings(epoch.connection, stored)
        parsed = other.parsed
        if isinstance(parsed, CreateView):
            (again,) = parse_statements(stored.definition)
            if isinstance(again, CreateView):
                parsed = replace(parsed, query_text=again.query_text, text=again.text)
        epoch.catalog = epoch.catalog.with_entry(replace(other, stored=stored, parsed=parsed))


def _rewritten(epoch: Epoch, other: Entry, moved: Entry) -> StoredObject | None:
    old = other.stored
    mine = [one for one in old.bindings if one.oid == moved.oid]
    written = {(one.schema, one.name) for one in mine}
    schema, name = moved.key
    try:
        text = with_relation(
            old.definition, lambda where, what: (where, what) in written, schema, name
        )
        if text == old.definition:
            return None
        columns = mine[0].columns
        keys = {(schema, name), *([(None, name)] if schema == "public" else [])}
        added = tuple(Binding(where, what, moved.oid, columns) for where, what in keys)
        kept = tuple(
            one for one in old.bindings
            if one.oid != moved.oid and (one.schema, one.name) not in keys
        )  # fmt: skip
        stored = replace(old, definition=text, bindings=(*kept, *added))
        return stored if _reads(epoch, stored) == _reads(epoch, old) else None
    except (VoltstreamError, IndexError, KeyError, ValueError):
        return None


def _reads(epoch: Epoch, stored: StoredObject) -> set[int]:
    """Return the objects that a text means."""
    names = Names(epoch.catalog, epoch.connection.describe, bound_scope(stored.bindings))
    (parsed,) = parse_statements(stored.definition)
    resolved(parsed, names)
    return set(names.bound.values()) - {stored.oid}
