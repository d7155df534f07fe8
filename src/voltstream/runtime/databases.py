"""CREATE DATABASE and DROP DATABASE."""

from __future__ import annotations

from typing import Protocol

from voltstream.core.errors import ObjectInUse
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime.activity import Activity
from voltstream.sql import statements as sql


class Databases(Protocol):
    """What a session asks of the instance around it."""

    @property
    def activity(self) -> Activity: ...

    def names(self) -> list[str]: ...

    def create(self, name: str) -> None: ...

    def drop(self, name: str) -> None: ...


def create(databases: Databases, parsed: sql.CreateDatabase) -> Outcome:
    """Raises: DuplicateDatabase (42P04), InvalidParameter (22023)."""
    if parsed.if_not_exists and parsed.name in databases.names():
        remark = Notice(f'database "{parsed.name}" already exists, skipping')
        return Outcome("CREATE DATABASE", notices=(remark,))
    databases.create(parsed.name)
    return Outcome("CREATE DATABASE")


def drop(databases: Databases, parsed: sql.Drop, current: str) -> Outcome:
    """Raises: UndefinedDatabase (3D000), ObjectInUse (55006)."""
    notices: list[Notice] = []
    for name in parsed.names:
        if parsed.if_exists and name.name not in databases.names():
            notices.append(Notice(f'database "{name.name}" does not exist, skipping'))
            continue
        if name.name == current:
            raise ObjectInUse("cannot drop the currently open database")
        databases.drop(name.name)
    return Outcome("DROP DATABASE", notices=tuple(notices))
