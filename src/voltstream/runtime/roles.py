"""Who there is: roles, what they may in general, and who is a member of whom.

Roles belong to the server and not to one database: they are kept in the first database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from voltstream.core.errors import UndefinedObject

OWNER = "volt"  # Made with the data directory: the superuser that needs no password at first.
OWNER_OID = 10


@dataclass(frozen=True, slots=True)
class Role:
    """One role.

    Shape: ``verifier`` is what is kept of its password; ``settings`` apply when it logs in.
    """

    oid: int
    name: str
    superuser: bool = False
    inherit: bool = True
    create_role: bool = False
    create_db: bool = False
    login: bool = False
    connections_max: int = -1
    verifier: str | None = field(default=None, repr=False)
    valid_until: datetime | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Membership:
    """``member`` is one of ``role``; with ``admin`` it may let others be so.

    Shape: ``inherit`` says whether it has the role's rights without asking; None leaves that to
    the member. ``set`` says whether it may become the role.
    """

    role: int
    member: int
    grantor: int
    admin: bool = False
    inherit: bool | None = None
    set: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of a role; with a ``source`` it only lets rows into that one."""

    name: str
    role: int
    digest: str = field(repr=False)
    source: str | None = None
    database: str = ""
    valid_until: datetime | None = None


READ_ALL = Role(6181, "pg_read_all_data")
WRITE_ALL = Role(6182, "pg_write_all_data")
MONITOR = Role(3373, "pg_monitor")
READ_FILES = Role(4569, "pg_read_server_files")
WRITE_FILES = Role(4570, "pg_write_server_files")
READER = Role(8001, "voltstream_reader")
WRITER = Role(8002, "voltstream_writer")
STEWARD = Role(8003, "voltstream_owner")
PREDEFINED = (READ_ALL, WRITE_ALL, MONITOR, READ_FILES, WRITE_FILES, READER, WRITER, STEWARD)
BOOTSTRAP = Role(OWNER_OID, OWNER, superuser=True, create_role=True, create_db=True, login=True)
_BUILT_IN = (
    Membership(READ_ALL.oid, READER.oid, OWNER_OID),
    Membership(MONITOR.oid, READER.oid, OWNER_OID),
    Membership(READER.oid, WRITER.oid, OWNER_OID),
    Membership(WRITE_ALL.oid, WRITER.oid, OWNER_OID),
    Membership(WRITER.oid, STEWARD.oid, OWNER_OID),
)


@dataclass(frozen=True, slots=True)
class Roles:
    """Every role, as an immutable snapshot."""

    by_oid: Mapping[int, Role] = field(
        default_factory=lambda: {role.oid: role for role in (BOOTSTRAP, *PREDEFINED)}
    )
    memberships: tuple[Membership, ...] = _BUILT_IN
    tokens: tuple[Token, ...] = ()
    # What sessions begin with, by database ("": any) and role (0: any); a role's own are in it.
    scoped: Mapping[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)

    def settings_in(self, database: str, role: Role) -> Mapping[str, str]:
        """Return what a session begins with: the nearer holds, as in PostgreSQL."""
        return {
            **self.scoped.get(("", 0), {}),
            **self.scoped.get((database, 0), {}),
            **role.settings,
            **self.scoped.get((database, role.oid), {}),
        }

    def without_database(self, name: str) -> Roles:
        kept = {scope: value for scope, value in self.scoped.items() if scope[0] != name}
        return replace(self, scoped=kept)

    def __iter__(self) -> Iterator[Role]:
        return iter(sorted(self.by_oid.values(), key=lambda role: role.oid))

    def named(self, name: str) -> Role | None:
        return next((role for role in self.by_oid.values() if role.name == name), None)

    def require(self, name: str) -> Role:
        """Raises: UndefinedObject (42704)."""
        role = self.named(name)
        if role is None:
            raise UndefinedObject(f'role "{name}" does not exist')
        return role

    def name_of(self, oid: int) -> str:
        role = self.by_oid.get(oid)
        return role.name if role is not None else f"unknown (OID={oid})"

    def is_super(self, oid: int) -> bool:
        role = self.by_oid.get(oid)
        return role is not None and role.superuser

    def rights_of(self, oid: int) -> frozenset[int]:
        """Return the roles whose rights a role has without asking: its own and those inherited."""
        return self._reached(oid, self.inherits)

    def memberships_of(self, oid: int) -> frozenset[int]:
        """Return the roles that a role is a member of, whatever it may do with that."""
        return self._reached(oid, lambda membership: True)

    def may_become(self, oid: int) -> frozenset[int]:
        """Return the roles that a role may become by SET ROLE."""
        return self._reached(oid, lambda membership: membership.set)

    def inherits(self, membership: Membership) -> bool:
        member = self.by_oid.get(membership.member)
        own = membership.inherit
        return member is not None and (member.inherit if own is None else own)

    def _reached(self, oid: int, leads: Callable[[Membership], bool]) -> frozenset[int]:
        found, waiting = {oid}, [oid]
        while waiting:
            one = waiting.pop()
            for membership in self.memberships:
                new = membership.member == one and membership.role not in found
                if new and leads(membership):
                    found.add(membership.role)
                    waiting.append(membership.role)
        return frozenset(found)

    def has_admin(self, oid: int, role: int) -> bool:
        """Tell whether one may change who is a member of a role."""
        if self.is_super(oid):
            return True
        mine = self.memberships_of(oid)
        return any(m.admin and m.role == role and m.member in mine for m in self.memberships)

    @property
    def known_users(self) -> bool:
        """Tell whether anybody but the owner may log in: then names count."""
        return any(role.login and role.oid != OWNER_OID for role in self.by_oid.values())

    # --- changes --------------------------------------------------------------------------------

    def with_role(self, role: Role) -> Roles:
        return replace(self, by_oid={**self.by_oid, role.oid: role})

    def without_role(self, oid: int) -> Roles:
        return Roles(
            {key: role for key, role in self.by_oid.items() if key != oid},
            tuple(m for m in self.memberships if oid not in (m.role, m.member)),
            tuple(token for token in self.tokens if token.role != oid),
            {scope: value for scope, value in self.scoped.items() if scope[1] != oid},
        )

    def with_membership(self, membership: Membership) -> Roles:
        kept = self.without_membership(membership.role, membership.member).memberships
        return replace(self, memberships=(*kept, membership))

    def without_membership(self, role: int, member: int) -> Roles:
        kept = tuple(m for m in self.memberships if (m.role, m.member) != (role, member))
        return replace(self, memberships=kept)

    def with_token(self, token: Token) -> Roles:
        return replace(self, tokens=(*self.tokens, token))

    def without_token(self, name: str) -> Roles:
        return replace(self, tokens=tuple(t for t in self.tokens if t.name != name))
