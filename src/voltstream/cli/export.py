"""`voltstream export`: definitions as the projects of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voltstream.cli.address import DATABASE, USER, HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.definitions import scripted, studied, told
from voltstream.cli.terminal import say
from voltstream.deploy.dbt_project import dbt_project
from voltstream.deploy.export_folder import write_folder

EXAMPLES = """
Examples:

  voltstream export dbt --out grid-models

  voltstream export dbt -f pipeline.sql --name grid --out grid-models
"""

export = typer.Typer(
    name="export",
    help="Write definitions as a project of another tool.",
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@export.callback()
def run() -> None:
    """Write definitions as a project of another tool."""


@export.command(epilog=EXAMPLES)
def dbt(
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", help="Script with the definitions; without one, a server's."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the project.")] = Path(
        "voltstream-dbt"
    ),
    name: Annotated[
        str, typer.Option("--name", help="Name of the project and its profile.")
    ] = "voltstream",
    schemas: Annotated[
        list[str] | None,
        typer.Option("--schema", help="Only views of this schema are models."),
    ] = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Write a dbt project: sources with their tests, views as models, and comments.

    A folder with files that an export did not write, or that were edited since, is not touched.
    """
    if files:
        statements = scripted(files)
    else:
        with connect(url, host, pg_port) as connection:
            statements = told(connection)
    with studied(statements) as found:
        project = dbt_project(found.catalog, name, DATABASE, USER, schemas or ())
    changed = write_folder(out, project)
    models = sum(path.startswith("models/") and path.endswith(".sql") for path in project)
    say(f"{models} models are in {out}; {changed} of {len(project)} files have changed")
