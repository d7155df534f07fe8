"""An engine in this process, asked as a session asks."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import Clock
from voltstream.core.ports import Notice, Session
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

Row = tuple[object, ...]


class Engine:
    """One instance and one session on its first database."""

    def __init__(
        self, folder: Path, clock: Clock, *, tier: str | None = None, brokers: str | None = None
    ) -> None:
        self.clock = clock
        self.notices: list[Notice] = []
        self.instance = Instance(
            folder, EngineOptions(tier=tier), clock, ConnectorRegistry(brokers)
        )
        self.instance.start()
        self.session: Session = self.instance.open(database="volt", user="volt", options={})

    def run(self, sql: str) -> list[Row]:
        """Run statements; return the rows of the last one."""
        rows: list[Row] = []
        for statement in self.session.parse(sql):
            outcome = self.session.execute(statement)
            self.notices.extend(outcome.notices)
            rows = []
            if outcome.rows is None:
                continue
            try:
                for batch in outcome.rows.batches():
                    columns = [column.to_pylist() for column in batch.columns]
                    rows.extend(zip(*columns, strict=True))
            finally:
                outcome.rows.close()
        return rows

    def close(self) -> None:
        self.session.close()
        self.instance.stop()


def plain(value: object) -> object:
    """Return a value that compares as SQL would: floats to nine digits, numerics by value."""
    match value:
        case bool():
            return value
        case float():
            return f"{value:.9g}" if value else "0"
        case Decimal():
            return f"{float(value):.9g}" if value else "0"
        case int():
            return f"{float(value):.9g}" if abs(value) < 10**15 else str(value)
        case datetime():
            return value.timestamp() if value.tzinfo else value
        case list():
            return tuple(plain(one) for one in value)
        case dict():
            return tuple((key, plain(one)) for key, one in value.items())
        case _:
            return value


def bag(rows: list[Row]) -> Counter[Row]:
    """Return rows with their multiplicities, order forgotten."""
    return Counter(tuple(plain(value) for value in row) for row in rows)
