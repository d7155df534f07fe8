"""One row that cannot be computed never stops a view: it gives NULL and a dead letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from voltstream.sql.expressions import mentions_now, quote, spell
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.python_calls import called_name

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)
# Readers of text: NULL for NULL, and otherwise a value or an error.
_READERS = frozenset({"_vs_integer_text", "_vs_boolean_text", "_vs_interval", "_vs_bytea",
                      "_vs_json_normal", "_vs_json_number", "_vs_json_boolean"})  # fmt: skip
_TEXT = frozenset({exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT})

DEAD_LETTERS = '_vs.dead_letters (source, position, raw, reason, "at")'


def guarded(tree: exp.Expression) -> exp.Expression:
    """Return ``TRY(tree)`` when evaluating it may raise; NOW() is evaluated by readers, untried."""
    if mentions_now(tree) or tree.find(exp.AggFunc) or _is_tried(tree):
        return tree
    if any(True for _ in _risky(tree)):
        return exp.Anonymous(this="TRY", expressions=[tree])
    return tree


def guarded_call(call: exp.Expression) -> exp.Expression:
    """Return an aggregate call whose arguments give NULL instead of raising."""
    copied = call.copy()
    for node in list(copied.find_all(exp.AggFunc)):
        if isinstance(node.this, exp.Expression) and not isinstance(node.this, exp.Star):
            holder = _ordered(node)
            argument = holder.this
            if isinstance(argument, exp.Expression) and not isinstance(argument, exp.Distinct):
                holder.set("this", guarded(argument))
    return copied


def _ordered(node: exp.Expr) -> exp.Expr:
    """Return what holds the argument: ORDER BY inside an aggregate stays around what is tried."""
    while isinstance(node.this, exp.Order):
        node = node.this
    return node


def report_faults(
    writer: Writer, name: str, items: tuple[tuple[str, exp.Expression], ...], child: Stream
) -> None:
    """Add a step that keeps the delta's rows whose value could not be computed."""
    for public, tree in items:
        if not _is_tried(tree):
            continue
        conditions = [_failed(node) for node in _risky(tree) if _can_fail(node)]
        if not conditions:
            continue
        row = ", ".join(f"{quote(c)} := {quote(c)}" for c in child.columns)
        wanted = spell(tree.expressions[0].transform(_as_written))
        reason = f"column {public} of {name} cannot be computed: {wanted}".replace("'", "''")
        target = name.replace("'", "''")
        writer.run(
            f"INSERT INTO {DEAD_LETTERS} SELECT '{target}', '', "
            f"encode(to_json(struct_pack({row}))::VARCHAR), '{reason}', "
            f"CAST(getvariable('vs_now') AS TIMESTAMPTZ) FROM ({child.sql}) "
            f'WHERE "_w" > 0 AND ({" OR ".join(conditions)})',
            child.reads,
            "dead letters",
        )


def report_calls(
    writer: Writer, name: str, calls: Sequence[tuple[str, exp.Expression]], made: Stream
) -> None:
    """Add steps that keep the rows for which a function raised, and why."""
    lifted = {column for column, _ in calls}
    row = ", ".join(f"{quote(c)} := {quote(c)}" for c in made.columns if c not in lifted)
    kept = f"struct_pack({row})" if row else "struct_pack(row := NULL)"
    target = name.replace("'", "''")
    for column, tree in calls:
        reason = f"function {called_name(tree)}() of {target} raised "
        writer.run(
            f"INSERT INTO {DEAD_LETTERS} SELECT '{target}', '', "
            f"encode(to_json({kept})::VARCHAR), '{reason}' || {quote(column)}.e, "
            f"CAST(getvariable('vs_now') AS TIMESTAMPTZ) FROM ({made.sql}) "
            f'WHERE "_w" > 0 AND {quote(column)}.e IS NOT NULL',
            made.reads,
            "dead letters",
        )


def _as_written(node: exp.Expression) -> exp.Expression:
    """Return what the user wrote for a call of ours."""
    if _is_reader(node):
        read: exp.Expression = node.expressions[0]
        return read
    if _is_division(node):
        return exp.Div(this=node.expressions[0], expression=node.expressions[1])
    return node


def _is_tried(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name == "TRY"


def _risky(tree: exp.Expression) -> Iterator[exp.Expression]:
    for node in tree.walk():
        if not isinstance(node, exp.Expression):
            continue
        if isinstance(node, (*_ARITHMETIC, exp.Cast)) or _is_own(node):
            yield node


def _is_own(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.startswith("_vs_")


def _is_reader(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name in _READERS


def _is_division(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name == "_vs_div"


def _can_fail(node: exp.Expression) -> bool:
    """Tell divisions by something that may be zero and casts; overflow alone is not looked for."""
    if _is_division(node):
        return not _is_number(node.expressions[1])
    if _is_reader(node):
        return not isinstance(node.expressions[0], exp.Literal | exp.Null)
    if isinstance(node, exp.Div | exp.IntDiv | exp.Mod):
        return not _is_number(node.expression)
    if isinstance(node, exp.Cast):
        return not isinstance(node.this, exp.Literal | exp.Null) and node.to.this not in _TEXT
    return False


def _is_number(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string and float(tree.name) != 0


def _failed(node: exp.Expression) -> str:
    if _is_division(node):
        operands = node.expressions[:2]
    elif _is_reader(node):
        operands = node.expressions[:1]
    elif isinstance(node, exp.Cast):
        operands = [node.this]
    else:
        operands = [node.this, node.expression]
    known = " AND ".join(f"TRY({spell(operand)}) IS NOT NULL" for operand in operands)
    return f"(TRY({spell(node)}) IS NULL AND {known})"
