"""Aggregates in Flink that are the fields of one row of the group: MAX(ROW(…)), max_by, min_by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.expressions import all_of
from voltstream.sql.plan import Aggregate, SortKey
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_first import first_row
from voltstream.sql.targets.flink_packs import packed, sortable, unpacked
from voltstream.sql.targets.flink_text import inner
from voltstream.sql.targets.keys import never_null
from voltstream.sql.targets.words import RECORD, Sight, Tree, bare, call


@dataclass(frozen=True)
class Pick:
    """The row of a group that comes first: by ``order``, of those that ``tested`` holds of."""

    name: str
    shown: tuple[Tree, ...]
    order: tuple[Tree, ...]
    descending: bool
    tested: tuple[Tree, ...] = ()
    is_record: bool = False


def pick_of(name: str, tree: Tree) -> Pick | None:
    """Return what a call picks its row by; None for an aggregate over all rows."""
    tested: tuple[Tree, ...] = ()
    made = bare(tree)
    if isinstance(made, exp.Filter):
        tested, made = (made.expression.this,), bare(made.this)
    if isinstance(made, exp.Max):
        record = _untried(made.this)
        if isinstance(record, exp.Anonymous) and record.name.lower() == "row":
            fields = tuple(record.expressions)
            return Pick(name, fields, fields, True, tested, True)
        return None
    by = _by(made)
    if by:
        there = tuple(exp.Not(this=exp.Is(this=one.copy(), expression=exp.Null())) for one in by)
        down = "max" in made.name.lower() or isinstance(made, exp.ArgMax)
        return Pick(name, (by[0],), (by[1],), down, (*tested, *there))
    return None


def _by(tree: Tree) -> tuple[Tree, ...]:
    """Return what max_by or min_by shows, and what it goes by; nothing for other calls."""
    if isinstance(tree, exp.ArgMax | exp.ArgMin):
        return tree.this, tree.expression
    named = isinstance(tree, exp.Anonymous | exp.AnonymousAggFunc)
    if named and tree.name.lower() in ("arg_max", "arg_min", "max_by", "min_by"):
        return tuple(tree.expressions[:2])
    return ()


def _untried(tree: Tree) -> Tree:
    tree = bare(tree)
    if isinstance(tree, exp.Anonymous) and tree.name.lower() == "try":
        return bare(tree.expressions[0])
    return tree


def picked(composer: Composer, plan: Aggregate) -> Block | None:
    """Return the groups of a plan with fields of single rows; None where it has none of these."""
    found = {name: pick_of(name, tree) for name, tree in plan.calls}
    picks = [pick for pick in found.values() if pick is not None]
    if not picks:
        return None
    composer.words.remarks.meet(Feature.ARG_MAX)
    texts = _texts(composer, plan, picks)
    if texts is not None:
        return texts
    rest = tuple((name, tree) for name, tree in plan.calls if found[name] is None)
    groups = Aggregate(plan.child, plan.groups, rest, plan.exact)
    left = _cte(composer, composer.grouped(groups))
    select = exp.Select().from_(_named(left, "a"))
    names = {name: _of("a", name) for name in (*plan.groups, *(name for name, _ in rest))}
    sure = never_null(plan.child)
    for number, pick in enumerate(picks):
        alias = f"w{number}"
        row = _cte(composer, _top(composer, plan, pick))
        parts: list[Tree] = []
        for name in plan.groups:
            sign = exp.EQ if name in sure else exp.NullSafeEQ
            parts.append(sign(this=_of("a", name), expression=_of(alias, name)))
        on = all_of(parts) if parts else exp.true()
        select.join(_named(row, alias), on=on, join_type="left", copy=False)
        fields = [_of(alias, f"_f{place}") for place in range(len(pick.shown))]
        names[pick.name] = call(RECORD, *fields) if pick.is_record else fields[0]
    return Block(select, names)


def _texts(composer: Composer, plan: Aggregate, picks: Sequence[Pick]) -> Block | None:
    """Write max_by and min_by as the greatest text; None where an order has no such text."""
    if any(pick.is_record or len(pick.order) > 1 for pick in picks):
        return None
    block = composer.open(composer.block(plan.child))
    sight = Sight(block.names, Typer(composer.oracle, plan.child).of)
    if any(sortable(composer.words, pick.order[0], sight) is None for pick in picks):
        return None
    named = {pick.name: pick for pick in picks}
    names = dict(block.names)
    for name, pick in named.items():
        place = sortable(composer.words, pick.order[0], sight)
        tested = " AND ".join(inner(composer.words.tree(one, sight)) for one in pick.tested)
        text = packed(composer.words, str(place), [composer.words.tree(pick.shown[0], sight)])
        names[name] = exp.Var(this=f"CASE WHEN {tested} THEN {text} END")
    below = composer.nested(Block(block.select, names, block.closed))
    sight = Sight(below.names, sight.type_of)
    shown = {name: below.names[name] for name in plan.groups}
    for tree in shown.values():
        below.select.group_by(tree.copy(), copy=False)
    made = dict(shown)
    for name, tree in plan.calls:
        if name not in named:
            made[name] = composer.words.tree(tree, sight)
            continue
        function = "MAX" if named[name].descending else "MIN"
        kind = sight.type_of(named[name].shown[0])
        made[name] = unpacked(composer.words, f"{function}(`{name}`)", 1, kind)
    return Block(below.select, made, closed=True)


def _top(composer: Composer, plan: Aggregate, pick: Pick) -> Block:
    block = composer.open(composer.block(plan.child))
    sight = Sight(block.names, Typer(composer.oracle, plan.child).of)
    names = {name: block.names[name] for name in plan.groups}
    orders = []
    for place, tree in enumerate(pick.shown):
        names[f"_f{place}"] = composer.words.tree(tree, sight)
    for place, tree in enumerate(pick.order):
        if pick.is_record:
            # A record with NULL in a field is greater than one without.
            orders.append(SortKey(f"_f{place}", True, True))
        else:
            names["_by"] = composer.words.tree(tree, sight)
            orders.append(SortKey("_by", pick.descending, False))
    for tree in pick.tested:
        block.select.where(bare(composer.words.tree(tree, sight)), copy=False)
    block = composer.nested(Block(block.select, names))
    made = first_row(composer, block, plan.groups, tuple(orders))
    return Block(made.select, {name: made.names[name] for name in names})


def _cte(composer: Composer, block: Block) -> str:
    name = composer.fresh("g")
    composer.ctes.append((name, block.query()))
    return name


def _named(name: str, alias: str) -> exp.Table:
    return exp.Table(
        this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias))
    )


def _of(alias: str, name: str) -> Tree:
    return exp.column(name, table=alias, quoted=True)
