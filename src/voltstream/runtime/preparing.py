"""A session's prepared statements: those that SQL named, not the wire."""

from __future__ import annotations

from voltstream.core.errors import DuplicateStatement, LimitExceeded, UndefinedStatement
from voltstream.core.limits import STATEMENTS_MAX
from voltstream.core.ports import Outcome
from voltstream.sql import preparing
from voltstream.sql.statements import Deallocate, Execute, Parsed, Prepare


class PreparedStatements:
    """PREPARE keeps one, EXECUTE runs it, DEALLOCATE drops it."""

    def __init__(self) -> None:
        self._kept: dict[str, Prepare] = {}

    def run(self, parsed: Prepare | Deallocate) -> Outcome:
        """Raises: DuplicateStatement (42P05), UndefinedStatement (26000), LimitExceeded (54000)."""
        match parsed:
            case Prepare(name=name):
                if name in self._kept:
                    raise DuplicateStatement(f'prepared statement "{name}" already exists')
                if len(self._kept) >= STATEMENTS_MAX:
                    raise LimitExceeded(f"more than {STATEMENTS_MAX} prepared statements")
                self._kept[name] = parsed
                return Outcome("PREPARE")
            case Deallocate(name=name):
                if name is None:
                    self._kept.clear()
                    return Outcome("DEALLOCATE ALL")
                self._named(name)
                del self._kept[name]
                return Outcome("DEALLOCATE")

    def forget_all(self) -> None:
        self._kept.clear()

    def behind(self, parsed: Parsed) -> Parsed:
        """Return what a statement does: of EXECUTE, what it stands for."""
        if isinstance(parsed, Execute):
            return preparing.executed(self._named(parsed.name), parsed)
        return parsed

    def _named(self, name: str) -> Prepare:
        found = self._kept.get(name)
        if found is None:
            raise UndefinedStatement(f'prepared statement "{name}" does not exist')
        return found
