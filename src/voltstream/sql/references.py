"""Foreign keys as they are declared. They are told to tools and never enforced: streams bring
children before parents.
"""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.sql.cursor import Cursor
from voltstream.sql.statements import Reference

_ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")


def parse_reference(cursor: Cursor, columns: Sequence[str], name: str | None) -> Reference:
    """Parse what follows REFERENCES. Raises: SyntaxFault (42601)."""
    table = cursor.object_name()
    targets = cursor.name_list() if cursor.sees("(") else ()
    on_delete = on_update = _ACTIONS[0]
    is_full = False
    while True:
        if cursor.accept("MATCH"):
            is_full = cursor.sees("FULL")
            cursor.advance()
        elif cursor.accept("ON DELETE"):
            on_delete = _action(cursor)
        elif cursor.accept("ON UPDATE"):
            on_update = _action(cursor)
        elif cursor.accept("INITIALLY"):
            cursor.advance()
        elif not (cursor.accept("DEFERRABLE") or cursor.accept("NOT DEFERRABLE")):
            break
    return Reference(tuple(columns), table, targets, on_delete, on_update, is_full, name)


def _action(cursor: Cursor) -> str:
    for words in _ACTIONS:
        if cursor.accept(words):
            return words
    raise cursor.fault(hint=f"Write one of {', '.join(_ACTIONS)}.")
