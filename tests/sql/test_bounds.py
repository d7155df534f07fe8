"""What a filter around a UNION says of the tables in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voltstream.sql.bounds import Bound, repointed
from voltstream.sql.dialect import parse_query, tokenize

COLUMNS = {"old": ["at", "kw"], "new": ["time", "power"]}


def bounded(query: str) -> dict[str, list[tuple[str, str | None]]]:
    """Return the columns of each table that a query bounds from below, and with what."""
    found: dict[str, list[tuple[str, str | None]]] = {}

    def choose(_: str, name: str, bounds: Callable[[frozenset[str]], list[Bound]]) -> str:
        made = bounds(frozenset(COLUMNS[name]))
        found[name] = [(one.column, one.low.name if one.low is not None else None) for one in made]
        return f"main.scan_{name}"

    tree = parse_query(tokenize(query), query)
    repointed(tree, choose, lambda _, name: COLUMNS.get(name))
    return found


@pytest.mark.parametrize(
    "sides",
    [
        "SELECT * FROM s.old UNION ALL SELECT * FROM s.new",
        "(SELECT * FROM s.old) UNION ALL (SELECT * FROM s.new)",
        "SELECT at, kw FROM s.old UNION ALL SELECT * FROM s.new AS n",
    ],
)
def test_a_filter_around_a_union_bounds_each_side_by_place(sides: str) -> None:
    query = f"SELECT count(*) FROM ({sides}) AS u WHERE at >= '2024-02-10'"
    assert bounded(query) == {"old": [("at", "2024-02-10")], "new": [("time", "2024-02-10")]}


def test_a_star_over_more_than_a_table_bounds_nothing() -> None:
    sides = "SELECT at, kw FROM s.old UNION ALL SELECT * FROM s.new, t"
    assert bounded(f"SELECT 1 FROM ({sides}) AS u WHERE at >= 'x'")["new"] == []
