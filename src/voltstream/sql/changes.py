"""INSERT and UPDATE as queries: the rows a table shall hold, computed before any is written.

Values are assigned as PostgreSQL assigns them: a bare string or NULL is read as its column's type,
anything else is cast to it where PostgreSQL has an assignment cast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.errors import (
    DatatypeMismatch,
    DuplicateColumn,
    FeatureNotSupported,
    GeneratedAlways,
    SyntaxFault,
    UndefinedColumn,
)
from voltstream.core.schema import Schema
from voltstream.core.types import Kind, from_store
from voltstream.sql.bounds import Bound, bounds_of
from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.columns import quoted
from voltstream.sql.dialect import parse_expression, tokenize
from voltstream.sql.expressions import spell
from voltstream.sql.fitting import fitted
from voltstream.sql.returning import others
from voltstream.sql.statements import ColumnSpec
from voltstream.sql.translate import translated_tree

ORDINAL = "_n"  # The place of a row in its statement: of two with one key the later wins.
ROW_ID = "_id"  # The stored row that an UPDATE changes.


@dataclass(frozen=True, slots=True)
class Target:
    """The table that is changed.

    Shape: ``stored`` is where its rows are, ``sequences`` the sequence of each identity column.
    """

    name: str
    stored: str
    columns: tuple[ColumnSpec, ...]
    sequences: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compiling:
    """What turning trees into the store's SQL needs."""

    catalog: CatalogReader
    oracle: TypeOracle
    parameters: Sequence[object | None] = ()

    def items(self, trees: Sequence[exp.Expression | str], source: str | None) -> list[str]:
        """Translate expressions over a relation's columns (or none); text is so already."""
        wanted = [tree for tree in trees if isinstance(tree, exp.Expression)]
        if not wanted:
            return [str(tree) for tree in trees]
        select = exp.select(*[_named(t.copy(), f"c{i}") for i, t in enumerate(wanted)])
        if source is not None:
            select = select.from_(source)
        done = translated_tree(select, self.catalog, self.oracle, self.parameters, stable_now=False)
        texts = iter([spell(item.unalias()) for item in done.expressions])
        return [next(texts) if isinstance(tree, exp.Expression) else tree for tree in trees]

    def query(self, tree: exp.Expression) -> str:
        done = translated_tree(tree, self.catalog, self.oracle, self.parameters, stable_now=False)
        return spell(done)


def _named(tree: exp.Expression, name: str) -> exp.Alias:
    """Name an output; a subquery's own alias would name a table."""
    return exp.Alias(this=tree, alias=exp.to_identifier(name, quoted=True))


def insert_rows(tree: exp.Insert, target: Target, compiling: Compiling) -> str:
    """Return a query for the rows of an INSERT: every column of the table, and the ordinal.

    Raises: UndefinedColumn, DuplicateColumn, GeneratedAlways, SyntaxFault, DatatypeMismatch.
    """
    names = _insert_columns(tree, target)
    specs = {spec.name: spec for spec in target.columns}
    named: tuple[ColumnSpec, ...] = ()
    source = tree.args.get("expression")
    while isinstance(source, exp.Subquery) and not source.alias:
        source = source.this
    if source is None:
        given, rows = [], f"SELECT 1 AS {ORDINAL}"
    elif isinstance(source, exp.Values):
        width = len(source.expressions[0].expressions)
        given = _given(names, width, tree)
        named = tuple(specs[name] for name in given)
        rows = _values(source, named, target, compiling)
    else:
        sql = compiling.query(source)
        described = compiling.oracle.describe(sql)
        given = _given(names, len(described), tree)
        named = tuple(specs[name] for name in given)
        _check_assignable(described, named, source)
        listed = ", ".join(f"c{i}" for i in range(len(given)))
        rows = f"SELECT row_number() OVER () AS {ORDINAL}, {listed} FROM ({sql}) AS _q({listed})"
    places = {name: i for i, name in enumerate(given)}
    defaults = _defaults([s for s in target.columns if s.name not in places], target, compiling)
    parts = [
        f"{fitted(f'c{places[s.name]}' if s.name in places else defaults[s.name], s)} "
        f"AS {quoted(s.name)}"
        for s in target.columns
        if s.generated_text is None
    ]
    return with_generated(f"SELECT {', '.join([*parts, ORDINAL])} FROM ({rows})", target, compiling)


def _insert_columns(tree: exp.Insert, target: Target) -> list[str]:
    """Return the columns that are named, or all that take values."""
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        return [spec.name for spec in target.columns if spec.generated_text is None]
    names = [item.name for item in schema.expressions]
    for index, name in enumerate(names):
        spec = _spec(target, name)
        if name in names[:index]:
            raise DuplicateColumn(f'column "{name}" specified more than once')
        if spec.generated_text is not None:
            raise _generated_only(spec, "insert a non-DEFAULT value into")
        if spec.identity == "always":
            raise _generated_only(spec, "insert a non-DEFAULT value into")
    return names


def _spec(target: Target, name: str) -> ColumnSpec:
    for spec in target.columns:
        if spec.name == name:
            return spec
    raise UndefinedColumn(f'column "{name}" of relation "{target.name}" does not exist')


def _generated_only(spec: ColumnSpec, verb: str) -> GeneratedAlways:
    kind = "an identity" if spec.identity is not None else "a generated"
    return GeneratedAlways(
        f'cannot {verb} column "{spec.name}"',
        detail=f'Column "{spec.name}" is {kind} column.',
        hint="Leave the column out.",
    )


def _given(names: list[str], width: int, tree: exp.Insert) -> list[str]:
    if width > len(names):
        raise SyntaxFault("INSERT has more expressions than target columns")
    if width < len(names) and isinstance(tree.this, exp.Schema):
        raise SyntaxFault("INSERT has more target columns than expressions")
    return names[:width]


def _values(
    values: exp.Values, specs: Sequence[ColumnSpec], target: Target, compiling: Compiling
) -> str:
    items: list[exp.Expression | str] = []
    for row in values.expressions:
        if len(row.expressions) != len(specs):
            raise SyntaxFault("VALUES lists must all be the same length")
        for value, spec in zip(row.expressions, specs, strict=True):
            items.append(_plain(value, spec) or _assigned(value, spec, target))
    texts = compiling.items(items, None)
    width = len(specs)
    rows = [
        f"({', '.join([str(n), *texts[n * width : (n + 1) * width]])})"
        for n in range(len(values.expressions))
    ]
    columns = ", ".join([ORDINAL, *(f"c{i}" for i in range(width))])
    return f"SELECT {columns} FROM (VALUES {', '.join(rows)}) AS _v({columns})"


def _plain(value: exp.Expression, spec: ColumnSpec) -> str | None:
    """Spell what means the same everywhere; a long list of such values needs no compiling."""
    if isinstance(value, exp.Null):
        return "NULL"
    if isinstance(value, exp.Literal):
        if not value.is_string:
            return str(value.name)
        if spec.store_type == "VARCHAR":  # What is too long is told where it is assigned.
            return "'" + value.name.replace("'", "''") + "'"
    if isinstance(value, exp.Neg) and isinstance(value.this, exp.Literal):
        return None if value.this.is_string else f"-{value.this.name}"
    return None


def _assigned(value: exp.Expression, spec: ColumnSpec, target: Target) -> exp.Expression | str:
    """Read what has no type of its own as its column's type."""
    if _says_default(value):
        return _default(spec, target)
    bare = value.this if isinstance(value, exp.Paren) else value
    untyped = isinstance(bare, exp.Null | exp.Parameter | exp.Placeholder)
    if untyped or (isinstance(bare, exp.Literal) and bare.is_string) or _is_row(bare):
        return _cast(value, spec)
    if isinstance(bare, exp.Boolean) and spec.store_type not in ("BOOLEAN", "VARCHAR"):
        raise DatatypeMismatch(
            f'column "{spec.name}" is of type {from_store(spec.store_type).pg_name} '
            "but expression is of type boolean",
            hint="You will need to rewrite or cast the expression.",
        )
    if isinstance(bare, exp.Array) and spec.store_type.endswith("]"):
        return _cast(value, spec)
    return value


def _is_row(value: exp.Expression) -> bool:
    return isinstance(value, exp.Tuple) or (
        isinstance(value, exp.Anonymous) and value.name.lower() == "row"
    )


def _cast(value: exp.Expression, spec: ColumnSpec) -> exp.Expression:
    # Bits of any count: how many there may be is told when they are kept.
    store_type = "varbit" if spec.store_type == "BIT" else spec.store_type
    kind = exp.DataType.build(store_type, dialect="duckdb", udt=True)
    return exp.Cast(this=value.copy(), to=kind)


def _says_default(value: exp.Expression) -> bool:
    if isinstance(value, exp.Column):
        name = value.this
        return not value.table and name.name == "default" and not name.args.get("quoted")
    return isinstance(value, exp.Var) and value.name.upper() == "DEFAULT"


def _default(spec: ColumnSpec, target: Target) -> exp.Expression | str:
    if spec.identity is not None:
        return f"nextval('{target.sequences[spec.name]}')"
    if spec.default_text is not None:
        tree = parse_expression(tokenize(spec.default_text), spec.default_text)
        return _assigned(tree, ColumnSpec(spec.name, spec.store_type), target)
    return _cast(exp.Null(), spec)


def _defaults(specs: Sequence[ColumnSpec], target: Target, compiling: Compiling) -> dict[str, str]:
    left = [spec for spec in specs if spec.generated_text is None]
    texts = compiling.items([_default(spec, target) for spec in left], None)
    return dict(zip([spec.name for spec in left], texts, strict=True))


def with_generated(rows: str, target: Target, compiling: Compiling) -> str:
    """Add the generated columns to rows that have all others, in the table's order."""
    made = [spec for spec in target.columns if spec.generated_text is not None]
    if not made:
        return rows
    trees = [
        parse_expression(tokenize(spec.generated_text or ""), spec.generated_text or "")
        for spec in made
    ]
    texts = compiling.items(trees, target.stored)
    values = {
        spec.name: f"{fitted(text, spec)} AS {quoted(spec.name)}"
        for spec, text in zip(made, texts, strict=True)
    }
    parts = [values.get(spec.name, quoted(spec.name)) for spec in target.columns]
    extra = ROW_ID if f" AS {ROW_ID}" in rows else ORDINAL
    return f"SELECT {', '.join([*parts, extra])} FROM ({rows})"


_ASSIGNABLE_FROM_TEXT = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.UNKNOWN})


def _check_assignable(
    described: Schema, specs: Sequence[ColumnSpec], source: exp.Expression
) -> None:
    """Refuse text for a column of another type, unless it is a bare literal of the query."""
    items = source.expressions if isinstance(source, exp.Select) else []
    for index, (column, spec) in enumerate(zip(described, specs, strict=True)):
        item = items[index].unalias() if len(items) == len(described) else None
        literal = isinstance(item, exp.Literal | exp.Null | exp.Parameter | exp.Placeholder)
        found, wanted = column.type, from_store(spec.store_type)
        if literal or column.store_type == '"NULL"' or found.array_depth or wanted.array_depth:
            continue
        if found.kind in (Kind.TEXT, Kind.VARCHAR) and wanted.kind not in _ASSIGNABLE_FROM_TEXT:
            raise DatatypeMismatch(
                f'column "{spec.name}" is of type {wanted.pg_name} but expression is of type '
                f"{found.pg_name}",
                hint="You will need to rewrite or cast the expression.",
            )


# --- UPDATE -------------------------------------------------------------------------------------


def update_rows(
    tree: exp.Expression,
    target: Target,
    compiling: Compiling,
    *,
    once: bool = True,
    also: Sequence[exp.Expression] = (),
) -> tuple[str, str]:
    """Return two queries: (row id and old values) is in the first, new rows with it in the second.

    Shape: the second reads the first's result from a relation named ``_old``. With ``once`` a row
    that several rows of FROM match is there once. ``also`` are kept in the first as r0, r1, …
    Raises: UndefinedColumn, DuplicateColumn, GeneratedAlways, SyntaxFault.
    """
    table = tree.this
    alias = table.alias or target.name
    assigned = _assignments(tree, target)
    select = exp.select(
        _named(exp.column("rowid", table=alias, quoted=True), ROW_ID),
        *[
            _named(exp.column(s.name, table=alias, quoted=True), f"o{i}")
            for i, s in enumerate(target.columns)
        ],
        *[
            _named(value, f"n{i}")
            for i, s in enumerate(target.columns)
            if (value := assigned.get(s.name)) is not None
        ],
        *[_named(value.copy(), f"r{i}") for i, value in enumerate(also)],
    )
    source = exp.alias_(exp.to_table(target.stored), alias, table=True, quoted=True)
    select = select.from_(source)
    beside = others(tree)
    for other in beside:
        select = select.join(other.copy(), join_type="cross")
    where = tree.args.get("where")
    if where is not None:
        select = select.where(where.this.copy())
    if tree.args.get("with_") is not None:
        select.set("with_", tree.args["with_"].copy())
    old = compiling.query(select)
    if beside and once:
        old = f"SELECT DISTINCT ON ({ROW_ID}) * FROM ({old})"
    parts = [
        f"{fitted(f'n{i}' if s.name in assigned else f'o{i}', s)} AS {quoted(s.name)}"
        for i, s in enumerate(target.columns)
        if s.generated_text is None
    ]
    new = f"SELECT {', '.join(parts)}, {ROW_ID} AS {ROW_ID} FROM _old"
    return old, with_generated(new, target, compiling)


def _assignments(tree: exp.Expression, target: Target) -> dict[str, exp.Expression]:
    found: dict[str, exp.Expression] = {}
    for assignment in tree.expressions:
        if not isinstance(assignment, exp.EQ):
            raise SyntaxFault("UPDATE takes SET column = value")
        left, right = assignment.this, assignment.expression
        if isinstance(left, exp.Tuple | exp.Paren):
            names = [c.name for c in (left.expressions or [left.this])]
            values = _row_values(right, len(names))
        else:
            names, values = [left.name], [right]
        for name, value in zip(names, values, strict=True):
            spec = _spec(target, name)
            if name in found:
                raise SyntaxFault(f'multiple assignments to same column "{name}"')
            if spec.generated_text is not None and not _says_default(value):
                raise GeneratedAlways(
                    f'column "{name}" can only be updated to DEFAULT',
                    detail=f'Column "{name}" is a generated column.',
                )
            if spec.identity == "always" and not _says_default(value):
                raise GeneratedAlways(
                    f'column "{name}" can only be updated to DEFAULT',
                    detail=f'Column "{name}" is an identity column defined as GENERATED ALWAYS.',
                )
            if spec.generated_text is None:
                given = _assigned(value, spec, target)
                if isinstance(given, str):
                    raise FeatureNotSupported("SET column = DEFAULT of an identity column")
                found[name] = given
    return found


def _row_values(right: exp.Expression, width: int) -> list[exp.Expression]:
    """Take the right side of ``(a, b) = …`` apart."""
    if isinstance(right, exp.Subquery):
        columns = [f"c{i}" for i in range(width)]
        found = len(right.this.selects) if isinstance(right.this, exp.Query) else width
        if found != width and not right.this.is_star:
            raise SyntaxFault("number of columns does not match number of values")
        inner = [
            exp.Subquery(
                this=exp.select(exp.column(name, table="_s")).from_(
                    exp.Subquery(
                        this=right.this.copy(),
                        alias=exp.TableAlias(
                            this=exp.to_identifier("_s"),
                            columns=[exp.to_identifier(c) for c in columns],
                        ),
                    )
                )
            )
            for name in columns
        ]
        return list(inner)
    if isinstance(right, exp.Tuple) or _is_row(right):
        values = list(right.expressions)
    elif isinstance(right, exp.Paren):
        values = [right.this]
    else:
        raise SyntaxFault(
            "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression"
        )
    if len(values) != width:
        raise SyntaxFault("number of columns does not match number of values")
    return values


# --- rows from elsewhere ------------------------------------------------------------------------


def arriving_rows(
    source: str, names: Mapping[str, str], target: Target, compiling: Compiling
) -> str:
    """Return rows of a relation as the table's own.

    Shape: ``names`` maps a column of the table to the column of ``source`` that fills it; the
    others get their defaults. ``source`` has the ordinal.
    """
    defaults = _defaults([s for s in target.columns if s.name not in names], target, compiling)
    parts = [
        f"{fitted(quoted(names[s.name]) if s.name in names else defaults[s.name], s)} AS "
        f"{quoted(s.name)}"
        for s in target.columns
        if s.generated_text is None
    ]
    return with_generated(f"SELECT {', '.join([*parts, ORDINAL])} FROM {source}", target, compiling)


def matching(
    tree: exp.Expression, name: str, stored: str, columns: Schema
) -> tuple[exp.Select, list[Bound]]:
    """Return a query for the rows that an UPDATE, DELETE or MERGE may match, and their bounds.

    Shape: it reads ``stored``, which has the table's columns and those that say where a row is.
    """
    target = tree.this
    alias = target.alias or name
    source = exp.alias_(exp.to_table(stored), alias, table=True, quoted=True)
    select = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier(alias, quoted=True)))
    select = select.from_(source)
    for other in others(tree):
        select = select.join(other.copy(), join_type="cross")
    condition = tree.args.get("on")
    where = tree.args.get("where")
    if isinstance(tree, exp.Merge):
        whens = tree.args["whens"].expressions
        if condition is not None and not any(when.args.get("source") for when in whens):
            select = select.where(condition.copy())
    elif where is not None:
        select = select.where(where.this.copy())
    if tree.args.get("with_") is not None:
        select.set("with_", tree.args["with_"].copy())
    return select, bounds_of(select, alias, frozenset(column.name for column in columns))
