"""time_bucket_gapfill(width, time [, timezone] [, start, finish]): a bucket for every step.

Law: such a query is a query of plain parts. The buckets that have rows are grouped by time_bucket;
for each other group key there is a series of all buckets; locf and interpolate look along it, and
beyond its ends where they are told what to look up.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, InvalidParameter

_GAPFILL, _LOCF, _INTERPOLATE = "time_bucket_gapfill", "locf", "interpolate"
_FILLED, _KEYS = "_filled", "_keys"
_HINT = "Specify start and finish as arguments or in the WHERE clause."


def fill_buckets(tree: exp.Expression) -> None:
    """Rewrite the SELECTs that fill buckets. Raises: InvalidParameter (22023)."""
    for select in list(tree.find_all(exp.Select)):
        call = _bucket(select)
        if call is not None:
            _Filling(select, call).rewrite()


def _bucket(select: exp.Select) -> exp.Anonymous | None:
    return next((call for item in select.expressions for call in _calls(item, _GAPFILL)), None)


def _calls(tree: exp.Expression, name: str) -> list[exp.Anonymous]:
    return [n for n in tree.find_all(exp.Anonymous) if n.name.lower() == name]


class _Filling:
    """One SELECT on its way to plain parts."""

    def __init__(self, select: exp.Select, call: exp.Anonymous) -> None:
        self._select = select
        self._call = call
        group = select.args.get("group")
        self._given = _bounds(call)
        if group is None or self._given is None:
            raise InvalidParameter(
                "time_bucket_gapfill takes a width and a time, and groups by it",
                hint="SELECT time_bucket_gapfill('1 hour', at, start, finish), … GROUP BY 1",
            )
        if select.args.get("having") or select.args.get("distinct"):
            raise FeatureNotSupported(
                "time_bucket_gapfill with HAVING or DISTINCT is not supported",
                hint="Filter in a query around this one.",
            )
        self._width = _interval(call.expressions[0])
        self._zone = self._given.pop("timezone", None)
        self._plain = self._bucket_of(call.expressions[1].copy())
        self._keys = [tree for tree in map(self._grouped, group.expressions)
                      if not _calls(tree, _GAPFILL)]  # fmt: skip
        self._values: list[exp.Expression] = []
        self._lookups: list[exp.Expression] = []

    def _bucket_of(self, time: exp.Expression) -> exp.Expression:
        zone = [self._zone.copy()] if self._zone is not None else []
        return _function("time_bucket", self._width.copy(), time, *zone)

    def _series(self, start: exp.Expression, finish: exp.Expression) -> exp.Expression:
        """Return starts of steps; days in a zone are counted on its wall clock."""
        first = self._bucket_of(start)
        last: exp.Expression = exp.Paren(this=exp.Sub(
            this=finish, expression=_interval(exp.Literal.string("1 microsecond"))))  # fmt: skip
        if self._on_wall():
            first, last = (_at_zone(end, self._zone) for end in (first, last))
        return _function("generate_series", first, last, self._width.copy())

    def _on_wall(self) -> bool:
        spelled = self._width.sql().lower()
        return self._zone is not None and any(
            word in spelled for word in ("day", "week", "mon", "year", "decade", "century")
        )

    def _step(self) -> exp.Expression:
        """Return the bucket of a step of the series."""
        step: exp.Expression = exp.column("_b", table="_s")
        if self._on_wall():
            step = _at_zone(step, self._zone)
        return self._bucket_of(step) if self._zone is not None else step

    def _grouped(self, tree: exp.Expression) -> exp.Expression:
        """Return what a number or an output's name stands for."""
        items = self._select.expressions
        if isinstance(tree, exp.Literal) and not tree.is_string:
            return items[int(tree.name) - 1].unalias() if int(tree.name) <= len(items) else tree
        if isinstance(tree, exp.Column) and not tree.table:
            named = [i for i in items if isinstance(i, exp.Alias) and i.alias == tree.name]
            return named[0].this if named else tree
        return tree

    def rewrite(self) -> None:
        shown = [exp.alias_(self._shown(item.unalias()), item.alias_or_name or _name(item))
                 for item in self._select.expressions]  # fmt: skip
        start, finish = self._range()
        keys = [exp.alias_(key.copy(), f"_g{n}") for n, key in enumerate(self._keys)]
        values = [exp.alias_(tree, f"_v{n}") for n, tree in enumerate(self._values)]
        grouped = self._select.copy()
        for clause in ("order", "limit", "offset", "with_", "with"):
            grouped.set(clause, None)
        bucket = exp.alias_(self._plain.copy(), "_b")
        grouped.set("expressions", [bucket, *keys, *values, exp.alias_(exp.true(), "_there")])
        places = [exp.Literal.number(n + 1) for n in range(len(keys) + 1)]
        grouped.set("group", exp.Group(expressions=places))
        names = [f"_g{n}" for n in range(len(keys))]
        series = exp.Table(
            this=self._series(start, finish),
            alias=exp.TableAlias(this=exp.to_identifier("_s"), columns=[exp.to_identifier("_b")]),
        )
        every = exp.select(exp.alias_(self._step(), "_b"), *(f"_k.{n}" for n in names))
        if names:
            each = exp.select(*names).distinct().from_(_FILLED).subquery("_k")
            every = every.from_(each)
            every.set("joins", [exp.Join(this=series, kind="CROSS")])
        else:
            every.set("from_", exp.From(this=series))
        both = exp.union(every, exp.select("_b", *names).from_(_FILLED), copy=False)
        same = " AND ".join(f"_f.{n} IS NOT DISTINCT FROM _e.{n}" for n in ["_b", *names])
        columns = ["_e._b", *(f"_e.{n}" for n in names), "_f._there",
                   *(f"_f._v{n}" for n in range(len(values)))]  # fmt: skip
        looked_up = (
            exp.Alias(this=tree, alias=exp.to_identifier(f"_o{n}"))
            for n, tree in enumerate(self._lookups)
        )
        rows = (
            exp.select(*columns)
            .select(*looked_up, copy=False)
            .from_(exp.alias_(exp.to_table(_KEYS), "_e", table=True))
        )
        rows = rows.join(exp.alias_(exp.to_table(_FILLED), "_f", table=True), on=same,
                         join_type="left")  # fmt: skip
        select = self._select
        ctes = select.args.get("with_")
        own = [_cte(_FILLED, grouped), _cte(_KEYS, both)]
        before = list(ctes.expressions) if ctes is not None else []
        select.set("with_", exp.With(expressions=[*before, *own]))
        select.set("expressions", shown)
        select.set("from_", exp.From(this=rows.subquery("_rows")))
        for clause in ("where", "group", "joins", "laterals"):
            select.set(clause, None)

    def _shown(self, tree: exp.Expression) -> exp.Expression:
        """Return an output over the filled rows."""
        for n, key in enumerate(self._keys):
            if tree == key:
                return exp.column(f"_g{n}")
        if isinstance(tree, exp.Anonymous):
            match tree.name.lower():
                case name if name == _GAPFILL:
                    return exp.column("_b")
                case name if name == _LOCF:
                    return self._carried(_arguments(tree, _LOCF_NAMES))
                case name if name == _INTERPOLATE:
                    return self._drawn(_arguments(tree, _INTERPOLATE_NAMES))
        if tree.find(exp.Column, exp.AggFunc) is None:
            return tree.copy()  # A constant is the same in a bucket without rows.
        inside = any(_calls(tree, name) for name in (_GAPFILL, _LOCF, _INTERPOLATE))
        if not inside:
            return exp.column(self._value(tree))
        copied = tree.copy()
        for arg, value in list(copied.args.items()):
            if isinstance(value, exp.Expression):
                copied.set(arg, self._shown(value))
            elif isinstance(value, list):
                made = [self._shown(v) if isinstance(v, exp.Expression) else v for v in value]
                copied.set(arg, made)
        return copied

    def _value(self, tree: exp.Expression) -> str:
        """Name what the buckets that have rows compute."""
        if tree not in self._values:
            self._values.append(tree.copy())
        return f"_v{self._values.index(tree)}"

    def _near(self, value: exp.Expression, *, ahead: bool) -> exp.Expression:
        """Return the nearest value that is not NULL, of this row, or before or after it."""
        sides = ("CURRENT ROW", None, "UNBOUNDED", "FOLLOWING") if ahead else (
            "UNBOUNDED", "PRECEDING", "CURRENT ROW", None)  # fmt: skip
        spec = exp.WindowSpec(
            kind="ROWS", start=sides[0], start_side=sides[1], end=sides[2], end_side=sides[3]
        )
        by = [exp.column(f"_g{n}") for n in range(len(self._keys))]
        order = exp.Order(expressions=[exp.Ordered(this=exp.column("_b"))])
        verb = exp.FirstValue if ahead else exp.LastValue
        call = exp.IgnoreNulls(this=verb(this=value))
        return exp.Window(this=call, partition_by=by, order=order, spec=spec, over="OVER")

    def _looked_up(self, tree: exp.Expression) -> exp.Expression:
        """Return what is looked up outside of the buckets, for this row's keys.

        A query stands in the plan once, however often the line needs it: the store's time to plan
        grows fast with the number of queries.
        """

        def key(node: exp.Expression) -> exp.Expression:
            for n, one in enumerate(self._keys):
                if node == one:
                    return exp.column(f"_g{n}", table="_e")
            return node

        found = tree.copy().transform(key)
        if found not in self._lookups:
            self._lookups.append(found)
        return exp.column(f"_o{self._lookups.index(found)}")

    def _carried(self, given: dict[str, exp.Expression]) -> exp.Expression:
        name = self._value(given["value"])
        filled = self._near(exp.column(name), ahead=False)
        if "prev" in given:
            filled = exp.Coalesce(this=filled, expressions=[self._looked_up(given["prev"])])
        missing = given.get("treat_null_as_missing")
        if isinstance(missing, exp.Boolean) and missing.this:
            return filled
        return self._in_gap(name, filled)

    def _drawn(self, given: dict[str, exp.Expression]) -> exp.Expression:
        """Return the line between the nearest values, at this bucket's start."""
        name = self._value(given["value"])
        known = exp.Not(this=exp.Is(this=exp.column(name), expression=exp.Null()))
        at = exp.Case(ifs=[exp.If(this=known, true=exp.column("_b"))])
        low, high = (self._near(exp.column(name), ahead=ahead) for ahead in (False, True))
        since, until = (self._near(at.copy(), ahead=ahead) for ahead in (False, True))
        if "prev" in given:
            since, low = self._or_pair(given["prev"], since, low)
        if "next" in given:
            until, high = self._or_pair(given["next"], until, high)

        def seconds(end: exp.Expression, begin: exp.Expression) -> exp.Expression:
            span = exp.Paren(this=exp.Sub(this=end, expression=begin))
            return exp.Extract(this=exp.var("EPOCH"), expression=span)

        share = exp.Div(
            this=seconds(exp.column("_b"), since.copy()),
            expression=seconds(until, since.copy()),
        )
        rise = exp.Paren(this=exp.Sub(this=high, expression=low.copy()))
        line = exp.Add(this=low, expression=exp.Mul(this=rise, expression=exp.Paren(this=share)))
        return self._in_gap(name, line)

    def _or_pair(
        self, pair: exp.Expression, time: exp.Expression, value: exp.Expression
    ) -> tuple[exp.Expression, exp.Expression]:
        """Return a time and a value, or where there are none those of a pair."""
        parts = [self._looked_up(part) for part in _parts(pair)]
        outer = exp.Coalesce(this=time, expressions=[parts[0]])
        return outer, exp.Coalesce(this=value, expressions=[parts[1]])

    def _in_gap(self, name: str, filled: exp.Expression) -> exp.Expression:
        gap = exp.Is(this=exp.column("_there"), expression=exp.Null())
        return exp.Case(ifs=[exp.If(this=gap, true=filled)], default=exp.column(name))

    def _range(self) -> tuple[exp.Expression, exp.Expression]:
        """Return where the buckets begin and end: as arguments say, or WHERE does."""
        found: dict[str, exp.Expression] = {}
        if len(self._given or {}) < 2:
            self._infer(found)
        found |= self._given or {}
        for what in ("start", "finish"):
            if what not in found:
                raise InvalidParameter(
                    "missing time_bucket_gapfill argument: could not infer "
                    f"{what} from WHERE clause",
                    hint=_HINT,
                )
        return _instant(found["start"]), _instant(found["finish"])

    def _infer(self, found: dict[str, exp.Expression]) -> None:
        where = self._select.args.get("where")
        time = self._call.expressions[1]
        for part in (
            where.this.flatten()
            if where and isinstance(where.this, exp.And)
            else ([where.this] if where else [])
        ):
            tree = part.unnest()
            if isinstance(tree, exp.Between) and tree.this == time:
                found |= {"start": tree.args["low"], "finish": _after(tree.args["high"])}
            if not isinstance(tree, exp.GTE | exp.GT | exp.LT | exp.LTE):
                continue
            mine = tree.this == time
            if not mine and tree.expression != time:
                continue
            other = tree.expression if mine else tree.this
            if isinstance(tree, exp.GTE | exp.GT) is mine:
                found["start"] = other
            else:
                closed = isinstance(tree, exp.LTE | exp.GTE)
                found["finish"] = _after(other) if closed else other


_LOCF_NAMES = ("value", "prev", "treat_null_as_missing")
_INTERPOLATE_NAMES = ("value", "prev", "next")


def _arguments(call: exp.Anonymous, names: Sequence[str]) -> dict[str, exp.Expression]:
    """Return what is given by place or by name; NULL is left out."""
    found: dict[str, exp.Expression] = {}
    for place, tree in enumerate(call.expressions):
        if isinstance(tree, exp.Kwarg | exp.PropertyEQ):
            found[tree.this.name.lower()] = tree.expression
        elif place < len(names):
            found[names[place]] = tree
    unknown = found.keys() - set(names)
    if unknown or names[0] not in found or len(call.expressions) > len(names):
        raise InvalidParameter(f"{call.name.lower()} takes {', '.join(names)}")
    return {name: tree for name, tree in found.items() if not isinstance(tree, exp.Null)}


def _bounds(call: exp.Anonymous) -> dict[str, exp.Expression] | None:
    """Return what time_bucket_gapfill is given behind the time; None when that makes no sense."""
    named = [a for a in call.expressions if isinstance(a, exp.Kwarg | exp.PropertyEQ)]
    placed = [a for a in call.expressions[2:] if a not in named]
    names = {1: ("timezone",), 3: ("timezone", "start", "finish")}.get(
        len(placed), ("start", "finish"))  # fmt: skip
    if len(call.expressions) - len(named) < 2 or len(placed) > 3:
        return None
    found = dict(zip(names, placed, strict=False))
    found |= {one.this.name.lower(): one.expression for one in named}
    if found.keys() - {"timezone", "start", "finish"}:
        return None
    return {name: tree for name, tree in found.items() if not isinstance(tree, exp.Null)}


def _parts(pair: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    """Return the time and the value of a pair, or of a query for one.

    Raises: InvalidParameter (22023).
    """
    inner = pair.unnest()
    if isinstance(inner, exp.Select) and len(inner.expressions) == 1:
        queries = []
        for part in _parts(inner.expressions[0].unalias()):
            query = inner.copy()
            query.set("expressions", [part.copy()])
            queries.append(exp.Subquery(this=query))
        return queries[0], queries[1]
    row = isinstance(inner, exp.Anonymous) and inner.name.lower() == "row"
    if (row or isinstance(inner, exp.Tuple)) and len(inner.expressions) == 2:
        return inner.expressions[0], inner.expressions[1]
    raise InvalidParameter("interpolate looks up pairs of a time and a value",
                           hint="(SELECT (at, kw) FROM … ORDER BY at DESC LIMIT 1)")  # fmt: skip


def _at_zone(time: exp.Expression, zone: exp.Expression | None) -> exp.Expression:
    return exp.AtTimeZone(this=exp.Paren(this=time), zone=zone.copy() if zone else None)


def _after(tree: exp.Expression) -> exp.Expression:
    return exp.Add(this=_instant(tree), expression=_interval(exp.Literal.string("1 microsecond")))


def _instant(tree: exp.Expression) -> exp.Expression:
    if isinstance(tree, exp.Literal) and tree.is_string:
        return exp.cast(tree.copy(), "TIMESTAMPTZ")
    return tree.copy()


def _interval(tree: exp.Expression) -> exp.Expression:
    if isinstance(tree, exp.Literal) and tree.is_string:
        return exp.Interval(this=tree.copy())
    return tree.copy()


def _function(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cte(name: str, query: exp.Expression) -> exp.Expression:
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))


def _name(item: exp.Expression) -> str:
    if isinstance(item, exp.Anonymous):
        return str(item.name.lower())
    return item.sql_name().lower() if isinstance(item, exp.Func) else item.name or "?column?"
