"""Questions to the database: one session, one question at a time, on a thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from voltstream.core.ports import Session, Sessions


class Asker:
    """Runs SQL of our own. Parameters are spelled by ``literal``, never pasted."""

    def __init__(self, sessions: Sessions, database: str, user: str) -> None:
        self._sessions = sessions
        self._database = database
        self._user = user
        self._session: Session | None = None
        self._lock = threading.Lock()

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of the last statement. Raises: VoltstreamError."""
        return await asyncio.to_thread(self.rows_now, sql)

    def rows_now(self, sql: str) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._session is None:
                self._session = self._sessions.open(
                    database=self._database, user=self._user, options={}
                )
            session = self._session
            found: list[tuple[Any, ...]] = []
            for statement in session.parse(sql):
                outcome = session.execute(statement)
                found = []
                if outcome.rows is None:
                    continue
                try:
                    for batch in outcome.rows.batches():
                        columns = [column.to_pylist() for column in batch.columns]
                        found.extend(zip(*columns, strict=True))
                finally:
                    outcome.rows.close()
            return found

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None


def literal(value: object) -> str:
    """Spell a value as an SQL literal."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return repr(value)
        case _:
            return "'" + str(value).replace("'", "''").replace("\x00", "") + "'"
