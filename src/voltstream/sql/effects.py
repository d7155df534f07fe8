"""Functions of a select list that act: pg_notify(), set_config() and those on alerts.

They stand in the outermost select list, where each row calls them once and in order. The query
then gives their arguments in their place, and the session acts on each.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, UndefinedFunction
from voltstream.sql.statements import Query

_ASKED = "current_setting"  # Behind a change in the same list, it tells what was changed.
# The fewest and the most arguments of each.
_ARITY = {
    "pg_notify": (2, 2), "set_config": (3, 3), "acknowledge_alert": (1, 2),
    "unacknowledge_alert": (1, 1), "comment_alert": (2, 2),
    _ASKED: (1, 1),
}  # fmt: skip
ON_ALERTS = frozenset(name for name in _ARITY if name.endswith("_alert"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectQuery(Query):
    """A query with effects: (place in the select list, function)."""

    effects: tuple[tuple[int, str], ...]

    @property
    def writes(self) -> bool:
        """Tell whether it changes more than its session."""
        return any(name in ON_ALERTS for _, name in self.effects)


def with_effects(query: Query) -> Query:
    """Return the query as one with effects, if it has any.

    Raises: FeatureNotSupported where such a call stands elsewhere, UndefinedFunction (42883).
    """
    tree = query.tree
    if not any(map(_is_effect, _calls(tree))):
        return query
    tree = tree.copy()
    effects: list[tuple[int, str]] = []
    for place, item in enumerate(tree.expressions if isinstance(tree, exp.Select) else ()):
        call = item.unalias()
        if not _is_effect(call) and not (effects and _asks(call)):
            continue
        name = call.name.lower()
        fewest, most = _ARITY[name]
        if not fewest <= len(call.expressions) <= most:
            raise UndefinedFunction(f"function {name} does not exist with so many arguments")
        texts = [exp.cast(part.copy(), "TEXT") for part in call.expressions]
        item.replace(exp.alias_(exp.Array(expressions=texts), item.alias or name, quoted=True))
        effects.append((place, name))
    left = next(filter(_is_effect, _calls(tree)), None)
    if left is not None:
        raise FeatureNotSupported(
            f"{left.name.lower()}() is supported in the select list of a query only"
        )
    return EffectQuery(text=query.text, offset=query.offset, tree=tree, effects=tuple(effects))


def _calls(tree: exp.Expression) -> list[exp.Anonymous]:
    return list(tree.find_all(exp.Anonymous))


def _is_effect(node: exp.Expression) -> bool:
    return _named(node) in _ARITY and _named(node) != _ASKED


def _asks(node: exp.Expression) -> bool:
    return _named(node) == _ASKED and len(node.expressions) == 1


def _named(node: exp.Expression) -> str:
    return node.name.lower() if isinstance(node, exp.Anonymous) else ""
