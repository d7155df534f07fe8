"""CREATE, ALTER and DROP ROLE, membership and tokens, inside an epoch of the first database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa

from voltstream.core.errors import (
    DependentObjects,
    DuplicateObject,
    FeatureNotSupported,
    InsufficientPrivilege,
    InvalidDatetime,
    InvalidGrant,
    ObjectInUse,
    ReservedName,
    UndefinedObject,
)
from voltstream.core.passwords import new_token, stored_password, token_digest
from voltstream.core.ports import Notice, Outcome
from voltstream.core.schema import Column
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.column_rights import COLUMN
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.permits import plain_name
from voltstream.runtime.results import Held
from voltstream.runtime.rights import STANDARD_NAMES
from voltstream.runtime.role_store import save_roles
from voltstream.runtime.roles import OWNER_OID, PREDEFINED, Membership, Role, Roles, Token
from voltstream.runtime.setting_ddl import set_for_all, set_for_role
from voltstream.sql.role_statements import (
    AlterRole,
    CreateRole,
    CreateToken,
    DropRole,
    DropToken,
    GrantRole,
    RoleOptions,
)
from voltstream.sql.statements import Parsed

_RESERVED = ("pg_", "voltstream_")
_PREDEFINED = frozenset(role.oid for role in PREDEFINED)
_SPECIAL = {"current_user": "role", "current_role": "role", "session_user": "session"}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who says a statement: the role whose rights count, and the one that logged in."""

    role: int
    session: int


class RoleWork:
    """One statement about roles, made ready outside the epoch: passwords take their time.

    Run again in a replayed block, it gives the same verifier and the same token.
    """

    def __init__(
        self,
        parsed: Parsed,
        actor: Actor,
        others: Iterable[tuple[str, Catalog]],
        database: str,
    ) -> None:
        self._parsed = parsed
        self._actor = actor
        self._database = database
        self._others = list(others)  # The other databases, which may name a role that goes.
        self._verifier: str | None = None
        self._token = new_token() if isinstance(parsed, CreateToken) else ""
        if isinstance(parsed, CreateRole | AlterRole) and parsed.options.password:
            self._verifier = stored_password(parsed.options.password)

    def run(self, epoch: Epoch) -> Outcome:
        match self._parsed:
            case CreateRole():
                return self._create(epoch, self._parsed)
            case AlterRole():
                return self._alter(epoch, self._parsed)
            case DropRole():
                return self._drop(epoch, self._parsed)
            case GrantRole():
                return self._grant(epoch, self._parsed)
            case CreateToken():
                return self._create_token(epoch, self._parsed)
            case DropToken():
                return self._drop_token(epoch, self._parsed)
            case _:
                raise UndefinedObject("this is no statement about roles")

    # --- CREATE, ALTER, DROP --------------------------------------------------------------------

    def _create(self, epoch: Epoch, parsed: CreateRole) -> Outcome:
        roles = epoch.catalog.roles
        actor = roles.by_oid.get(self._actor.role)
        if actor is None or not (actor.superuser or actor.create_role):
            raise InsufficientPrivilege("permission denied to create role")
        if parsed.options.superuser and not actor.superuser:
            raise InsufficientPrivilege("must be superuser to create superusers")
        _refuse_reserved(parsed.name)
        if roles.named(parsed.name) is not None:
            message = f'role "{parsed.name}" already exists'
            if not parsed.if_not_exists:
                raise DuplicateObject(message)
            return Outcome("CREATE ROLE", notices=(Notice(f"{message}, skipping"),))
        role = self._changed(Role(epoch.take_oid(), parsed.name), parsed.options)
        notices: tuple[Notice, ...] = ()
        if role.login and not roles.known_users:
            text = f'from now on only roles that exist may log in; "{roles.name_of(OWNER_OID)}"'
            notices = (Notice(f"{text} owns what there is"),)
        roles = roles.with_role(role)
        for group in parsed.options.in_roles:
            over = self._administered(roles, group)
            roles = roles.with_membership(Membership(over.oid, role.oid, self._actor.role))
        for names, admin in ((parsed.options.members, False), (parsed.options.admins, True)):
            for name in names:
                member = roles.require(name)
                made = Membership(role.oid, member.oid, self._actor.role, admin)
                roles = roles.with_membership(made)
        save_roles(epoch, roles)
        return Outcome("CREATE ROLE", notices=notices)

    def _changed(self, role: Role, options: RoleOptions) -> Role:
        for name in ("superuser", "inherit", "create_role", "create_db", "login"):
            value = getattr(options, name)
            if value is not None:
                role = replace(role, **{name: value})
        if options.connections_max is not None:
            role = replace(role, connections_max=options.connections_max)
        if options.password is not None:
            role = replace(role, verifier=self._verifier)
        if options.valid_until is not None:
            role = replace(role, valid_until=instant(options.valid_until))
        return role

    def _alter(self, epoch: Epoch, parsed: AlterRole) -> Outcome:
        roles = epoch.catalog.roles
        databases = [self._database, *(name for name, _ in self._others)]
        if not parsed.name:
            return set_for_all(epoch, parsed, roles.by_oid.get(self._actor.role), databases)
        role = self._meant(roles, parsed.name)
        actor = roles.by_oid.get(self._actor.role)
        own = role.oid == self._actor.role
        if actor is None:
            raise InsufficientPrivilege("permission denied")
        if role.oid in _PREDEFINED:
            _refuse_reserved(role.name)
        if (role.superuser or parsed.options.superuser is not None) and not actor.superuser:
            raise InsufficientPrivilege(
                "must be superuser to alter superuser roles or change superuser attribute"
            )
        only_password = parsed.options == RoleOptions(password=parsed.options.password)
        if not (actor.superuser or actor.create_role) and not (own and only_password):
            raise InsufficientPrivilege("permission denied")
        if role.oid == OWNER_OID and False in (parsed.options.superuser, parsed.options.login):
            raise ObjectInUse(f'role "{role.name}" must stay a superuser that can log in')
        if parsed.rename_to is not None:
            role = self._renamed(roles, role, parsed.rename_to)
        elif parsed.setting is not None:
            set_for_role(epoch, parsed, role, databases)
            return Outcome("ALTER ROLE")
        else:
            role = self._changed(role, parsed.options)
        save_roles(epoch, roles.with_role(role))
        return Outcome("ALTER ROLE")

    def _renamed(self, roles: Roles, role: Role, name: str) -> Role:
        _refuse_reserved(name)
        if role.oid == self._actor.session:
            raise FeatureNotSupported("session user cannot be renamed")
        if role.oid == OWNER_OID:
            raise ObjectInUse(f'role "{role.name}" cannot be renamed')
        if roles.named(name) is not None:
            raise DuplicateObject(f'role "{name}" already exists')
        return replace(role, name=name)

    def _drop(self, epoch: Epoch, parsed: DropRole) -> Outcome:
        roles = epoch.catalog.roles
        actor = roles.by_oid.get(self._actor.role)
        if actor is None or not (actor.superuser or actor.create_role):
            raise InsufficientPrivilege("permission denied to drop role")
        notices: list[Notice] = []
        for name in parsed.names:
            role = roles.named(name)
            if role is None:
                message = f'role "{name}" does not exist'
                if not parsed.if_exists:
                    raise UndefinedObject(message)
                notices.append(Notice(f"{message}, skipping"))
                continue
            if role.oid == self._actor.role:
                raise ObjectInUse("current user cannot be dropped")
            if role.oid == self._actor.session:
                raise ObjectInUse("session user cannot be dropped")
            if role.oid == OWNER_OID or role.oid in _PREDEFINED:
                raise DependentObjects(
                    f"cannot drop role {name} because it is required by the database system"
                )
            if role.superuser and not actor.superuser:
                raise InsufficientPrivilege("must be superuser to drop superusers")
            self._refuse_needed(epoch, role)
            roles = roles.without_role(role.oid)
        save_roles(epoch, roles)
        return Outcome("DROP ROLE", notices=tuple(notices))

    def _refuse_needed(self, epoch: Epoch, role: Role) -> None:
        """Raises: DependentObjects (2BP01) while anything is owned by or granted to a role."""
        roles = epoch.catalog.roles
        lines = list(_uses(epoch.catalog, role.oid, roles))
        for database, catalog in self._others:
            count = len(list(_uses(catalog, role.oid, roles)))
            if count:
                lines.append(f"{count} object{'s'[: count > 1]} in database {database}")
        if lines:
            raise DependentObjects(
                f'role "{role.name}" cannot be dropped because some objects depend on it',
                detail="\n".join(lines),
                hint="REASSIGN OWNED and DROP OWNED, in each database, let go of them.",
            )

    # --- membership -----------------------------------------------------------------------------

    def _meant(self, roles: Roles, name: str) -> Role:
        """Return the role of a name, or the one that CURRENT_USER and its like mean."""
        which = _SPECIAL.get(name)
        if which is not None and roles.named(name) is None:
            return roles.by_oid[self._actor.role if which == "role" else self._actor.session]
        return roles.require(name)

    def _administered(self, roles: Roles, name: str) -> Role:
        """Raises: InsufficientPrivilege (42501) unless the actor may give membership of a role."""
        role = roles.require(name)
        actor = roles.by_oid.get(self._actor.role)
        if actor is None or (role.superuser and not actor.superuser):
            raise InsufficientPrivilege("must be superuser to alter superusers")
        # What is predefined gives rights over all: making roles is not enough to give it away.
        makes_roles = actor.create_role and role.oid not in _PREDEFINED
        if not (makes_roles or roles.has_admin(actor.oid, role.oid)):
            raise InsufficientPrivilege(f'must have admin option on role "{name}"')
        return role

    def _grant(self, epoch: Epoch, parsed: GrantRole) -> Outcome:
        tag = "REVOKE ROLE" if parsed.revoke else "GRANT ROLE"
        roles = epoch.catalog.roles
        if parsed.granted_by is not None:
            self._meant(roles, parsed.granted_by)
        notices: list[Notice] = []
        for name in parsed.roles:
            role = self._administered(roles, name)
            for one in parsed.members:
                member = self._meant(roles, one)
                if parsed.revoke:
                    roles = _without_member(roles, role, member, parsed.options, notices)
                else:
                    roles = self._with_member(roles, role, member, parsed.options, notices)
        save_roles(epoch, roles)
        return Outcome(tag, notices=tuple(notices))

    def _with_member(
        self,
        roles: Roles,
        role: Role,
        member: Role,
        options: Mapping[str, bool],
        notices: list[Notice],
    ) -> Roles:
        if member.oid in roles.memberships_of(role.oid):
            raise InvalidGrant(f'role "{role.name}" is a member of role "{member.name}"')
        known = _membership(roles, role, member)
        new = known or Membership(role.oid, member.oid, self._actor.role)
        new = with_options(new, options)
        if new == known:
            notices.append(
                Notice(f'role "{member.name}" is already a member of role "{role.name}"')
            )
            return roles
        return roles.with_membership(new)

    # --- tokens ---------------------------------------------------------------------------------

    def _create_token(self, epoch: Epoch, parsed: CreateToken) -> Outcome:
        roles = epoch.catalog.roles
        role = self._meant(roles, parsed.role)
        self._may_hold_tokens(roles, role)
        if any(token.name == parsed.name for token in roles.tokens):
            raise DuplicateObject(f'token "{parsed.name}" already exists')
        source = parsed.source
        made = Token(
            parsed.name,
            role.oid,
            token_digest(self._token),
            source=f"{source.schema}.{source.name}" if source is not None else None,
            database=self._database if source is not None else "",
            valid_until=instant(parsed.valid_until) if parsed.valid_until is not None else None,
        )
        save_roles(epoch, roles.with_token(made))
        table = pa.table({"token": pa.array([self._token], pa.string())})
        hint = Notice("the token is shown this once: what is kept cannot be turned back into it")
        return Outcome(
            "CREATE TOKEN", rows=Held((Column("token", "VARCHAR"),), table), notices=(hint,)
        )

    def _may_hold_tokens(self, roles: Roles, role: Role) -> None:
        actor = roles.by_oid.get(self._actor.role)
        if actor is None or (role.superuser and not actor.superuser):
            raise InsufficientPrivilege("must be superuser to make tokens of superusers")
        if not (actor.superuser or actor.create_role or actor.oid == role.oid):
            raise InsufficientPrivilege(f'permission denied to make tokens of role "{role.name}"')

    def _drop_token(self, epoch: Epoch, parsed: DropToken) -> Outcome:
        roles = epoch.catalog.roles
        known = next((token for token in roles.tokens if token.name == parsed.name), None)
        if known is None:
            message = f'token "{parsed.name}" does not exist'
            if not parsed.if_exists:
                raise UndefinedObject(message)
            return Outcome("DROP TOKEN", notices=(Notice(f"{message}, skipping"),))
        self._may_hold_tokens(roles, roles.by_oid[known.role])
        save_roles(epoch, roles.without_token(parsed.name))
        return Outcome("DROP TOKEN")


def _membership(roles: Roles, role: Role, member: Role) -> Membership | None:
    key = (role.oid, member.oid)
    return next((m for m in roles.memberships if (m.role, m.member) == key), None)


def _without_member(
    roles: Roles,
    role: Role,
    member: Role,
    only: Mapping[str, bool],
    notices: list[Notice],
) -> Roles:
    known = _membership(roles, role, member)
    if known is None:
        text = f'role "{member.name}" is not a member of role "{role.name}"'
        notices.append(Notice(text, "WARNING", "01000"))
        return roles
    if member.oid in _PREDEFINED:
        raise InvalidGrant(f'role "{member.name}" stays a member of role "{role.name}"')
    if only:
        return roles.with_membership(with_options(known, only))
    return roles.without_membership(role.oid, member.oid)


def with_options(membership: Membership, options: Mapping[str, bool]) -> Membership:
    """Return a membership with what WITH says of it."""
    return replace(
        membership,
        admin=options.get("admin", membership.admin),
        inherit=options.get("inherit", membership.inherit),
        set=options.get("set", membership.set),
    )


def _refuse_reserved(name: str) -> None:
    """Raises: ReservedName (42939)."""
    if name.startswith(_RESERVED):
        raise ReservedName(
            f'role name "{name}" is reserved',
            detail='Role names starting with "pg_" and "voltstream_" are reserved.',
        )
    if name in ("public", "none", *_SPECIAL):
        raise ReservedName(f'role name "{name}" is reserved')


def instant(text: str) -> datetime | None:
    """Read a time stamp of VALID UNTIL; without a zone it is in UTC. Raises: 22007."""
    if text.strip().lower() == "infinity":
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidDatetime(
            f'invalid input syntax for type timestamp with time zone: "{text}"',
            hint="Write it as 2030-12-31 or 2030-12-31 12:00:00+00.",
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _uses(catalog: Catalog, oid: int, roles: Roles) -> Iterable[str]:
    """Yield what of a database is owned by or granted to a role, as PostgreSQL lists it."""
    rights = catalog.rights
    for target, held in rights.held.items():
        entry = catalog.by_oid(target.oid) if target.oid else None
        shown = f"{target.kind} {plain_name(entry) if entry is not None else target.schema}"
        if target.kind == COLUMN and entry is not None:
            shown = f"column {target.schema} of {entry.kind} {plain_name(entry)}"
        if held.owner == oid:
            yield f"owner of {shown.strip()}"
        elif any(oid in (item.grantee, item.grantor) for item in held.acl or ()):
            yield f"privileges for {shown.strip()}"
    for standard in rights.standards:
        kind = STANDARD_NAMES[standard.kind]
        shown = (
            f"default privileges on new {kind} belonging to role {roles.name_of(standard.owner)}"
        )
        if standard.schema:
            shown += f" in schema {standard.schema}"
        if standard.owner == oid:
            yield f"owner of {shown}"
        elif any(item.grantee == oid for item in standard.acl):
            yield f"privileges for {shown}"
