"""An incremental program: the DuckDB statements that keep one view, fixed when it is created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voltstream.sql.catalog import Watermarked

# How rows of a state are found by key: in the few row groups near the keys; by a stored hash of
# them, which reads that one column whole; or not at all, as what comes is appended to a log.
Form = Literal["near", "hashed", "log"]


@dataclass(frozen=True, slots=True)
class Swap:
    """How rows of a log are taken back one for one, in place of settling what they touch.

    Law: it is right if as many rows go as ``delta`` takes back, and these differ (``gone_sql``
    gives a hash of each). Shape: bit 32 + i of ``count_sql`` tells that the i-th of ``keys`` is
    NULL somewhere; below are the rows that are taken back.
    """

    state: str
    delta: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    count_sql: str
    append_sql: str

    def gone_sql(self, nulls: int) -> str:
        """Return the statement that deletes; storage is skipped by keys that are not NULL."""
        listed = ", ".join(map(_quoted, self.columns))
        plain = {key for place, key in enumerate(self.keys) if not nulls >> place & 1}
        same = " AND ".join(
            f"r.{_quoted(c)} {'=' if c in plain else 'IS NOT DISTINCT FROM'} d.{_quoted(c)}"
            for c in self.columns
        )
        return (
            f'DELETE FROM {self.state} AS r USING (SELECT * FROM {self.delta} WHERE "_w" = -1) '
            f'AS d WHERE {same} AND r."_w" = 1 RETURNING hash({listed})'
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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
    without: tuple[str, ...] = ()  # skip when any of these deltas has rows
    swap: Swap | None = None  # what may be done in place of this step and others with the same
    faults: bool = False  # only tells what cannot be computed: skip where that would have raised
    shown: bool = False  # what it looks at is only computed where somebody reads the view's delta
    state: str | None = None  # the keyed state whose form decides
    forms: tuple[Form, ...] = ()  # skip in every other form of it


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
class Folding:
    """How the state of a view's root is kept as a log beside it, and folded into it again.

    Law: the state folded with its log is what the view holds. ``near_view`` and ``log_view``
    create the view's content over the state alone, and over both.
    """

    log: str
    operator: str
    statements: tuple[str, ...]
    near_view: str
    log_view: str


@dataclass(frozen=True, slots=True)
class KeyedState:
    """A state with a row for each key, which is found in one of several forms.

    ``probe`` finds a delta's rows near their keys, to see what that reads.
    ``stale`` counts rows whose hash is another one than today's store computes; ``rehash`` mends
    them all.
    """

    table: str
    probe: str
    stale: str
    rehash: tuple[str, ...]
    folding: Folding | None = None


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
    keyed: tuple[KeyedState, ...] = ()
    emit_columns: tuple[tuple[str, str], ...] = ()  # sinks: (public name, DuckDB SQL)
