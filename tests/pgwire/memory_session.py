"""A small real session over an in-memory database, for the protocol's own tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from voltstream.core.errors import (
    BadCopyFormat,
    FailedTransaction,
    QueryCanceled,
    SyntaxFault,
    UndefinedDatabase,
    UndefinedTable,
    VoltstreamError,
)
from voltstream.core.passwords import verifier_of
from voltstream.core.ports import (
    CopyOut,
    Description,
    Notice,
    Notification,
    Outcome,
    Spelling,
    Standing,
    Statement,
    TransactionStatus,
)
from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind


@dataclass(frozen=True)
class MemoryStatement:
    text: str
    offset: int


class MemoryRows:
    def __init__(self, columns: Schema, table: pa.Table) -> None:
        self._columns = columns
        self._table = table
        self.closed = False

    @property
    def columns(self) -> Schema:
        return self._columns

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches()

    def close(self) -> None:
        self.closed = True


class MemoryCopy:
    """Takes tab-separated text into a table of varchar columns."""

    def __init__(self, session: MemorySession, table: str, columns: Schema) -> None:
        self._session = session
        self._table = table
        self._columns = columns
        self._data = b""
        self.abandoned: str | None = None

    @property
    def columns(self) -> Schema:
        return self._columns

    @property
    def binary(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self._data += data

    def finish(self) -> Outcome:
        rows = [line.split("\t") for line in self._data.decode().splitlines() if line != "\\."]
        if any(len(row) != len(self._columns) for row in rows):
            raise BadCopyFormat("missing data for column")
        marks = ",".join("?" * len(self._columns))
        for row in rows:
            self._session.connection.execute(f"insert into {self._table} values ({marks})", row)
        return Outcome(f"COPY {len(rows)}")

    def abandon(self, reason: str) -> None:
        self.abandoned = reason


class NothingAtHand:
    """Makes every statement go the long way."""

    def parse(self, text: str) -> Sequence[Statement] | None:
        return None

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description | None:
        return None

    def execute(
        self, statement: Statement, parameters: Sequence[object | None] = ()
    ) -> Outcome | None:
        return None


class MemorySession:
    """Runs DuckDB SQL; knows transactions, one COPY form and errors with positions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.settings = {"application_name": ""}
        self.implicit = False
        self.calls: list[str] = []
        self.at_hand = NothingAtHand()
        self._status: TransactionStatus = "I"

    @property
    def status(self) -> TransactionStatus:
        return self._status

    def parse(self, text: str) -> Sequence[MemoryStatement]:
        statements = []
        offset = 0
        for piece in text.split(";"):
            if piece.strip():
                leading = len(piece) - len(piece.lstrip())
                statements.append(MemoryStatement(piece.strip(), offset + leading))
            offset += len(piece) + 1
        for statement in statements:
            if statement.text.lower().startswith("selec "):
                said = 'syntax error at or near "selec"'
                raise SyntaxFault(said, position=statement.offset + 1)
        return statements

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description:
        count = len(set(re.findall(r"\$\d+", statement.text)))
        given = tuple(parameter_oids) + (0,) * count
        oids = tuple(oid or Kind.TEXT.oid for oid in given[:count])
        if not statement.text.lower().startswith(("select", "values", "with")):
            return Description(oids, None)
        text = re.sub(r"\$\d+", "NULL", statement.text)
        return Description(oids, self._run(MemoryStatement(text, 0), ()).columns)

    def execute(self, statement: Statement, parameters: Sequence[object | None] = ()) -> Outcome:
        try:
            return self._execute(statement, parameters)
        except VoltstreamError:
            if self._status == "T":
                self._status = "E"
            raise
        except duckdb.Error as error:
            raise VoltstreamError(str(error).splitlines()[0]) from error

    def _execute(self, statement: Statement, parameters: Sequence[object | None]) -> Outcome:
        word, *rest = statement.text.lower().split()
        if word in ("begin", "commit", "rollback"):
            return self._transaction(word)
        if self._status == "E":
            raise FailedTransaction(
                "current transaction is aborted, commands ignored until end of transaction block"
            )
        if word == "copy" and rest[1:3] == ["from", "stdin"]:
            columns = self._run(MemoryStatement(f"select * from {rest[0]}", 0), ()).columns
            return Outcome("COPY", copy_in=MemoryCopy(self, rest[0], columns))
        if word == "copy":
            rows = self._run(MemoryStatement(f"select * from {rest[0]}", 0), ())
            form = "csv" if "csv" in rest else "text"
            return Outcome("COPY", copy_out=CopyOut(rows, form))
        if word == "set":
            self.settings[rest[0]] = rest[-1].strip("'")
            return Outcome("SET")
        if word == "insert":
            done = self.connection.execute(statement.text, list(parameters)).fetchone()
            return Outcome(f"INSERT 0 {done[0] if done else 0}")
        rows = self._run(statement, parameters)
        if word in ("select", "values", "with"):
            return Outcome("SELECT", rows=rows)
        return Outcome(" ".join([word, *rest[:1]]).upper(), notices=(Notice("done"),))

    def _transaction(self, word: str) -> Outcome:
        failed = self._status == "E"
        self.connection.execute("rollback" if failed else word) if not self.implicit else None
        self.implicit = False
        self._status = "T" if word == "begin" else "I"
        return Outcome("ROLLBACK" if failed else word.upper())

    def _run(self, statement: Statement, parameters: Sequence[object | None]) -> MemoryRows:
        try:
            # None for what gives no rows, which the driver's own types leave out.
            result: Any = self.connection.sql(statement.text, params=list(parameters))
            if result is None:
                return MemoryRows((), pa.table({}))
            pairs = zip(result.columns, result.types, strict=True)
            columns = tuple(Column(name, str(kind)) for name, kind in pairs)
            return MemoryRows(columns, result.to_arrow_table())
        except duckdb.InterruptException as error:
            raise QueryCanceled("canceling statement due to user request") from error
        except duckdb.CatalogException as error:
            name = str(error).split()[5]
            at = statement.text.find(name)
            position = statement.offset + at + 1 if at >= 0 else None
            raise UndefinedTable(f'relation "{name}" does not exist', position=position) from error
        except duckdb.Error as error:
            raise VoltstreamError(str(error).splitlines()[0]) from error

    def fail(self) -> None:
        """Its own errors fail its blocks."""

    def begin_implicit(self) -> None:
        self.calls.append("begin_implicit")
        self.connection.execute("begin")
        self.implicit = True

    def end_implicit(self, *, commit: bool) -> None:
        self.calls.append(f"end_implicit {commit}")
        if self.implicit:
            self.connection.execute("commit" if commit else "rollback")
        self.implicit = False

    def idle_limit_s(self) -> float | None:
        return None

    def reported_settings(self) -> Mapping[str, str]:
        return self.settings

    def spelling(self) -> Spelling:
        return Spelling()

    @property
    def listening(self) -> bool:
        return False

    def notifications(self) -> Sequence[Notification | Notice]:
        return ()

    def on_notification(self, wake: Callable[[], None]) -> None:
        """Nothing is ever told."""

    def interrupt(self) -> None:
        self.connection.interrupt()

    def close(self) -> None:
        self.connection.close()


class MemorySessions:
    """Sessions of one shared in-memory database named ``memory``."""

    def __init__(self) -> None:
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone='UTC'")
        self.verifier = verifier_of("pencil")

    def standing(self, user: str) -> Standing:
        """Tell that ``al`` has no password, and everybody else "pencil"."""
        return Standing(self.verifier, has_password=user != "al", any_password=True)

    def open(
        self,
        *,
        database: str,
        user: str,
        options: Mapping[str, str],
        process_id: int = 0,
        client: str = "",
    ) -> MemorySession:
        if database != "memory":
            raise UndefinedDatabase(f'database "{database}" does not exist')
        session = MemorySession(self._database.cursor())
        session.settings.update(options)
        return session
