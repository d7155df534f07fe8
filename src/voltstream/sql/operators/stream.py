"""A delta on its way through a program, and the program being written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from voltstream.sql.plan import column_list
from voltstream.sql.program import Form, KeyedState, Rule, Step, Swap, Timer

NOW_SQL = "CAST(getvariable('vs_now') AS TIMESTAMPTZ)"
PREVIOUS_SQL = "CAST(getvariable('vs_prev') AS TIMESTAMPTZ)"


@dataclass(frozen=True)
class Stream:
    """A delta as a DuckDB query: the columns, ``_rid`` when ``arrival``, and ``_w``."""

    sql: str
    reads: tuple[str, ...]
    columns: tuple[str, ...]
    append_only: bool
    arrival: bool

    def extra(self) -> str:
        return ', "_rid", "_w"' if self.arrival else ', "_w"'


@dataclass
class Writer:
    """Collects the statements of one program. ``oid`` makes every name unique."""

    oid: int
    name: str
    ttl_us: int | None = None  # How long what is kept beside the view lives.
    setup: list[str] = field(default_factory=list)  # temps too: a state is shaped like one
    temps: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    teardown: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    keyed: list[KeyedState] = field(default_factory=list)
    _rules: list[tuple[Rule, int]] = field(default_factory=list)
    shared: dict[int, Stream | None] = field(default_factory=dict)  # nodes with several parents
    _count: int = 0

    def number(self) -> int:
        self._count += 1
        return self._count

    def rule(self, operator: str, law: str, cost: str) -> None:
        """Say by which rule the statements from here on work, until the next operator's."""
        self._rules.append((Rule(operator, law, cost), len(self.states)))

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules with the states that each keeps."""
        starts = [*(start for _, start in self._rules), len(self.states)]
        return tuple(
            replace(rule, states=tuple(self.states[start:end]))
            for (rule, start), end in zip(self._rules, starts[1:], strict=True)
        )

    def state(self, kind: str, select: str) -> str:
        """Declare a state table shaped like a query; return its name."""
        name = f"_vs.{kind}_{self.oid}_{self.number()}"
        self.setup.append(f"CREATE TABLE {name} AS SELECT * FROM ({select}) LIMIT 0")
        self.teardown.append(f"DROP TABLE IF EXISTS {name}")
        self.states.append(name)
        return name

    def temp(
        self,
        sql: str,
        reads: tuple[str, ...],
        operator: str,
        *,
        name: str | None = None,
        needs_all: bool = False,
        retractions_only: bool = False,
        for_output: bool = False,
        without: tuple[str, ...] = (),
        swap: Swap | None = None,
        state: str | None = None,
        forms: tuple[Form, ...] = (),
    ) -> str:
        """Add a step that makes a temp relation; return its name."""
        made = name or f"t_{self.oid}_{self.number()}"
        empty = f"CREATE OR REPLACE TEMP TABLE {made} AS SELECT * FROM ({sql}) LIMIT 0"
        self.setup.append(empty)
        self.temps.append(empty)
        self.steps.append(
            Step(
                f"CREATE OR REPLACE TEMP TABLE {made} AS {sql}",
                reads,
                operator,
                made,
                needs_all=needs_all,
                retractions_only=retractions_only,
                for_output=for_output,
                without=without,
                swap=swap,
                state=state,
                forms=forms,
            )
        )
        return made

    def otherwise(
        self,
        made: str,
        sql: str,
        reads: tuple[str, ...],
        operator: str,
        state: str,
        forms: tuple[Form, ...],
    ) -> None:
        """Add another step that makes a temp relation, for other forms of a state."""
        again = f"CREATE OR REPLACE TEMP TABLE {made} AS {sql}"
        self.steps.append(Step(again, reads, operator, made, state=state, forms=forms))

    def run(
        self,
        sql: str,
        reads: tuple[str, ...],
        operator: str,
        *,
        retractions_only: bool = False,
        appends_only: bool = False,
        faults: bool = False,
        shown: bool = False,
        swap: Swap | None = None,
        state: str | None = None,
        forms: tuple[Form, ...] = (),
    ) -> None:
        self.steps.append(
            Step(
                sql,
                reads,
                operator,
                retractions_only=retractions_only,
                appends_only=appends_only,
                faults=faults,
                shown=shown,
                swap=swap,
                state=state,
                forms=forms,
            )
        )

    def materialize(self, stream: Stream, operator: str, *, net: bool = False) -> str:
        """Give a delta a name, unless it has one; ``net``: what is taken back at once is left out.

        So what came of equal old and new rows ends here.
        """
        if len(stream.reads) == 1 and stream.sql == select_all(stream, stream.reads[0]):
            return stream.reads[0]
        net = net and not stream.append_only and not stream.arrival and bool(stream.columns)
        return self.temp(netted(stream) if net else stream.sql, stream.reads, operator)


def select_all(stream: Stream, source: str) -> str:
    return f"SELECT {column_list(stream.columns)}{stream.extra()} FROM {source}"


def named(stream: Stream, source: str) -> Stream:
    """Return the same delta read from its temp relation."""
    return Stream(
        select_all(stream, source), (source,), stream.columns, stream.append_only, stream.arrival
    )


def netted(stream: Stream) -> str:
    """Print a delta in which rows that were both added and taken back have cancelled out."""
    names = column_list(stream.columns)
    return (
        f'SELECT {names}, sum("_w")::INTEGER AS "_w" FROM ({stream.sql}) '
        f'GROUP BY {names} HAVING sum("_w") <> 0'
    )
