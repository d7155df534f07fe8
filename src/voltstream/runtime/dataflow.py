"""Runs the programs of every view in dependency order, and skips what cannot have changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from voltstream.core.errors import InternalError
from voltstream.core.limits import SWAP_ROWS_MAX, TICK_INTERVAL_MS
from voltstream.runtime.costs import OperatorCost, ViewCost
from voltstream.runtime.forms import Forms, Now
from voltstream.sql.branches import Types, Wording
from voltstream.sql.program import Form, Program, Step, Swap

_TRIED_EPOCHS = 256  # Of a view, after one that met a value that cannot be computed.

Execute = Callable[[str], int]
Ask = Callable[[str], list[tuple[Any, ...]]]
Measure = Callable[[str], tuple[int, int]]  # Rows changed or made, rows scanned.


@dataclass
class _Running:
    program: Program
    due_us: dict[str, int | None] = field(default_factory=dict)
    cost: ViewCost = field(default_factory=ViewCost)
    forms: Forms = field(init=False)
    wordings: dict[int, Wording] = field(default_factory=dict)  # Of its epochs' steps, by place.
    tried: int = 0  # For so many epochs its values are tried, and what fails is told.

    def __post_init__(self) -> None:
        self.forms = Forms.of(self.program)

    def wording(self, place: int, step: Step) -> Wording:
        if place not in self.wordings:
            self.wordings[place] = Wording(step.sql)
        return self.wordings[place]


@dataclass(frozen=True)
class Before:
    """What an epoch that is rolled back restores: timers and forms, by program."""

    due_us: dict[int, dict[str, int | None]]
    forms: dict[int, dict[str, Now] | None]


class Dataflow:
    """Every program of a database. Used on the writer thread only.

    Law: a program runs only if an input's delta is not empty, a timer is due or a tick has come;
    object ids grow with creation, so their order is a dependency order.
    """

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}
        self._filled: set[str] = set()
        self._next_tick_us: int | None = None
        self.measure: Measure | None = None  # Runs the statements of sampled epochs.
        self.types: Types | None = None  # Tells the types of a query, to leave branches out of it.
        self.ask: Ask | None = None  # Runs a statement for few rows.
        self.careful = False  # Values are tried at once: the epoch cannot be begun again.
        self.watched: frozenset[str] = frozenset()  # Deltas that are wanted without a dependent.
        self.alarm_us: int | None = None  # When something besides the programs wants an epoch.
        self.running_oid: int | None = None  # Whose program runs: who is to blame if it fails.

    def add(self, program: Program) -> None:
        self._running[program.oid] = _Running(program)
        self._running = dict(sorted(self._running.items()))

    def remove(self, oid: int) -> None:
        self._running.pop(oid, None)

    def load(self, execute: Execute, program: Program) -> None:
        """Take in a program found at a start: make its temp relations again, read its timers."""
        self.add(program)
        try:
            for statement in program.temps:
                execute(statement)
            self._read_timers(execute, self._running[program.oid])
        except BaseException:
            self.remove(program.oid)
            raise

    def create(self, execute: Execute, program: Program, initial_counts: dict[str, int]) -> None:
        """Set a program up and let it take in everything its inputs hold already."""
        for statement in program.setup:
            execute(statement)
        self.add(program)
        running = self._running[program.oid]
        self._run(execute, running, program.initial, dict(initial_counts), set(), whole=True)
        self._read_timers(execute, running)

    def fill(self, execute: Execute, program: Program, counts: dict[str, int]) -> None:
        """Let a new program take in more of what its inputs hold. What it puts out is not kept."""
        running = self._running[program.oid]
        self._run(execute, running, program.steps, dict(counts), set(), filling=True)

    def propagate(self, execute: Execute, deltas: dict[str, int], now_us: int) -> dict[str, int]:
        """Bring every affected view up to date. Returns the rows of each delta, inputs included."""
        counts = dict(deltas)
        tick = self._ticking() and now_us >= (self._next_tick_us or 0)
        if tick:
            self._next_tick_us = now_us + TICK_INTERVAL_MS * 1000
        for running in self._running.values():
            program = running.program
            due = {name for name, at in running.due_us.items() if at is not None and at <= now_us}
            changed = any(counts.get(delta, 0) for delta in program.inputs)
            if not changed and not due and not (tick and program.ticks):
                self._clear(execute, [program.output])
                continue
            forced = set(program.inputs) if tick and program.ticks else set()
            self.running_oid = program.oid
            self._run(execute, running, program.steps, counts, due | forced)
            if running.program.timers:
                self._read_timers(execute, running)
            self.running_oid = None
        return counts

    def next_due_us(self) -> int | None:
        """Return when the next timer or tick wants an epoch."""
        due = [at for running in self._running.values() for at in running.due_us.values() if at]
        if self._ticking():
            due.append(self._next_tick_us or 0)
        if self.alarm_us is not None:
            due.append(self.alarm_us)
        return min(due, default=None)

    def distrusts(self) -> bool:
        """Try the values of the program that failed from here on; tell whether it did not.

        Law: a program whose values are not tried either makes what it makes with them tried, or
        fails: then the epoch is to be begun again.
        """
        running = self._running.get(self.running_oid) if self.running_oid is not None else None
        if running is None or self.careful or running.tried:
            return False
        running.tried = _TRIED_EPOCHS
        return True

    def has_dependents(self, delta: str) -> bool:
        return delta in self.watched or any(
            delta in running.program.inputs for running in self._running.values()
        )

    def abort(self) -> None:
        """Forget what an epoch that was rolled back has left in temp relations."""
        self._filled = {
            step.makes
            for running in self._running.values()
            for step in running.program.steps
            if step.makes
        }

    def before(self) -> Before:
        """Return what is to be restored when the epoch that begins is rolled back."""
        running = self._running.items()
        return Before(
            {oid: dict(one.due_us) for oid, one in running},
            {oid: one.forms.snapshot() for oid, one in running},
        )

    def restore(self, before: Before) -> None:
        for oid, running in self._running.items():
            running.due_us = dict(before.due_us.get(oid, {}))
            running.forms.restore(before.forms.get(oid))

    def costs(self) -> Iterable[tuple[str, ViewCost]]:
        for running in list(self._running.values()):  # Readers ask while the writer goes on.
            yield running.program.name, running.cost

    def forms(self) -> Iterable[tuple[str, str, Form]]:
        """Yield the form of each keyed state: view, state, form."""
        for running in list(self._running.values()):
            for table in running.forms.states:
                yield running.program.name, table, running.forms.form(table)

    # --- one program ----------------------------------------------------------------------------

    def _run(
        self,
        execute: Execute,
        running: _Running,
        steps: tuple[Step, ...],
        counts: dict[str, int],
        forced: set[str],
        *,
        whole: bool = False,
        filling: bool = False,
    ) -> None:
        rows_in = sum(counts.get(name, 0) for name in running.program.inputs)
        sampled = not (whole or filling) and running.cost.begins(rows_in)
        measure = self.measure if sampled else None
        wanted = whole or self.has_dependents(running.program.output)
        forms = running.forms
        forms.begin(execute, wanted=wanted)
        negative: dict[str, bool] = {}
        tried = whole or filling or self.careful or running.tried > 0
        running.tried -= int(running.tried > 0 and not (whole or filling))

        def filled(name: str) -> bool:
            return bool(counts.get(name, 0)) or name in forced

        swapped: dict[str, bool] = {}
        for place, step in enumerate(steps):
            if step.swap is not None and not tried and measure is None:
                state = step.swap.state
                if state not in swapped:
                    cost = running.cost.of(step.operator)
                    swapped[state] = self._swapped(execute, step.swap, counts, negative, cost)
                if swapped[state]:
                    if step.makes:
                        counts[step.makes] = 0
                        self._clear(execute, [step.makes])
                    continue
            if forms.skips(step):
                if step.makes and step.makes not in counts:
                    counts[step.makes] = 0
                    self._clear(execute, [step.makes])
                continue
            if not self._needed(execute, step, counts, forced, negative, wanted):
                if step.makes:
                    counts[step.makes] = 0
                    self._clear(execute, [step.makes])
                continue
            if step.faults and not tried and (wanted or not step.shown):
                continue
            sql = step.sql
            if not whole:
                wording = running.wording(place, step)
                sql = (
                    wording.whole(tried=tried)
                    if filling or self.types is None
                    else wording.short(filled, self.types, tried=tried)
                )
            started = time.perf_counter()
            rows, scanned = measure(sql) if measure else (execute(sql), 0)
            running.cost.of(step.operator).add(time.perf_counter() - started, rows, scanned)
            forms.note(step, rows, scanned)
            if step.makes:
                counts[step.makes] = rows
                negative.pop(step.makes, None)
                if rows:
                    self._filled.add(step.makes)
                else:
                    self._filled.discard(step.makes)
        forms.end(execute, running.cost, measure, wanted=wanted)

    def _swapped(
        self,
        execute: Execute,
        swap: Swap,
        counts: dict[str, int],
        negative: dict[str, bool],
        cost: OperatorCost,
    ) -> bool:
        """Take a few rows back one for one; tell whether that was done. Raises: InternalError."""
        rows = counts.get(swap.delta, 0)
        if not rows or self.ask is None:
            return False
        found = execute(swap.count_sql)
        gone, nulls = found & 0xFFFFFFFF, found >> 32
        negative[swap.delta] = gone > 0
        if not 0 < gone <= SWAP_ROWS_MAX:
            return False
        started = time.perf_counter()
        deleted = self.ask(swap.gone_sql(nulls))
        if not len(deleted) == len(set(deleted)) == gone:
            raise InternalError(f"rows of {swap.state} are there more than once")
        if rows > gone:
            execute(swap.append_sql)
        cost.add(time.perf_counter() - started, rows, 0)
        return True

    def _needed(
        self,
        execute: Execute,
        step: Step,
        counts: dict[str, int],
        forced: set[str],
        negative: dict[str, bool],
        wanted: bool,
    ) -> bool:
        if step.for_output and not wanted:
            return False
        if any(counts.get(name, 0) or name in forced for name in step.without):
            return False
        filled = [bool(counts.get(name, 0)) or name in forced for name in step.reads]
        if not (all(filled) if step.needs_all else any(filled)):
            return False
        if not step.retractions_only and not step.appends_only:
            return True
        for name in step.reads:
            if counts.get(name, 0) and name not in negative:
                sql = f'SELECT count(*) FROM {name} WHERE "_w" < 0'
                negative[name] = execute(sql) > 0
        retracts = any(negative.get(name, False) for name in step.reads)
        return retracts if step.retractions_only else not retracts

    def _clear(self, execute: Execute, names: list[str]) -> None:
        for name in names:
            if name in self._filled:
                execute(f"DELETE FROM {name}")
                self._filled.discard(name)

    def _read_timers(self, execute: Execute, running: _Running) -> None:
        for timer in running.program.timers:
            at = execute(timer.due_sql)
            running.due_us[timer.relation] = at if at >= 0 else None

    def _ticking(self) -> bool:
        return any(running.program.ticks for running in self._running.values())
