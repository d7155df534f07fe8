"""Declared columns: PostgreSQL's types and column constraints into the store's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import UndefinedObject
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_expression, store_sql, syntax_fault
from voltstream.sql.statements import ColumnSpec

NUMERIC_DEFAULT = "DECIMAL(38,10)"  # An unbounded NUMERIC must have some scale in the store.

# Longest spelling first: the words are matched in this order.
_TYPES: tuple[tuple[str, str], ...] = (
    ("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"),
    ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"),
    ("TIME WITHOUT TIME ZONE", "TIME"),
    ("TIME WITH TIME ZONE", "TIMETZ"),
    ("CHARACTER VARYING", "VARCHAR"),
    ("CHAR VARYING", "VARCHAR"),
    ("DOUBLE PRECISION", "DOUBLE"),
    ("DOUBLE", "DOUBLE"),
    ("FLOAT8", "DOUBLE"),
    ("FLOAT4", "FLOAT"),
    ("REAL", "FLOAT"),
    ("VARCHAR", "VARCHAR"),
    ("CHARACTER", "VARCHAR"),
    ("BPCHAR", "VARCHAR"),
    ("CHAR", "VARCHAR"),
    ("TEXT", "VARCHAR"),
    ("STRING", "VARCHAR"),
    ("NAME", "VARCHAR"),
    ("SMALLINT", "SMALLINT"),
    ("INT2", "SMALLINT"),
    ("INTEGER", "INTEGER"),
    ("INT4", "INTEGER"),
    ("INT8", "BIGINT"),
    ("INT", "INTEGER"),
    ("BIGINT", "BIGINT"),
    ("BOOLEAN", "BOOLEAN"),
    ("BOOL", "BOOLEAN"),
    ("TIMESTAMPTZ", "TIMESTAMPTZ"),
    ("TIMESTAMP", "TIMESTAMP"),
    ("TIMETZ", "TIMETZ"),
    ("TIME", "TIME"),
    ("DATE", "DATE"),
    ("INTERVAL", "INTERVAL"),
    ("UUID", "UUID"),
    ("BYTEA", "BLOB"),
    ("JSONB", "JSON"),
    ("JSON", "JSON"),
)
_SERIALS = ("SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL4", "SERIAL8", "SERIAL2")
# Where a column's default or generation expression ends.
_CONSTRAINT_WORDS = (
    "NOT NULL", "NULL", "DEFAULT", "PRIMARY KEY", "UNIQUE", "CHECK", "REFERENCES", "CONSTRAINT",
    "GENERATED", "COLLATE", "AS",
)  # fmt: skip
_TABLE_CONSTRAINTS = ("PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "CONSTRAINT")


@dataclass(slots=True)
class Columns:
    """What a column list declares."""

    specs: list[ColumnSpec] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    watermark: str | None = None


def quoted(name: str) -> str:
    """Return a name as the store reads it exactly."""
    return '"' + name.replace('"', '""') + '"'


def parse_type(cursor: Cursor) -> str:
    """Read a type and return the store's spelling. Raises: UndefinedObject, FeatureNotSupported."""
    base = _parse_scalar_type(cursor)
    while True:
        if cursor.accept("["):
            if not cursor.sees("]"):
                cursor.advance()  # PostgreSQL ignores an array's declared length.
            cursor.expect("]")
        elif not cursor.accept("ARRAY"):
            return base
        base += "[]"


def _parse_scalar_type(cursor: Cursor) -> str:
    for words in ("NUMERIC", "DECIMAL", "DEC"):
        if cursor.accept(words):
            return _numeric(cursor)
    if cursor.word() in _SERIALS:
        raise cursor.unsupported(
            cursor.word(), "Use BIGINT, or UUID with DEFAULT gen_random_uuid()."
        )
    if cursor.accept("FLOAT"):
        bits = _modifiers(cursor)
        return "FLOAT" if bits and int(bits[0]) <= 24 else "DOUBLE"
    for prefix in ("TIMESTAMP", "TIME"):  # TIMESTAMP(3) WITH TIME ZONE: kept at microseconds.
        if cursor.word() == prefix and cursor.word(1) == "(":
            cursor.advance()
            _modifiers(cursor)
            zoned = cursor.accept("WITH TIME ZONE")
            if not zoned:
                cursor.accept("WITHOUT TIME ZONE")
            return prefix + ("TZ" if zoned else "")
    for words, spelling in _TYPES:
        if cursor.accept(words):
            _modifiers(cursor)
            return spelling
    token = cursor.token
    if token is None or cursor.word() in (",", ")"):
        raise cursor.fault()
    if token.token_type in (TokenType.STRING, TokenType.NUMBER):
        raise cursor.fault()
    raise UndefinedObject(f'type "{token.text.lower()}" does not exist', position=token.start + 1)


def _numeric(cursor: Cursor) -> str:
    start = cursor.token
    modifiers = _modifiers(cursor)
    if not modifiers:
        return NUMERIC_DEFAULT
    precision = int(modifiers[0])
    scale = int(modifiers[1]) if len(modifiers) > 1 else 0
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        if start is not None:
            cursor.at -= 1
        raise cursor.unsupported(
            f"NUMERIC({precision},{scale})", "The precision can be 1 to 38, the scale up to it."
        )
    return f"DECIMAL({precision},{scale})"


def _modifiers(cursor: Cursor) -> list[str]:
    if not cursor.sees("("):
        return []
    parts = split_commas(cursor.parenthesized())
    for part in parts:
        if len(part) != 1 or not part[0].text.isdigit():
            raise syntax_fault(part[0] if part else None, cursor.text)
    return [part[0].text for part in parts]


def parse_columns(tokens: Sequence[Token], text: str, *, source: bool) -> Columns:
    """Parse what stands between the parentheses of CREATE TABLE or CREATE SOURCE."""
    columns = Columns()
    if not tokens:
        return columns
    for part in split_commas(tokens):
        cursor = Cursor(part, text)
        if not part:
            raise syntax_fault(tokens[-1], text)
        if source and cursor.accept("WATERMARK FOR"):
            columns.watermark = _watermark(cursor)
        elif any(cursor.sees(words) for words in _TABLE_CONSTRAINTS):
            _table_constraint(cursor, columns, source=source)
        elif cursor.word() in ("EXCLUDE", "LIKE", "INCLUDE"):
            raise cursor.unsupported(cursor.word())
        else:
            columns.specs.append(_column(cursor, columns, source=source))
    return columns


def _watermark(cursor: Cursor) -> str:
    """Return ``"column" AS expression``, the expression in DuckDB's words."""
    name = cursor.identifier()
    if cursor.done:
        return f"{quoted(name)} AS {quoted(name)}"
    cursor.expect("AS")
    return f"{quoted(name)} AS {store_sql(parse_expression(cursor.rest(), cursor.text))}"


def _table_constraint(cursor: Cursor, columns: Columns, *, source: bool) -> None:
    if source:
        raise cursor.unsupported(f"{cursor.word()} in CREATE SOURCE")
    if cursor.accept("CONSTRAINT"):
        cursor.identifier()
    if cursor.accept("PRIMARY KEY"):
        columns.primary_key = cursor.name_list()
    elif cursor.accept("UNIQUE"):
        columns.unique.append(cursor.name_list())
    elif cursor.accept("CHECK"):
        columns.checks.append(store_sql(parse_expression(cursor.parenthesized(), cursor.text)))
    elif cursor.accept("FOREIGN KEY"):
        cursor.rest()  # References are not enforced: streams bring children before parents.
    else:
        raise cursor.unsupported(cursor.word())
    cursor.expect_end()


def _column(cursor: Cursor, columns: Columns, *, source: bool) -> ColumnSpec:
    name = cursor.identifier()
    store_type = parse_type(cursor)
    not_null = False
    default: str | None = None
    generated: str | None = None
    while not cursor.done:
        if cursor.accept("NOT NULL"):
            not_null = True
        elif cursor.accept("NULL"):
            not_null = False
        elif source and not cursor.sees("AS"):
            raise cursor.unsupported(f"{cursor.word()} in CREATE SOURCE")
        elif cursor.accept("DEFAULT"):
            default = _expression(cursor)
        elif cursor.accept("AS"):
            if not source:
                raise cursor.unsupported("a generated column")
            generated = _expression(cursor)
        elif cursor.accept("CONSTRAINT"):
            cursor.identifier()
        elif cursor.accept("PRIMARY KEY"):
            columns.primary_key = (name,)
        elif cursor.accept("UNIQUE"):
            columns.unique.append((name,))
        elif cursor.accept("CHECK"):
            columns.checks.append(store_sql(parse_expression(cursor.parenthesized(), cursor.text)))
        elif cursor.accept("REFERENCES"):
            _skip_reference(cursor)
        elif cursor.word() in ("GENERATED", "COLLATE"):
            raise cursor.unsupported(cursor.word())
        else:
            raise cursor.fault()
    return ColumnSpec(name, store_type, not_null, default, generated)


def _skip_reference(cursor: Cursor) -> None:
    cursor.object_name()
    if cursor.sees("("):
        cursor.name_list()
    while cursor.accept("ON"):
        cursor.advance()
        if not (cursor.accept("NO ACTION") or cursor.accept("SET NULL")):
            cursor.advance()


def _expression(cursor: Cursor) -> str:
    start = cursor.at
    while not cursor.done and not (
        cursor.at > start and any(cursor.sees(words) for words in _CONSTRAINT_WORDS)
    ):
        if cursor.sees("("):
            cursor.parenthesized()
        else:
            cursor.advance()
    tokens = cursor.tokens[start : cursor.at]
    if not tokens:
        raise cursor.fault()
    return store_sql(parse_expression(tokens, cursor.text))


def table_sql(qualified: str, columns: Columns) -> str:
    """Return the store's CREATE TABLE of declared columns."""
    lines = []
    for spec in columns.specs:
        line = f"{quoted(spec.name)} {spec.store_type}"
        if spec.default_sql is not None:
            line += f" DEFAULT {spec.default_sql}"
        if spec.not_null:
            line += " NOT NULL"
        lines.append(line)
    if columns.primary_key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, columns.primary_key))})")
    lines.extend(f"UNIQUE ({', '.join(map(quoted, names))})" for names in columns.unique)
    lines.extend(f"CHECK ({check})" for check in columns.checks)
    return f"CREATE TABLE {qualified} ({', '.join(lines)})"
