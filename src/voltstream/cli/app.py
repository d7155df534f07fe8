"""The `voltstream` command: its verbs and how they fail."""

from __future__ import annotations

import sys

import typer

from voltstream import __version__
from voltstream.cli import (
    backup,
    check,
    datasets,
    demo,
    deploy,
    export,
    gateway,
    history,
    ingest,
    ledger,
    letters,
    pack_verbs,
    serve,
    simulate,
    sql_client,
)
from voltstream.cli.terminal import complain, say
from voltstream.core.errors import VoltstreamError

app = typer.Typer(
    name="voltstream",
    help="A streaming database for energy telemetry.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("serve", epilog=serve.EXAMPLES)(serve.serve)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("gateway", epilog=gateway.EXAMPLES)(gateway.gateway)
app.command("sql", epilog=sql_client.EXAMPLES)(sql_client.sql)
app.command("ingest", epilog=ingest.EXAMPLES)(ingest.ingest)
app.command("sim", epilog=simulate.EXAMPLES)(simulate.sim)
app.command("ledger", epilog=ledger.EXAMPLES)(ledger.ledger)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("backup", epilog=backup.BACKUP_EXAMPLES)(backup.backup)
app.command("restore", epilog=backup.RESTORE_EXAMPLES)(backup.restore)
app.command("verify", epilog=backup.VERIFY_EXAMPLES)(backup.verify)
app.add_typer(datasets.datasets)
app.add_typer(deploy.deploy)
app.add_typer(export.export)
app.add_typer(history.history)
app.add_typer(letters.letters)
app.add_typer(pack_verbs.packs)


@app.command("version", epilog="Example:\n\n  voltstream version")
def version() -> None:
    """Print the version."""
    say(f"voltstream {__version__}")


def main() -> None:
    """Run the command line; an error a user can see is one message and exit status 1."""
    try:
        app()
    except VoltstreamError as error:
        complain(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
