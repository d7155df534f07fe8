"""Set-returning functions: in FROM, in a select list, as lists that are unnested."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.expressions import spell

_LISTS = {
    "jsonb_array_elements": "json_extract",
    "json_array_elements": "json_extract",
    "jsonb_array_elements_text": "json_extract_string",
    "json_array_elements_text": "json_extract_string",
    "jsonb_object_keys": "json_keys",
    "json_object_keys": "json_keys",
    "regexp_split_to_table": "string_split_regex",
    "string_to_table": "string_split",
}
_WHOLE = "'$[*]'"


@dataclass(frozen=True)
class Expansion:
    """A set-returning FROM item: its lists by column name, and the name of its ordinals."""

    alias: str
    lists: tuple[tuple[str, exp.Expression], ...]
    ordinality: str | None

    def columns(self, *, outer: bool) -> list[tuple[str, exp.Expression]]:
        """Return each column's expression; ``outer`` keeps a row whose lists are empty."""
        found = []
        for name, tree in self.lists:
            found.append((name, unnested(_padded(tree) if outer else tree)))
        if self.ordinality is not None:
            longest = _longest(self.lists)
            numbers = _call("generate_series", exp.Literal.number(1), longest)
            found.append((self.ordinality, unnested(_padded(numbers) if outer else numbers)))
        return found


def expansion_of(node: exp.Expression) -> Expansion | None:
    """Return what a FROM item expands to, or None when it is no set-returning function."""
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        inner = expansion_of(_bare(node.this))
        return _named(inner, node) if inner is not None else None
    if isinstance(node, exp.Unnest):
        lists = tuple((f"unnest_{n}", tree) for n, tree in enumerate(node.expressions))
        lists = (("unnest", lists[0][1]),) if len(lists) == 1 else lists
        offset = node.args.get("offset")
        ordinality = None
        if offset is not None and offset is not False:
            ordinality = offset.name if isinstance(offset, exp.Expression) else "ordinality"
        return _named(Expansion("unnest", lists, ordinality), node)
    if not isinstance(node, exp.Table) or isinstance(node.this, exp.Identifier):
        return None
    found = list_of(node.this)
    if found is None:
        return None
    name = _function_name(node.this)
    ordinality = "ordinality" if node.args.get("ordinality") else None
    return _named(Expansion(name, ((name, found),), ordinality), node)


def list_of(node: exp.Expression) -> exp.Expression | None:
    """Return the list whose elements a set-returning call gives, or None."""
    match node:
        case exp.Explode() if isinstance(node.this, exp.Expression):
            return node.this
        case exp.Unnest() if len(node.expressions) == 1:
            tree = node.expressions[0]
            return tree if isinstance(tree, exp.Expression) else None
        case exp.ExplodingGenerateSeries() | exp.GenerateSeries():
            parts = [node.args.get(key) for key in ("start", "end", "step")]
            return _call("generate_series", *(p for p in parts if p is not None))
        case exp.Anonymous() if node.name.lower() == "generate_series":
            return _call("generate_series", *node.expressions)
        case exp.Anonymous() if node.name.lower() in _LISTS:
            name = node.name.lower()
            arguments = list(node.expressions)
            if name.endswith(("elements", "elements_text")):
                arguments.append(exp.Var(this=_WHOLE))
            return _call(_LISTS[name], *arguments)
        case _:
            return None


def unnested(tree: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="unnest", expressions=[tree.copy()])


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _padded(tree: exp.Expression) -> exp.Expression:
    """Return a list with one NULL in place of an empty or missing list."""
    empty = exp.EQ(
        this=exp.Coalesce(this=_call("len", tree), expressions=[exp.Literal.number(0)]),
        expression=exp.Literal.number(0),
    )
    return exp.Case(ifs=[exp.If(this=empty, true=exp.Var(this="[NULL]"))], default=tree.copy())


def _longest(lists: tuple[tuple[str, exp.Expression], ...]) -> exp.Expression:
    lengths = [
        exp.Coalesce(this=_call("len", tree), expressions=[exp.Literal.number(0)])
        for _, tree in lists
    ]
    return lengths[0] if len(lengths) == 1 else _call("greatest", *lengths)


def _bare(node: exp.Expression) -> exp.Expression:
    return node if isinstance(node, exp.Unnest | exp.Table) else exp.Table(this=node.copy())


def _function_name(call: exp.Expression) -> str:
    if isinstance(call, exp.Anonymous):
        return call.name.lower()
    if isinstance(call, exp.ExplodingGenerateSeries | exp.GenerateSeries):
        return "generate_series"
    return "unnest"


def _named(expansion: Expansion, node: exp.Expression) -> Expansion:
    """Give columns the names of their alias: AS g names a single column g, AS g(i) names it i."""
    alias = node.args.get("alias")
    if alias is None:
        return expansion
    name = alias.name or expansion.alias
    given = [identifier.name for identifier in alias.args.get("columns") or []]
    lists = list(expansion.lists)
    ordinality = expansion.ordinality
    if len(lists) == 1 and not given and alias.name:
        lists = [(name, lists[0][1])]
    for place, own in enumerate(given):
        if place < len(lists):
            lists[place] = (own, lists[place][1])
        elif ordinality is not None:
            ordinality = own
    return Expansion(name, tuple(lists), ordinality)


def function_query(node: exp.Expression) -> exp.Expression | None:
    """Return a FROM item's set-returning function as a subquery, for statements that run once."""
    expansion = expansion_of(node)
    if expansion is None:
        return None
    items = ", ".join(
        f"{spell(tree)} AS {spell(exp.to_identifier(name, quoted=True))}"
        for name, tree in expansion.columns(outer=False)
    )
    alias = exp.TableAlias(this=exp.to_identifier(expansion.alias, quoted=True))
    return exp.Table(this=exp.Var(this=f"(SELECT {items})"), alias=alias)
