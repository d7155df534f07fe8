"""COPY in and out, in the option list and in the older spelling."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import SyntaxFault
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_query
from voltstream.sql.statements import CopyFrom, CopyTo, ObjectName

_FORMATS = ("text", "csv", "binary")
_IGNORED = ("encoding", "freeze", "oids", "force_quote", "force_null", "force_not_null")


def parse_copy(cursor: Cursor, text: str, offset: int) -> CopyFrom | CopyTo:
    """Parse COPY … FROM STDIN or TO STDOUT. Raises: FeatureNotSupported for server files."""
    if cursor.sees("("):
        tree = parse_query(cursor.parenthesized(), cursor.text)
        cursor.expect("TO")
        form, options = _target(cursor, "STDOUT")
        return CopyTo(text=text, offset=offset, tree=tree, format=form, options=options)
    table = cursor.object_name()
    columns = cursor.name_list() if cursor.sees("(") else ()
    if cursor.accept("FROM"):
        form, options = _target(cursor, "STDIN")
        return CopyFrom(
            text=text, offset=offset, table=table, columns=columns, format=form, options=options
        )
    cursor.expect("TO")
    form, options = _target(cursor, "STDOUT")
    tree = _selection(table, columns)
    return CopyTo(text=text, offset=offset, tree=tree, format=form, options=options)


def _selection(table: ObjectName, columns: tuple[str, ...]) -> exp.Select:
    source = exp.table_(
        exp.to_identifier(table.name, quoted=True),
        db=exp.to_identifier(table.schema, quoted=True) if table.schema else None,
    )
    chosen: list[exp.Expr] = [exp.column(exp.to_identifier(name, quoted=True)) for name in columns]
    return exp.select(*(chosen or [exp.Star()])).from_(source)


def _target(cursor: Cursor, stream: str) -> tuple[str, dict[str, str]]:
    if cursor.at_string() or cursor.sees("PROGRAM"):
        raise cursor.unsupported(
            "COPY with a file on the server", f"Use {stream}, or \\copy in psql."
        )
    cursor.expect(stream)
    options: dict[str, str] = {}
    cursor.accept("WITH")
    if cursor.sees("("):
        for part in split_commas(cursor.parenthesized()):
            _option(Cursor(part, cursor.text), options)
    else:
        _old_options(cursor, options)
    form = options.pop("format", "text").lower()
    if form not in _FORMATS:
        raise SyntaxFault(
            f'COPY format "{form}" not recognized', hint="The formats are text, csv and binary.",
            position=cursor.tokens[0].start + 1,
        )  # fmt: skip
    return form, options


def _option(cursor: Cursor, options: dict[str, str]) -> None:
    place = cursor.token
    name = cursor.identifier()
    if name in ("format", "delimiter", "null", "header", "quote", "escape"):
        if cursor.at_string():
            options[name] = cursor.string()
        else:
            options[name] = "true" if cursor.done else cursor.advance().text.lower()
        cursor.expect_end()
    elif name not in _IGNORED:
        raise SyntaxFault(
            f'option "{name}" not recognized', position=place.start + 1 if place else None
        )


def _old_options(cursor: Cursor, options: dict[str, str]) -> None:
    while not cursor.done:
        if cursor.accept("CSV"):
            options["format"] = "csv"
        elif cursor.accept("BINARY"):
            options["format"] = "binary"
        elif cursor.accept("HEADER"):
            options["header"] = "true"
        elif cursor.word() in ("DELIMITER", "NULL", "QUOTE", "ESCAPE"):
            name = cursor.advance().text.lower()
            cursor.accept("AS")
            options[name] = cursor.string()
        else:
            raise cursor.fault()
