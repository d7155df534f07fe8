"""Where a pack is installed: a server over the wire, or an engine in this process."""

from __future__ import annotations

from typing import Protocol

import psycopg
from psycopg.pq import ExecStatus

from voltstream.cli.sql_client import readable
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Session
from voltstream.pgwire.text import text_cells

Texts = tuple[str | None, ...]


class Door(Protocol):
    """Takes one statement at a time. Law: both kinds give the same texts, those of psql."""

    def ask(self, sql: str) -> tuple[list[str], list[Texts]]:
        """Run a statement; return the names of its columns and its rows as texts."""


class WireDoor:
    """A server."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def ask(self, sql: str) -> tuple[list[str], list[Texts]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql.encode())
                result = cursor.pgresult
                if result is None or result.status != ExecStatus.TUPLES_OK:
                    return [], []
                columns = range(result.nfields)
                rows = [
                    tuple(_decoded(result.get_value(row, column)) for column in columns)
                    for row in range(result.ntuples)
                ]
                return [(result.fname(column) or b"").decode() for column in columns], rows
        except psycopg.Error as error:
            if self._connection.closed:
                raise VoltstreamError(f"the connection was lost: {error}") from error
            raise readable(error) from error


class EngineDoor:
    """A session of an engine in this process."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, sql: str) -> tuple[list[str], list[Texts]]:
        names: list[str] = []
        rows: list[Texts] = []
        for statement in self._session.parse(sql):
            outcome = self._session.execute(statement)
            names, rows = [], []
            if outcome.rows is None:
                continue
            try:
                columns = outcome.rows.columns
                names = [column.name for column in columns]
                for batch in outcome.rows.batches():
                    cells = [
                        text_cells(array, column.type.kind).to_pylist()
                        for array, column in zip(batch.columns, columns, strict=True)
                    ]
                    rows.extend(
                        tuple(_decoded(cell) for cell in row) for row in zip(*cells, strict=True)
                    )
            finally:
                outcome.rows.close()
        return names, rows


def _decoded(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode("utf-8", "replace")
