"""`voltstream sql`: statements to a server, results to the terminal or the next program."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus

from voltstream.cli.address import HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.script import split_script
from voltstream.cli.terminal import complain, err, out, remark, say, show_rows
from voltstream.core.errors import InvalidParameter, VoltstreamError

COPY_BYTES = 1 << 20
_COPY_IN = re.compile(r"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_COPY_OUT = re.compile(r"\s*copy\b.*\bto\s+stdout\b", re.IGNORECASE | re.DOTALL)
_NUMERIC_OIDS = frozenset({20, 21, 23, 26, 700, 701, 1700})

EXAMPLES = """
Examples:

  voltstream sql -c "SELECT * FROM rw_sources"

  voltstream sql -f pipeline.sql --url postgres://volt@127.0.0.1:4566/volt

  voltstream sql -c "COPY meters FROM STDIN (FORMAT csv)" < meters.csv
"""


def sql(
    command: Annotated[
        str | None, typer.Option("--command", "-c", help="Statements to run.", metavar="SQL")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Script to run; - reads standard input.")
    ] = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Run SQL on a server; without -c or -f, read statements from the terminal or a pipe."""
    if command is not None and file is not None:
        raise InvalidParameter("--command and --file cannot be given together")
    with connect(url, host, pg_port) as connection:
        connection.add_notice_handler(_show_notice)
        if command is None and file is None and sys.stdin.isatty():
            _converse(connection)
            return
        script = command if command is not None else _read_script(file)
        if not all(_run(connection, text, where) for where, text in split_script(script)):
            raise typer.Exit(1)


def _read_script(file: Path | None) -> str:
    if file is None or str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f'cannot read "{file}": {error}') from error


def _converse(connection: psycopg.Connection) -> None:
    """Read statements line by line until the end of input; an error does not end it."""
    say(f"Connected to {connection.info.dbname}. Ctrl-D leaves.")
    pending = ""
    while True:
        try:
            pending += input(f"{connection.info.dbname}{'-' if pending else '='}> ") + "\n"
        except EOFError:
            out.print()
            return
        except KeyboardInterrupt:
            pending = ""
            out.print()
            continue
        if pending.rstrip().endswith(";"):
            for where, text in split_script(pending):
                _run(connection, text, where)
            pending = ""


def _run(connection: psycopg.Connection, statement: str, offset: int = 0) -> bool:
    """Run one statement and print what it gave; False when it failed."""
    try:
        with connection.cursor() as cursor:
            if _COPY_IN.match(statement):
                _copy_in(cursor, statement)
            elif _COPY_OUT.match(statement):
                _copy_out(cursor, statement)
            else:
                # SQL typed by a user is not a literal; it is theirs to run.
                cursor.execute(statement.encode())
                _show_result(cursor)
    except psycopg.OperationalError as error:
        if connection.closed:
            raise VoltstreamError(f"the connection was lost: {error}") from error
        complain(readable(error), statement)
    except psycopg.Error as error:
        complain(readable(error), statement)
    except KeyboardInterrupt:
        err.print("Cancelled.")
    else:
        return True
    if offset:
        err.print(f"[dim]at character {offset + 1} of the script[/]")
    return False


def _show_result(cursor: psycopg.Cursor[tuple[object, ...]]) -> None:
    result = cursor.pgresult
    if result is None:
        return
    if result.status != ExecStatus.TUPLES_OK:
        say((result.command_status or b"").decode())
        return
    # The server's own text is shown, not Python's reading of it.
    columns = range(result.nfields)
    show_rows(
        [(result.fname(column) or b"").decode() for column in columns],
        [result.ftype(column) in _NUMERIC_OIDS for column in columns],
        [
            [_text(result.get_value(row, column)) for column in columns]
            for row in range(result.ntuples)
        ],
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _copy_in(cursor: psycopg.Cursor[tuple[object, ...]], statement: str) -> None:
    with cursor.copy(statement.encode()) as copy:
        while data := sys.stdin.buffer.read(COPY_BYTES):
            copy.write(data)
    say(cursor.statusmessage or "COPY")


def _copy_out(cursor: psycopg.Cursor[tuple[object, ...]], statement: str) -> None:
    with cursor.copy(statement.encode()) as copy:
        for data in copy:
            sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _show_notice(diagnostic: Diagnostic) -> None:
    remark(
        diagnostic.severity or "NOTICE",
        diagnostic.message_primary or "",
        diagnostic.message_hint,
    )


def readable(error: psycopg.Error) -> VoltstreamError:
    """Carry what the server said into our own shape."""
    said = error.diag
    position = said.statement_position
    readable = VoltstreamError(
        said.message_primary or str(error).strip(),
        detail=said.message_detail,
        hint=said.message_hint,
        position=int(position) if position else None,
    )
    readable.sqlstate = error.sqlstate or "XX000"
    return readable
