"""Where an epoch's time goes: CPU seconds per kind of DuckDB statement, and per object.

CPU, because the wall clock of a shared machine says little. It is that of the whole process while
the statement runs, DuckDB's own threads included: exact as long as nothing else runs beside it.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from voltstream.store.database import Connection, MemoryEngine

_HEAD = re.compile(r"\s*(.+?)(?:\s+(?:AS|SELECT|USING|WHERE|VALUES)\b|\(|=|$)", re.S)
_OBJECT = re.compile(r"_(\d{5,})")


class Account:
    """CPU seconds and calls per statement head, over every connection from ``open`` on."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, list[float]] = defaultdict(list)
        self._longest: dict[str, tuple[float, str]] = {}

    def open(self) -> None:
        """Time every statement that is executed from here on."""
        execute, arrow = Connection.execute, MemoryEngine.arrow

        def timed(self: Connection, sql: str, parameters: Sequence[object] = ()) -> int:
            began = time.process_time()
            try:
                return execute(self, sql, parameters)
            finally:
                note(sql, time.process_time() - began)

        def timed_arrow(self: MemoryEngine, *arguments: object) -> object:
            began = time.process_time()
            try:
                return run_arrow(self, *arguments)
            finally:
                note("(decode)", time.process_time() - began)

        note = self._note
        run_arrow: Callable[..., object] = arrow
        setattr(Connection, "execute", timed)  # noqa: B010
        setattr(MemoryEngine, "arrow", timed_arrow)  # noqa: B010

    def clear(self) -> None:
        self._spent.clear()
        self._longest.clear()

    def _note(self, sql: str, seconds: float) -> None:
        found = _HEAD.match(sql)
        head = " ".join((found[1] if found else sql).split())[:60]
        self._spent[head].append(seconds)
        if seconds > self._longest.get(head, (0.0, ""))[0]:
            self._longest[head] = (seconds, sql)

    def by_object(self, names: Mapping[int, str]) -> dict[str, float]:
        """Return seconds per object; what belongs to none goes by its statement's head."""
        spent: defaultdict[str, float] = defaultdict(float)
        for head, each in list(self._spent.items()):
            found = _OBJECT.search(head)
            spent[names.get(int(found[1]), found[1]) if found else head] += sum(each)
        return dict(_dearest(spent))

    def lines(self, count: int, names: Mapping[int, str]) -> list[str]:
        """Return the dearest objects and statement heads, dearest first."""
        spent = {head: list(each) for head, each in list(self._spent.items())}
        total = sum(sum(each) for head, each in spent.items() if not head.startswith("("))
        out = [f"  {total:7.2f} CPU s  all statements; by object:"]
        out += [
            f"  {took:7.2f} s  {name}" for name, took in list(self.by_object(names).items())[:12]
        ]
        ranked = _dearest({head: sum(each) for head, each in spent.items()})[:count]
        out += [f"  {took:7.2f} s {len(spent[head]):6d} x  {head}" for head, took in ranked]
        for head, _ in ranked[:6]:
            took, sql = self._longest[head]
            out.append(f"  {took * 1e3:.0f} ms at most: {' '.join(sql.split())[:600]}")
        return out


def _dearest(spent: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(spent.items(), key=lambda item: -item[1])
