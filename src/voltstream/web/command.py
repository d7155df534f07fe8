"""POST /v1/chargers/<id>/<command>: a command to a charge point, its answer as JSON."""

from __future__ import annotations

import json
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voltstream.core.errors import InsufficientPrivilege, InvalidParameter, VoltstreamError
from voltstream.core.ports import Session, Sessions
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of

BODY_BYTES_MAX = 64 * 1024  # The longest arguments are charging profiles of a few kB.
_NAME = re.compile(r"[a-z_]{1,40}")


class CommandRoute:
    """Takes the arguments of SELECT ocpp_<command>(id, …) as a JSON array of texts and numbers."""

    def __init__(self, sessions: Sessions, default_database: str) -> None:
        self._sessions = sessions
        self._default_database = default_database

    async def __call__(self, request: Request) -> Response:
        database = request.query_params.get("database", self._default_database)
        try:
            statement = _statement(
                request.path_params["name"], request.path_params["command"], await request.body()
            )
            caller = caller_of(request)
            if caller.source is not None:
                raise InsufficientPrivilege("the token is for bringing rows into one source")
            answer = await run_in_threadpool(self.answer, database, statement, caller.user)
            return JSONResponse(answer)
        except VoltstreamError as error:
            return refusal(error)

    def answer(self, database: str, text: str, user: str) -> dict[str, object]:
        """Return the row of the command. Raises: VoltstreamError."""
        session = self._sessions.open(database=database, user=user, options={})
        try:
            return _row(session, text)
        finally:
            session.close()


def _statement(charger: str, command: str, body: bytes) -> str:
    """Spell the call. Raises: InvalidParameter."""
    if not _NAME.fullmatch(command):
        raise InvalidParameter("there is no such command")
    if len(body) > BODY_BYTES_MAX:
        raise InvalidParameter(f"the body is longer than {BODY_BYTES_MAX} bytes")
    try:
        arguments = json.loads(body) if body.strip() else []
    except ValueError as error:
        raise InvalidParameter(f"the body is not JSON: {error}") from error
    if not isinstance(arguments, list):
        raise InvalidParameter("the body is a JSON array: the arguments behind the charge point")
    return f"SELECT ocpp_{command}({', '.join(map(_literal, [charger, *arguments]))})"


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "'true'" if value else "'false'"
        case int() | float():
            return f"'{value}'"
        case str():
            text = value
        case _:
            text = json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


def _row(session: Session, text: str) -> dict[str, object]:
    [statement] = session.parse(text)
    stream = session.execute(statement).rows
    if stream is None:
        raise InvalidParameter("the command gives no row")
    try:
        [row] = [row for batch in stream.batches() for row in batch.to_pylist()]
        return {str(name): value for name, value in row.items()}
    finally:
        stream.close()
