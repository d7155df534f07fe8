"""GAP_FILL(relation, time, step [, LOCF(c) | INTERPOLATE(c) | SERIES(c)] …): rows where none came.

Law: between two neighbours in time a row stands at each step after the first one and before the
second. SERIES names what parts the rows into series; INTERPOLATE lies on the line between the
neighbours, KEEPNULL stays NULL, and every other column carries its last value that is not NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from voltstream.core.errors import InvalidParameter
from voltstream.sql.expressions import spell
from voltstream.sql.plan import GapFill, Plan
from voltstream.sql.streaming_words import as_interval

_STRATEGIES = ("LOCF", "INTERPOLATE", "SERIES", "KEEPNULL")
_HINT = "GAP_FILL(readings, at, INTERVAL '1 minute', SERIES(meter), INTERPOLATE(kw), LOCF(state))"


def gap_filled(
    plan: Plan, arguments: Sequence[exp.Expression], type_of: Callable[[str], str]
) -> GapFill:
    """Return a plan with its gaps filled; ``arguments`` come after the relation.

    Raises: InvalidParameter (22023).
    """
    if len(arguments) < 2 or not isinstance(arguments[0], exp.Column):
        raise InvalidParameter("GAP_FILL takes a relation, a time column and a step", hint=_HINT)
    time = _known(plan, arguments[0])
    places: dict[str, list[str]] = {name: [] for name in _STRATEGIES}
    for argument in arguments[2:]:
        known = isinstance(argument, exp.Anonymous) and argument.name.upper() in places
        if not known or not all(isinstance(c, exp.Column) for c in argument.expressions):
            raise InvalidParameter(f"GAP_FILL cannot fill by {spell(argument)}", hint=_HINT)
        for column in argument.expressions:
            places[argument.name.upper()].append(_known(plan, column))
    named = {name for names in places.values() for name in names} | {time}
    carried = [*places["LOCF"], *(name for name in plan.columns if name not in named)]
    return GapFill(
        plan,
        time,
        type_of(time),
        f"({spell(as_interval(arguments[1]))})",
        tuple(places["SERIES"]),
        tuple(carried),
        tuple((name, type_of(name)) for name in places["INTERPOLATE"]),
    )


def _known(plan: Plan, column: exp.Expression) -> str:
    if column.name not in plan.columns:
        raise InvalidParameter(f'GAP_FILL: column "{column.name}" does not exist')
    return column.name
