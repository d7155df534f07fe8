"""DECLARE, FETCH and CLOSE."""

from __future__ import annotations

import re

from sqlglot.tokenizer_core import TokenType

from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import parse_query
from voltstream.sql.statements import CloseCursor, DeclareCursor, Fetch

_UNITS_MS = {"ms": 1, "s": 1_000, "sec": 1_000, "second": 1_000, "min": 60_000, "minute": 60_000}
_MOMENT_MAX = 2**63 - 1
_DURATION = re.compile(r"\s*(\d+)\s*([a-z]*?)s?\s*", re.IGNORECASE)


def parse_declare(cursor: Cursor, text: str, offset: int) -> DeclareCursor:
    """Parse DECLARE name [SUBSCRIPTION] CURSOR FOR …. Raises: SyntaxFault."""
    name = cursor.identifier()
    while cursor.accept("BINARY") or cursor.accept("INSENSITIVE") or cursor.accept("NO SCROLL"):
        pass
    if cursor.sees("SCROLL"):
        raise cursor.unsupported("a SCROLL cursor", "Cursors go forward.")
    if cursor.accept("SUBSCRIPTION"):
        cursor.expect("CURSOR FOR")
        subscription = cursor.object_name()
        since = _since(cursor)
        return DeclareCursor(
            text=text, offset=offset, name=name, subscription=subscription, since=since
        )
    cursor.expect("CURSOR")
    hold = cursor.accept("WITH HOLD")
    if not hold:
        cursor.accept("WITHOUT HOLD")
    cursor.expect("FOR")
    query = parse_query(cursor.rest(), cursor.text)
    return DeclareCursor(text=text, offset=offset, name=name, query=query, hold=hold)


def _since(cursor: Cursor) -> str:
    if cursor.accept("FULL"):
        return "full"
    if not cursor.accept("SINCE"):
        return "now"
    token = cursor.token
    if token is not None and token.token_type == TokenType.NUMBER:
        if not token.text.isdigit() or int(token.text) > _MOMENT_MAX:
            raise cursor.fault(hint="SINCE takes milliseconds of the Unix epoch, as a bigint.")
        return cursor.advance().text
    for words, meaning in (("NOW", "now"), ("PROCTIME", "now"), ("BEGIN", "begin")):
        if cursor.accept(words):
            cursor.accept("( )") or cursor.parenthesized()
            return meaning
    raise cursor.fault(hint="SINCE takes now(), begin() or milliseconds of the Unix epoch.")


def parse_fetch(cursor: Cursor, text: str, offset: int) -> Fetch:
    """Parse FETCH [NEXT | FORWARD | ALL | n] [FROM | IN] name [WITH (timeout = '1s')]."""
    count: int | None = 1
    counted = cursor.accept("FORWARD")
    token = cursor.token
    if cursor.accept("NEXT") or cursor.accept("RELATIVE"):
        counted = True
    elif cursor.accept("ALL"):
        count, counted = None, True
    elif token is not None and token.token_type == TokenType.NUMBER:
        count, counted = int(cursor.advance().text), True
    elif cursor.word() in ("PRIOR", "FIRST", "LAST", "ABSOLUTE", "BACKWARD", "-"):
        raise cursor.unsupported(f"FETCH {cursor.word()}", "Cursors go forward.")
    if not (cursor.accept("FROM") or cursor.accept("IN")) and counted and count == 0:
        raise cursor.fault()
    name = cursor.identifier()
    timeout_ms = 0
    if cursor.accept("WITH"):
        options = Cursor(cursor.parenthesized(), cursor.text)
        options.expect("TIMEOUT")
        options.expect("=")
        timeout_ms = _milliseconds(options)
    return Fetch(text=text, offset=offset, name=name, count=count, timeout_ms=timeout_ms)


def _milliseconds(cursor: Cursor) -> int:
    place = cursor.at
    found = _DURATION.fullmatch(cursor.string())
    if found is None or (found[2] and found[2].lower() not in _UNITS_MS):
        cursor.at = place
        raise cursor.fault(hint="A timeout is written '10s' or '500ms'.")
    return int(found[1]) * _UNITS_MS.get(found[2].lower() or "s", 1_000)


def parse_close(cursor: Cursor, text: str, offset: int) -> CloseCursor:
    """Parse CLOSE name or CLOSE ALL."""
    name = None if cursor.accept("ALL") else cursor.identifier()
    return CloseCursor(text=text, offset=offset, name=name)
