"""What operators cost: seconds, rows, and the health number, rows scanned per row of delta."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voltstream.store.database import literal

VIEW = "rw_operator_costs"
_SAMPLE_EVERY = 256  # Epochs of a view; counting what is scanned costs 0.4 ms a statement.
_SAMPLE_EARLY = (2, 32)


@dataclass
class OperatorCost:
    """One operator of one view since the start."""

    statements: int = 0
    seconds: float = 0.0
    rows_out: int = 0
    rows_scanned: int = 0  # In sampled epochs only.

    def add(self, seconds: float, rows_out: int, scanned: int) -> None:
        self.statements += 1
        self.seconds += seconds
        self.rows_out += max(rows_out, 0)
        self.rows_scanned += scanned


@dataclass
class ViewCost:
    """One view since the start. Shape: ``sampled_rows_in`` is of the sampled epochs."""

    epochs: int = 0
    rows_in: int = 0
    sampled_rows_in: int = 0
    operators: dict[str, OperatorCost] = field(default_factory=dict)

    def begins(self, rows_in: int) -> bool:
        """Count an epoch; tell whether it is sampled: the first ones, and one in so many later."""
        self.epochs += 1
        self.rows_in += rows_in
        sampled = self.epochs in _SAMPLE_EARLY or self.epochs % _SAMPLE_EVERY == 0
        if sampled:
            self.sampled_rows_in += rows_in
        return sampled

    def of(self, operator: str) -> OperatorCost:
        return self.operators.setdefault(operator, OperatorCost())

    def rows(self, name: str) -> Iterable[Mapping[str, object]]:
        for operator, cost in self.operators.items():
            per_row = cost.rows_scanned / self.sampled_rows_in if self.sampled_rows_in else None
            yield {
                "name": name,
                "operator": operator,
                "epochs": self.epochs,
                "statements": cost.statements,
                "seconds": round(cost.seconds, 6),
                "rows_in": self.rows_in,
                "rows_out": cost.rows_out,
                "rows_scanned": cost.rows_scanned,
                "scanned_per_delta_row": per_row,
            }


def introduction(costs: Iterable[tuple[str, ViewCost]]) -> str:
    """Return the statement by which a connection knows what ``rw_operator_costs`` shows."""
    rows = [dict(row) for name, cost in costs for row in cost.rows(name)]
    return f"SET VARIABLE vs_costs = {literal(json.dumps(rows))}"
