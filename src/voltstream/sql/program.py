"""An incremental program: the DuckDB statements that keep one view, fixed when it is created."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.sql.catalog import Watermarked


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of an epoch.

    Law: it may be skipped when every relation in ``reads`` has an empty delta this epoch.
    Shape: when ``makes`` is set the statement is ``CREATE OR REPLACE TEMP TABLE makes AS …`` and
    its row count is the delta's size; ``operator`` names the plan node for EXPLAIN and metrics.
    """

    sql: str
    reads: tuple[str, ...]
    operator: str
    makes: str | None = None
    needs_all: bool = False  # skip when any (not only every) delta in ``reads`` is empty
    retractions_only: bool = False  # skip unless some delta in ``reads`` holds a negative weight
    appends_only: bool = False  # skip when some delta in ``reads`` holds a negative weight
    for_output: bool = False  # skip when nothing reads the view's delta


@dataclass(frozen=True, slots=True)
class Rule:
    """How one operator of a program takes a delta: what EXPLAIN (INCREMENTAL) shows of it."""

    operator: str
    law: str
    cost: str
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timer:
    """A temporal filter's timer.

    ``due_sql`` gives one value: the next instant (epoch microseconds) at which a pending row
    enters or leaves, or NULL. ``relation`` is the pseudo-delta name that steps of this timer list
    in ``reads``: the executor treats it as non-empty when the instant has been reached.
    """

    relation: str
    due_sql: str


@dataclass(frozen=True, slots=True)
class Program:
    """How one view (or sink) is maintained.

    Shape: ``inputs`` are delta table names (``d_<oid>``); ``output`` is this object's own
    ``d_<oid>`` whose columns are ``columns`` plus ``_w``. ``setup`` creates state tables,
    ``temps`` creates every temp delta table empty (run again at each start), ``teardown`` drops
    state. ``readable_sql`` is the SELECT behind the view's name. ``initial`` steps fill state and
    output from ``d_<input>`` tables that hold all existing rows; ``steps`` run in each epoch.
    ``volatile`` maps public columns over NOW() to their DuckDB expression over ``columns``.
    """

    oid: int
    name: str
    inputs: tuple[str, ...]
    output: str
    columns: tuple[str, ...]
    setup: tuple[str, ...]
    temps: tuple[str, ...]
    initial: tuple[Step, ...]
    steps: tuple[Step, ...]
    teardown: tuple[str, ...]
    state_tables: tuple[str, ...]
    readable_sql: str
    append_only: bool
    ticks: bool = False  # recomputed at each timer tick because of an unsolved NOW()
    timers: tuple[Timer, ...] = ()
    notices: tuple[str, ...] = ()
    volatile: tuple[tuple[str, str], ...] = ()
    watermarks: tuple[Watermarked, ...] = ()
    rules: tuple[Rule, ...] = ()  # of its operators, inputs first
    departs: tuple[str, ...] = ()  # why the view may differ from its query recomputed
    emit_columns: tuple[tuple[str, str], ...] = ()  # sinks: (public name, DuckDB SQL)
