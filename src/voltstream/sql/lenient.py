"""Queries for which a value that cannot be computed is NULL: batch_expr_strict_mode = false."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.expressions import spell
from voltstream.sql.faults import guarded, guarded_call
from voltstream.sql.translate import translated_tree

# The store cannot try these; what is below them is tried by itself.
_UNTRIED = (exp.AggFunc, exp.Window, exp.Explode, exp.Query, exp.Star)


def lenient_query(
    tree: exp.Expression,
    catalog: CatalogReader,
    oracle: TypeOracle,
    parameters: Sequence[object | None],
) -> str:
    """Return DuckDB SQL as translate_query, with values, conditions and operands tried."""
    translated = translated_tree(tree, catalog, oracle, parameters, stable_now=False)
    for select in list(translated.find_all(exp.Select)):
        for item in select.expressions:
            _try(item.unalias())
        for key in ("where", "having"):
            clause = select.args.get(key)
            if clause is not None:
                _try(clause.this)
    return spell(translated)


def _try(value: exp.Expression) -> None:
    if value.find(exp.Query):
        return
    if not value.find(*_UNTRIED):
        value.replace(guarded(value.copy()))
        return
    for found in list(value.find_all(exp.AggFunc)):
        if isinstance(found, exp.Expression) and found.find_ancestor(exp.AggFunc) is None:
            found.replace(guarded_call(found))
