"""CREATE TABLE … FROM source TABLE '…': tables that share a source, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voltstream.sql.columns import Columns, parse_columns, quoted
from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import tokenize
from voltstream.sql.statements import Origin

CDC = "postgres-cdc"
_PAYLOAD = "payload JSONB"


def shared_columns() -> Columns:
    """Return what a shared source looks like to tools: RisingWave's shape, never with rows."""
    return parse_columns(tokenize(_PAYLOAD), _PAYLOAD, source=True)


def parse_origin(cursor: Cursor) -> Origin:
    """Parse what follows FROM. Raises: SyntaxFault, FeatureNotSupported."""
    source = cursor.object_name()
    if not cursor.accept("TABLE"):
        raise cursor.unsupported(
            "CREATE TABLE … FROM source without TABLE",
            "FROM source TABLE 'schema.table' takes a table of a shared postgres-cdc source; "
            "read other sources by CREATE MATERIALIZED VIEW or a table WITH (connector = '…').",
        )
    return Origin(source, cursor.string())


def check_origin(columns: Columns, properties: Mapping[str, str], cursor: Cursor) -> None:
    """Refuse what does not go with FROM. Raises: SyntaxFault, FeatureNotSupported."""
    if "connector" in properties:
        raise cursor.unsupported("a connector beside FROM", "The source says how to connect.")
    if any(spec.included is not None for spec in columns.specs):
        raise cursor.unsupported("INCLUDE in CREATE TABLE … FROM", "Its rows bring columns alone.")
    if columns.starred and (columns.specs or columns.primary_key):
        raise cursor.unsupported(
            "columns beside * in CREATE TABLE … FROM", "Write (*) alone, or every column."
        )
    if not columns.starred and not columns.specs:
        raise cursor.unsupported("a table without columns", "Write (*) for those of the origin.")


def with_origin_columns(text: str, columns: Sequence[tuple[str, str]], key: Sequence[str]) -> str:
    """Write the columns (name, type) and the key of an origin where ``(*)`` is."""
    cursor = Cursor(tokenize(text), text)
    cursor.expect("CREATE")
    cursor.expect("TABLE")
    cursor.accept("IF NOT EXISTS")
    cursor.object_name()
    end = cursor.tokens[cursor.closing()].start
    start = cursor.tokens[cursor.at].end + 1
    listed = [f"{quoted(name)} {kind}" for name, kind in columns]
    listed.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    return f"{text[:start]}{', '.join(listed)}{text[end:]}"
