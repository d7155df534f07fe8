"""How Flink's DDL is spelled: names, options, and columns with what they are kept as."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.references import referenced
from voltstream.core.schema import Column
from voltstream.core.types import DataType, Kind
from voltstream.deploy.drafting import bracketed, column_type, literal, quoted
from voltstream.deploy.objects import Deployed


def has_intervals(made: Deployed) -> bool:
    return any(column.type.kind is Kind.INTERVAL for column in made.relation.columns)


def hash_part(name: str, kind: str, count: int) -> str:
    """Return a column as part of a text that no other values make: texts tell their lengths."""
    if kind == "STRING" and count > 1:
        return f"COALESCE(CONCAT(CAST(CHAR_LENGTH({name}) AS STRING), ':', {name}), '\\N')"
    return f"COALESCE(CAST({name} AS STRING), '\\N')"


def flat(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


def ticked(name: str) -> str:
    return name if name.startswith("`") else quoted(name, "`")


def bootstrap(properties: Mapping[str, str]) -> str | None:
    """Return the brokers that are named; where they are a secret none are."""
    found = properties.get("properties.bootstrap.server") or properties.get(
        "properties.bootstrap.servers"
    )
    return found if found is None or referenced(found) is None else None


def with_options(options: Mapping[str, str]) -> str:
    return " WITH " + bracketed(
        [f"{literal(name)} = {literal(text)}" for name, text in options.items()]
    )


def kept_type(column: Column) -> DataType:
    """Return what a column is kept as: a numeric of no precision as the store has it."""
    told = column_type(column)
    bare = told.kind is Kind.NUMERIC and told.precision is None
    return column.type if bare else told


def pg_type(column: Column) -> str:
    kind = column_type(column)
    if kind.kind is Kind.INTERVAL:
        return "bigint"  # Of microseconds.
    if kind.kind in (Kind.JSON, Kind.JSONB):
        return "text"  # A record has their text, as a string.
    if kind.precision is not None and kind.scale is not None:
        return f"numeric({kind.precision},{kind.scale})"
    return kind.pg_name
