"""What the compiler needs to know of existing relations, through a port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from voltstream.core.schema import Schema


@dataclass(frozen=True, slots=True)
class Watermarked:
    """A column that follows watermarks: see ``sql.watermarks.Mark``, in DuckDB's words."""

    column: str
    sources: frozenset[int]
    closed: str
    reached: str
    idles: bool = False  # Follows the clock while its source is silent.


@dataclass(frozen=True, slots=True)
class Relation:
    """A named relation as the compiler sees it.

    Shape: ``columns`` are the public columns. ``stored`` is the DuckDB relation that holds the
    stable columns now (``_vs.src_12``, ``public.t``, ``_vs.mv_13_read``) and ``stable`` their
    names; ``volatile`` maps public columns to expressions (DuckDB SQL) over stable ones and
    ``_vs_now()``. ``delta`` is its temp delta relation (``d_12``). ``arrival`` says the stored and
    delta tables carry ``_rid``. ``kind``: source, table, materialized view, view.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: Schema
    stored: str
    delta: str
    append_only: bool
    arrival: bool = False
    key: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # of a view: the columns that it groups by
    stable: tuple[str, ...] = ()
    volatile: tuple[tuple[str, str], ...] = ()
    view_query: exp.Expression | None = None  # plain views are inlined
    watermarks: tuple[Watermarked, ...] = ()


class CatalogReader(Protocol):
    """Where names resolve."""

    def find(self, schema: str | None, name: str) -> Relation | None: ...


class TypeOracle(Protocol):
    """Tells the types of a DuckDB query without running it."""

    def describe(self, sql: str) -> Schema:
        """Raises: the mapped error of the binder (42703, 42883, 42804 …)."""
