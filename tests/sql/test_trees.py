"""Copies of trees are equal to what they are of, and share no node with it."""

from __future__ import annotations

import pytest
from sqlglot import exp

from voltstream.sql.dialect import parse_expression, parse_query, store_sql, tokenize
from voltstream.sql.planning import replaced
from voltstream.sql.trees import copied

QUERY = (
    "WITH a AS (SELECT x, sum(y) FILTER (WHERE y > 1) AS s FROM t GROUP BY x)"
    " SELECT DISTINCT a.*, CASE WHEN s > 2 THEN x::text ELSE 'none' END,"
    " rank() OVER (PARTITION BY x ORDER BY s DESC), ARRAY[1, 2]"
    " FROM a LEFT JOIN u USING (x) WHERE EXISTS (SELECT 1 FROM v WHERE v.x = a.x)"
    " ORDER BY 1 LIMIT 3"
)


def test_a_copy_is_as_its_original_and_apart_from_it() -> None:
    tree = parse_query(tokenize(QUERY), QUERY)
    made = copied(tree)
    assert made == tree
    assert made.sql() == tree.sql() == tree.copy().sql()
    assert made.parent is None
    assert not {id(node) for node in made.walk()} & {id(node) for node in tree.walk()}
    for ours, theirs in zip(made.walk(), tree.copy().walk(), strict=True):
        assert (type(ours), ours.arg_key, ours.index) == (
            type(theirs), theirs.arg_key, theirs.index,
        )  # fmt: skip
        assert (ours.meta, ours.type) == (theirs.meta, theirs.type)
        assert ours.parent is None or ours in _children(ours.parent)


def _children(node: exp.Expr) -> list[exp.Expr]:
    return list(node.iter_expressions())


def test_what_is_replaced_leaves_the_original() -> None:
    text = "a + f(b, c) * CASE WHEN a > 1 THEN b ELSE 2 END"
    tree = parse_expression(tokenize(text), text)
    before = tree.sql()

    def visit(node: exp.Expression) -> exp.Expression | None:
        is_a = isinstance(node, exp.Column) and node.name == "a"
        return exp.Literal.number(9) if is_a else None

    made = replaced(tree, visit)
    assert made.sql() == "9 + F(b, c) * CASE WHEN 9 > 1 THEN b ELSE 2 END"
    assert tree.sql() == before


@pytest.mark.parametrize("name", ["plain", 'with "quotes"', "Ünicode", "line\nbreak", "1st"])
def test_a_column_is_printed_as_any_tree_is(name: str) -> None:
    column = exp.Column(this=exp.to_identifier(name, quoted=True))
    within = store_sql(exp.Paren(this=column.copy()))
    assert f"({store_sql(column)})" == within
