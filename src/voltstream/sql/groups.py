"""By which of its columns a query's rows are told apart, where its text says so."""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.expressions import output_name


def group_columns(query: exp.Expression) -> tuple[str, ...]:
    """Return the output columns that GROUP BY names; none when it names anything else."""
    group = query.args.get("group")
    if not isinstance(query, exp.Select) or not isinstance(group, exp.Group):
        return ()
    outputs = [(output_name(item), item.unalias()) for item in query.expressions]
    found: list[str] = []
    for wanted in group.expressions:
        if isinstance(wanted, exp.Literal) and wanted.name.isdigit():
            found.append(outputs[int(wanted.name) - 1][0])
            continue
        names = [
            name
            for name, tree in outputs
            if tree == wanted or (isinstance(wanted, exp.Column) and wanted.name == name)
        ]
        if not names:
            return ()
        found.append(names[0])
    return tuple(found)
