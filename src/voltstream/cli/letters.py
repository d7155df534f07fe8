"""`voltstream dead-letters`: what could not be read or sent, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import psycopg
import typer
from psycopg import sql

from voltstream.cli.address import HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.sql_client import readable
from voltstream.cli.terminal import complain, out, say, show_rows
from voltstream.core.errors import UndefinedObject

EXAMPLES = """
Examples:

  voltstream dead-letters list

  voltstream dead-letters show 17

  voltstream dead-letters replay reads

  voltstream dead-letters drop reads --id 17
"""

letters = typer.Typer(
    name="dead-letters",
    help="See, replay and drop what could not be read or sent.",
    no_args_is_help=True,
    epilog=EXAMPLES,
)
NameArgument = Annotated[str, typer.Argument(help="A source, a sink or a table.")]
IdOption = Annotated[int | None, typer.Option("--id", help="One letter. Default: all of them.")]


@letters.command("list", epilog=EXAMPLES)
def listed(
    name: Annotated[str | None, typer.Argument(help="Only of this source, sink or view.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 20,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """List the newest dead letters."""
    with connect(url, host, pg_port) as connection:
        rows = connection.execute(
            'SELECT id::text, source, position, "at"::text, left(reason, 60) FROM rw_dead_letters '
            "WHERE %s::text IS NULL OR source = %s ORDER BY id DESC LIMIT %s",
            [name, name, limit],
        ).fetchall()
        [(count,)] = connection.execute(
            "SELECT count(*) FROM rw_dead_letters WHERE %s::text IS NULL OR source = %s",
            [name, name],
        ).fetchall()
    heads = ["id", "source", "position", "at", "reason"]
    show_rows(heads, [True, False, False, False, False], [list(map(str, row)) for row in rows])
    if count > len(rows):
        say(f"{count:,} in all.")


@letters.command(epilog=EXAMPLES)
def show(
    number: Annotated[int, typer.Argument(help="The letter's id.", metavar="ID")],
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Show one dead letter with its bytes."""
    with connect(url, host, pg_port) as connection:
        row = connection.execute(
            'SELECT source, position, "at"::text, reason, raw FROM rw_dead_letters WHERE id = %s',
            [number],
        ).fetchone()
    if row is None:
        raise UndefinedObject(f"dead letter {number} does not exist")
    for head, value in zip(("source", "position", "at", "reason"), row, strict=False):
        say(f"{head + ':':<10}{value}")
    out.print(bytes(row[4]).decode(errors="backslashreplace"), markup=False, highlight=False)


@letters.command(epilog=EXAMPLES)
def replay(
    name: NameArgument,
    number: IdOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Take a source's records in again, or send a sink's again."""
    count, left = _called("replay_dead_letters", name, number, url, host, pg_port)
    say(f"{count:,} replayed; {left:,} of {name} are left.")


@letters.command(epilog=EXAMPLES)
def drop(
    name: NameArgument,
    number: IdOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Forget dead letters."""
    count, left = _called("drop_dead_letters", name, number, url, host, pg_port)
    say(f"{count:,} dropped; {left:,} of {name} are left.")


def _called(
    function: str, name: str, number: int | None, url: str | None, host: str, pg_port: int
) -> tuple[int, int]:
    """Call a function of dead letters. Returns its answer, and how many letters are left."""
    call = sql.SQL("CALL {}({}, {})").format(
        sql.Identifier(function), sql.Literal(name), sql.Literal(number)
    )
    with connect(url, host, pg_port) as connection:
        try:
            row = connection.execute(call).fetchone()
        except psycopg.Error as error:
            complain(readable(error))
            raise typer.Exit(1) from error
        left = connection.execute(
            "SELECT count(*) FROM rw_dead_letters WHERE source = %s", [name]
        ).fetchone()
    return int(row[0]) if row else 0, int(left[0]) if left else 0
