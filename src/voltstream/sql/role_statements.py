"""Statements about roles, rights and tokens, as parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voltstream.sql.statements import ObjectName, Parsed


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """What CREATE and ALTER ROLE say; None where they say nothing.

    Shape: ``password`` "" takes it away; ``valid_until`` is a time stamp as written.
    """

    superuser: bool | None = None
    inherit: bool | None = None
    create_role: bool | None = None
    create_db: bool | None = None
    login: bool | None = None
    connections_max: int | None = None
    password: str | None = field(default=None, repr=False)
    valid_until: str | None = None
    in_roles: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole(Parsed):
    name: str
    options: RoleOptions
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterRole(Parsed):
    """``setting`` is (name, value); value None forgets it, and the name "all" every one.

    It is of all roles when ``name`` is empty, and of one ``database`` when that is not.
    ``from_current`` takes the session's own value.
    """

    name: str
    options: RoleOptions = RoleOptions()
    rename_to: str | None = None
    setting: tuple[str, str | None] | None = None
    database: str = ""
    from_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRole(Parsed):
    names: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Parsed):
    """GRANT role TO member and REVOKE role FROM member.

    Shape: ``options`` are what WITH says of admin, inherit and set; a REVOKE … OPTION FOR takes
    only those.
    """

    roles: tuple[str, ...]
    members: tuple[str, ...]
    revoke: bool = False
    options: Mapping[str, bool] = field(default_factory=dict)
    granted_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Parsed):
    """GRANT and REVOKE of privileges.

    Shape: ``privileges`` are words in upper case, none for ALL; ``columns`` are words, or ALL, each
    with the columns it is about, and where there are any, no privileges means none. ``kind`` is
    what follows ON in upper case, TABLE when nothing does; with ``schemas`` every such object of
    them is meant. A grantee "public" that was not quoted is None.
    """

    privileges: tuple[str, ...]
    kind: str
    names: tuple[ObjectName, ...]
    schemas: tuple[str, ...] = ()
    grantees: tuple[str | None, ...] = ()
    revoke: bool = False
    option: bool = False
    cascade: bool = False
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    granted_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterDefaults(Parsed):
    """ALTER DEFAULT PRIVILEGES; without ``roles`` those of who says it."""

    roles: tuple[str, ...]
    schemas: tuple[str, ...]
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedBy(Parsed):
    """REASSIGN OWNED BY … TO ``to``, and DROP OWNED BY … without it."""

    roles: tuple[str, ...]
    to: str | None = None
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken(Parsed):
    name: str
    role: str
    source: ObjectName | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropToken(Parsed):
    name: str
    if_exists: bool = False


ROLE_STATEMENTS = (
    CreateRole, AlterRole, DropRole, GrantRole, CreateToken, DropToken,
)  # fmt: skip
RIGHT_STATEMENTS = (Grant, AlterDefaults, OwnedBy)
