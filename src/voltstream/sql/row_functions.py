"""Functions in FROM: SELECT * FROM generate_series(1, 3) AS t(x), jsonb_each(…), abs(-1).

Law: a function that returns rows becomes UNNEST of the list that its rule makes; several columns
become several lists opened side by side, the short ones padded with NULL.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from voltstream.core.errors import SyntaxFault
from voltstream.sql import timelines
from voltstream.sql.dialect import SET_FUNCTIONS
from voltstream.sql.expressions import mentions_now
from voltstream.sql.rules import json
from voltstream.sql.rules.dispatch import CALLS
from voltstream.sql.rules.tree import call, cast, cast_as, number, text

Rewrite = Callable[[exp.Expression], exp.Expression]

_PAIRS = {
    "jsonb_each": True, "json_each": True, "jsonb_each_text": False, "json_each_text": False,
}  # fmt: skip
_RECORDS = frozenset({"jsonb_to_record", "json_to_record"})
_RECORDSETS = frozenset({"jsonb_to_recordset", "json_to_recordset"})
# Functions whose column has a name of its own.
_NAMED_VALUE = frozenset({
    "jsonb_array_elements", "jsonb_array_elements_text", "json_array_elements",
    "json_array_elements_text",
})  # fmt: skip
_ORDINALITY = "ordinality"
_NESTED = frozenset({exp.DataType.Type.ARRAY, exp.DataType.Type.STRUCT, exp.DataType.Type.MAP})
ROWS_OF = "_vs_rows_of"  # An array in FROM; then the names of its fields, when it has several.


def streamed(item: exp.Expression, rewrite: Rewrite) -> exp.Expression | None:
    """Return ``opened``, with a series of constants made row by row and not as a list."""
    found = opened(item, rewrite)
    if not isinstance(found, exp.Lateral) or not isinstance(found.this.this, exp.Select):
        return found
    query = found.this.this
    output = query.expressions[0]
    lone = len(query.expressions) == 1 and isinstance(output, exp.Alias)
    if lone and isinstance(output.this, exp.Explode):
        counted = _counted(output.this.this, output.alias)
        if counted is not None:
            return _lateral(counted, found.alias)
    return found


def opened(item: exp.Expression, rewrite: Rewrite) -> exp.Expression | None:
    """Return a FROM item that is a function as a query, or None when it is none of ours."""
    if isinstance(item, exp.Lateral) and isinstance(item.this, exp.Anonymous | exp.Explode):
        return _opened_call(item.this, item, rewrite)
    if isinstance(item, exp.Unnest):
        return _unnested(item, rewrite)
    if isinstance(item, exp.Table) and isinstance(item.this, exp.Anonymous):
        if item.args.get("db"):
            return None
        return _opened_call(item.this, item, rewrite)
    return None


def _opened_call(
    function: exp.Expression, item: exp.Expression, rewrite: Rewrite
) -> exp.Expression | None:
    if isinstance(function, exp.Explode):
        lists = [function.this, *function.expressions]
        return _unnested(_like(item, exp.Unnest(expressions=lists)), rewrite)
    name = function.name.lower()
    if name == ROWS_OF:
        return _array_rows(function, item, rewrite)
    if name in _PAIRS:
        return _pairs(function, item, rewrite)
    if name in _RECORDS | _RECORDSETS:
        return _records(function, item, rewrite)
    if name in timelines.ROWS:
        return _array_rows(call(name, function, *map(text, timelines.ROWS[name])), item, rewrite)
    if name in SET_FUNCTIONS:
        return _lists([function], [name], item, rewrite)
    if name in CALLS:
        return _scalar(function, name, item, rewrite)
    return None


def _like(item: exp.Expression, made: exp.Expression) -> exp.Expression:
    for key in ("alias", "offset", "ordinality"):
        if item.args.get(key):
            made.set(key, item.args[key])
    return made


def _unnested(item: exp.Expression, rewrite: Rewrite) -> exp.Expression:
    lists = list(item.expressions)
    if any(isinstance(one, exp.Select | exp.Subquery) for one in lists):
        lists = [one if not isinstance(one, exp.Select) else exp.Paren(this=one) for one in lists]
    return _lists(lists, ["unnest"] * len(lists), item, rewrite)


def _alias(item: exp.Expression) -> tuple[str, list[str]]:
    alias = item.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return "", []
    return alias.name, [column.name for column in alias.columns]


def _is_numbered(item: exp.Expression) -> bool:
    return bool(item.args.get("ordinality") or item.args.get("offset"))


def _lists(
    lists: list[exp.Expression], names: list[str], item: exp.Expression, rewrite: Rewrite
) -> exp.Expression:
    """Return SELECT UNNEST(a) AS x, UNNEST(b) AS y as a FROM item."""
    alias, columns = _alias(item)
    if isinstance(item, exp.Unnest) and isinstance(item.args.get("offset"), exp.Identifier):
        columns = [*columns, item.args["offset"].name]  # The parser takes the last one for it.
    alias = alias or names[0]
    arrays = [_flattened(one, rewrite) for one in lists]
    shown = [alias if len(lists) == 1 else name for name in names]
    if names[0] in _NAMED_VALUE:
        shown = [_value_name(item, alias if alias != names[0] else "")]
    shown = [columns[i] if i < len(columns) else name for i, name in enumerate(shown)]
    outputs = [
        exp.alias_(exp.Explode(this=array), name, quoted=True)
        for array, name in zip(arrays, shown, strict=True)
    ]
    if _is_numbered(item):
        lengths = [
            exp.Coalesce(this=call("len", array.copy()), expressions=[number(0)])
            for array in arrays
        ]
        longest = call("greatest", *lengths)
        places = call("range", number(1), exp.Add(this=longest, expression=number(1)))
        place = columns[len(lists)] if len(columns) > len(lists) else _ORDINALITY
        outputs.append(exp.alias_(exp.Explode(this=places), place, quoted=True))
    return _lateral(exp.select(*outputs), alias)


def _counted(array: exp.Expression, shown: str) -> exp.Select | None:
    """Return a series of constants as a query that makes its rows one by one, not as a list."""
    series, kind = array, None
    if isinstance(array, exp.Cast):
        series, kind = array.this, array.to.expressions[0]
    if not isinstance(series, exp.Anonymous) or series.name.lower() != "generate_series":
        return None
    if mentions_now(series) or series.find(exp.Column, exp.Query) is not None:
        return None
    # What a function stands for may be a query, which no table function of the store takes.
    if any(part.find(exp.Anonymous, exp.Dot) is not None for part in series.expressions):
        return None
    value: exp.Expression = exp.column("generate_series")
    value = value if kind is None else exp.Cast(this=value, to=kind.copy())
    rows = exp.Table(this=series.copy())
    return exp.select(exp.alias_(value, shown, quoted=True)).from_(rows)


def _value_name(item: exp.Expression, alias: str) -> str:
    """Return the column's name; what is called alias.value elsewhere is meant by it too."""
    if not alias:
        return "value"
    select = item.find_ancestor(exp.Select)
    for column in select.find_all(exp.Column) if select is not None else ():
        if column.table == alias and column.name == "value":
            column.set("this", exp.to_identifier(alias, quoted=True))
    return alias


def _flattened(tree: exp.Expression, rewrite: Rewrite) -> exp.Expression:
    # UNNEST's own rule opens arrays of arrays to their elements.
    if isinstance(tree, exp.Anonymous) and tree.name.lower() in SET_FUNCTIONS:
        return rewrite(tree)
    wrapped = rewrite(exp.Explode(this=tree))
    inner: exp.Expression = wrapped.this
    return inner


def _lateral(query: exp.Select, alias: str) -> exp.Expression:
    return exp.Lateral(
        this=exp.Subquery(this=query),
        alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)),
    )


def _array_rows(function: exp.Expression, item: exp.Expression, rewrite: Rewrite) -> exp.Expression:
    """Open an array whose elements are values, or records whose fields become columns."""
    array, *names = function.expressions
    alias, columns = _alias(item)
    if len(names) < 2:
        return _lists([array], [columns[0] if columns else alias], item, rewrite)
    fields = [columns[i] if i < len(columns) else name.name for i, name in enumerate(names)]
    rows = exp.select(exp.alias_(exp.Explode(this=rewrite(array)), "e"))
    outputs = [
        _named(call("struct_extract", exp.column("e"), text(name.name)), shown)
        for name, shown in zip(names, fields, strict=True)
    ]
    inner = exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("elements")))
    called = function.name.lower()
    alias = alias or ("_pg_expandarray" if called == ROWS_OF else called)
    return _lateral(exp.select(*outputs).from_(inner), alias)


def _pairs(function: exp.Expression, item: exp.Expression, rewrite: Rewrite) -> exp.Expression:
    alias, columns = _alias(item)
    names = [*columns[:2], *("key", "value")[len(columns[:2]) :]]
    rows = exp.select(exp.alias_(exp.Explode(this=rewrite(function)), "p"))
    pair = exp.column("p")
    value: exp.Expression = call("list_extract", pair.copy(), number(2))
    if _PAIRS[function.name.lower()]:
        value = cast(value, "JSON")
    query = exp.select(
        exp.alias_(call("list_extract", pair, number(1)), names[0], quoted=True),
        exp.alias_(value, names[1], quoted=True),
    ).from_(exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("pairs"))))
    return _lateral(query, alias or function.name.lower())


def _records(function: exp.Expression, item: exp.Expression, rewrite: Rewrite) -> exp.Expression:
    alias_node = item.args.get("alias")
    definitions = alias_node.columns if isinstance(alias_node, exp.TableAlias) else []
    source: exp.Expression = cast(function.expressions[0], "JSON")
    if function.name.lower() in _RECORDS:
        source = exp.Array(expressions=[cast(rewrite(source), "VARCHAR")])
    else:
        source = rewrite(call("jsonb_array_elements", source))
    element = cast(exp.column("e"), "VARCHAR")
    outputs: list[exp.Expression] = []
    for definition in definitions:
        name = definition.name
        value: exp.Expression = call("_vs_json_field", element.copy(), text(name))
        kind = definition.args.get("kind")
        if kind is None:
            raise SyntaxFault(
                'a column definition list is required for functions returning "record"',
                hint=f'Give column "{name}" a type.',
            )
        if isinstance(kind, exp.DataType) and kind.this in _NESTED:
            member = call("json_extract", cast(exp.column("e"), "JSON"), json.member_path(name))
            outputs.append(_named(json.read_as(member, kind), name))
            continue
        if isinstance(kind, exp.DataType):
            value = cast_as(cast(value, "VARCHAR"), kind)
        outputs.append(_named(rewrite(value), name))
    rows = exp.select(exp.alias_(exp.Explode(this=source), "e"))
    inner = exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("elements")))
    alias = alias_node.name if isinstance(alias_node, exp.TableAlias) else ""
    return _lateral(exp.select(*outputs).from_(inner), alias or function.name.lower())


def _named(tree: exp.Expression, name: str) -> exp.Expression:
    return exp.Alias(this=tree, alias=exp.to_identifier(name, quoted=True))


def _scalar(
    function: exp.Expression, name: str, item: exp.Expression, rewrite: Rewrite
) -> exp.Expression:
    alias, columns = _alias(item)
    shown = columns[0] if columns else alias or name
    outputs = [exp.alias_(rewrite(function), shown, quoted=True)]
    if _is_numbered(item):
        place = columns[1] if len(columns) > 1 else _ORDINALITY
        outputs.append(exp.alias_(cast(number(1), "BIGINT"), place, quoted=True))
    return _lateral(exp.select(*outputs), alias or name)
