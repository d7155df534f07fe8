"""Statements to RisingWave or TimescaleDB over the PostgreSQL wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psycopg

from voltstream.core.errors import TargetRefused, TargetUnavailable
from voltstream.deploy.kafka_access import masked, with_secrets

CONNECT_TIMEOUT_S = 10


def submit(url: str, statements: Iterable[str], ran: Callable[[int], None] | None = None) -> int:
    """Run statements one by one, each its own transaction; return how many.

    ``ran`` is told after each how many have run.
    A continuous aggregate cannot be made inside a transaction, and RisingWave has none for DDL.
    Raises: TargetUnavailable, TargetRefused with the statement, InvalidParameter (22023) for a
    secret that is not told.
    """
    told = [(text, with_secrets(text)) for text in statements]
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error as error:
        raise TargetUnavailable(
            f"cannot connect: {_first_line(error)}", hint="Check --to postgres://user@host:port/db."
        ) from error
    count = 0
    with connection:
        for text, sent in told:
            try:
                connection.execute(sent.encode())
            except psycopg.Error as error:
                state = error.diag.sqlstate or "no SQLSTATE"
                raise TargetRefused(
                    f"the target refused a statement: {_first_line(error)} ({state})",
                    detail=text,
                    hint=f"{count} statements before it were run; running deploy again goes on.",
                ) from error
            count += 1
            if ran is not None:
                ran(count)
    return count


def _first_line(error: Exception) -> str:
    return masked((str(error).strip().splitlines() or ["no reason was given"])[0])
