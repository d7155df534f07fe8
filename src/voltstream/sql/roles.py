"""CREATE, ALTER and DROP ROLE, in PostgreSQL's words and RisingWave's, and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voltstream.core.errors import SyntaxFault
from voltstream.sql.cursor import Cursor
from voltstream.sql.role_statements import (
    AlterRole,
    CreateRole,
    CreateToken,
    DropRole,
    DropToken,
    RoleOptions,
)
from voltstream.sql.settings import setting_name

_FLAGS: dict[str, tuple[str, bool]] = {
    word: (name, value)
    for words, name in (
        ("SUPERUSER", "superuser"),
        ("INHERIT", "inherit"),
        ("CREATEROLE CREATEUSER", "create_role"),
        ("CREATEDB", "create_db"),
        ("LOGIN", "login"),
    )
    for base in words.split()
    for word, value in ((base, True), (f"NO{base}", False))
}
_WITHOUT_EFFECT = ("NOREPLICATION", "NOBYPASSRLS", "NOADMIN")  # What nobody has here anyway.


def role_name(cursor: Cursor) -> str:
    """Read the name of a role; CURRENT_USER and its like stay as they are."""
    return cursor.string() if cursor.at_string() else cursor.identifier()


def role_names(cursor: Cursor) -> tuple[str, ...]:
    names = [role_name(cursor)]
    while cursor.accept(","):
        names.append(role_name(cursor))
    return tuple(names)


def parse_create_user(cursor: Cursor, text: str, offset: int) -> CreateRole:
    """Parse CREATE USER: a role that may log in unless NOLOGIN says otherwise."""
    return _create(cursor, text, offset, RoleOptions(login=True))


def parse_create_role(cursor: Cursor, text: str, offset: int) -> CreateRole:
    return _create(cursor, text, offset, RoleOptions())


def _create(cursor: Cursor, text: str, offset: int, begin: RoleOptions) -> CreateRole:
    lenient = cursor.accept("IF NOT EXISTS")
    name = role_name(cursor)
    return CreateRole(
        text=text, offset=offset, name=name, options=_options(cursor, begin), if_not_exists=lenient
    )


def _options(cursor: Cursor, options: RoleOptions) -> RoleOptions:
    cursor.accept("WITH")
    given: set[str] = set()

    def said(name: str, value: Any) -> None:
        nonlocal options
        if name in given:
            raise SyntaxFault("conflicting or redundant options", position=_place(cursor))
        given.add(name)
        options = replace(options, **{name: value})

    while not cursor.done:
        word = cursor.word()
        if word in _FLAGS:
            cursor.advance()
            said(*_FLAGS[word])
        elif any(cursor.accept(word) for word in _WITHOUT_EFFECT):
            continue
        else:
            _valued(cursor, said)
    return options


def _valued(cursor: Cursor, said: Any) -> None:
    """Read an option that has a value."""
    if cursor.sees("ENCRYPTED") or cursor.sees("PASSWORD"):
        cursor.accept("ENCRYPTED")
        cursor.expect("PASSWORD")
        said("password", "" if cursor.accept("NULL") else cursor.string())
    elif cursor.accept("VALID UNTIL") or (cursor.accept("VALID") and cursor.accept("UNTIL")):
        said("valid_until", cursor.string())
    elif cursor.accept("CONNECTION LIMIT") or (
        cursor.accept("CONNECTION") and cursor.accept("LIMIT")
    ):
        sign = "-" if cursor.accept("-") else ""
        said("connections_max", _integer(cursor, sign))
    elif cursor.accept("IN ROLE") or cursor.accept("IN GROUP"):
        said("in_roles", role_names(cursor))
    elif cursor.accept("IN"):
        if not (cursor.accept("ROLE") or cursor.accept("GROUP")):
            raise cursor.fault()
        said("in_roles", role_names(cursor))
    elif cursor.accept("ROLE") or cursor.accept("USER"):
        said("members", role_names(cursor))
    elif cursor.accept("ADMIN"):
        said("admins", role_names(cursor))
    elif cursor.word() in ("REPLICATION", "BYPASSRLS", "OAUTH", "SYSID"):
        raise cursor.unsupported(cursor.word())
    elif cursor.accept("UNENCRYPTED"):
        cursor.at -= 1
        raise cursor.unsupported("UNENCRYPTED PASSWORD", "Remove UNENCRYPTED.")
    else:
        raise cursor.fault()


def _integer(cursor: Cursor, sign: str) -> int:
    token = cursor.advance()
    if not token.text.isdigit():
        cursor.at -= 1
        raise cursor.fault()
    return int(sign + token.text)


def _place(cursor: Cursor) -> int:
    return cursor.tokens[max(cursor.at - 1, 0)].start + 1


def parse_alter_role(cursor: Cursor, text: str, offset: int) -> AlterRole:
    """Parse ALTER ROLE name: options, RENAME TO, SET and RESET of a setting."""
    name = "" if cursor.accept("ALL") else role_name(cursor)
    if name and cursor.accept("RENAME TO"):
        return AlterRole(text=text, offset=offset, name=name, rename_to=role_name(cursor))
    database = cursor.identifier() if cursor.accept("IN DATABASE") else ""
    if database or not name or cursor.sees("SET") or cursor.sees("RESET"):
        return parse_kept_setting(cursor, text, offset, name, database)
    return AlterRole(text=text, offset=offset, name=name, options=_options(cursor, RoleOptions()))


def parse_kept_setting(
    cursor: Cursor, text: str, offset: int, role: str, database: str
) -> AlterRole:
    """Parse SET name {= | TO} value, SET name FROM CURRENT, RESET name, RESET ALL."""

    def altered(name: str, value: str | None, *, current: bool = False) -> AlterRole:
        return AlterRole(
            text=text, offset=offset, name=role, database=database, setting=(name, value),
            from_current=current,
        )  # fmt: skip

    if cursor.accept("RESET"):
        return altered(setting_name(cursor), None)
    cursor.expect("SET")
    name = setting_name(cursor)
    if cursor.accept("FROM CURRENT"):
        return altered(name, None, current=True)
    if not cursor.accept("=") and name != "timezone":
        cursor.expect("TO")
    else:
        cursor.accept("TO")
    return altered(name, None if cursor.accept("DEFAULT") else _value(cursor))


def _value(cursor: Cursor) -> str:
    values: list[str] = []
    while True:
        if cursor.at_string():
            values.append(cursor.string())
        else:
            sign = "-" if cursor.accept("-") else ""
            values.append(sign + cursor.advance().text)
        if not cursor.accept(","):
            return ", ".join(values)


def parse_drop_role(cursor: Cursor, text: str, offset: int) -> DropRole:
    lenient = cursor.accept("IF EXISTS")
    return DropRole(text=text, offset=offset, names=role_names(cursor), if_exists=lenient)


# --- tokens -------------------------------------------------------------------------------------


def parse_create_token(cursor: Cursor, text: str, offset: int) -> CreateToken:
    """Parse CREATE TOKEN name FOR role [ON SOURCE s] [VALID UNTIL 'instant']."""
    name = cursor.identifier()
    cursor.expect("FOR")
    role = role_name(cursor)
    source = None
    if cursor.accept("ON"):
        cursor.expect("SOURCE")
        source = cursor.object_name()
    until = None
    if cursor.accept("VALID"):
        cursor.expect("UNTIL")
        until = cursor.string()
    return CreateToken(
        text=text, offset=offset, name=name, role=role, source=source, valid_until=until
    )


def parse_drop_token(cursor: Cursor, text: str, offset: int) -> DropToken:
    lenient = cursor.accept("IF EXISTS")
    return DropToken(text=text, offset=offset, name=cursor.identifier(), if_exists=lenient)
