"""Sealed relations: only the part of the server that they belong to writes them, no role does.

Of a source ``WITH (sealed = 'true')`` says so, and rows come through ``submit_together`` alone;
the engine's own tables are sealed by nature.
"""

from __future__ import annotations

from voltstream.core.errors import InsufficientPrivilege
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.sql.statements import AlterObject, AlterTable, ObjectName, Parsed
from voltstream.store.ledger import FIRST_OID

_KEPT = frozenset({"OWNER TO", "IGNORED"})  # What leaves a source as and where it is.


def is_sealed(entry: Entry) -> bool:
    return entry.kind == "source" and entry.stored.properties.get("sealed", "").lower() == "true"


def refuse(entry: Entry) -> None:
    """Raises: InsufficientPrivilege (42501), whoever asks, when an object is sealed."""
    if entry.oid < FIRST_OID:
        raise InsufficientPrivilege(
            f'permission denied: "{entry.stored.name}" is kept by the server',
            hint="Rules and their views decide what is in it.",
        )
    if is_sealed(entry):
        raise InsufficientPrivilege(
            f'permission denied: "{entry.stored.name}" is a sealed source',
            detail="Only the server itself adds rows, and nobody changes or removes them.",
            hint="Dropping the whole database is the only way to be rid of it.",
        )


def refuse_alteration(catalog: Catalog, parsed: Parsed) -> None:
    """Refuse to move, rename or change what is sealed. Raises: InsufficientPrivilege (42501)."""
    if isinstance(parsed, AlterObject) and parsed.verb in _KEPT:
        return
    for entry in _altered(catalog, parsed):
        refuse(entry)


def _altered(catalog: Catalog, parsed: Parsed) -> list[Entry]:
    match parsed:
        case AlterObject(kind="SCHEMA", name=name):
            return [entry for entry in catalog if entry.stored.schema == name.name]
        case AlterObject(verb="SWAP WITH", name=name, value=value):
            schema, _, other = value.rpartition(".")
            return _named(catalog, name, ObjectName(other, schema or name.schema))
        case AlterObject(name=name) | AlterTable(name=name):
            return _named(catalog, name)
        case _:
            return []


def _named(catalog: Catalog, *names: ObjectName) -> list[Entry]:
    found = (catalog.named(name) for name in names)
    return [entry for entry in found if entry is not None]
