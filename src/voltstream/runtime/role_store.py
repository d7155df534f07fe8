"""Roles and rights to rows and back; a change becomes true with its epoch."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from voltstream.runtime.epoch import Epoch
from voltstream.runtime.rights import Acl, AclItem, Held, Rights, Standard, Target
from voltstream.runtime.roles import (
    PREDEFINED,
    Membership,
    Role,
    Roles,
    Token,
)
from voltstream.store import roles as store
from voltstream.store.database import Connection

_SCOPED = 0  # The number of no role: its row holds the settings of databases and of all roles.
_BUILT_IN = frozenset(role.oid for role in PREDEFINED)


def read_roles(connection: Connection) -> Roles:
    """Return what the first database keeps; before anybody made a role, what is built in."""
    roles = Roles()
    for oid, body in store.read(connection, "roles"):
        if oid == _SCOPED:
            roles = replace(roles, scoped=_scoped(body))
        else:
            roles = roles.with_role(_role(int(oid), body))
    for row in store.read(connection, "memberships"):
        roles = roles.with_membership(Membership(*row))
    for name, body in store.read(connection, "tokens"):
        roles = roles.with_token(_token(name, body))
    return roles


def save_roles(epoch: Epoch, roles: Roles) -> None:
    connection = epoch.connection
    own = [role for role in roles if role.oid not in _BUILT_IN]
    kept = [(role.oid, _role_text(role)) for role in own]
    if roles.scoped:
        kept.append((_SCOPED, _scoped_text(roles)))
    store.rewrite(connection, "roles", kept)
    made = [m for m in roles.memberships if m not in Roles().memberships]
    rows = [(m.role, m.member, m.grantor, m.admin, m.inherit, m.set) for m in made]
    store.rewrite(connection, "memberships", rows)
    tokens = [(token.name, _token_text(token)) for token in roles.tokens]
    store.rewrite(connection, "tokens", tokens)
    epoch.catalog = epoch.catalog.with_roles(roles)


def _scoped_text(roles: Roles) -> str:
    scopes = [[database, role, dict(value)] for (database, role), value in roles.scoped.items()]
    return json.dumps(scopes)


def _scoped(text: str) -> dict[tuple[str, int], dict[str, str]]:
    return {(database, role): value for database, role, value in json.loads(text)}


def _role_text(role: Role) -> str:
    return json.dumps(
        {
            "name": role.name,
            "superuser": role.superuser,
            "inherit": role.inherit,
            "create_role": role.create_role,
            "create_db": role.create_db,
            "login": role.login,
            "connections_max": role.connections_max,
            "verifier": role.verifier,
            "valid_until": role.valid_until.isoformat() if role.valid_until else None,
            "settings": dict(role.settings),
        }
    )


def _role(oid: int, text: str) -> Role:
    body = json.loads(text)
    until = body.pop("valid_until")
    return Role(oid, valid_until=datetime.fromisoformat(until) if until else None, **body)


def _token_text(token: Token) -> str:
    return json.dumps(
        {
            "role": token.role,
            "digest": token.digest,
            "source": token.source,
            "database": token.database,
            "valid_until": token.valid_until.isoformat() if token.valid_until else None,
        }
    )


def _token(name: str, text: str) -> Token:
    body = json.loads(text)
    until = body.pop("valid_until")
    return Token(name, valid_until=datetime.fromisoformat(until) if until else None, **body)


# --- rights -------------------------------------------------------------------------------------


def read_rights(connection: Connection) -> Rights:
    held = {
        Target(kind, int(oid), schema): Held(owner, _acl(acl))
        for kind, oid, schema, owner, acl in store.read(connection, "rights")
    }
    standards = tuple(
        Standard(owner, schema, kind, _acl(acl) or ())
        for owner, schema, kind, acl in store.read(connection, "standards")
    )
    return Rights(held, standards)


def save_rights(epoch: Epoch, rights: Rights) -> None:
    """Write what differs from what the epoch's catalog holds."""
    old, connection = epoch.catalog.rights, epoch.connection
    for target in {*old.held, *rights.held}:
        held = rights.held.get(target)
        if held == old.held.get(target):
            continue
        key = [target.kind, target.oid, target.schema]
        connection.execute("DELETE FROM _vs.rights WHERE kind = ? AND oid = ? AND schema = ?", key)
        if held is not None:
            acl = None if held.acl is None else _acl_text(held.acl)
            connection.execute(
                "INSERT INTO _vs.rights VALUES (?, ?, ?, ?, ?)", [*key, held.owner, acl]
            )
    if rights.standards != old.standards:
        rows = [(s.owner, s.schema, s.kind, _acl_text(s.acl)) for s in rights.standards]
        store.rewrite(connection, "standards", rows)
    epoch.catalog = epoch.catalog.with_rights(rights)


def _acl_text(acl: Acl) -> str:
    return json.dumps([[i.grantee, i.grantor, i.letters, i.options] for i in acl])


def _acl(text: str | None) -> Acl | None:
    return None if text is None else tuple(AclItem(*item) for item in json.loads(text))
