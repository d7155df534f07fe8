"""The text of a CREATE SOURCE or TABLE, with other columns or another watermark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voltstream.core.schema import Schema
from voltstream.sql.columns import Columns, quoted
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import tokenize
from voltstream.sql.statements import ColumnSpec
from voltstream.sql.table_ddl import declared_type


def with_columns(text: str, added: Sequence[ColumnSpec]) -> str:
    """Write columns at the end of the list. Raises: FeatureNotSupported where there is none."""
    cursor = _at_columns(text)
    end = cursor.tokens[cursor.closing()].start
    names = (quoted(spec.name) for spec in added)
    more = "".join(f", {name} {spec.declared}" for name, spec in zip(names, added, strict=True))
    return text[:end].rstrip() + more + text[end:]


def with_watermark(text: str, declared: str) -> str:
    """Write another WATERMARK FOR in the place of the one that is there."""
    cursor = _at_columns(text)
    for part in split_commas(cursor.parenthesized()):
        if Cursor(part, text).sees("WATERMARK FOR"):
            return f"{text[: part[0].start]}WATERMARK FOR {declared}{text[part[-1].end + 1 :]}"
    return text


def _at_columns(text: str) -> Cursor:
    cursor = Cursor(tokenize(text), text)
    cursor.expect("CREATE")
    for words in ("OR REPLACE", "TEMPORARY", "TEMP"):
        cursor.accept(words)
    cursor.expect("SOURCE")
    cursor.accept("IF NOT EXISTS")
    cursor.object_name()
    if not cursor.sees("("):
        raise cursor.unsupported("a column for a source that declares none")
    return cursor


def has_schema(encode: str, properties: Mapping[str, str]) -> bool:
    """Tell whether records have a schema that is kept elsewhere."""
    if encode in ("AVRO", "PROTOBUF"):
        return True
    return encode == "JSON" and "schema.registry" in properties


def leaves_to_schema(columns: Columns, encode: str, properties: Mapping[str, str]) -> bool:
    """Tell whether columns come from the schema of the records: all of them, or where ``*`` is."""
    bare = all(c.included is not None or c.generated_text is not None for c in columns.specs)
    return has_schema(encode, properties) and not columns.likes and (columns.starred or bare)


def with_schema(text: str, found: Schema) -> str:
    """Write the columns of a schema where ``*`` is, or before whatever else the list says."""
    cursor = Cursor(tokenize(text), text)
    cursor.expect("CREATE")
    for words in ("OR REPLACE", "TEMPORARY", "TEMP"):
        cursor.accept(words)
    if not cursor.accept("SOURCE"):
        cursor.expect("TABLE")
    cursor.accept("IF NOT EXISTS")
    cursor.object_name()
    listed = ", ".join(f"{quoted(c.name)} {declared_type(c.store_type)}" for c in found)
    if not cursor.sees("("):
        end = cursor.tokens[cursor.at - 1].end + 1
        return f"{text[:end]} ({listed}){text[end:]}"
    first, last = cursor.at, cursor.closing()
    for at in range(first + 1, last):
        token = cursor.tokens[at]
        if token.text == "*" and cursor.tokens[at - 1].text in ("(", ","):
            return text[: token.start] + listed + text[token.end + 1 :]
    start = cursor.tokens[first].end + 1
    comma = ", " if last > first + 1 else ""
    return text[:start] + listed + comma + text[start:]
