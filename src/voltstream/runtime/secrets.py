"""Options of connectors as they are meant: with what their connection and their secrets hold."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.errors import InternalError, UndefinedObject
from voltstream.core.references import reference, referenced
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.sql.statements import CreateSecret
from voltstream.store.vault import Vault

_CONNECTION = "connection"


def named_objects(properties: Mapping[str, str], schema: str, catalog: Catalog) -> tuple[int, ...]:
    """Return the secrets and the connection that options name. Raises: UndefinedObject (42704)."""
    names = [("secret", name) for v in properties.values() if (name := referenced(v)) is not None]
    if _CONNECTION in properties:
        names.append(("connection", properties[_CONNECTION]))
    return tuple(_found(catalog, kind, name, schema).oid for kind, name in names)


def resolved(
    properties: Mapping[str, str], schema: str, catalog: Catalog, vault: Vault
) -> dict[str, str]:
    """Return options with the connection's among them and every secret told.

    Raises: UndefinedObject (42704), InvalidParameter (22023) for a secret of another key.
    """
    whole = stated(properties, schema, catalog)
    return {key: _told(value, schema, catalog, vault) for key, value in whole.items()}


def stated(properties: Mapping[str, str], schema: str, catalog: Catalog) -> dict[str, str]:
    """Return options with the connection's among them; secrets stay names, with their schemas.

    Raises: UndefinedObject (42704).
    """
    own = {key: _placed(value, schema, catalog) for key, value in properties.items()}
    connection = properties.get(_CONNECTION)
    if connection is None:
        return own
    entry = _found(catalog, "connection", connection, schema)
    inherited = {
        key: _placed(value, entry.stored.schema, catalog)
        for key, value in entry.stored.properties.items()
        if key != "type"
    }
    return {**inherited, **own}


def _placed(value: str, schema: str, catalog: Catalog) -> str:
    """Return a value; where it names a secret, with the schema that this is found in."""
    name = referenced(value)
    if name is None:
        return value
    return reference(".".join(_found(catalog, "secret", name, schema).key))


def _told(value: str, schema: str, catalog: Catalog, vault: Vault) -> str:
    name = referenced(value)
    if name is None:
        return value
    parsed = _found(catalog, "secret", name, schema).parsed
    if not isinstance(parsed, CreateSecret):
        raise InternalError(f'"{name}" is no secret')
    return vault.unseal(parsed.value, name)


def _found(catalog: Catalog, kind: str, name: str, schema: str) -> Entry:
    within, _, bare = name.rpartition(".")
    places = (within,) if within else (schema, "public")
    for place in places:
        entry = catalog.get(place, bare)
        if entry is not None and entry.kind == kind:
            return entry
    raise UndefinedObject(f'{kind} "{name}" does not exist')
