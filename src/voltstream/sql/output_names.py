"""Names of a select list: its own expressions and WHERE do not see them, as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from voltstream.core.errors import UndefinedColumn


def refuse_output_names(select: exp.Select, lacks: Callable[[exp.Column], bool]) -> None:
    """Raises: UndefinedColumn (42703) where a column is only a name that the select list gives.

    ``lacks`` tells that FROM, and the queries around, have no such column.
    """
    given = {item.alias for item in select.expressions if isinstance(item, exp.Alias)}
    if not given:
        return
    for part in _blind(select):
        for column in part.find_all(exp.Column):
            name = column.name
            if column.table or name not in given or column.find_ancestor(exp.Select) is not select:
                continue
            if not _is_parameter(column) and lacks(column):
                raise UndefinedColumn(f'column "{name}" does not exist')


def _blind(select: exp.Select) -> Iterator[exp.Expression]:
    """Yield what is computed before the names are given."""
    yield from (item.unalias() for item in select.expressions)
    for key in ("where", "having"):
        clause = select.args.get(key)
        if clause is not None:
            yield clause


def _is_parameter(column: exp.Column) -> bool:
    """Tell whether a name is that of a closure's argument."""
    above = column.find_ancestor(exp.Lambda)
    while above is not None:
        if any(argument.name == column.name for argument in above.expressions):
            return True
        above = above.find_ancestor(exp.Lambda)
    return False
