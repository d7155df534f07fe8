"""Roles and rights as rows of the system catalogs' base tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voltstream.runtime.catalog import Catalog
from voltstream.runtime.column_rights import COLUMN
from voltstream.runtime.permits import schema_target, target_of
from voltstream.runtime.rights import DATABASE, GRANTABLE, PUBLIC, Acl, Held, Target
from voltstream.runtime.roles import OWNER_OID, READ_ALL, STEWARD, WRITE_ALL, Role, Roles

Row = tuple[object, ...]
# What predefined roles may do with everything, by kind of object.
_BY_NATURE = (
    (READ_ALL.oid, "r", "U"),
    (WRITE_ALL.oid, "awdD", "U"),
    (STEWARD.oid, "arwdDxtX", "UC"),
)


def shown_roles(catalog: Catalog, roles: Roles) -> dict[str, list[Row]]:
    names = {role.oid: role.name for role in roles}
    targets = list(_targets(catalog))
    return {
        "defined_roles": [_role(role) for role in roles],
        "defined_members": [
            (m.role, m.member, m.grantor, m.admin, roles.inherits(m), m.set)
            for m in roles.memberships
        ],
        "defined_reach": [row for role in roles for row in _reach(roles, role)],
        "defined_rights": [
            (t.kind, t.oid, t.schema, catalog.rights.owner(t), _texts(catalog, t, names))
            for t in targets
        ],
        "defined_grants": [row for target in targets for row in _grants(catalog, target)],
        "defined_column_rights": [
            (target.oid, target.schema, [item.text(names) for item in held.acl or ()])
            for target, held in _columns(catalog)
        ],
        "defined_column_grants": [
            (target.oid, target.schema, item.grantee, item.grantor, letter)
            for target, held in _columns(catalog)
            for item in held.acl or ()
            for one in item.letters
            for letter in ((one, f"{one}*") if one in item.options else (one,))
        ],
        "defined_standards": [
            (s.owner, s.schema, s.kind, [item.text(names) for item in s.acl])
            for s in catalog.rights.standards
        ],
    }


def _columns(catalog: Catalog) -> Iterator[tuple[Target, Held]]:
    for target, held in catalog.rights.held.items():
        if target.kind == COLUMN:
            yield target, held


def _targets(catalog: Catalog) -> Iterator[Target]:
    yield DATABASE
    yield from (schema_target(name) for name in sorted(catalog.schemas))
    yield from (target_of(entry) for entry in catalog)


def _role(role: Role) -> Row:
    until = role.valid_until.isoformat() if role.valid_until is not None else None
    config = [f"{name}={value}" for name, value in role.settings.items()] or None
    return (
        role.oid, role.name, role.superuser, role.inherit, role.create_role, role.create_db,
        role.login, role.connections_max, role.verifier, until, config,
    )  # fmt: skip


def _reach(roles: Roles, role: Role) -> Iterable[Row]:
    inherited = roles.rights_of(role.oid)
    return [(role.oid, reached, reached in inherited) for reached in roles.memberships_of(role.oid)]


def _texts(catalog: Catalog, target: Target, names: dict[int, str]) -> list[str] | None:
    acl = catalog.rights.on(target).acl
    return None if acl is None else [item.text(names) for item in acl]


def _grants(catalog: Catalog, target: Target) -> Iterator[Row]:
    """Yield (…, grantee, grantor, letter, whether by nature); "r*" may be granted on."""
    owner = catalog.rights.owner(target)
    acl: Acl = catalog.rights.acl(target)
    key = (target.kind, target.oid, target.schema)
    for item in acl:
        for letter in item.letters:
            yield (*key, item.grantee, item.grantor, letter, False)
            if letter in item.options or item.grantee == owner != PUBLIC:
                yield (*key, item.grantee, item.grantor, f"{letter}*", False)
    for role, of_objects, of_schemas in _BY_NATURE:
        wanted = of_schemas if target.kind == "schema" else of_objects
        for letter in wanted:
            if letter in GRANTABLE[target.kind]:
                yield (*key, role, OWNER_OID, letter, True)
