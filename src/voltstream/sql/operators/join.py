"""Inner, left, full, semi and anti join.

Law, with both states already new: d(A x B) = dA x B + A x dB - dA x dB. An outer join adds the
padding of rows without a match: dA anti B, and for the old rows of A that some row of dB matches,
what was and what is unmatched. Semi and anti join are that rule alone, without padding.
State: both inputs, or the stored relation an input already is, unless its key is computed.
Cost: O(delta * matches).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from voltstream.sql.batch import batch_sql
from voltstream.sql.branches import Branch, union_all
from voltstream.sql.expressions import column, quote, spell
from voltstream.sql.interval_joins import forgotten
from voltstream.sql.operators.linear import project_delta
from voltstream.sql.operators.log import followed_log
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import (
    Join,
    JoinKind,
    Plan,
    Project,
    are_stored,
    column_list,
    is_stored,
    join_condition,
    passthrough,
    qualify,
)
from voltstream.sql.planning import names_in


@dataclass(frozen=True)
class Side:
    """One input: its delta's temp name and a query of its whole content with ``_w``."""

    delta: str
    content: str
    columns: tuple[str, ...]
    keys: tuple[tuple[exp.Expression, str], ...]  # Each with the sign that compares it.
    compared: tuple[str, ...]  # The columns that the condition reads.
    append_only: bool


_LAWS = {
    JoinKind.INNER: "dA x B + A x dB - dA x dB",
    JoinKind.LEFT: "dA x B + A x dB - dA x dB, and the padding of left rows that gain or lose all",
    JoinKind.FULL: "dA x B + A x dB - dA x dB, and the padding of rows that gain or lose all",
    JoinKind.SEMI: "dA semi B, and the rows of A that dB gives a first or takes the last match",
    JoinKind.ANTI: "dA anti B, and the rows of A that dB gives a first or takes the last match",
}
_Condition = Callable[[str, str], str]  # ON between a row of this side and one of the other


def join_delta(writer: Writer, plan: Join, left: Stream, right: Stream) -> Stream:
    """Join by columns: a key that is computed becomes one, computed once for each row.

    Law: what is kept has it, so that a change is looked for by it. A stored relation has not.
    """
    shown = plan.columns
    plan, left, right = _by_columns(plan, left, right)
    made = _joined(writer, plan, left, right)
    if plan.columns == shown:
        return made
    sql = f'SELECT {column_list(shown)}, "_w" FROM ({made.sql})'
    return Stream(sql, made.reads, shown, made.append_only, False)


def _by_columns(plan: Join, left: Stream, right: Stream) -> tuple[Join, Stream, Stream]:
    one: list[tuple[str, exp.Expression]] = []
    other: list[tuple[str, exp.Expression]] = []
    keys = tuple(
        replace(
            key, left=_named(key.left, "_vs_left", one), right=_named(key.right, "_vs_right", other)
        )
        for key in plan.keys
    )
    a, b = plan.left, plan.right
    if one:
        a = Project(a, (*passthrough(a.columns), *one))
        left = project_delta(a, left)
    if other:
        b = Project(b, (*passthrough(b.columns), *other))
        right = project_delta(b, right)
    return replace(plan, left=a, right=b, keys=keys), left, right


def _named(
    key: exp.Expression, prefix: str, computed: list[tuple[str, exp.Expression]]
) -> exp.Expression:
    """Return a column for a key; note how it is computed."""
    if isinstance(key, exp.Column):
        return key
    name = f"{prefix}_{len(computed) + 1}"
    computed.append((name, key))
    return column(name)


def _joined(writer: Writer, plan: Join, left: Stream, right: Stream) -> Stream:
    rest = () if plan.rest is None else (plan.rest,)
    one = tuple((key.left, key.sign) for key in plan.keys)
    other = tuple((key.right, key.sign) for key in plan.keys)
    a = side(writer, plan.left, left, one, rest)
    b = side(writer, plan.right, right, other, rest)

    def from_left(row: str, other: str) -> str:
        return join_condition(plan, row, other)

    def from_right(row: str, other: str) -> str:
        return join_condition(plan, other, row)

    law = _LAWS[plan.kind]
    law += "; rows that only late ones could meet go" if forgotten(plan) else ""
    writer.rule(f"{plan.kind.value.lower()} join", law, "delta * matches")
    appending = left.append_only and right.append_only
    if plan.kind in (JoinKind.SEMI, JoinKind.ANTI):
        made = _matching(writer, a, b, from_left, matched=plan.kind is JoinKind.SEMI)
        sql = union_all([Branch(f"SELECT * FROM {name}", (name,), typed=True) for name in made])
        grows = appending and plan.kind is JoinKind.SEMI
        return Stream(sql, tuple(made), plan.columns, grows, False)
    also = plan.kind is not JoinKind.LEFT
    made = _inner(writer, a, b, join_condition(plan), also=also)
    if not also:
        made.insert(0, _left_alone(writer, a, b, join_condition(plan), made[0]))
    branches = [Branch(f"SELECT * FROM {name}", (name,), typed=True) for name in made]
    if plan.kind in (JoinKind.LEFT, JoinKind.FULL):
        alone = _matching(writer, a, b, from_left, matched=False, also=also)
        branches += [_padded(name, a.columns, plan.columns) for name in alone]
        made += alone
    if plan.kind is JoinKind.FULL:
        alone = _matching(writer, b, a, from_right, matched=False)
        branches += [_padded(name, b.columns, plan.columns) for name in alone]
        made += alone
    sql = union_all(branches)
    both = appending and plan.kind is JoinKind.INNER
    _forget(writer, plan, a, b)
    if both:  # The third term only takes back what the first two counted twice.
        sql = f'SELECT {column_list(plan.columns)}, sum("_w")::INTEGER AS "_w" FROM ({sql}) '
        sql += f'GROUP BY {column_list(plan.columns)} HAVING sum("_w") <> 0'
    return Stream(sql, tuple(made), plan.columns, both, False)


def _forget(writer: Writer, plan: Join, a: Side, b: Side) -> None:
    """Let the rows go that no row in time can meet; only then, so that an epoch sees its own."""
    gone = forgotten(plan)
    for side_, predicate in ((a, gone.left), (b, gone.right)):
        if predicate is not None:
            sql = f"DELETE FROM {side_.content} WHERE coalesce({predicate}, FALSE)"
            writer.run(sql, (a.delta, b.delta), "join state")


def _left_alone(writer: Writer, a: Side, b: Side, on: str, like: str) -> str:
    """Return the delta of a left join of which only left rows change: they, joined."""
    columns = f"{column_list(a.columns, 'l')}, {column_list(b.columns, 'r')}"
    sql = (
        f'SELECT {columns}, (l."_w" * coalesce(r."_w", 1))::INTEGER AS "_w" '
        f"FROM {a.delta} AS l LEFT JOIN {b.content} AS r ON {on}"
    )
    # Named after another relation: the numbers of states are those of data that exist.
    own = f"left_{like.removeprefix('t_')}"
    return writer.temp(sql, (a.delta,), "join", name=own, without=(b.delta,))


def _inner(writer: Writer, a: Side, b: Side, on: str, *, also: bool) -> list[str]:
    """Return the deltas of the matches; unless ``also``, only where right rows change."""
    columns = f"{column_list(a.columns, 'l')}, {column_list(b.columns, 'r')}"

    def term(one: str, other: str, sign: str) -> str:
        weight = f'({sign}l."_w" * r."_w")::INTEGER AS "_w"'
        return f"SELECT {columns}, {weight} FROM {one} AS l JOIN {other} AS r ON {on}"

    return [
        writer.temp(
            term(a.delta, b.content, ""), _asked(a, b, also=also), "join", needs_all=not also
        ),
        writer.temp(term(a.content, b.delta, ""), (b.delta,), "join"),
        writer.temp(term(a.delta, b.delta, "-"), (a.delta, b.delta), "join", needs_all=True),
    ]


def _asked(a: Side, b: Side, *, also: bool) -> tuple[str, ...]:
    return (a.delta,) if also else (a.delta, b.delta)


def _matching(
    writer: Writer, a: Side, b: Side, on: _Condition, *, matched: bool, also: bool = True
) -> list[str]:
    """Return deltas of the rows of ``a`` that have a match in ``b``, or of those that have none.

    Law: new rows are decided by ``b`` as it is; old rows that a row of db matches by ``b`` as it
    was and as it is.
    """
    verb = "SEMI" if matched else "ANTI"
    operator = "semi join" if matched else "unmatched"
    rows, old_rows = column_list(a.columns, "l"), column_list(b.compared)
    direct = writer.temp(
        f'SELECT {rows}, l."_w" FROM {a.delta} AS l {verb} JOIN {_near(b, a.delta, on, verb)} '
        f"AS r ON {on('l', 'r')}",
        _asked(a, b, also=also),
        operator,
        needs_all=not also,
    )
    met = f"SEMI JOIN {b.delta} AS d ON {on('l', 'd')}"
    found = union_all(
        [
            Branch(f'SELECT {rows}, l."_w" FROM {a.content} AS l {met}', (b.delta,), typed=True),
            Branch(f'SELECT {rows}, -l."_w" FROM {a.delta} AS l {met}', (a.delta,), typed=True),
        ]
    )
    touched = writer.temp(
        found,
        (b.delta,),
        operator,
    )
    same = " AND ".join(
        f"({spell(qualify(key, 'r'))}) {sign} ({spell(qualify(key, 'd'))})" for key, sign in b.keys
    )
    old = (
        f'SELECT {old_rows} FROM (SELECT {column_list(b.compared, "r")}, r."_w" FROM {b.content} '
        f"AS r SEMI JOIN {b.delta} AS d ON {same or 'TRUE'} "
        f'UNION ALL SELECT {old_rows}, -"_w" FROM {b.delta}) '
        f'GROUP BY {old_rows} HAVING sum("_w") > 0'
    )
    was = (
        f'SELECT {rows}, -l."_w"::INTEGER AS "_w" FROM {touched} AS l '
        f"{verb} JOIN ({old}) AS r ON {on('l', 'r')}"
    )
    now = f'SELECT {rows}, l."_w"::INTEGER FROM {touched} AS l'
    if not b.append_only:
        was += f" UNION ALL {now} {verb} JOIN {_near(b, touched, on, verb)} AS r ON {on('l', 'r')}"
    elif matched:  # Where rows only come, a row that was touched has a match now.
        was += f" UNION ALL {now}"
    moved = writer.temp(was, (touched,), operator)
    return [direct, moved]


def _near(b: Side, rows: str, on: _Condition, verb: str) -> str:
    """Return what of a side may match some rows.

    An anti join reads a side whole; a semi join before it reads the row groups that may match.
    """
    if verb == "SEMI" or not b.keys:
        return b.content
    return f"(SELECT r.* FROM {b.content} AS r SEMI JOIN {rows} AS k ON {on('k', 'r')})"


def _padded(alone: str, own: tuple[str, ...], columns: tuple[str, ...]) -> Branch:
    """Print unmatched rows with NULLs, which take their types from the branch of the matches."""
    listed = ", ".join(quote(c) if c in own else f"NULL AS {quote(c)}" for c in columns)
    sql = f'SELECT {listed}, "_w"::INTEGER AS "_w" FROM {alone}'
    return Branch(sql, (alone,), typed=False)


def side(
    writer: Writer,
    plan: Plan,
    stream: Stream,
    keys: tuple[tuple[exp.Expression, str], ...],
    rest: tuple[exp.Expression, ...] = (),
) -> Side:
    """Return an input of a join, kept unless it is stored; its steps come before what reads it."""
    delta = writer.materialize(stream, "join input", net=True)
    read = {name for tree in (*(key for key, _ in keys), *rest) for name in names_in(tree)}
    compared = tuple(c for c in stream.columns if c in read) or stream.columns
    names = [key.name for key, _ in keys if isinstance(key, exp.Column)]
    if is_stored(plan) and are_stored(plan, names):
        content = f'(SELECT *, 1 AS "_w" FROM ({batch_sql(plan)}))'
        return Side(delta, content, stream.columns, keys, compared, stream.append_only)
    touched = _touched(stream.columns, [key for key, _ in keys])
    state, delta = followed_log(writer, "join", delta, stream, touched, "join state")
    return Side(delta, state, stream.columns, keys, compared, stream.append_only)


def _touched(columns: tuple[str, ...], keys: Sequence[exp.Expression]) -> tuple[str, ...]:
    """Return the columns whose rows are consolidated together: the key's, or all of them."""
    names = tuple(dict.fromkeys(key.name for key in keys if isinstance(key, exp.Column)))
    return names if names and all(isinstance(key, exp.Column) for key in keys) else columns
