"""One row that cannot be computed never stops a view: it gives NULL and a dead letter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from voltstream.sql.expressions import mentions_now, quote, spell
from voltstream.sql.operators.stream import Stream, Writer, netted
from voltstream.sql.python_calls import called_name

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)
# The store's functions that refuse some values.
_PARTIAL = frozenset({
    "abs", "sqrt", "ln", "log", "log2", "log10", "pow", "power", "exp", "asin", "acos", "atanh",
    "acosh",
    "chr", "factorial", "gamma", "lgamma", "make_date", "make_time", "make_timestamp",
    "make_timestamptz", "strptime", "repeat", "lpad", "rpad", "error", "from_json",
    "json_extract", "unhex", "from_hex", "from_base64", "to_base", "decode", "set_bit", "bitstring",
})  # fmt: skip
# Functions of our own that take every value.
_TOTAL = frozenset({
    "_vs_json_at", "_vs_json_text_at", "_vs_json_contains", "_vs_json_has", "_vs_json_has_any",
    "_vs_json_has_all", "_vs_json_field", "_vs_json_float", "_vs_json_type",
    "_vs_json_pretty", "_vs_json_strip",
    "_vs_is_json", "_vs_json_key", "_vs_float_text", "_vs_array_text", "_vs_nested_text",
    "_vs_record_text", "_vs_initcap", "_vs_quote_literal", "_vs_quote_ident", "_vs_crc32",
    "_vs_crc32c", "_vs_bit_count", "_vs_split", "_vs_interval_text", "_vs_now",
})  # fmt: skip
# Readers of text: what the user wrote is a cast of their argument.
_READERS = frozenset({"_vs_integer_text", "_vs_boolean_text", "_vs_interval", "_vs_bytea",
                      "_vs_json_normal", "_vs_json_number", "_vs_json_boolean", "_vs_date_text",
                      "_vs_timestamp_text", "_vs_timestamptz_text", "_vs_time_text"})  # fmt: skip
_TEXT = frozenset({exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT})

# Functions of numerics, which take their digits as text, and what the user calls them.
_EXACT = {
    f"_vs_numeric_{name}": name for name in ("sqrt", "exp", "ln", "log10", "log", "power")
}  # fmt: skip

DEAD_LETTERS = '_vs.dead_letters (source, position, raw, reason, "at")'


def guarded(tree: exp.Expression) -> exp.Expression:
    """Return ``TRY(tree)`` when evaluating it may raise; NOW() is evaluated by readers, untried."""
    if mentions_now(tree) or tree.find(exp.AggFunc) or _is_tried(tree):
        return tree
    if any(True for _ in _risky(tree)):
        return exp.Anonymous(this="TRY", expressions=[tree])
    return tree


def guarded_call(call: exp.Expression) -> exp.Expression:
    """Return an aggregate or window call whose operands give NULL instead of raising."""
    copied = call.copy()
    for node in list(copied.find_all(exp.AggFunc, exp.Filter, exp.Order, exp.Ordered)):
        for operand in list(_operands(node)):
            operand.replace(guarded(operand.copy()))
    return copied


def _operands(node: exp.Expr) -> Iterator[exp.Expression]:
    """Yield what a call computes for each row: arguments, FILTER, ORDER BY, DISTINCT's items."""
    if isinstance(node, exp.Filter):
        yield node.expression.this
        return
    for value in [node.this, *node.expressions]:
        if isinstance(value, exp.Distinct):
            yield from value.expressions
        elif isinstance(value, exp.Expression) and not isinstance(value, _SHAPES):
            yield value


_SHAPES = (exp.Star, exp.Order, exp.Ordered, exp.Filter, exp.AggFunc, exp.Identifier, exp.Literal)
Named = tuple[str, exp.Expression]


def report_faults(
    writer: Writer,
    name: str,
    items: Iterable[Named],
    child: Stream,
    *,
    sums: bool = True,
    shown: bool = False,
) -> bool:
    """Add a step that keeps the delta's rows for which something could not be computed.

    Shape: an item is what the user calls it, and its expression over the child's columns; ``sums``
    says whether that a sum or a difference overflows is worth the step, ``shown`` that only readers
    of the view and of its delta compute them. Law: a value that raises
    makes no record of itself, NULL does: so the two are told apart. Tells whether there is such a
    step.
    """
    found: dict[str, str] = {}
    for what, tree in items:
        for tried in [node for node in tree.find_all(exp.Anonymous) if _is_tried(node)]:
            inner = tried.expressions[0]
            if not any(_can_fail(node) or (sums and _can_overflow(node)) for node in _risky(inner)):
                continue
            wanted = spell(inner.transform(_as_written))
            reason = f"{what} of {name} cannot be computed: {wanted}".replace("'", "''")
            failed = f"TRY(struct_pack(v := {spell(inner)})) IS NULL"
            found[reason] = f"CASE WHEN {failed} THEN '{reason}' END"
    if not found:
        return False
    row = ", ".join(f"{quote(c)} := {quote(c)}" for c in child.columns)
    rows = child.sql if child.append_only else netted(child)
    target = name.replace("'", "''")
    writer.run(
        f"INSERT INTO {DEAD_LETTERS} SELECT '{target}', '', "
        f'encode(to_json(struct_pack({row}))::VARCHAR), "_vs_reason", '
        "CAST(getvariable('vs_now') AS TIMESTAMPTZ) FROM "
        f'(SELECT *, unnest([{", ".join(found.values())}]) AS "_vs_reason" FROM ({rows}) '
        'WHERE "_w" > 0) WHERE "_vs_reason" IS NOT NULL',
        child.reads,
        "dead letters",
        faults=True,
        shown=shown,
    )
    return True


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
    if _is_reader(node) or (isinstance(node, exp.Anonymous) and node.name == "_vs_finite"):
        read: exp.Expression = node.expressions[0]
        return read
    if _is_division(node):
        return exp.Div(this=node.expressions[0], expression=node.expressions[1])
    if isinstance(node, exp.Anonymous) and node.name == "_vs_elapsed":
        return exp.Sub(this=node.expressions[0], expression=node.expressions[1])
    if isinstance(node, exp.Anonymous) and node.name in _EXACT:
        given = [one.this if isinstance(one, exp.Cast) else one for one in node.expressions]
        return exp.Anonymous(this=_EXACT[node.name], expressions=given)
    if _is_own(node):
        return exp.Anonymous(this=node.name.removeprefix("_vs_"), expressions=node.expressions)
    return node


def _is_tried(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name == "TRY"


def _risky(tree: exp.Expression) -> Iterator[exp.Expression]:
    for node in tree.walk():
        if not isinstance(node, exp.Expression):
            continue
        arithmetic = isinstance(node, (*_ARITHMETIC, exp.Cast)) or _is_turned(node)
        if arithmetic or _is_own(node) or _is_partial(node):
            yield node


def _is_turned(node: exp.Expression) -> bool:
    """Tell of a change of sign: the least integer has no positive twin."""
    return isinstance(node, exp.Neg) and not isinstance(node.this.unnest(), exp.Literal)


def _is_own(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.startswith("_vs_")


def _is_partial(node: exp.Expression) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _PARTIAL
    return isinstance(node, exp.Func) and node.sql_name().lower() in _PARTIAL


def _is_reader(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name in _READERS


def _is_division(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name == "_vs_div"


def _can_fail(node: exp.Expression) -> bool:
    """Tell what is worth a look at each row; see also ``_can_overflow``."""
    if _is_division(node):
        return not _is_number(node.expressions[1])
    if isinstance(node, exp.Div | exp.IntDiv | exp.Mod):
        return not _is_number(node.expression)
    if isinstance(node, exp.Cast):
        return not isinstance(node.this, exp.Literal | exp.Null) and node.to.this not in _TEXT
    if _is_own(node):
        constant = all(isinstance(one, exp.Literal | exp.Null) for one in node.expressions)
        return node.name not in _TOTAL and not (constant and node.expressions)
    return isinstance(node, exp.Mul) or _is_partial(node)


def _can_overflow(node: exp.Expression) -> bool:
    """Tell of a sum or a difference whether its integers may be too large; instants never are."""
    if _is_turned(node):
        return True
    if not isinstance(node, exp.Add | exp.Sub):
        return False
    sides = (node.this.unnest(), node.expression.unnest())
    return not any(isinstance(side, exp.Interval) or _is_fraction(side) for side in sides)


def _is_fraction(tree: exp.Expr) -> bool:
    """Tell what makes a sum one of doubles, or is small beside what a decimal holds."""
    if isinstance(tree, exp.Cast):
        return tree.to.is_type(*exp.DataType.FLOAT_TYPES, *exp.DataType.TEMPORAL_TYPES,
                               exp.DataType.Type.INTERVAL)  # fmt: skip
    return isinstance(tree, exp.Literal) and not tree.is_string and "." in tree.name


def _is_number(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string and float(tree.name) != 0
