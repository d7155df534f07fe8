"""Random schemas, views and batches of changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.property.compositions import query
from tests.property.queries import Choice, Query, Shape, literal

_SQL_TYPES = {
    "int": "INTEGER",
    "text": "VARCHAR",
    "float": "DOUBLE PRECISION",
    "numeric": "NUMERIC(10,2)",
    "time": "TIMESTAMPTZ",
    "bool": "BOOLEAN",
}


@dataclass
class Case:
    """A database to be: relations, views, and steps of changes cut into epochs."""

    tables: list[Shape] = field(default_factory=list)
    sources: list[Shape] = field(default_factory=list)
    views: list[tuple[str, Query]] = field(default_factory=list)
    early: int = 0  # Steps before the views are made: they backfill.
    steps: list[str] = field(default_factory=list)
    singly: dict[str, list[str]] = field(default_factory=dict)  # An INSERT -> one per row.

    def ddl(self) -> list[str]:
        made = []
        for shape in [*self.tables, *self.sources]:
            table = shape in self.tables
            columns = [f"{name} {_SQL_TYPES[kind]}" for name, kind in shape.columns]
            if table:
                columns[0] += " PRIMARY KEY"
            made.append(
                f"CREATE {'TABLE' if table else 'SOURCE'} {shape.name} ({', '.join(columns)})"
            )
        return made

    def __repr__(self) -> str:
        views = [f"CREATE MATERIALIZED VIEW {name} AS {found.sql}" for name, found in self.views]
        script = [*self.ddl(), *self.steps[: self.early], *views, *self.steps[self.early :]]
        return "\n" + ";\n".join(script) + ";\n"


def _shape(choose: Choice, name: str) -> Shape:
    kinds = ["int", *choose.some(list(_SQL_TYPES), least=2)]
    return Shape(name, (("id", "int"), *((f"{k[0]}{n}", k) for n, k in enumerate(kinds))))


class Changes:
    """Writes DML; it knows which ids are in use, so that keys do not collide."""

    def __init__(self, choose: Choice, case: Case) -> None:
        self._choose = choose
        self._case = case
        self._next_id = {shape.name: 0 for shape in [*case.tables, *case.sources]}
        self._live: dict[str, set[int]] = {shape.name: set() for shape in case.tables}

    def statement(self) -> str:
        choose = self._choose
        shape = choose.of([*self._case.tables, *self._case.sources])
        live = self._live.get(shape.name)
        if not live or choose.chance(45):
            return self._insert(shape)
        if choose.chance(12):
            return self._insert(shape, upsert=True)
        if choose.chance(50):
            return self._update(shape)
        return self._delete(shape, live)

    def _values(self, shape: Shape, identity: int) -> str:
        choose = self._choose
        values = [
            "NULL" if choose.chance(15) else literal(choose, kind) for _, kind in shape.columns[1:]
        ]
        return f"({', '.join([str(identity), *values])})"

    def _insert(self, shape: Shape, *, upsert: bool = False) -> str:
        live = self._live.get(shape.name)
        first = self._next_id[shape.name]
        count = 1 + self._choose.below(5)
        ids = list(range(first, first + count))
        self._next_id[shape.name] += count
        tail = ""
        if upsert and live:
            ids[0] = self._choose.of(sorted(live))
            name = self._choose.of(shape.columns[1:])[0]
            tail = f" ON CONFLICT (id) DO UPDATE SET {name} = excluded.{name}"
        if live is not None:
            live.update(ids)
        rows = [self._values(shape, identity) for identity in ids]
        whole = f"INSERT INTO {shape.name} VALUES {', '.join(rows)}{tail}"
        self._case.singly[whole] = [f"INSERT INTO {shape.name} VALUES {row}{tail}" for row in rows]
        return whole

    def _update(self, shape: Shape) -> str:
        choose = self._choose
        name, kind = choose.of(shape.columns[1:])
        value = "NULL" if choose.chance(10) else literal(choose, kind)
        if kind == "int" and choose.chance(40):
            value = f"{name} + 1"
        return f"UPDATE {shape.name} SET {name} = {value} WHERE id % 3 = {choose.below(3)}"

    def _delete(self, shape: Shape, live: set[int]) -> str:
        remainder = self._choose.below(3)
        gone = {identity for identity in live if identity % 3 == remainder}
        live -= gone
        return f"DELETE FROM {shape.name} WHERE id % 3 = {remainder}"

    def step(self) -> str:
        """Return one epoch: a statement, or several in a transaction."""
        if self._choose.chance(75):
            return self.statement()
        inside = [self.statement() for _ in range(2 + self._choose.below(3))]
        return block(inside)


def block(statements: Sequence[str]) -> str:
    """Return statements as one epoch."""
    return "; ".join(["BEGIN", *statements, "COMMIT"])


def statements(step: str) -> list[str]:
    """Return the statements of an epoch, its BEGIN and COMMIT left out."""
    return [one for one in step.split("; ") if one not in ("BEGIN", "COMMIT")]


def _build(choose: Choice, *, views: int, steps: int) -> Case:
    case = Case()
    case.tables = [_shape(choose, f"t{n}") for n in range(1 + choose.below(2))]
    if choose.chance(50):
        case.sources = [_shape(choose, "s0")]
    relations: list[Shape] = [*case.tables, *case.sources]
    for place in range(views):
        found = query(choose, relations)
        case.views.append((f"v{place}", found))
        if "NOW()" not in found.sql:
            relations.append(Shape(f"v{place}", found.columns))
    changes = Changes(choose, case)
    case.early = choose.below(3)
    case.steps = [changes.step() for _ in range(steps)]
    return case


@st.composite
def cases(draw: st.DrawFn, views: int = 5, steps: int = 7) -> Case:
    """Return a strategy of whole databases."""
    return _build(Choice(draw), views=views, steps=steps)


def emptied(case: Case) -> Sequence[str]:
    """Return the statements that take every row away again."""
    return [f"DELETE FROM {shape.name}" for shape in case.tables]
