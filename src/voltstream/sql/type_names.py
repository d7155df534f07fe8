"""Type names as PostgreSQL and RisingWave write them, into the store's."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot.tokenizer_core import TokenType

from voltstream.core.errors import DatatypeMismatch, InvalidParameter, UndefinedObject
from voltstream.core.limits import VECTOR_DIMENSIONS_MAX
from voltstream.core.types import from_store
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import syntax_fault

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
    ("OID", "UINTEGER"),
    ("XID", "UINTEGER"),
    ("REGCLASS", "VARCHAR"),  # The name of what is there: see fitting.py.
    ("REGTYPE", "VARCHAR"),
    ("REGNAMESPACE", "VARCHAR"),
    ("BIT VARYING", "BIT"),
    ("VARBIT", "BIT"),
    ("BIT", "BIT"),
    ("RW_INT256", "HUGEINT"),
    ("HUGEINT", "HUGEINT"),
)


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
    if cursor.accept("STRUCT") or cursor.accept("RECORD"):
        return _struct(cursor)
    if cursor.accept("MAP"):
        return _map(cursor)
    if cursor.accept("VECTOR"):
        size = _modifiers(cursor)
        if not size or not 0 < int(size[0]) <= VECTOR_DIMENSIONS_MAX:
            hint = f"vector(n) has 1 to {VECTOR_DIMENSIONS_MAX} dimensions."
            raise InvalidParameter("dimensions for type vector must be a number", hint=hint)
        return f"FLOAT[{size[0]}]"
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
    if token is not None and cursor.text[token.start : token.end + 1] == '"char"':
        cursor.advance()
        return "VARCHAR"
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


def _struct(cursor: Cursor) -> str:
    """Read ``<name type, …>``."""
    fields = [f"{_quoted(cursor.identifier())} {parse_type(cursor)}" for _ in _opened(cursor)]
    if not fields:
        raise cursor.unsupported("a struct without fields")
    return f"STRUCT({', '.join(fields)})"


def _opened(cursor: Cursor) -> Iterator[None]:
    """Step through the items between angle brackets or parentheses."""
    round_brackets = cursor.accept("(")
    if not round_brackets and not cursor.accept("<"):
        raise cursor.fault()
    while True:
        yield
        if cursor.accept(","):
            continue
        if round_brackets:
            cursor.expect(")")
        else:
            cursor.expect(">")
        return


def _map(cursor: Cursor) -> str:
    parts = [parse_type(cursor) for _ in _opened(cursor)]
    if len(parts) != 2:
        raise cursor.fault(hint="A map is written map(key type, value type).")
    if parts[0] in ("DOUBLE", "FLOAT", "BOOLEAN", "JSON") or parts[0].startswith("DECIMAL"):
        raise DatatypeMismatch(f"invalid map key type: {from_store(parts[0]).pg_name}")
    return f"MAP({parts[0]}, {parts[1]})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
