"""What a benchmark is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str | float | int | None]


@dataclass(frozen=True)
class Options:
    """What the command line may decide."""

    rows: int | None = None
    rounds: int = 3
    seconds: int = 10
    only: frozenset[str] = frozenset()  # Contenders or cases; empty: all.
    account: bool = False
    data: Path | None = None  # Where a benchmark that can go on keeps its rows.


@dataclass
class Report:
    """A table; ``bar`` names the column that is also drawn."""

    name: str
    told: str  # What was done, in one line.
    rows: list[Row] = field(default_factory=list)
    bar: str = ""
    notes: list[str] = field(default_factory=list)


Benchmark = Callable[[Options], Report]
