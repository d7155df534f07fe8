"""What follows from order in Flink: ASOF joins, LAG and LEAD, running totals.

Flink keeps OVER windows up to the current row over one ascending column exactly, corrections of
their input included (2.3: but LAG fails on these, and LEAD is not there). So the nearest row is
the running maximum of rows packed as text, and each input is read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.types import DataType
from voltstream.sql.expressions import column
from voltstream.sql.plan import AsofJoin, Over, Plan, SortKey
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_changes import changing, united
from voltstream.sql.targets.flink_first import first_row
from voltstream.sql.targets.flink_packs import number_text, packed, sortable, unpacked
from voltstream.sql.targets.flink_text import inner, spelled
from voltstream.sql.targets.flink_times import micros
from voltstream.sql.targets.keys import key_of, never_null
from voltstream.sql.targets.words import INTEGERS, MOMENTS, Sight, Tree, bare

_LAST, _FIRST = 2_305_843_009_213_693_951, -9_223_372_036_854_775_807
_AT, _PLACE, _OTHER, _HIT, _PACK = "_at", "_place", "_other", "_hit", "_pack"
_FRAMES = {
    ("UNBOUNDED PRECEDING", "CURRENT ROW"): (False, False),
    ("UNBOUNDED PRECEDING", "1 PRECEDING"): (False, True),
    ("CURRENT ROW", "UNBOUNDED FOLLOWING"): (True, False),
    ("1 FOLLOWING", "UNBOUNDED FOLLOWING"): (True, True),
}
Call = tuple[str, exp.Window]


def asof(composer: Composer, plan: AsofJoin) -> Block:
    """Give each row of the left side the nearest row of the right one."""
    composer.words.remarks.meet(Feature.ASOF_JOIN)
    newest, inclusive = plan.sign in (">", ">="), plan.sign.endswith("=")
    # Of rows at one instant the lesser comes first.
    sides = (1, 0) if inclusive else (0, 1)
    marks = tuple(f"_k{number}" for number in range(len(plan.keys)))
    factor = 2 if newest else -2
    left = _keyed(composer, plan.left, [key.left for key in plan.keys], plan.left_time)
    right = _nearest_candidates(composer, plan, marks)
    types, own = Typer(composer.oracle, plan.left), plan.left.columns
    absent = {n: composer.words.cast(exp.Null(), types.of(column(n))) for n in own}
    text = exp.Var(this="CAST(NULL AS STRING)")
    listed = {mark: column(mark) for mark in marks}
    place = [exp.Var(this=f"COALESCE({factor} * `{_AT}` + {side}, {_FIRST})") for side in sides]
    one = {name: left.names[name] for name in own} | listed
    one |= {_PLACE: place[0], _OTHER: exp.Literal.number(0), _PACK: text}
    fields = [right.names[name] for name in plan.right.columns]
    pack = exp.Var(this=packed(composer.words, number_text(f"`{_AT}`"), fields))
    two: dict[str, Tree] = {**absent, **listed}
    two |= {_PLACE: place[1], _OTHER: exp.Literal.number(1), _PACK: pack}
    rows, nearest = Block(left.select, one).query(), Block(right.select, two).query()
    both, by = united(composer, rows, nearest, names=tuple(one)), _by(marks)
    hit = exp.Var(this=f"{'MAX' if newest else 'MIN'}(`{_PACK}`) OVER ({by}ORDER BY `{_PLACE}`)")
    names: dict[str, Tree] = {name: column(name) for name in (*own, _OTHER)}
    block = composer.nested(Block(both.select, names | {_HIT: hit}, closed=True))
    block.select.where(_is(_OTHER, 0), copy=False)
    if not plan.outer:
        absent_hit = exp.Is(this=column(_HIT), expression=exp.Null())
        block.select.where(exp.Not(this=absent_hit), copy=False)
    kinds = Typer(composer.oracle, plan.right)
    found = {name: kinds.of(column(name)) for name in plan.right.columns}
    return changing(composer, _with_nearest(composer, block, own, found), plan)


def _with_nearest(
    composer: Composer, block: Block, own: Sequence[str], fields: Mapping[str, DataType]
) -> Block:
    """Return columns of a block with the fields of the row that was found.

    They come out of an array of one record: as expressions they would be written out wherever they
    are read, and again wherever that is read.
    """
    unpacks = [
        unpacked(composer.words, f"`{_HIT}`", number, kind).name
        for number, kind in enumerate(fields.values(), 1)
    ]
    alias = exp.TableAlias(
        this=exp.to_identifier(composer.fresh("n")),
        columns=[exp.to_identifier(name, quoted=True) for name in fields],
    )
    record = exp.Table(this=exp.Var(this=f"UNNEST(ARRAY[ROW({', '.join(unpacks)})])"), alias=alias)
    below = composer.nested(Block(block.select, {name: column(name) for name in (*own, _HIT)}))
    below.select.join(record, join_type="cross", copy=False)
    return composer.nested(Block(below.select, {name: column(name) for name in (*own, *fields)}))


def _nearest_candidates(composer: Composer, plan: AsofJoin, marks: tuple[str, ...]) -> Block:
    """Return the right side: with a time, with keys, and of equal ones the first by ``ties``."""
    right = _keyed(composer, plan.right, [key.right for key in plan.keys], plan.right_time)
    for name in (_AT, *marks):
        absent = exp.Is(this=column(name), expression=exp.Null())
        right.select.where(exp.Not(this=absent), copy=False)
    named = {key.right.name for key in plan.keys if isinstance(key.right, exp.Column)}
    if isinstance(plan.right_time, exp.Column):
        named |= {plan.right_time.name}
    known = key_of(plan.right)
    if known is not None and set(known) <= named:
        return right
    sorts = tuple(SortKey(name, False, False) for name in plan.ties)
    right = composer.nested(right)
    return first_row(composer, right, (*marks, _AT), sorts or (SortKey(_AT, False, False),))


def _keyed(composer: Composer, plan: Plan, keys: Sequence[Tree], time: Tree) -> Block:
    """Return a side with its keys and its time as columns."""
    block = composer.open(composer.block(plan))
    sight = Sight(block.names, Typer(composer.oracle, plan).of)
    names = dict(block.names)
    for number, key in enumerate(keys):
        names[f"_k{number}"] = composer.words.tree(key, sight)
    kind = sight.type_of(time).kind
    if kind not in MOMENTS | INTEGERS:
        composer.words.remarks.meet(Feature.FUNCTION, "ASOF by what is no time or integer")
    moment = kind in MOMENTS
    at = micros(composer.words, time, sight) if moment else inner(composer.words.tree(time, sight))
    names[_AT] = exp.Var(this=at)
    return composer.nested(Block(block.select, names, block.closed))


def over(composer: Composer, plan: Over) -> Block:
    """Write window calls, those of one order after those of another."""
    composer.words.remarks.meet(Feature.OVER)
    block = composer.nested(composer.open(composer.block(plan.child)))
    typer = Typer(composer.oracle, plan.child)
    orders: dict[str, list[Call]] = {}
    for name, tree in plan.calls:
        call = bare(tree)
        if not isinstance(call, exp.Window):
            composer.words.remarks.meet(Feature.FUNCTION, "this window call")
            continue
        order = call.args.get("order")
        orders.setdefault(order.sql() if order is not None else "", []).append((name, call))
    for calls in orders.values():
        block = _Ordered(composer, plan, typer).add(block, calls)
    return changing(composer, block, plan)


@dataclass
class _Ordered:
    """Calls of one partition and order."""

    composer: Composer
    plan: Over
    typer: Typer

    def add(self, block: Block, calls: Sequence[Call]) -> Block:
        order = calls[0][1].args.get("order")
        if order is None:
            return self._whole(block, calls)
        shown = list(block.names)
        sight = Sight(block.names, self.typer.of)
        placed = block.names | {_AT: exp.Var(this=self._place(order, sight))}
        block = self.composer.nested(Block(block.select, placed, block.closed, block.single))
        frames: dict[tuple[bool, bool], list[Call]] = {}
        for name, call in calls:
            frames.setdefault(self._frame(call, order), []).append((name, call))
        for (onwards, others), these in frames.items():
            block = self._running(block, these, order, onwards=onwards, others=others)
            shown += [name for name, _ in these]
        return Block(block.select, {name: block.names[name] for name in shown})

    def _running(
        self, block: Block, calls: Sequence[Call], order: exp.Order, *, onwards: bool, others: bool
    ) -> Block:
        """Write running totals: ``onwards`` from the row on, ``others`` without the row itself."""
        composer, number = self.composer, self._is_number(order)
        if onwards and not number:
            composer.words.remarks.meet(Feature.FUNCTION, "a window to the end ordered by text")
        shown, sign = list(block.names), "-" if onwards else ""
        if others:
            block = self._doubled(block, "0" if number else "''")
            at = f"{sign}2 * `{_AT}` + `{_OTHER}`"
            at = at if number else f"CONCAT(`{_AT}`, CAST(`{_OTHER}` AS STRING))"
        else:
            at = f"{sign}`{_AT}`"
        block = composer.nested(Block(block.select, block.names | {_PLACE: exp.Var(this=at)}))
        sight = Sight(block.names, self.typer.of)
        made: dict[str, Tree] = {}
        near = [(name, call) for name, call in calls if isinstance(call.this, exp.Lag | exp.Lead)]
        within = f"OVER ({_by(self.plan.partition)}ORDER BY `{_PLACE}`)"
        for name, call in calls:
            if (name, call) not in near:
                told = composer.words.tree(_counted(call.this), sight)
                told = _only_others(told) if others else told
                made[name] = exp.Var(this=f"{spelled(told)} {within}")
        if near:
            fields = [composer.words.tree(call.this.this, sight) for _, call in near]
            place = number_text(f"`{_AT}`") if number else f"`{_AT}`"
            text = packed(composer.words, place, fields)
            other = f"CASE WHEN `{_OTHER}` = 1 THEN {text} END"
            made[_HIT] = exp.Var(this=f"{'MIN' if onwards else 'MAX'}({other}) {within}")
        block = composer.nested(Block(block.select, block.names | made, closed=True))
        if others:
            block.select.where(_is(_OTHER, 0), copy=False)
        names = [name for name in (*shown, *made) if name != _HIT]
        if not near:
            return composer.nested(Block(block.select, {name: block.names[name] for name in names}))
        kinds = {name: self.typer.of(call.this.this) for name, call in near}
        return _with_nearest(composer, block, names, kinds)

    def _doubled(self, block: Block, some: str) -> Block:
        """Return each row twice: as itself, and behind it as one of the others."""
        block = self.composer.nested(block)
        alias = exp.TableAlias(
            this=exp.to_identifier(self.composer.fresh("s")),
            columns=[exp.to_identifier(_OTHER, quoted=True)],
        )
        # An array that is the same for all would be joined on one task, with all rows in its state.
        pair = f"UNNEST(ARRAY[0, IF(`{_AT}` = {some}, 1, 1)])"
        block.select.join(exp.Table(this=exp.Var(this=pair), alias=alias), join_type="cross",
                          copy=False)  # fmt: skip
        return Block(block.select, block.names | {_OTHER: column(_OTHER)})

    def _frame(self, call: exp.Window, order: exp.Order) -> tuple[bool, bool]:
        """Return whether a frame runs onwards, and whether it leaves out its own row."""
        meet, function, spec = (
            self.composer.words.remarks.meet, call.this, call.args.get("spec"),
        )  # fmt: skip
        if isinstance(function, exp.Lag | exp.Lead):
            offset = function.args.get("offset")
            if (offset is not None and offset.name != "1") or function.args.get("default"):
                meet(Feature.FUNCTION, "LAG or LEAD by more than one row")
            self._sure(order)
            return isinstance(function, exp.Lead), True
        known = exp.Sum | exp.Count | exp.Min | exp.Max | exp.Avg | exp.RowNumber
        if not isinstance(function, known):
            meet(Feature.FUNCTION, f"{function.sql_name().lower()} as a window function")
        if spec is None:
            if isinstance(function, exp.RowNumber):
                self._sure(order)
            return False, False
        found = _FRAMES.get((_end(spec, "start"), _end(spec, "end")))
        if found is None:
            meet(Feature.FUNCTION, "a window frame of some rows")
        if str(spec.args.get("kind")) == "ROWS":
            self._sure(order)
        return found or (False, False)

    def _sure(self, order: exp.Order) -> None:
        """Say so where rows of a partition may be alike in their order."""
        known = key_of(self.plan.child)
        by = {one.this.name for one in order.expressions if isinstance(one.this, exp.Column)}
        if known is None or not set(known) <= by | set(self.plan.partition):
            self.composer.words.remarks.meet(Feature.OVER_TIES)

    def _is_number(self, order: exp.Order) -> bool:
        """Tell whether a place is a number: of one time or integer, and truth values behind it."""
        kinds = [self.typer.of(one.this).kind.name for one in order.expressions]
        numbers = {kind.name for kind in MOMENTS | INTEGERS}
        return kinds[0] in numbers and all(kind == "BOOL" for kind in kinds[1:])

    def _place(self, order: exp.Order, sight: Sight) -> str:
        """Spell where a row stands: a number, or text that sorts as the order does."""
        words = self.composer.words
        if self._is_number(order):
            one, *flags = order.expressions
            moment = sight.type_of(one.this).kind in MOMENTS
            at = micros(words, one.this, sight) if moment else inner(words.tree(one.this, sight))
            at = f"-{at}" if one.args.get("desc") else at
            for flag in flags:
                up, down = (0, 1) if flag.args.get("desc") else (1, 0)
                told = inner(words.tree(flag.this, sight))
                at = f"({at} * 2 + CASE WHEN {told} THEN {up} ELSE {down} END)"
            return f"COALESCE({at}, {'-' if one.args.get('nulls_first') else ''}{_LAST})"
        parts = []
        for one in order.expressions:
            if one.args.get("desc") or one.args.get("nulls_first"):
                words.remarks.meet(Feature.FUNCTION, "a window of several columns that descend")
            text = sortable(words, one.this, sight)
            if text is None:
                words.remarks.meet(Feature.FUNCTION, "a window ordered by such a type")
            parts.append(f"COALESCE({text}, '~')")
        return f"CONCAT({', '.join(parts)})"

    def _whole(self, block: Block, calls: Sequence[Call]) -> Block:
        """Join each row with what its whole partition comes to."""
        for _, call in calls:
            if not isinstance(call.this, exp.Sum | exp.Count | exp.Min | exp.Max | exp.Avg):
                name = call.this.sql_name().lower()
                self.composer.words.remarks.meet(Feature.FUNCTION, f"{name} without an order")
        rows = self.composer.fresh("p")
        self.composer.ctes.append((rows, block.query()))
        sight = Sight({name: column(name) for name in block.names}, self.typer.of)
        groups: dict[str, Tree] = {name: column(name) for name in self.plan.partition}
        select = exp.Select().from_(exp.Table(this=exp.to_identifier(rows)))
        for tree in groups.values():
            select.group_by(tree.copy(), copy=False)
        made = {name: self.composer.words.tree(call.this, sight) for name, call in calls}
        totals = Block(select, groups | made, closed=True).query()
        source = exp.Table(
            this=exp.to_identifier(rows), alias=exp.TableAlias(this=exp.to_identifier("a"))
        )
        joined = exp.Select().from_(source)
        sure, parts = never_null(self.plan.child), list[Tree]()
        for name in self.plan.partition:
            sign = exp.EQ if name in sure else exp.NullSafeEQ
            parts.append(sign(this=_of("a", name), expression=_of("b", name)))
        on = exp.and_(*parts) if parts else exp.true()
        joined.join(totals.subquery("b", copy=False), on=on, copy=False)
        shown = {name: _of("a", name) for name in block.names}
        shown |= {name: _of("b", name) for name, _ in calls}
        return self.composer.nested(Block(joined, shown))


def _counted(function: Tree) -> Tree:
    """Return ROW_NUMBER as the number of rows so far: places are not alike."""
    return exp.Count(this=exp.Star()) if isinstance(function, exp.RowNumber) else function


def _only_others(tree: Tree) -> Tree:
    """Return an aggregate of what is not the row itself."""
    made = tree.copy()
    value = made.this if not isinstance(made.this, exp.Star) else exp.Literal.number(1)
    made.set("this", exp.Var(this=f"CASE WHEN `{_OTHER}` = 1 THEN {spelled(value)} END"))
    return made


def _end(spec: exp.Expression, side: str) -> str:
    """Spell one end of a window frame."""
    told = spec.args.get(side)
    text = told.name if isinstance(told, exp.Expression) else str(told or "CURRENT ROW")
    way = spec.args.get(f"{side}_side")
    return f"{text} {way}" if way else text


def _by(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"PARTITION BY {listed} " if listed else ""


def _is(name: str, number: int) -> Tree:
    return exp.EQ(this=column(name), expression=exp.Literal.number(number))


def _of(alias: str, name: str) -> Tree:
    return exp.column(name, table=alias, quoted=True)
