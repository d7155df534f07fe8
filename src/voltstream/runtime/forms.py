"""In which form each keyed state is: found near its keys, found by hash, or kept as a log.

Law: the form changes what a change costs, never what is read. A state that is large, and of which
half or more was read for a sampled change, has its keys in no order: its rows are found by hash
from then on, and a view's root becomes a log as long as nobody reads the view's delta.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from voltstream.core.limits import STATE_FOUND_NEAR_MAX, STATE_LOG_ROWS_MIN, STATE_LOG_SHARE
from voltstream.runtime.costs import ViewCost
from voltstream.sql.program import Form, KeyedState, Program, Step

Execute = Callable[[str], int]
Measure = Callable[[str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Now:
    """A state as it is: its form, the rows of its log, and of itself when last counted."""

    form: Form = "near"
    logged: int = 0
    rows: int = 0


@dataclass
class Forms:
    """The forms of one program's states; None as long as nobody has looked."""

    states: dict[str, KeyedState]
    now: dict[str, Now] | None = None
    _ran: dict[str, int | None] = field(default_factory=dict)

    @staticmethod
    def of(program: Program) -> Forms:
        return Forms({one.table: one for one in program.keyed})

    def snapshot(self) -> dict[str, Now] | None:
        return None if self.now is None else dict(self.now)

    def restore(self, before: dict[str, Now] | None) -> None:
        self.now = before

    def form(self, table: str) -> Form:
        return self.now[table].form if self.now is not None else "near"

    def skips(self, step: Step) -> bool:
        return bool(step.forms) and self.form(step.state or "") not in step.forms

    def begin(self, execute: Execute, *, wanted: bool) -> None:
        """Before an epoch: whoever reads a view's delta needs its old rows."""
        self._ran.clear()
        if self.now is None:
            self.now = {table: _found(execute, state) for table, state in self.states.items()}
        for table, now in self.now.items():
            if wanted and now.form == "log":
                self._leave(execute, table, "hashed")

    def note(self, step: Step, rows: int, scanned: int) -> None:
        """Take down that a step has run."""
        if step.state is None or self.now is None:
            return
        if step.forms == ("log",):
            now = self.now[step.state]
            self.now[step.state] = replace(now, logged=now.logged + max(rows, 0))
            self._ran[step.state] = None
        elif step.makes:
            self._ran[step.state] = scanned if step.forms == ("near",) else None

    def end(
        self, execute: Execute, cost: ViewCost, measure: Measure | None, *, wanted: bool
    ) -> None:
        """After an epoch: fold what has grown, and choose anew where the epoch was sampled."""
        for table, scanned in self._ran.items():
            state = self.states[table]
            if measure is not None:
                near = measure(state.probe)[1] if scanned is None else scanned
                self._choose(execute, state, near, wanted=wanted)
            now = self._of(table)
            if now.form == "log" and now.logged >= max(
                STATE_LOG_ROWS_MIN, now.rows // STATE_LOG_SHARE
            ):
                self._grown(execute, state, cost, measure)

    def _of(self, table: str) -> Now:
        assert self.now is not None
        return self.now[table]

    def _choose(self, execute: Execute, state: KeyedState, near: int, *, wanted: bool) -> None:
        """Choose by what finding the rows near their keys reads, or would read."""
        rows, now = _count(execute, state.table), self._of(state.table)
        if rows < STATE_FOUND_NEAR_MAX or 2 * near < rows:
            if now.form != "log" or rows < STATE_FOUND_NEAR_MAX // 2 or 2 * near < rows:
                self._leave(execute, state.table, "near")
        elif now.form != "log":
            folding = state.folding
            if folding is not None and not wanted:
                execute(folding.log_view)
            form: Form = "log" if folding is not None and not wanted else "hashed"
            self._set(state.table, Now(form, 0, rows))

    def _set(self, table: str, now: Now) -> None:
        assert self.now is not None
        self.now[table] = now

    def _leave(self, execute: Execute, table: str, form: Form) -> None:
        """Take another form than that of a log."""
        now, folding = self._of(table), self.states[table].folding
        if now.form == "log" and folding is not None:
            for statement in folding.statements if now.logged else ():
                execute(statement)
            execute(folding.near_view)
        self._set(table, Now(form, 0, now.rows))

    def _grown(
        self, execute: Execute, state: KeyedState, cost: ViewCost, measure: Measure | None
    ) -> None:
        """Fold a log, and count what it costs as the operator's."""
        assert state.folding is not None
        began, read = time.perf_counter(), 0
        for statement in state.folding.statements:
            if measure is not None:
                read += measure(statement)[1]
            else:
                execute(statement)
        cost.of(state.folding.operator).add(time.perf_counter() - began, 0, read)
        self._set(state.table, Now("log", 0, _count(execute, state.table)))
        if self._of(state.table).rows < STATE_FOUND_NEAR_MAX // 2:
            self._leave(execute, state.table, "near")


def _found(execute: Execute, state: KeyedState) -> Now:
    """Find out at a start; hashes that the store would compute differently are mended."""
    if execute(state.stale) > 0:
        for statement in state.rehash:
            execute(statement)
    rows, folding = _count(execute, state.table), state.folding
    if folding is None:
        return Now("near", 0, rows)
    logged = _count(execute, folding.log)
    if logged:
        return Now("log", logged, rows)
    if rows:  # It may have been a log that was folded when the engine stopped.
        execute(folding.near_view)
    return Now("near", 0, rows)


def _count(execute: Execute, table: str) -> int:
    return execute(f"SELECT count(*) FROM {table}")
