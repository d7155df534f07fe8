"""GET /v1/sql?q=…: one read-only statement, its rows as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voltstream.core.errors import (
    FeatureNotSupported,
    InsufficientPrivilege,
    SyntaxFault,
    VoltstreamError,
)
from voltstream.core.ports import RowStream, Session, Sessions, Statement
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of

ANSWER_ROWS_MAX = 10_000  # Rows of one answer; the rest is left out and "truncated" says so.
_READS = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(select|with|values|table|show)\b", re.I | re.S
)


class AskRoute:
    """Runs a query in a session of its own and takes back whatever it may have changed."""

    def __init__(self, sessions: Sessions, default_database: str) -> None:
        self._sessions = sessions
        self._default_database = default_database

    async def __call__(self, request: Request) -> Response:
        database = request.query_params.get("database", self._default_database)
        text = request.query_params.get("q", "")
        try:
            caller = caller_of(request)
            if caller.source is not None:
                raise InsufficientPrivilege("the token is for bringing rows into one source")
            answer = await run_in_threadpool(self.answer, database, text, caller.user)
            return JSONResponse(answer)
        except VoltstreamError as error:
            return refusal(error)

    def answer(self, database: str, text: str, user: str) -> dict[str, object]:
        """Return columns and rows. Raises: VoltstreamError."""
        session = self._sessions.open(database=database, user=user, options={})
        try:
            statement = _only_read(session.parse(text))
            session.begin_implicit()
            try:
                return _run(session, statement)
            finally:
                session.end_implicit(commit=False)
        finally:
            session.close()


def _only_read(statements: Sequence[Statement]) -> Statement:
    if len(statements) != 1:
        raise SyntaxFault("the parameter q holds one statement")
    [statement] = statements
    if not _READS.match(statement.text):
        raise FeatureNotSupported("only queries are answered here", hint="Use psql to change data.")
    return statement


def _run(session: Session, statement: Statement) -> dict[str, object]:
    stream = session.execute(statement).rows
    if stream is None:
        raise FeatureNotSupported("the statement gives no rows")
    try:
        return _collect(stream)
    finally:
        stream.close()


def _collect(stream: RowStream) -> dict[str, object]:
    columns = [{"name": c.name, "type": c.type.pg_name} for c in stream.columns]
    rows: list[list[object]] = []
    truncated = False
    for batch in stream.batches():
        room = ANSWER_ROWS_MAX - len(rows)
        values = [column.to_pylist() for column in batch.slice(0, room).columns]
        rows += ([plain(value) for value in row] for row in zip(*values, strict=True))
        truncated = len(batch) > room
        if truncated:
            break
    return {"columns": columns, "rows": rows, "truncated": truncated}


def plain(value: object) -> object:
    """Return a value as JSON has it; what JSON lacks becomes text."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case None | bool() | int() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case bytes():
            return "\\x" + value.hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)
