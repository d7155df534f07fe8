"""An engine in this process, asked as a session asks."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import Clock, ManualClock
from voltstream.core.ports import Notice, Session
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions
from voltstream.sql.functions import NATIVES
from voltstream.sql.styles.casts import BATCHED
from voltstream.store.database import Database
from voltstream.store.pg_catalog.install import install

Row = tuple[object, ...]
_BEGUN = "VOLTSTREAM_TEST_BEGUN"


def begun(folder: Path) -> Path:
    """Lay what a first start and the first question to the system catalogs leave into a folder.

    Both write the same few hundred definitions each time, a second of work; a process of tests
    does it once, and those it starts find it. Law: a folder that holds a database stays as it is.
    """
    if not (folder / DEFAULT_DATABASE).exists():
        template = os.environ.get(_BEGUN)
        if template is None:
            template = os.environ[_BEGUN] = _begin()
        shutil.copytree(template, folder, dirs_exist_ok=True)
    return folder


def _begin() -> str:
    template = tempfile.mkdtemp(prefix="voltstream-begun-")
    atexit.register(shutil.rmtree, template, ignore_errors=True)
    instance = Instance(Path(template), EngineOptions(), ManualClock(), ConnectorRegistry(None))
    instance.start()
    instance.stop()
    file = Path(template) / DEFAULT_DATABASE / "volt.duckdb"
    database = Database(file, threads=1, natives=NATIVES, batched=BATCHED)
    database.writer.execute("BEGIN")
    install(database.writer)
    database.writer.execute("COMMIT")
    database.close()
    return template


class Engine:
    """One instance and one session on its first database."""

    def __init__(
        self, folder: Path, clock: Clock, *, tier: str | None = None, brokers: str | None = None
    ) -> None:
        self.clock = clock
        self.notices: list[Notice] = []
        self.instance = Instance(
            begun(folder), EngineOptions(tier=tier), clock, ConnectorRegistry(brokers)
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
