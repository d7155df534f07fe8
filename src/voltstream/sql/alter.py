"""ALTER, DROP, TRUNCATE and COMMENT."""

from __future__ import annotations

from voltstream.sql.columns import parse_type, quoted
from voltstream.sql.create import qualified
from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import parse_expression, store_sql
from voltstream.sql.options import parse_options
from voltstream.sql.statements import AlterTable, Comment, Drop, ObjectName, Truncate

_DROPPED = (
    "MATERIALIZED VIEW", "SOURCE", "TABLE", "VIEW", "SINK", "INDEX", "SCHEMA", "DATABASE",
)  # fmt: skip


def parse_drop(cursor: Cursor, text: str, offset: int) -> Drop:
    """Parse DROP kind [IF EXISTS] names [CASCADE | RESTRICT]."""
    kind = next((words for words in _DROPPED if cursor.accept(words)), None)
    if kind is None:
        if cursor.word().isalpha():
            raise cursor.unsupported(f"DROP {cursor.word()}")
        raise cursor.fault(hint=f"DROP takes {', '.join(_DROPPED)}.")
    lenient = cursor.accept("IF EXISTS")
    names = cursor.object_names()
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    return Drop(
        text=text, offset=offset, kind=kind, names=names, if_exists=lenient, cascade=cascade
    )


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


_COMMENTED = ("MATERIALIZED VIEW", "TABLE", "SOURCE", "VIEW", "SINK", "COLUMN")


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
        name = ObjectName(parts[-1], parts[-2] if len(parts) > 1 else None)
    else:
        name = cursor.object_name()
    cursor.expect("IS")
    comment = None if cursor.accept("NULL") else cursor.string()
    return Comment(text=text, offset=offset, kind=kind, name=name, column=column, comment=comment)


def parse_alter(cursor: Cursor, text: str, offset: int) -> AlterTable:
    """Parse ALTER TABLE and ALTER MATERIALIZED VIEW. Raises: FeatureNotSupported for the rest."""
    if not (cursor.accept("TABLE") or cursor.accept("MATERIALIZED VIEW")):
        raise cursor.unsupported(f"ALTER {cursor.word()}")
    cursor.accept("IF EXISTS")
    cursor.accept("ONLY")
    name = cursor.object_name()
    if cursor.accept("SET"):
        if not cursor.sees("("):
            raise cursor.unsupported(f"ALTER … SET {cursor.word()}")
        options = parse_options(cursor.parenthesized(), cursor.text)
        return AlterTable(text=text, offset=offset, name=name, options=options)
    action = _action(cursor)
    if cursor.sees(","):
        raise cursor.unsupported("several actions in one ALTER TABLE")
    ddl = f"ALTER TABLE {qualified(name)} {action}"
    return AlterTable(text=text, offset=offset, name=name, options={}, store_sql=ddl)


def _action(cursor: Cursor) -> str:
    if cursor.accept("ADD"):
        return _add_column(cursor)
    if cursor.accept("DROP"):
        if cursor.sees("CONSTRAINT"):
            raise cursor.unsupported("DROP CONSTRAINT")
        cursor.accept("COLUMN")
        lenient = "IF EXISTS " if cursor.accept("IF EXISTS") else ""
        column = cursor.identifier()
        if not cursor.accept("RESTRICT"):
            cursor.accept("CASCADE")
        return f"DROP COLUMN {lenient}{quoted(column)}"
    if cursor.accept("RENAME"):
        if cursor.accept("TO"):
            raise cursor.unsupported("RENAME TO")
        cursor.accept("COLUMN")
        old = cursor.identifier()
        cursor.expect("TO")
        return f"RENAME COLUMN {quoted(old)} TO {quoted(cursor.identifier())}"
    if cursor.accept("ALTER"):
        cursor.accept("COLUMN")
        return f"ALTER COLUMN {quoted(cursor.identifier())} {_alter_column(cursor)}"
    raise cursor.unsupported(f"ALTER TABLE … {cursor.word()}")


def _add_column(cursor: Cursor) -> str:
    if cursor.word() in ("CONSTRAINT", "PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY"):
        raise cursor.unsupported(f"ADD {cursor.word()}")
    cursor.accept("COLUMN")
    lenient = "IF NOT EXISTS " if cursor.accept("IF NOT EXISTS") else ""
    action = f"ADD COLUMN {lenient}{quoted(cursor.identifier())} {parse_type(cursor)}"
    if cursor.accept("DEFAULT"):
        action += f" DEFAULT {store_sql(parse_expression(cursor.rest(), cursor.text))}"
    cursor.accept("NULL")
    if not cursor.done:
        raise cursor.unsupported(f"{cursor.word()} in ADD COLUMN")
    return action


def _alter_column(cursor: Cursor) -> str:
    for words in ("SET NOT NULL", "DROP NOT NULL", "DROP DEFAULT"):
        if cursor.accept(words):
            return words
    if cursor.accept("SET DEFAULT"):
        return f"SET DEFAULT {store_sql(parse_expression(cursor.rest(), cursor.text))}"
    if cursor.accept("SET DATA TYPE") or cursor.accept("TYPE"):
        action = f"TYPE {parse_type(cursor)}"
        if cursor.accept("USING"):
            action += f" USING {store_sql(parse_expression(cursor.rest(), cursor.text))}"
        return action
    raise cursor.fault()
