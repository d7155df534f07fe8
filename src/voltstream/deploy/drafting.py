"""What the generators share: one object after the other, with what is said of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voltstream.core.schema import Column
from voltstream.core.types import DataType
from voltstream.deploy.cut import Cut
from voltstream.deploy.objects import Deployed
from voltstream.deploy.script import Note, Output, Part, Script, Statement, Target
from voltstream.sql.catalog import Relation, TypeOracle
from voltstream.sql.plan import Plan, Scan, children
from voltstream.sql.statements import ColumnSpec, CreateSink, CreateSource, CreateTable, CreateView
from voltstream.sql.targets.features import Feature, Refusal, Remark, Remarks, refused
from voltstream.sql.targets.render import (
    BoundQuery,
    Dialect,
    Rendered,
    is_plain,
    render,
    unique_key,
)
from voltstream.sql.targets.words import Words

ROWS = "__rows"  # Behind the name of what is kept, where readers see more or other columns.


@dataclass(frozen=True, slots=True)
class Options:
    """What a deployment is told beside the definitions.

    Shape: ``kafka`` overrides the brokers of every topic; ``topics`` comes before the names of
    topics that are made; ``jdbc`` is where Flink writes views too, if anywhere. With a ``cut``
    sources go on where the server stopped. ``plain``: PostgreSQL without TimescaleDB.
    ``checkpoints`` is where Flink keeps these and savepoints, ``state_ttl`` an interval.
    With ``null_keys`` topics have rows whose key has no value too, under a key of their own.
    """

    kafka: str | None = None
    topics: str = "voltstream."
    jdbc: str | None = None
    refresh: str = "5 minutes"
    state_ttl: str | None = None
    cut: Cut | None = None
    plain: bool = False
    checkpoints: str | None = None
    null_keys: bool = False


@dataclass
class Draft(ABC):
    """A script in the making."""

    target: Target
    dialect: Dialect
    oracle: TypeOracle
    options: Options
    statements: list[Statement] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)  # what is refused, by oid
    unfolded: dict[int, int] = field(default_factory=dict)  # views each is planned from, by oid

    def script(self, objects: Sequence[Deployed], settings: tuple[str, ...] = ()) -> Script:
        names = tuple(one.name for one in objects)
        return Script(
            self.target, settings, tuple(self.statements), tuple(self.outputs), tuple(self.notes),
            names,
        )  # fmt: skip

    def meet(self, made: Deployed, feature: Feature, detail: str = "") -> None:
        """Note what a target makes of a feature. Raises: Refusal."""
        remarks = Remarks(self.dialect.verdicts)
        remarks.meet(feature, detail)
        self.note(made, remarks.found)

    def note(self, made: Deployed, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            note = noted(made.name, remark)
            if note not in self.notes:
                self.notes.append(note)

    def add(
        self, made: Deployed, name: str, kind: str, text: str, undo: str = "",
        *, key: Sequence[str] = (), part: Part = Part.DEFINITION,
    ) -> None:  # fmt: skip
        self.statements.append(Statement(name, made.name, kind, text, undo, tuple(key), part))

    def reading(self, made: Deployed) -> BoundQuery:
        """Return an object's bound query. Raises: Refusal."""
        if made.query is None:
            self.meet(made, Feature.NO_PLAN, made.unplanned)
        assert made.query is not None
        for relation in made.query.relations:
            if relation.oid in self.lost:
                raise Refusal(
                    Remark(
                        Feature.MATERIALIZED,
                        refused(f"it reads {relation.schema}.{relation.name}, which is refused"),
                    )
                )
            if not relation.oid or relation.schema == "voltstream":
                raise Refusal(
                    Remark(
                        Feature.MATERIALIZED,
                        refused(f"it reads {relation.schema}.{relation.name}, which is ours alone"),
                    )
                )
        return made.query

    def rendered(self, made: Deployed) -> Rendered:
        """Return an object's query as text, its remarks noted. Raises: Refusal."""
        found = render(self.reading(made), self.dialect, self.oracle, self.place)
        self.note(made, found.remarks)
        return found

    def place(self, relation: Relation) -> tuple[str, ...]:
        """Return the parts of the name under which a relation's kept rows are found there."""
        name = relation.name + (ROWS if relation.volatile else "")
        return (name,) if relation.schema == "public" else (relation.schema, name)

    def key(self, made: Deployed) -> tuple[str, ...]:
        """Return the kept columns of a query that no two rows have alike."""
        return unique_key(self.reading(made))

    def unfold(self, made: Deployed) -> int:
        """Return how many views a target plans for one, each as often as it is read."""
        read = scanned(self.reading(made).plan)
        count = 1 + sum(self.unfolded.get(oid, 0) for oid in read)
        self.unfolded[made.entry.oid] = count
        return count

    def words(self) -> Words:
        return self.dialect.words(Remarks(self.dialect.verdicts))

    def type(self, kind: DataType) -> str:
        return self.words().type(kind)

    def each(self, objects: Sequence[Deployed]) -> None:
        """Write every object; one that is refused is noted, and so is what reads it."""
        for made in objects:
            before = len(self.statements), len(self.outputs)
            try:
                self.one(made)
            except Refusal as refusal:
                del self.statements[before[0] :], self.outputs[before[1] :]
                self.lost.add(made.entry.oid)
                self.note(made, [refusal.remark])

    def one(self, made: Deployed) -> None:
        if made.entry.broken or made.entry.failed is not None:
            raise Refusal(Remark(Feature.NO_PLAN, refused("it stands still here")))
        match made.entry.parsed:
            case CreateSource() as parsed:
                self.source(made, parsed)
            case CreateTable() as parsed:
                self.table(made, parsed)
            case CreateView() as parsed if parsed.materialized:
                if made.alert:
                    self.meet(made, Feature.ALERT)
                self.materialized(made, parsed)
            case CreateView() as parsed:
                self.view(made, parsed)
            case CreateSink() as parsed:
                self.sink(made, parsed)
            case _:
                self.other(made)

    # --- to be said by each target --------------------------------------------------------------

    @abstractmethod
    def source(self, made: Deployed, parsed: CreateSource) -> None:
        """Write a source."""

    @abstractmethod
    def table(self, made: Deployed, parsed: CreateTable) -> None:
        """Write a table."""

    @abstractmethod
    def materialized(self, made: Deployed, parsed: CreateView) -> None:
        """Write a materialized view."""

    @abstractmethod
    def view(self, made: Deployed, parsed: CreateView) -> None:
        """Write a plain view."""

    @abstractmethod
    def sink(self, made: Deployed, parsed: CreateSink) -> None:
        """Write a sink."""

    @abstractmethod
    def other(self, made: Deployed) -> None:
        """Write, or refuse, what is none of these."""


def scanned(plan: Plan) -> list[int]:
    """Return the oids of what a plan reads, as often as it does."""
    if isinstance(plan, Scan):
        return [plan.relation.oid]
    return [oid for part in children(plan) for oid in scanned(part)]


def noted(name: str, remark: Remark) -> Note:
    verdict = remark.verdict
    said = f"{remark.detail}: {verdict.said}" if remark.detail else verdict.said
    return Note(name, remark.feature.title, verdict.fidelity, said, verdict.instead)


def column_type(column: Column) -> DataType:
    """Return what a column was declared as, where the store has one type for several."""
    return column.told if column.told is not None else column.type


def specs_of(parsed: CreateSource | CreateTable) -> Mapping[str, ColumnSpec]:
    return {spec.name: spec for spec in parsed.columns}


def quoted(name: str, mark: str = '"') -> str:
    """Spell a name as SQL, with quotes where a target may need them."""
    if is_plain(name):
        return name
    return mark + name.replace(mark, mark * 2) + mark


def spelled(parts: Sequence[str]) -> str:
    return ".".join(quoted(part) for part in parts)


def bracketed(lines: Sequence[str]) -> str:
    return "(\n" + ",\n".join(f"  {line}" for line in lines) + "\n)"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
