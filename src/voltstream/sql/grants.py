"""GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, REASSIGN OWNED and DROP OWNED."""

from __future__ import annotations

from voltstream.core.errors import InvalidGrant, SyntaxFault
from voltstream.sql.cursor import Cursor
from voltstream.sql.overloads import parse_function_name
from voltstream.sql.role_statements import AlterDefaults, Grant, GrantRole, OwnedBy
from voltstream.sql.roles import role_name, role_names
from voltstream.sql.statements import ObjectName, Parsed

PRIVILEGES = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "USAGE",
    "CREATE", "CONNECT", "TEMPORARY", "TEMP", "EXECUTE",
)  # fmt: skip
_KINDS = (
    "MATERIALIZED VIEW", "TABLE", "SOURCE", "SINK", "VIEW", "SUBSCRIPTION", "FUNCTION", "SECRET",
    "CONNECTION", "SCHEMA", "DATABASE",
)  # fmt: skip
_PLURALS = {
    "MATERIALIZED VIEWS": "MATERIALIZED VIEW", "TABLES": "TABLE", "SOURCES": "SOURCE",
    "SINKS": "SINK", "VIEWS": "VIEW", "SUBSCRIPTIONS": "SUBSCRIPTION", "FUNCTIONS": "FUNCTION",
    "SECRETS": "SECRET", "CONNECTIONS": "CONNECTION",
}  # fmt: skip
# What default privileges are on; TABLES are all relations, as in PostgreSQL.
_STANDARD = {**_PLURALS, "ROUTINES": "FUNCTION", "SCHEMAS": "SCHEMA"}


def parse_grant(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse GRANT privileges ON … TO …, and GRANT role TO role."""
    if _grants_roles(cursor, "TO"):
        roles = role_names(cursor)
        cursor.expect("TO")
        members = role_names(cursor)
        options = _membership_options(cursor)
        by = _granted_by(cursor)
        return GrantRole(
            text=text, offset=offset, roles=roles, members=members, options=options, granted_by=by
        )
    privileges, columns = _privileges(cursor)
    cursor.expect("ON")
    kind, names, schemas = _objects(cursor)
    cursor.expect("TO")
    grantees = _grantees(cursor)
    option = cursor.accept("WITH GRANT OPTION")
    by = _granted_by(cursor)
    return Grant(
        text=text, offset=offset, privileges=privileges, kind=kind, names=names, schemas=schemas,
        grantees=grantees, option=option, columns=columns, granted_by=by,
    )  # fmt: skip


def parse_revoke(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse REVOKE [GRANT OPTION FOR] privileges ON … FROM …, and REVOKE role FROM role."""
    only = next((word for word in _MEMBER_OPTIONS if cursor.accept(f"{word} OPTION FOR")), None)
    if only is not None or _grants_roles(cursor, "FROM"):
        roles = role_names(cursor)
        cursor.expect("FROM")
        members = role_names(cursor)
        by = _granted_by(cursor)
        _cascade(cursor)
        return GrantRole(
            text=text, offset=offset, roles=roles, members=members, revoke=True, granted_by=by,
            options={} if only is None else {only.lower(): False},
        )  # fmt: skip
    option = cursor.accept("GRANT OPTION FOR")
    privileges, columns = _privileges(cursor)
    cursor.expect("ON")
    kind, names, schemas = _objects(cursor)
    cursor.expect("FROM")
    grantees = _grantees(cursor)
    by = _granted_by(cursor)
    return Grant(
        text=text, offset=offset, privileges=privileges, kind=kind, names=names, schemas=schemas,
        grantees=grantees, revoke=True, option=option, cascade=_cascade(cursor), columns=columns,
        granted_by=by,
    )  # fmt: skip


_MEMBER_OPTIONS = ("ADMIN", "INHERIT", "SET")
_SWITCH = {"TRUE": True, "ON": True, "OPTION": True, "FALSE": False, "OFF": False}


def _membership_options(cursor: Cursor) -> dict[str, bool]:
    """Read WITH {ADMIN | INHERIT | SET} {OPTION | TRUE | FALSE}, …"""
    if not cursor.accept("WITH"):
        return {}
    found: dict[str, bool] = {}
    while True:
        name = next((word for word in _MEMBER_OPTIONS if cursor.accept(word)), None)
        said = next((word for word in _SWITCH if cursor.accept(word)), None)
        if name is None or said is None:
            hint = f"WITH takes {', '.join(_MEMBER_OPTIONS)}, each with OPTION, TRUE or FALSE."
            raise cursor.fault(hint=hint)
        found[name.lower()] = _SWITCH[said]
        if not cursor.accept(","):
            return found


def _grants_roles(cursor: Cursor, end: str) -> bool:
    """Tell a list of roles from one of privileges: no ON stands before TO or FROM."""
    ahead = 0
    while cursor.at + ahead < len(cursor.tokens):
        word = cursor.word(ahead)
        if word == "ON":
            return False
        if word == end:
            return True
        ahead += 1
    return False


Words = tuple[str, ...]
OfColumns = tuple[tuple[str, Words], ...]


def _privileges(cursor: Cursor) -> tuple[Words, OfColumns]:
    """Read privileges of objects, and those of columns with them."""
    if cursor.accept("ALL PRIVILEGES") or cursor.accept("ALL"):
        cursor.accept("PRIVILEGES")
        return (), (("ALL", _columns(cursor)),) if cursor.sees("(") else ()
    found: list[str] = []
    of_columns: list[tuple[str, Words]] = []
    while True:
        place = cursor.token
        word = cursor.identifier().upper()
        if word not in PRIVILEGES:
            at = place.start + 1 if place is not None else None
            raise SyntaxFault(f'unrecognized privilege type "{word.lower()}"', position=at)
        word = "TEMPORARY" if word == "TEMP" else word
        if cursor.sees("("):
            of_columns.append((word, _columns(cursor)))
        else:
            found.append(word)
        if not cursor.accept(","):
            return tuple(found), tuple(of_columns)


def _columns(cursor: Cursor) -> Words:
    cursor.expect("(")
    names = _identifiers(cursor)
    cursor.expect(")")
    return names


def _objects(cursor: Cursor) -> tuple[str, tuple[ObjectName, ...], tuple[str, ...]]:
    """Read what follows ON: a kind, names, and schemas of which all such objects are meant."""
    if cursor.accept("ALL"):
        for words, kind in _PLURALS.items():
            if cursor.accept(words):
                cursor.expect("IN")
                cursor.expect("SCHEMA")
                return kind, (), _identifiers(cursor)
        if cursor.sees("SEQUENCES"):
            raise cursor.unsupported("ALL SEQUENCES")
        raise cursor.fault()
    kind = next((words for words in _KINDS if cursor.accept(words)), "TABLE")
    if kind in ("SCHEMA", "DATABASE"):
        return kind, tuple(ObjectName(name) for name in _identifiers(cursor)), ()
    names = [_object(cursor, kind)]
    while cursor.accept(","):
        names.append(_object(cursor, kind))
    return kind, tuple(names), ()


def _object(cursor: Cursor, kind: str) -> ObjectName:
    return parse_function_name(cursor) if kind == "FUNCTION" else cursor.object_name()


def _identifiers(cursor: Cursor) -> tuple[str, ...]:
    names = [cursor.identifier()]
    while cursor.accept(","):
        names.append(cursor.identifier())
    return tuple(names)


def _grantees(cursor: Cursor) -> tuple[str | None, ...]:
    found: list[str | None] = []
    while True:
        cursor.accept("GROUP")
        found.append(None if cursor.accept("PUBLIC") else role_name(cursor))
        if not cursor.accept(","):
            return tuple(found)


def _granted_by(cursor: Cursor) -> str | None:
    return role_name(cursor) if cursor.accept("GRANTED BY") else None


def _cascade(cursor: Cursor) -> bool:
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    return cascade


def parse_defaults(cursor: Cursor, text: str, offset: int) -> AlterDefaults:
    """Parse ALTER DEFAULT PRIVILEGES [FOR ROLE …] [IN SCHEMA …] GRANT | REVOKE …"""
    roles: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    while True:
        if cursor.accept("FOR"):
            if not (cursor.accept("ROLE") or cursor.accept("USER")):
                raise cursor.fault()
            roles = role_names(cursor)
        elif cursor.accept("IN"):
            cursor.expect("SCHEMA")
            schemas = _identifiers(cursor)
        else:
            break
    revoke = cursor.accept("REVOKE")
    if not revoke:
        cursor.expect("GRANT")
    option = revoke and cursor.accept("GRANT OPTION FOR")
    privileges, columns = _privileges(cursor)
    if columns:
        raise InvalidGrant("default privileges cannot be set for columns")
    cursor.expect("ON")
    kind = next((kind for word, kind in _STANDARD.items() if cursor.accept(word)), None)
    if kind is None:
        raise cursor.fault(hint=f"Default privileges are on {', '.join(_STANDARD)}.")
    cursor.expect("FROM" if revoke else "TO")
    grantees = _grantees(cursor)
    option = option or (not revoke and cursor.accept("WITH GRANT OPTION"))
    _cascade(cursor)
    grant = Grant(
        text=text, offset=offset, privileges=privileges, kind=kind, names=(), grantees=grantees,
        revoke=revoke, option=option,
    )  # fmt: skip
    return AlterDefaults(text=text, offset=offset, roles=roles, schemas=schemas, grant=grant)


def parse_reassign(cursor: Cursor, text: str, offset: int) -> OwnedBy:
    cursor.expect("BY")
    roles = role_names(cursor)
    cursor.expect("TO")
    return OwnedBy(text=text, offset=offset, roles=roles, to=role_name(cursor))


def parse_drop_owned(cursor: Cursor, text: str, offset: int) -> OwnedBy:
    cursor.expect("BY")
    roles = role_names(cursor)
    return OwnedBy(text=text, offset=offset, roles=roles, cascade=_cascade(cursor))
