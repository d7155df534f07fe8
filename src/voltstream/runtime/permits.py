"""What one role may do with what exists.

Source: PostgreSQL manual, "Privileges" and "Predefined Roles"; the wording of its errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voltstream.core.errors import InsufficientPrivilege
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Catalog, Entry, bare_name
from voltstream.runtime.column_rights import column_target, existing, of_relation
from voltstream.runtime.rights import DATABASE, PUBLIC, Target
from voltstream.runtime.roles import READ_ALL, STEWARD, WRITE_ALL, Roles
from voltstream.sql.column_needs import WHOLE, Columns

_NO_COLUMNS: Mapping[str, Columns] = {}


def target_of(entry: Entry) -> Target:
    return Target(entry.kind, entry.oid)


def schema_target(name: str) -> Target:
    return Target("schema", schema=name)


@dataclass(frozen=True, slots=True)
class Permits:
    """The rights of one role over one state of the catalog."""

    catalog: Catalog
    roles: Roles
    role: int
    database: str = ""
    everything: bool = field(init=False)  # A superuser, whom nothing is asked.
    acting: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "everything", self.roles.is_super(self.role))
        object.__setattr__(self, "acting", self.roles.rights_of(self.role))

    def of(self, role: int) -> Permits:
        """Return what another role may."""
        return Permits(self.catalog, self.roles, role, self.database)

    def is_a(self, role: int) -> bool:
        return self.everything or role in self.acting

    def owns(self, target: Target) -> bool:
        if self.is_a(STEWARD.oid):
            return True
        return self.catalog.rights.owner(target) in self.acting

    def has(self, target: Target, letter: str) -> bool:
        """Tell whether the role has a privilege, its own or one of those it is a member of."""
        if self.owns(target) or self._by_nature(target, letter):
            return True
        acl = self.catalog.rights.acl(target)
        return any(
            letter in item.letters and (item.grantee == PUBLIC or item.grantee in self.acting)
            for item in acl
        )

    def _by_nature(self, target: Target, letter: str) -> bool:
        """Tell whether a predefined role gives the privilege."""
        if letter == "U" and target.kind == "schema":
            return READ_ALL.oid in self.acting or WRITE_ALL.oid in self.acting
        if letter == "r":
            return READ_ALL.oid in self.acting
        return letter in "awdD" and WRITE_ALL.oid in self.acting

    def may_grant(self, target: Target, letter: str) -> bool:
        if self.owns(target):
            return True
        acl = self.catalog.rights.acl(target)
        return any(letter in item.options and item.grantee in self.acting for item in acl)

    # --- refusals -------------------------------------------------------------------------------

    def need_schema(self, schema: str | None, letter: str) -> None:
        """Raises: InsufficientPrivilege (42501)."""
        name = schema or DEFAULT_SCHEMA
        if name in self.catalog.schemas and not self.has(schema_target(name), letter):
            raise denied("schema", name)

    def need(
        self, entry: Entry, letters: str, columns: Mapping[str, Columns] = _NO_COLUMNS
    ) -> None:
        """Ask for every letter on an object, or on the ``columns`` of it that a letter is about.

        Raises: InsufficientPrivilege (42501).
        """
        self.need_schema(entry.stored.schema, "U")
        target = target_of(entry)
        for letter in letters:
            used = columns.get(letter, WHOLE)
            if not self.has(target, letter) and not self._has_columns(entry, letter, used):
                raise denied(entry.kind, plain_name(entry))

    def _has_columns(self, entry: Entry, letter: str, used: Columns) -> bool:
        """Tell whether the role has a privilege on each column used, or on any where none is."""
        held = {target.schema for target, _ in of_relation(self.catalog.rights, entry.oid)}
        if not held:
            return False
        mine = {name for name in held if self.has_column(entry.oid, name, letter)}
        wanted = used.of(existing(entry))
        return mine.issuperset(wanted) if wanted else bool(mine)

    def has_column(self, oid: int, column: str, letter: str) -> bool:
        """Tell whether the role was granted a privilege on a column itself."""
        acl = self.catalog.rights.acl(column_target(oid, column))
        return any(
            letter in item.letters and (item.grantee == PUBLIC or item.grantee in self.acting)
            for item in acl
        )

    def may_grant_column(self, entry: Entry, column: str, letter: str) -> bool:
        if self.may_grant(target_of(entry), letter):
            return True
        acl = self.catalog.rights.acl(column_target(entry.oid, column))
        return any(letter in item.options and item.grantee in self.acting for item in acl)

    def need_owner(self, entry: Entry) -> None:
        if not self.owns(target_of(entry)):
            raise InsufficientPrivilege(f"must be owner of {entry.kind} {plain_name(entry)}")

    def need_schema_owner(self, name: str) -> None:
        if not self.owns(schema_target(name)):
            raise InsufficientPrivilege(f"must be owner of schema {name}")

    def need_database(self, letter: str) -> None:
        if not self.has(DATABASE, letter):
            raise denied("database", self.database)

    def need_member(self, role: int) -> None:
        """Raises: InsufficientPrivilege (42501) unless the role may become another."""
        if not self.everything and role not in self.roles.may_become(self.role):
            name = self.roles.name_of(role)
            raise InsufficientPrivilege(f'must be member of role "{name}"')

    # --- reading --------------------------------------------------------------------------------

    def need_read(self, entry: Entry, columns: Columns = WHOLE) -> None:
        """Ask for SELECT; what a plain view reads is asked of its owner.

        Raises: InsufficientPrivilege (42501).
        """
        self.need(entry, "r", {"r": columns})
        if entry.kind == "view":
            of_owner = self.of(self.catalog.rights.owner(target_of(entry)))
            if of_owner.everything:
                return
            for oid in entry.stored.depends_on:
                below = self.catalog.by_oid(oid)
                if below is not None and below.relation is not None:
                    of_owner.need_read(below)


def plain_name(entry: Entry) -> str:
    return bare_name(entry)


def denied(kind: str, name: str) -> InsufficientPrivilege:
    return InsufficientPrivilege(f"permission denied for {kind} {name}")
