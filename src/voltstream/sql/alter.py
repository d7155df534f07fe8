"""DROP, TRUNCATE and COMMENT."""

from __future__ import annotations

from voltstream.sql.cursor import Cursor
from voltstream.sql.grants import parse_drop_owned
from voltstream.sql.overloads import parse_function_name
from voltstream.sql.roles import parse_drop_role, parse_drop_token
from voltstream.sql.statements import Comment, Drop, ObjectName, Parsed, Truncate

_DROPPED = (
    "MATERIALIZED VIEW", "SOURCE", "TABLE", "VIEW", "SINK", "INDEX", "SCHEMA", "DATABASE",
    "SUBSCRIPTION", "FUNCTION", "AGGREGATE", "SECRET", "CONNECTION",
)  # fmt: skip


def parse_drop(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse DROP kind [IF EXISTS] names [CASCADE | RESTRICT]."""
    if cursor.accept("USER") or cursor.accept("ROLE"):
        return parse_drop_role(cursor, text, offset)
    if cursor.accept("TOKEN"):
        return parse_drop_token(cursor, text, offset)
    if cursor.accept("OWNED"):
        return parse_drop_owned(cursor, text, offset)
    kind = next((words for words in _DROPPED if cursor.accept(words)), None)
    if kind is None:
        if cursor.word().isalpha():
            raise cursor.unsupported(f"DROP {cursor.word()}")
        raise cursor.fault(hint=f"DROP takes {', '.join(_DROPPED)}.")
    if kind == "INDEX":
        cursor.accept("CONCURRENTLY")
    if kind == "AGGREGATE":
        kind = "FUNCTION"  # They share their names.
    lenient = cursor.accept("IF EXISTS")
    names = [_dropped_name(cursor, kind)]
    while cursor.accept(","):
        names.append(_dropped_name(cursor, kind))
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    return Drop(
        text=text, offset=offset, kind=kind, names=tuple(names), if_exists=lenient, cascade=cascade
    )


def _dropped_name(cursor: Cursor, kind: str) -> ObjectName:
    return parse_function_name(cursor) if kind == "FUNCTION" else cursor.object_name()


def parse_truncate(cursor: Cursor, text: str, offset: int) -> Truncate:
    """Parse TRUNCATE [TABLE] [ONLY] names [RESTART IDENTITY] [CASCADE | RESTRICT]."""
    cursor.accept("TABLE")
    cursor.accept("ONLY")
    tables = cursor.object_names()
    if not cursor.accept("RESTART IDENTITY"):
        cursor.accept("CONTINUE IDENTITY")
    if not cursor.accept("RESTRICT"):
        cursor.accept("CASCADE")
    return Truncate(text=text, offset=offset, tables=tables)


_COMMENTED = (
    "MATERIALIZED VIEW", "TABLE", "SOURCE", "VIEW", "SINK", "INDEX", "FUNCTION", "SUBSCRIPTION",
    "COLUMN",
)  # fmt: skip


def parse_comment(cursor: Cursor, text: str, offset: int) -> Comment:
    """Parse COMMENT ON kind name IS 'text' | NULL."""
    kind = next((words for words in _COMMENTED if cursor.accept(words)), None)
    if kind is None:
        raise cursor.unsupported(f"COMMENT ON {cursor.word()}")
    column = None
    if kind == "COLUMN":
        parts = [cursor.identifier()]
        while cursor.accept("."):
            parts.append(cursor.identifier())
        if len(parts) < 2:
            raise cursor.fault(hint="A column is written table.column.")
        column = parts.pop()
        name = ObjectName(*reversed(parts[-3:]))
    else:
        name = parse_function_name(cursor) if kind == "FUNCTION" else cursor.object_name()
    cursor.expect("IS")
    comment = None if cursor.accept("NULL") else cursor.string()
    return Comment(text=text, offset=offset, kind=kind, name=name, column=column, comment=comment)
