"""GAP_FILL(relation, time, step [, LOCF(c) | INTERPOLATE(c) | SERIES(c)] …): rows where none came.

Law: between two neighbours in time a row stands at each step after the first one and before the
second. LOCF carries the last value that is not NULL, INTERPOLATE lies on the line between the
neighbours, SERIES names what parts the rows into series; other columns of a filled row are NULL.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from voltstream.core.errors import InvalidParameter
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import quote, spell

_STRATEGIES = ("LOCF", "INTERPOLATE", "SERIES")
_HINT = "GAP_FILL(readings, at, INTERVAL '1 minute', SERIES(meter), INTERPOLATE(kw), LOCF(state))"


@dataclass
class _Fills:
    carried: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    series: list[str] = field(default_factory=list)


def gap_fill_query(call: exp.Anonymous, alias: str, oracle: TypeOracle) -> exp.Expression:
    """Return the call as a subquery. Raises: InvalidParameter (22023)."""
    if len(call.expressions) < 3 or not isinstance(call.expressions[1], exp.Column):
        raise InvalidParameter("GAP_FILL takes a relation, a time column and a step", hint=_HINT)
    source, time, step = call.expressions[:3]
    if isinstance(source, exp.Column):
        alias = alias or source.name
        source = exp.Table(this=source.this.copy(), db=source.args.get("table"))
    rows = f"(SELECT * FROM {spell(source)})"
    types = {column.name: column.store_type for column in oracle.describe(f"SELECT * FROM {rows}")}
    fills = _fills(call.expressions[3:], types)
    text = _query(rows, quote(time.name), _interval(step), fills, types)
    alias_node = exp.TableAlias(this=exp.to_identifier(alias or "filled", quoted=True))
    return exp.Table(this=exp.Var(this=text), alias=alias_node)


def _fills(arguments: list[exp.Expression], types: dict[str, str]) -> _Fills:
    fills = _Fills()
    places = dict(zip(_STRATEGIES, (fills.carried, fills.drawn, fills.series), strict=True))
    for argument in arguments:
        known = isinstance(argument, exp.Anonymous) and argument.name.upper() in _STRATEGIES
        if not known or not all(isinstance(c, exp.Column) for c in argument.expressions):
            raise InvalidParameter(f"GAP_FILL cannot fill by {spell(argument)}", hint=_HINT)
        for column in argument.expressions:
            if column.name not in types:
                raise InvalidParameter(f'GAP_FILL: column "{column.name}" does not exist')
            places[argument.name.upper()].append(column.name)
    return fills


def _interval(step: exp.Expression) -> str:
    if isinstance(step, exp.Literal) and step.is_string:
        step = exp.Interval(this=step.copy())
    return f"({spell(step)})"


def _query(rows: str, time: str, step: str, fills: _Fills, types: dict[str, str]) -> str:
    series = ", ".join(quote(name) for name in fills.series)
    order = f"{f'PARTITION BY {series} ' if series else ''}ORDER BY {time}"
    seen = [f"lead({time}) OVER ({order}) AS _next"]
    made = [f"_at AS {time}", *(quote(name) for name in fills.series)]
    for number, name in enumerate(fills.carried):
        seen.append(
            f"last_value({quote(name)} IGNORE NULLS) OVER ({order} "
            f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _carried{number}"
        )
        made.append(f"_carried{number} AS {quote(name)}")
    share = f"(epoch_us(_at) - epoch_us({time}))::DOUBLE / (epoch_us(_next) - epoch_us({time}))"
    for number, name in enumerate(fills.drawn):
        seen.append(f"lead({quote(name)}) OVER ({order}) AS _drawn{number}")
        line = f"{quote(name)} + (_drawn{number} - {quote(name)}) * ({share})"
        made.append(f"CAST({line} AS {types[name]}) AS {quote(name)}")
    steps = f"unnest(generate_series({time} + {step}, _next - INTERVAL 1 MICROSECOND, {step}))"
    return (
        f"(SELECT * FROM {rows} UNION ALL BY NAME SELECT {', '.join(made)} FROM ("
        f"SELECT *, {steps} AS _at FROM (SELECT *, {', '.join(seen)} FROM {rows})))"
    )
