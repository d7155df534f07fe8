"""What clients are told of a column's type."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from voltstream.core.schema import Column
from voltstream.core.types import DataType, Kind, from_store


def column_type(column: Column) -> DataType:
    """Return the type of a column as clients know it."""
    return column.told or wire_type(column.store_type)


@lru_cache(4096)
def wire_type(store_type: str) -> DataType:
    """Return the type of a column as the store spells it.

    Its unsigned integers are object identifiers. It has one type of strings: drivers know
    text[] by heart and ask the catalog what varchar[] is, and in a query whose columns are such
    arrays asyncpg would ask for ever.
    """
    found = from_store(store_type)
    if store_type.startswith("UINTEGER"):
        return replace(found, kind=Kind.OID)
    if found.array_depth and found.kind is Kind.VARCHAR:
        return replace(found, kind=Kind.TEXT)
    return found
