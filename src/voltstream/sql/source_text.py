"""The text of a CREATE SOURCE, with more columns or another watermark."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.sql.columns import quoted
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import tokenize
from voltstream.sql.statements import ColumnSpec


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
