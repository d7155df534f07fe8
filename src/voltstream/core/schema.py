"""Columns and schemas."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.types import DataType, from_store


@dataclass(frozen=True, slots=True)
class Column:
    """A named, typed column.

    Shape: ``store_type`` is the store's own spelling; ``told`` is what clients are told where the
    store has one type for several of PostgreSQL's.
    """

    name: str
    store_type: str
    not_null: bool = False
    default_sql: str | None = None
    told: DataType | None = None

    @property
    def type(self) -> DataType:
        return from_store(self.store_type)


Schema = tuple[Column, ...]
