"""Privileges on single columns: kept beside those of their relation, and added to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from voltstream.core.errors import InvalidGrant, UndefinedColumn
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.rights import GRANTABLE, LETTERS, Acl, Held, Rights, Target, ordered

COLUMN = "column"


def column_target(oid: int, column: str) -> Target:
    """Return what rights on a column are on; its name stands where a schema's does."""
    return Target(COLUMN, oid, column)


def of_relation(rights: Rights, oid: int) -> Iterator[tuple[Target, Held]]:
    """Yield the columns of a relation that have rights of their own."""
    for target, held in rights.held.items():
        if target.kind == COLUMN and target.oid == oid:
            yield target, held


def existing(entry: Entry) -> tuple[str, ...]:
    columns = entry.relation.columns if entry.relation is not None else ()
    return tuple(column.name for column in columns)


def require_columns(entry: Entry, names: Sequence[str]) -> None:
    """Raises: UndefinedColumn (42703)."""
    known = existing(entry)
    for name in names:
        if name not in known:
            shown = entry.stored.name
            raise UndefinedColumn(f'column "{name}" of relation "{shown}" does not exist')


def letters_of(word: str) -> str:
    """Return the letters of a privilege on columns. Raises: InvalidGrant (0LP01)."""
    fit = GRANTABLE[COLUMN]
    if word == "ALL":
        return fit
    if LETTERS[word] not in fit:
        raise InvalidGrant(f"invalid privilege type {word} for column")
    return ordered(LETTERS[word], fit)


def with_acl(rights: Rights, target: Target, owner: int, acl: Acl) -> Rights:
    """Return rights in which a column has a list; an empty one is none."""
    return rights.with_held(target, Held(owner, acl)) if acl else rights.without(target)


def renamed(rights: Rights, oid: int, old: str, new: str) -> Rights:
    """Let the rights on a column follow its name."""
    held = rights.held.get(column_target(oid, old))
    if held is None:
        return rights
    return rights.without(column_target(oid, old)).with_held(column_target(oid, new), held)


def settled(rights: Rights, after: Catalog, replaced: Iterable[tuple[int, int]]) -> Rights:
    """Forget columns that are gone; ``replaced`` are old and new oids of what took a place."""
    for old, new in replaced:
        for target, held in list(of_relation(rights, old)):
            rights = rights.with_held(replace(target, oid=new), held)
    for target in list(rights.held):
        if target.kind != COLUMN:
            continue
        entry = after.by_oid(target.oid)
        if entry is None or target.schema not in existing(entry):
            rights = rights.without(target)
    return rights
