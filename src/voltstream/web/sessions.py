"""One statement in a session of its own, as an HTTP request runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voltstream.core.errors import (
    FeatureNotSupported,
    InsufficientPrivilege,
    SyntaxFault,
)
from voltstream.core.limits import HTTP_ROWS_DEFAULT, HTTP_STATEMENT_S_DEFAULT
from voltstream.core.ports import Session, Sessions, Statement
from voltstream.web.entry import Caller
from voltstream.web.results import Found, collected
from voltstream.web.values import parameters

_READS = re.compile(
    r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*"
    r"(select|with|values|table|show|explain|describe|desc)\b",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Asking:
    """One statement and its bounds. Shape: without ``writes`` it changes nothing."""

    text: str
    values: Sequence[object] = ()
    writes: bool = False
    search_path: str | None = None
    rows_max: int = HTTP_ROWS_DEFAULT
    timeout_s: float = HTTP_STATEMENT_S_DEFAULT


def person(caller: Caller) -> str:
    """Return whose rights count. Raises: InsufficientPrivilege (42501) for an ingest token."""
    if caller.source is not None:
        raise InsufficientPrivilege("the token is for bringing rows into one source")
    return caller.user


def run(sessions: Sessions, database: str, user: str, asking: Asking) -> Found:
    """Raises: VoltstreamError, QueryCanceled (57014) when its time is over."""
    options = {"statement_timeout": str(max(1, round(asking.timeout_s * 1000)))}
    if asking.search_path is not None:
        options["search_path"] = asking.search_path
    if not asking.writes:
        options["default_transaction_read_only"] = "on"
    session = sessions.open(database=database, user=user, options=options)
    try:
        statement = _one(session.parse(asking.text), writes=asking.writes)
        values = _values(session, statement, asking.values)
        session.begin_implicit()
        done = False
        try:
            found = _collected(session, statement, values, asking)
            done = True
        finally:
            session.end_implicit(commit=asking.writes and done)
        return found
    finally:
        session.close()


def _one(statements: Sequence[Statement], *, writes: bool) -> Statement:
    if len(statements) != 1:
        raise SyntaxFault("one statement is answered at a time")
    [statement] = statements
    if not writes and not _READS.match(statement.text):
        raise FeatureNotSupported(
            "only queries are answered here",
            hint='POST /v1/sql with "write": true changes data.',
        )
    return statement


def _values(
    session: Session, statement: Statement, given: Sequence[object]
) -> Sequence[object | None]:
    if not given:
        return ()
    return parameters(given, session.describe(statement, ()).parameter_oids)


def _collected(
    session: Session, statement: Statement, values: Sequence[object | None], asking: Asking
) -> Found:
    outcome = session.execute(statement, values)
    stream = outcome.rows
    if stream is None:
        if not asking.writes:
            raise FeatureNotSupported("the statement gives no rows")
        return Found((), (), False, outcome.tag)
    try:
        return collected(stream, asking.rows_max, outcome.tag if asking.writes else "")
    finally:
        stream.close()
