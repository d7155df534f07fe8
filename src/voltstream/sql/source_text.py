"""The text of a CREATE SOURCE, with more columns."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.sql.columns import quoted
from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import tokenize
from voltstream.sql.statements import ColumnSpec


def with_columns(text: str, added: Sequence[ColumnSpec]) -> str:
    """Write columns at the end of the list. Raises: FeatureNotSupported where there is none."""
    cursor = Cursor(tokenize(text), text)
    cursor.expect("CREATE")
    for words in ("OR REPLACE", "TEMPORARY", "TEMP"):
        cursor.accept(words)
    cursor.expect("SOURCE")
    cursor.accept("IF NOT EXISTS")
    cursor.object_name()
    if not cursor.sees("("):
        raise cursor.unsupported("a column for a source that declares none")
    end = cursor.tokens[cursor.closing()].start
    names = (quoted(spec.name) for spec in added)
    more = "".join(f", {name} {spec.declared}" for name, spec in zip(names, added, strict=True))
    return text[:end].rstrip() + more + text[end:]
