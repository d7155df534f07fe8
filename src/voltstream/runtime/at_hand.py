"""What a session can say without work and without waiting: by plans and answers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voltstream.core.ports import Description, Outcome, Statement
from voltstream.runtime.access import Access
from voltstream.runtime.plans import Asked


class AtHand:
    """Serves ports.AtHand. ``told`` is told of each statement that was answered so.

    Law: outside of blocks only, where nothing of the session's own waits to be read.
    """

    def __init__(self, access: Access, told: Callable[[str], None]) -> None:
        self._access = access
        self._told = told

    def parse(self, text: str) -> Sequence[Statement] | None:
        if self._access.block.is_open:
            return None
        return self._access.recall(text)

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description | None:
        if self._access.block.is_open or not isinstance(statement, Asked):
            return None
        plan = self._access.planned(statement)
        if plan is None or not plan.takes(parameter_oids):
            return None
        return plan.description(statement.first - 1)

    def execute(
        self, statement: Statement, parameters: Sequence[object | None] = ()
    ) -> Outcome | None:
        if self._access.block.is_open or not isinstance(statement, Asked):
            return None
        plan = self._access.planned(statement)
        if plan is None:
            return None
        rows = self._access.kept(plan, [*parameters, *statement.values])
        if rows is None:
            return None
        self._told(statement.text)
        return Outcome("SELECT", rows=rows)
