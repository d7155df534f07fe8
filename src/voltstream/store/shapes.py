"""Types as a tree, for those who read values without the store."""

from __future__ import annotations

from typing import Any

from duckdb.sqltypes import DuckDBPyType


def shape_of(spelling: str) -> dict[str, Any]:
    """Return a type's kind and its parts, as JSON can carry them.

    Shape: ``{"kind": "integer"}``, ``{"kind": "list", "of": …}``, ``{"kind": "struct", "fields":
    [[name, …]]}``; JSON, which the store takes for text, is of kind ``json``; a decimal says its
    precision and scale.
    """
    return _shape(DuckDBPyType(spelling))


def _shape(found: DuckDBPyType) -> dict[str, Any]:
    kind = str(found.id)
    if str(found) == "JSON":
        return {"kind": "json"}
    if kind in ("list", "array"):
        (of,) = (part for name, part in _parts(found) if name == "child")
        return {"kind": "list", "of": _shape(of)}
    if kind == "struct":
        return {"kind": "struct", "fields": [[name, _shape(part)] for name, part in _parts(found)]}
    if kind == "decimal":
        return {"kind": kind, **dict(found.children)}
    return {"kind": kind}


def _parts(found: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, part) for name, part in found.children if isinstance(part, DuckDBPyType)]
