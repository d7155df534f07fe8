"""A definition's query as the text of a target."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.schema import Column
from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import CatalogReader, Relation, TypeOracle
from voltstream.sql.emitter import stable_root
from voltstream.sql.expressions import is_now, mentions_now
from voltstream.sql.plan import (
    Plan,
    Project,
    append_only,
    relations,
)
from voltstream.sql.planner import Planner
from voltstream.sql.planning import replaced
from voltstream.sql.pruning import pruned
from voltstream.sql.scope import Typer
from voltstream.sql.targets import keys
from voltstream.sql.targets.compose import Composer, follows_clock
from voltstream.sql.targets.features import Feature, Refusal, Remark, Remarks, Verdicts
from voltstream.sql.targets.words import Sight, Tree, Words, bare

_PLAIN = re.compile(r"[a-z][a-z0-9]*_[a-z0-9_]*|[a-z]{1,2}[0-9]+")
_WORDS = frozenset({"session_user", "system_user", "system_time", "row_number", "dense_rank"})
PlaceOf = Callable[[Relation], tuple[str, ...]]
Items = tuple[tuple[str, Tree], ...]


@dataclass(frozen=True)
class Dialect:
    """How one target is written."""

    name: str
    verdicts: Verdicts
    words: type[Words]
    composer: type[Composer]


@dataclass(frozen=True)
class BoundQuery:
    """A query with its plan: what is kept, and what NOW() makes of it when it is read."""

    plan: Plan
    kept: Items
    volatile: Items
    public: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        return relations(self.plan)

    @property
    def append_only(self) -> bool:
        return append_only(self.plan)

    @property
    def follows_clock(self) -> bool:
        return follows_clock(self.plan)


@dataclass(frozen=True)
class Rendered:
    """``query`` gives the kept columns; ``shown`` are the public ones over these."""

    query: str
    columns: tuple[Column, ...]
    shown: tuple[tuple[str, str], ...]
    remarks: tuple[Remark, ...]


def bound(
    query: exp.Expression,
    column_names: Sequence[str],
    catalog: CatalogReader,
    oracle: TypeOracle,
    *,
    frozen_now: bool = False,
) -> BoundQuery:
    """Plan a query. Raises: NotIncremental (0A000), the binder's errors.

    ``frozen_now`` puts NULL in the place of NOW() in what is shown.
    """
    planned = Planner(catalog, oracle).plan(query.copy())
    items = [
        (column_names[place] if place < len(column_names) else name, tree)
        for place, (name, tree) in enumerate(planned.items)
    ]
    if frozen_now:
        items = [(name, replaced(tree, _without_now)) for name, tree in items]
    plan = pruned(planned.plan, items)
    plan, kept, volatile = stable_root(plan, items)
    described = oracle.describe(batch_sql(Project(plan, tuple(kept))))
    return BoundQuery(
        plan, tuple(kept), tuple(volatile), tuple(name for name, _ in items), tuple(described)
    )


def shows_now(query: exp.Expression, catalog: CatalogReader, oracle: TypeOracle) -> bool:
    """Tell whether what a query shows follows the clock."""
    planned = Planner(catalog, oracle).plan(query.copy())
    return any(mentions_now(tree) for _, tree in planned.items)


def _without_now(node: Tree) -> Tree | None:
    return exp.cast(exp.Null(), "TIMESTAMPTZ") if is_now(node) else None


def render(made: BoundQuery, dialect: Dialect, oracle: TypeOracle, place: PlaceOf) -> Rendered:
    """Write a bound query. Raises: features.Refusal."""
    remarks = Remarks(dialect.verdicts)
    words = dialect.words(remarks)
    composer = dialect.composer(words, oracle, lambda relation: _table(place(relation)))
    tree = composer.query(made.plan, made.kept)
    if made.volatile:
        remarks.meet(Feature.SHOWN_NOW)
    lookup = dict(made.volatile)
    sight = _sight(made, oracle)
    shown = tuple((name, _text(_told(name, lookup, words, sight), words)) for name in made.public)
    return Rendered(_text(tree, words, pretty=True), made.columns, shown, tuple(remarks.found))


def shown_as(
    made: BoundQuery, dialect: Dialect, oracle: TypeOracle
) -> tuple[tuple[str, str | None], ...]:
    """Return the public columns over the kept ones; None for what the target cannot spell."""
    words, lookup, sight = dialect.words(Remarks(dialect.verdicts)), dict(made.volatile), None
    found: list[tuple[str, str | None]] = []
    for name in made.public:
        if name not in lookup:
            found.append((name, _text(exp.to_identifier(name, quoted=True), words)))
            continue
        sight = sight or _sight(made, oracle)
        try:
            found.append((name, _text(_told(name, lookup, words, sight), words)))
        except Refusal:
            found.append((name, None))
    return tuple(found)


def never_null(made: BoundQuery) -> frozenset[str]:
    """Return kept columns that a filter, a key or a window keeps from being NULL."""
    known = keys.never_null(made.plan)
    return frozenset(
        name for name, tree in made.kept if isinstance(tree, exp.Column) and tree.name in known
    )


def plain(made: BoundQuery, views: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """Return kept columns that are NULL only where a source's or a table's own column is."""
    return keys.plain(Project(made.plan, made.kept), views)


def _told(name: str, lookup: dict[str, Tree], words: Words, sight: Sight) -> Tree:
    if name not in lookup:
        return exp.to_identifier(name, quoted=True)
    return bare(words.tree(lookup[name], sight))


def _sight(made: BoundQuery, oracle: TypeOracle) -> Sight:
    names = {name: exp.column(name, quoted=True) for name, _ in made.kept}
    return Sight(names, Typer(oracle, Project(made.plan, made.kept)).of)


def _table(parts: tuple[str, ...]) -> exp.Table:
    names = [exp.to_identifier(part, quoted=True) for part in parts]
    return exp.Table(this=names[-1], db=names[-2] if len(names) > 1 else None)


def _text(tree: Tree, words: Words, *, pretty: bool = False) -> str:
    return plain_names(tree).sql(dialect=words.dialect, pretty=pretty, comments=False)


def plain_names(tree: Tree) -> Tree:
    """Take the quotes from names that no target reads as a word of its own."""

    def visit(node: Tree) -> Tree:
        if isinstance(node, exp.Identifier) and node.args.get("quoted") and is_plain(node.name):
            return exp.to_identifier(node.name, quoted=False)
        return node

    return tree.transform(visit)


def is_plain(name: str) -> bool:
    """Tell whether a name needs no quotes in any target: lower case and more than one word."""
    if name in _WORDS or name.startswith("current_"):
        return False
    return _PLAIN.fullmatch(name) is not None


def unique_key(made: BoundQuery) -> tuple[str, ...]:
    """Return kept columns that no two rows have alike; none where none are known."""
    names = keys.key_of(made.plan)
    if names is None:
        return ()
    shown = {tree.name: name for name, tree in reversed(made.kept) if isinstance(tree, exp.Column)}
    return tuple(shown[name] for name in names) if set(names) <= set(shown) else ()
