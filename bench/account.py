"""Where an epoch's time goes: seconds per kind of DuckDB statement."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence

from voltstream.store.database import Connection, MemoryEngine

_HEAD = re.compile(r"\s*(.+?)(?:\s+(?:AS|SELECT|USING|WHERE|VALUES)\b|\(|=|$)", re.S)


class Account:
    """Seconds and calls per statement head, over every connection from ``open`` on."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, list[float]] = defaultdict(list)

    def open(self) -> None:
        """Time every statement that is executed from here on."""
        execute, arrow = Connection.execute, MemoryEngine.arrow

        def timed(self: Connection, sql: str, parameters: Sequence[object] = ()) -> int:
            began = time.perf_counter()
            try:
                return execute(self, sql, parameters)
            finally:
                note(sql, time.perf_counter() - began)

        def timed_arrow(self: MemoryEngine, *arguments: object) -> object:
            began = time.perf_counter()
            try:
                return arrow(self, *arguments)  # type: ignore[arg-type]
            finally:
                note("(decode, beside the writer)", time.perf_counter() - began)

        note = self._note
        setattr(Connection, "execute", timed)  # noqa: B010
        setattr(MemoryEngine, "arrow", timed_arrow)  # noqa: B010

    def clear(self) -> None:
        self._spent.clear()

    def _note(self, sql: str, seconds: float) -> None:
        found = _HEAD.match(sql)
        self._spent[" ".join((found[1] if found else sql).split())[:60]].append(seconds)

    def lines(self, count: int) -> list[str]:
        """Return the dearest heads, dearest first."""
        spent = {head: list(each) for head, each in list(self._spent.items())}
        total = sum(sum(each) for head, each in spent.items() if not head.startswith("("))
        ranked = sorted(spent.items(), key=lambda item: -sum(item[1]))[:count]
        lines = [f"  {sum(each):7.2f} s {len(each):6d} x  {head}" for head, each in ranked]
        return [f"  {total:7.2f} s           all statements", *lines]
