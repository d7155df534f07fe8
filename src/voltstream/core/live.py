"""The port through which the web shows changes as they become true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Change:
    """What one epoch changed in a relation.

    Shape: ``rows`` have its columns and last the weight; None where they were too many to be told.
    """

    epoch: int
    columns: Sequence[str]
    rows: Sequence[pa.Table] | None


class Live(Protocol):
    """Where changes come from."""

    def watch(
        self, database: str, schema: str, name: str, tell: Callable[[Change], None]
    ) -> Callable[[], None]:
        """Have ``tell`` called after each epoch that changed a relation, on the writer's thread.

        Returns what ends it. Raises: UndefinedTable (42P01), WrongObjectType (42809) for what
        keeps no rows.
        """
