"""Types of expressions over the FROM clause of one SELECT, each asked of the store once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from sqlglot import exp

from voltstream.core.errors import VoltstreamError
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import spell
from voltstream.sql.planning import replaced
from voltstream.sql.scope import literal_type

_UNKNOWN = DataType(Kind.UNKNOWN)
_NULL = from_store('"NULL"')
# What sees more than columns: other queries, the variables of closures, named windows.
_NOT_BY_COLUMNS = (exp.Query, exp.Lambda, exp.Window, exp.Star)


class Remembered:
    """A TypeOracle that is asked each question once, while one statement is translated."""

    def __init__(self, oracle: TypeOracle) -> None:
        self._oracle = oracle
        self._answers: dict[str, Schema | VoltstreamError] = {}

    def describe(self, sql: str) -> Schema:
        """Raises: what the oracle raises."""
        if sql not in self._answers:
            try:
                self._answers[sql] = self._oracle.describe(sql)
            except VoltstreamError as error:
                self._answers[sql] = error
        found = self._answers[sql]
        if isinstance(found, VoltstreamError):
            raise found
        return found


class ScopeTypes:
    """What expressions of a scope are, in the scope as it was before its translation.

    Law: binding costs what the FROM clause costs, so all columns are asked for together.
    ``around`` holds the scopes of the queries around this one, for all that are inside them.
    """

    def __init__(
        self,
        scope: exp.Expression,
        oracle: TypeOracle,
        around: dict[int, ScopeTypes] | None = None,
    ) -> None:
        self._scope = scope
        self._oracle = oracle
        self._around = around if around is not None else {}
        self._templates: list[str] = []
        self._known: dict[str, DataType] = {}
        self._stored: dict[str, str] = {}  # Columns, and how the store names their types.
        self._listed = False
        self._level = 0
        self._aliases = _aliases(scope)

    def of(self, node: exp.Expression) -> DataType:
        """Return a type; UNKNOWN where the statement itself will show the error."""
        literal = literal_type(node)
        if literal is not None:
            return literal
        if isinstance(node, exp.Null):
            return _NULL
        if isinstance(node, exp.Any | exp.All):
            return (
                _UNKNOWN  # No value by itself; asking would be an error, which ends a transaction.
            )
        if isinstance(node, exp.Column):
            above = self._home(node)
            if above is not None:
                return above.of(node)
        if not self._listed:
            self._listed = True
            self._list_columns()
        text = spell(node)
        if text not in self._known:
            found = self._of_columns(node) if self._has_columns(node) else self._asked(text)
            if found is None:
                return _UNKNOWN  # Not kept: what is inside FROM may yet be translated.
            self._known[text] = found
        return self._known[text]

    def lacks(self, column: exp.Column) -> bool:
        """Tell whether the scope can be read, and neither it nor those around have a column."""
        self._level = 0
        return self._asked("1") is not None and self._asked(spell(column)) is None

    def _home(self, column: exp.Column) -> ScopeTypes | None:
        """Return the scope further out to which a qualified name belongs; None: this one."""
        if not self._aliases or not column.table or column.table.lower() in self._aliases:
            return None
        above = self._scope.find_ancestor(exp.Select)
        if not isinstance(above, exp.Select):
            return None
        if id(above) not in self._around:
            self._around[id(above)] = ScopeTypes(above, self._oracle, self._around)
        return self._around[id(above)]

    def _asked(self, text: str) -> DataType | None:
        # A correlated name has its type in a query further out, and what helped one helps others.
        for level, template in enumerate(self._sources()):
            if level < self._level:
                continue
            with suppress(VoltstreamError):
                found = from_store(self._oracle.describe(template.format(text))[0].store_type)
                self._level = level
                return found
        self._templates.clear()
        return None

    def _sources(self) -> Iterator[str]:
        """Yield query templates: the scope alone, then inside the queries around it."""
        if not self._templates:
            self._templates.append(_source_of(self._scope))
        yield self._templates[0]
        place, above = 1, self._scope.parent
        while above is not None:
            if isinstance(above, exp.Select):
                if place == len(self._templates):
                    inner = self._templates[-1]
                    self._templates.append(_source_of(above).replace("({})", f"({inner})", 1))
                yield self._templates[place]
                place += 1
            above = above.parent

    def _list_columns(self) -> None:
        """Ask for every column the scope names; one that comes from further out spoils them all."""
        columns = {
            spell(column): column
            for column in self._scope.find_all(exp.Column)
            if not isinstance(column.this, exp.Star)
            and column.find_ancestor(exp.Select) is self._scope
            and self._home(column) is None
        }
        given = _output_names(self._scope)
        inputs = [text for text, one in columns.items() if one.table or one.name not in given]
        if not self._told(list(columns)) and len(inputs) < len(columns):
            self._told(inputs)

    def _told(self, texts: list[str]) -> bool:
        if not texts:
            return True
        with suppress(VoltstreamError):
            found = self._oracle.describe(next(self._sources()).format("), (".join(texts)))
            for text, column in zip(texts, found, strict=True):
                self._known[text] = from_store(column.store_type)
                self._stored[text] = column.store_type
            return True
        return False

    def _has_columns(self, node: exp.Expression) -> bool:
        """Tell whether a type follows from those of columns: FROM need not be bound again."""
        if not self._stored or node.find(*_NOT_BY_COLUMNS) is not None:
            return False
        return all(spell(one) in self._stored for one in node.find_all(exp.Column))

    def _of_columns(self, node: exp.Expression) -> DataType | None:
        names = {spell(one): f"_c{number}" for number, one in enumerate(node.find_all(exp.Column))}
        text = spell(replaced(node, lambda one: _renamed(one, names)))
        kinds = (f"CAST(NULL AS {self._stored[t]}) AS {name}" for t, name in names.items())
        with suppress(VoltstreamError):
            row = f"FROM (SELECT {', '.join(kinds)})" if names else ""
            return from_store(self._oracle.describe(f"SELECT ({text}) AS x {row}")[0].store_type)
        return None


def _renamed(node: exp.Expression, names: Mapping[str, str]) -> exp.Expression | None:
    return exp.column(names[spell(node)]) if isinstance(node, exp.Column) else None


def _output_names(scope: exp.Expression) -> frozenset[str]:
    """Return what GROUP BY and ORDER BY may call the outputs of a SELECT."""
    if not isinstance(scope, exp.Select):
        return frozenset()
    return frozenset(item.alias for item in scope.expressions if isinstance(item, exp.Alias))


def _aliases(scope: exp.Expression) -> frozenset[str]:
    """Return every name by which a SELECT may call its relations."""
    if not isinstance(scope, exp.Select):
        return frozenset()
    clause = scope.args.get("from_") or scope.args.get("from")
    holders = [clause, *(scope.args.get("joins") or [])] if clause is not None else []
    return frozenset(
        item.alias_or_name.lower()
        for holder in holders
        for item in holder.find_all(exp.Table, exp.Subquery, exp.Lateral, exp.Unnest, exp.Values)
    )


def _source_of(tree: exp.Expression) -> str:
    """Return a query template in whose place ``{}`` an expression of this scope has its type."""
    parts = ["SELECT ({}) AS x"]
    if isinstance(tree, exp.Select):
        clause = tree.args.get("from_") or tree.args.get("from")
        if clause is not None:
            parts.append(_escaped(spell(clause)))
        parts += [_escaped(spell(join)) for join in tree.args.get("joins") or []]
        windows = [window.copy() for window in tree.args.get("windows") or []]
        if windows:  # A definition is spelled as one within its clause only.
            parts.append(_escaped(spell(exp.Select(windows=windows)).removeprefix("SELECT ")))
        prefix = _ctes_above(tree)
        return " ".join([prefix, *parts]) if prefix else " ".join(parts)
    target = tree.find(exp.Table)
    if target is not None:
        parts.append(_escaped(f"FROM {spell(target)}"))
    return " ".join(parts)


def _ctes_above(tree: exp.Expression) -> str:
    node: exp.Expr | None = tree
    while node is not None:
        clause = node.args.get("with_") or node.args.get("with")
        if clause is not None:
            return _escaped(spell(clause))
        node = node.parent
    return ""


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
