"""Declared columns: PostgreSQL's types and column constraints, as a table states them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from voltstream.core.errors import DuplicateColumn, InvalidTableDefinition
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_expression, store_sql, syntax_fault, tokenize
from voltstream.sql.references import parse_reference
from voltstream.sql.statements import Check, ColumnSpec, Like, Reference
from voltstream.sql.type_names import parse_type

_SERIALS = {
    "SERIAL": "INTEGER",
    "SERIAL4": "INTEGER",
    "BIGSERIAL": "BIGINT",
    "SERIAL8": "BIGINT",
    "SMALLSERIAL": "SMALLINT",
    "SERIAL2": "SMALLINT",
}
# Where a column's default or generation expression ends.
_CONSTRAINT_WORDS = (
    "NOT NULL", "NULL", "DEFAULT", "PRIMARY KEY", "UNIQUE", "CHECK", "REFERENCES", "CONSTRAINT",
    "GENERATED", "COLLATE", "AS", "STORED",
)  # fmt: skip
_TABLE_CONSTRAINTS = ("PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "CONSTRAINT")


@dataclass(slots=True)
class Columns:
    """What a column list declares."""

    specs: list[ColumnSpec] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    watermark: str | None = None
    ttl: bool = False  # of the watermark: rows below it are forgotten
    likes: list[Like] = field(default_factory=list)
    starred: bool = False  # "*": the columns that the format's schema names


def quoted(name: str) -> str:
    """Return a name as the store reads it exactly."""
    return '"' + name.replace('"', '""') + '"'


def parse_columns(tokens: Sequence[Token], text: str, *, source: bool) -> Columns:
    """Parse what stands between the parentheses of CREATE TABLE or CREATE SOURCE.

    Raises: DuplicateColumn (42701), InvalidTableDefinition (42P16).
    """
    columns = Columns()
    if not tokens:
        return columns
    parts = split_commas(tokens)
    if len(parts) > 1 and not parts[-1]:  # RisingWave takes a comma after the last column.
        parts.pop()
    for part in parts:
        cursor = Cursor(part, text)
        if not part:
            raise syntax_fault(tokens[-1], text)
        if cursor.accept("WATERMARK FOR"):
            columns.watermark = watermark(cursor)
            columns.ttl = not source and has_ttl(part)
        elif any(cursor.sees(words) for words in _TABLE_CONSTRAINTS):
            _table_constraint(cursor, columns)
        elif not source and cursor.word() == "LIKE" and len(part) > 1:
            columns.likes.append(_like(cursor, len(columns.specs)))
        elif cursor.word() in ("EXCLUDE", "LIKE", "INCLUDE") and cursor.word(1):
            raise cursor.unsupported(f"{cursor.word()} in a column list")
        elif cursor.accept("*"):
            columns.starred = True
        else:
            _add(columns, _column(cursor, columns, source=source), part[0])
    return columns


_LIKE_PARTS = frozenset({
    "DEFAULTS", "CONSTRAINTS", "GENERATED", "IDENTITY", "INDEXES", "COMMENTS", "STORAGE",
    "STATISTICS", "COMPRESSION",
})  # fmt: skip


def _like(cursor: Cursor, place: int) -> Like:
    """Read LIKE t [INCLUDING part | EXCLUDING part …]; what is not included is left out."""
    cursor.expect("LIKE")
    name = cursor.object_name()
    including: set[str] = set()
    while not cursor.done:
        with_it = cursor.accept("INCLUDING")
        if not with_it:
            cursor.expect("EXCLUDING")
        parts = _LIKE_PARTS if cursor.sees("ALL") else {cursor.word()}
        if not parts <= _LIKE_PARTS:
            raise cursor.fault()
        cursor.advance()
        including = including | parts if with_it else including - parts
    return Like(name, place, frozenset(including))


def _add(columns: Columns, spec: ColumnSpec, place: Token) -> None:
    if any(known.name == spec.name for known in columns.specs):
        raise DuplicateColumn(
            f'column "{spec.name}" specified more than once', position=place.start + 1
        )
    columns.specs.append(spec)


def _set_key(columns: Columns, names: tuple[str, ...], cursor: Cursor) -> None:
    if columns.primary_key:
        raise InvalidTableDefinition(
            "multiple primary keys for a table are not allowed",
            position=cursor.tokens[0].start + 1,
        )
    columns.primary_key = names


def watermark(cursor: Cursor) -> str:
    """Return ``"column" AS expression``, the expression in DuckDB's words."""
    name = cursor.identifier()
    if cursor.done:
        return f"{quoted(name)} AS {quoted(name)}"
    cursor.expect("AS")
    tokens = cursor.rest()
    if has_ttl(tokens):
        tokens = tokens[:-2]
    return f"{quoted(name)} AS {store_sql(parse_expression(tokens, cursor.text))}"


def has_ttl(tokens: Sequence[Token]) -> bool:
    """Tell whether a watermark ends with WITH TTL."""
    return [token.text.upper() for token in tokens[-2:]] == ["WITH", "TTL"]


def _table_constraint(cursor: Cursor, columns: Columns) -> None:
    name = cursor.identifier() if cursor.accept("CONSTRAINT") else None
    if cursor.accept("PRIMARY KEY"):
        _set_key(columns, cursor.name_list() if not cursor.sees("( )") else (), cursor)
    elif cursor.accept("UNIQUE"):
        columns.unique.append(cursor.name_list())
    elif cursor.accept("CHECK"):
        columns.checks.append(_checked(cursor, name))
    elif cursor.accept("FOREIGN KEY"):
        names = cursor.name_list()
        cursor.expect("REFERENCES")
        columns.references.append(parse_reference(cursor, names, name))
    else:
        raise cursor.unsupported(cursor.word())
    cursor.expect_end()


def _checked(cursor: Cursor, name: str | None) -> Check:
    tokens = cursor.parenthesized()
    parse_expression(tokens, cursor.text)
    return Check(cursor.slice_text(tokens), name)


def _column(cursor: Cursor, columns: Columns, *, source: bool) -> ColumnSpec:
    name = cursor.identifier()
    spec = _typed(cursor, name)
    constraint: str | None = None
    while not cursor.done:
        if cursor.accept("NOT NULL"):
            spec = replace(spec, not_null=True)
        elif cursor.accept("NULL"):
            spec = replace(spec, not_null=False)
        elif cursor.accept("DEFAULT"):
            tokens = _expression(cursor)
            parse_expression(tokens, cursor.text)
            spec = replace(spec, default_text=cursor.slice_text(tokens))
        elif cursor.accept("AS"):
            spec = _generated(cursor, spec)
        elif cursor.accept("GENERATED"):
            spec = _always(cursor, spec)
        elif cursor.accept("CONSTRAINT"):
            constraint = cursor.identifier()
        elif cursor.accept("PRIMARY KEY"):
            _set_key(columns, (name,), cursor)
        elif cursor.accept("UNIQUE"):
            columns.unique.append((name,))
        elif cursor.accept("CHECK"):
            columns.checks.append(_checked(cursor, constraint))
        elif cursor.accept("REFERENCES"):
            columns.references.append(parse_reference(cursor, (name,), constraint))
        elif cursor.accept("COLLATE"):
            collation = cursor.identifier()
            if collation.lower() not in ("c", "posix", "default", "pg_catalog"):
                raise cursor.unsupported(f'collation "{collation}"', 'Text sorts by "C".')
        else:
            raise cursor.fault()
    if source and spec.default_text is not None and spec.generated_sql is not None:
        raise cursor.fault()
    return spec


def _typed(cursor: Cursor, name: str) -> ColumnSpec:
    start = cursor.at
    if cursor.word() in _SERIALS:
        store_type = _SERIALS[cursor.word()]
        declared = cursor.advance().text.upper()
        return ColumnSpec(name, store_type, True, declared=declared, identity="by default")
    store_type = parse_type(cursor)
    declared = cursor.slice_text(cursor.tokens[start : cursor.at])
    return ColumnSpec(name, store_type, declared=declared)


def _generated(cursor: Cursor, spec: ColumnSpec) -> ColumnSpec:
    tokens = _expression(cursor)
    tree = parse_expression(tokens, cursor.text)
    if tree.find(exp.CurrentTimestamp) is not None:
        raise InvalidTableDefinition(
            "generation expression is not immutable",
            hint="PROCTIME() is the instant at which a row comes.",
            position=tokens[0].start + 1,
        )
    inner = Cursor(tokens, cursor.text)
    bracketed = inner.sees("(") and inner.closing() == len(tokens) - 1
    text = cursor.slice_text(tokens[1:-1] if bracketed else tokens)
    cursor.accept("STORED")
    return replace(spec, generated_sql=store_sql(tree), generated_text=text)


def _always(cursor: Cursor, spec: ColumnSpec) -> ColumnSpec:
    """Read what follows GENERATED: an expression, or an identity with its sequence options."""
    always = cursor.accept("ALWAYS")
    if not always:
        cursor.expect("BY DEFAULT")
    cursor.expect("AS")
    if not cursor.accept("IDENTITY"):
        if not always:
            raise cursor.fault()
        return _generated(cursor, spec)
    if cursor.sees("("):
        cursor.parenthesized()
    return replace(spec, identity="always" if always else "by default", not_null=True)


def _expression(cursor: Cursor) -> list[Token]:
    start = cursor.at
    while not cursor.done and not (
        cursor.at > start and any(cursor.sees(words) for words in _CONSTRAINT_WORDS)
    ):
        if cursor.sees("("):
            cursor.parenthesized()
        else:
            cursor.advance()
    tokens = list(cursor.tokens[start : cursor.at])
    if not tokens:
        raise cursor.fault()
    return tokens


def columns_in(text: str) -> tuple[str, ...]:
    """Return the columns an expression names, each once."""
    tree = parse_expression(tokenize(text), text)
    return tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))
