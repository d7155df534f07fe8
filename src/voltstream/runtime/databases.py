"""CREATE DATABASE and DROP DATABASE."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Protocol

from voltstream.core.errors import (
    FeatureNotSupported,
    InsufficientPrivilege,
    ObjectInUse,
    UndefinedDatabase,
)
from voltstream.core.ports import Commands, Notice, Outcome
from voltstream.runtime.activity import Activity
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.grant_ddl import change_rights
from voltstream.runtime.permits import Permits
from voltstream.runtime.rights import DATABASE
from voltstream.runtime.role_store import save_roles
from voltstream.runtime.roles import OWNER_OID, Roles
from voltstream.sql import statements as sql
from voltstream.sql.role_statements import Grant


class Databases(Protocol):
    """What a session asks of the instance around it."""

    commands: Commands | None  # To charge points, when a gateway runs.

    @property
    def activity(self) -> Activity: ...

    def names(self) -> list[str]: ...

    def create(self, name: str) -> None: ...

    def drop(self, name: str) -> None: ...

    def keeps_roles(self, database: str) -> bool:
        """Tell whether the server's roles are kept in this database."""

    def roles(self) -> Roles: ...

    def catalogs(self, *, but: str) -> list[tuple[str, Catalog]]: ...

    def run_on_roles(self, run: Callable[[Epoch], Outcome]) -> Future[Outcome]: ...

    def run_in(self, database: str, run: Callable[[Epoch], Outcome]) -> Future[Outcome]:
        """Run a statement in another database."""

    def give(self, database: str, owner: int) -> None:
        """Make a role the owner of a database."""


def create(databases: Databases, parsed: sql.CreateDatabase, permits: Permits) -> Outcome:
    """Raises: DuplicateDatabase (42P04), InvalidParameter (22023), 42501."""
    role = permits.roles.by_oid.get(permits.role)
    if role is None or not (role.superuser or role.create_db):
        raise InsufficientPrivilege("permission denied to create database")
    if parsed.if_not_exists and parsed.name in databases.names():
        remark = Notice(f'database "{parsed.name}" already exists, skipping')
        return Outcome("CREATE DATABASE", notices=(remark,))
    databases.create(parsed.name)
    if permits.role != OWNER_OID:
        databases.give(parsed.name, permits.role)
    return Outcome("CREATE DATABASE")


def stay(databases: Databases, parsed: sql.Use, current: str) -> None:
    """Accept USE of the session's own database.

    Raises: UndefinedDatabase (3D000), FeatureNotSupported (0A000): another takes a connection.
    """
    if parsed.database == current:
        return
    if parsed.database not in databases.names():
        raise UndefinedDatabase(f'database "{parsed.database}" does not exist')
    raise FeatureNotSupported(
        "a session cannot change its database",
        hint=f'Connect to "{parsed.database}"; in psql: \\c {parsed.database}',
    )


def is_of_others(parsed: sql.Parsed, current: str) -> bool:
    """Tell whether a GRANT is about databases, and not about the session's own alone."""
    return (
        isinstance(parsed, Grant)
        and parsed.kind == "DATABASE"
        and any(name.name != current for name in parsed.names)
    )


def grant(databases: Databases, parsed: Grant, permits: Permits) -> Outcome:
    """Grant or revoke on databases: the rights on one are kept with it.

    Raises: UndefinedDatabase (3D000) and what a GRANT in the database itself raises.
    """
    known = databases.names()
    for name in parsed.names:
        if name.name not in known:
            raise UndefinedDatabase(f'database "{name.name}" does not exist')
    outcomes = []
    for name in parsed.names:
        one = replace(parsed, names=(name,))

        def run(epoch: Epoch, one: Grant = one, database: str = name.name) -> Outcome:
            there = Permits(epoch.catalog, permits.roles, permits.role, database)
            return change_rights(epoch, one, there)

        outcomes.append(databases.run_in(name.name, run).result())
    notices = tuple(notice for outcome in outcomes for notice in outcome.notices)
    return replace(outcomes[-1], notices=notices)


def _forget(epoch: Epoch, name: str) -> Outcome:
    """Let go of the settings of a database that is no more."""
    save_roles(epoch, epoch.catalog.roles.without_database(name))
    return Outcome("DROP DATABASE")


def drop(databases: Databases, parsed: sql.Drop, permits: Permits) -> Outcome:
    """Raises: UndefinedDatabase (3D000), ObjectInUse (55006), InsufficientPrivilege (42501)."""
    notices: list[Notice] = []
    owners = {name: c.rights.owner(DATABASE) for name, c in databases.catalogs(but="")}
    for name in parsed.names:
        if parsed.if_exists and name.name not in databases.names():
            notices.append(Notice(f'database "{name.name}" does not exist, skipping'))
            continue
        if name.name in owners and not permits.is_a(owners[name.name]):
            raise InsufficientPrivilege(f"must be owner of database {name.name}")
        if name.name == permits.database:
            raise ObjectInUse("cannot drop the currently open database")
        if databases.keeps_roles(name.name):
            raise ObjectInUse(f'cannot drop database "{name.name}": it keeps the roles')
        databases.drop(name.name)
        if any(scope[0] == name.name for scope in databases.roles().scoped):
            databases.run_on_roles(partial(_forget, name=name.name)).result()
    return Outcome("DROP DATABASE", notices=tuple(notices))
