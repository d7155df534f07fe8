"""Copies of trees: the planner makes hundreds of each view's."""

from __future__ import annotations

from typing import TypeVar

from sqlglot import exp

E = TypeVar("E", bound=exp.Expr)


def copied(tree: E) -> E:
    """Return a copy of a tree, which has no parent.

    Law: as sqlglot's own, but types and places in the text, which nobody changes, are not copied
    anew with each node: a third of the cost.
    """
    root = shallow(tree)
    rest: list[tuple[exp.Expr, exp.Expr]] = [(tree, root)]
    while rest:
        node, copy = rest.pop()
        for key, value in node.args.items():
            if isinstance(value, exp.Expr):
                child = shallow(value)
                child.parent, child.arg_key = copy, key
                copy.args[key] = child
                rest.append((value, child))
            elif type(value) is list:
                copy.args[key] = [
                    _member(one, copy, key, place, rest) for place, one in enumerate(value)
                ]
            else:
                copy.args[key] = value
    return root


def _member(
    one: object, above: exp.Expr, key: str, place: int, rest: list[tuple[exp.Expr, exp.Expr]]
) -> object:
    if not isinstance(one, exp.Expr):
        return one
    child = shallow(one)
    child.parent, child.arg_key, child.index = above, key, place
    rest.append((one, child))
    return child


def shallow(node: E) -> E:
    """Return a copy of the node alone: what is below it is still to be set."""
    made = node.__class__()
    if node.comments is not None:
        made.comments = list(node.comments)
    made._type = node._type
    if node._meta is not None:
        made._meta = dict(node._meta)
    return made
