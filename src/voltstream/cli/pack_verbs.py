"""`voltstream pack`: see, install, upgrade, test and begin packs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from voltstream.cli.address import HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.pack_doors import WireDoor
from voltstream.cli.pack_install import install as install_pack
from voltstream.cli.pack_install import installed_packs, parsed_file
from voltstream.cli.pack_skeleton import write_skeleton
from voltstream.cli.pack_trial import Trials, failure
from voltstream.cli.pack_upgrade import upgrade as upgrade_pack
from voltstream.cli.packs import Pack, find_pack, load_pack, shipped_packs
from voltstream.cli.terminal import complain, say, show_rows
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.sql.statements import Comment

EXAMPLES = """
Examples:

  voltstream pack list

  voltstream pack install ocpp

  voltstream pack new ./solar && voltstream pack test ./solar

  voltstream pack install ./solar

  voltstream pack upgrade ./solar
"""

packs = typer.Typer(
    name="pack",
    help="See, install, upgrade, test and begin packs: folders of SQL with a manifest.",
    no_args_is_help=True,
    epilog=EXAMPLES,
)
PackArgument = Annotated[
    str, typer.Argument(help="A shipped pack, or the folder of one.", metavar="PACK")
]


@packs.command("list", epilog=EXAMPLES)
def listed(
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """List the packs that are shipped and those a server has."""
    with connect(url, host, pg_port) as connection:
        known = installed_packs(WireDoor(connection))
    shipped = {name: load_pack(name) for name in shipped_packs()}
    rows = []
    for name in sorted({*shipped, *known}):
        pack, there = shipped.get(name), known.get(name)
        schema = there.schema if there else pack.schema if pack else None
        version = pack.version if pack else None
        rows.append([name, version, there.version if there else None, schema])
    show_rows(["pack", "shipped", "installed", "schema"], [False] * 4, rows)


@packs.command(epilog=EXAMPLES)
def show(pack: PackArgument) -> None:
    """Show what a pack is made of, from its files; no server is asked."""
    found = find_pack(pack)
    say(f"{found.name} {found.version}: {found.title}")
    if found.description:
        say(found.description)
    say(f"Schema: {found.schema}")
    for name, version in found.requires.items():
        say(f"Requires: {name} {version}")
    if found.parameters:
        say(f"\nParameters, the columns of {found.schema}.{found.parameters_table}:")
        for name, one in found.parameters.items():
            say(f"  {name} {one.type}, {one.default_text}: {one.doc}")
    say("\nRelations:")
    for line in _documented(found):
        say(f"  {line}")
    for title, items in (
        ("Seeds", [table for table, _ in found.seeds]),
        ("Tests", [name for name, _ in found.tests]),
        ("Panels", [panel.title for panel in found.panels]),
    ):
        if items:
            say(f"\n{title}: {', '.join(items)}")


def _documented(pack: Pack) -> list[str]:
    """Return what the pack's comments say of its relations."""
    return [
        f"{one.kind.lower()} {one.name.name}: {one.comment}"
        for name, text in pack.files
        for one in parsed_file(name, text)
        if isinstance(one, Comment) and one.column is None
    ]


@packs.command(epilog=EXAMPLES)
def install(
    pack: PackArgument,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Make a pack on a server, in one transaction: all of it or nothing."""
    found = find_pack(pack)
    with connect(url, host, pg_port) as connection:
        install_pack(WireDoor(connection), found)
    say(f"{found.name} {found.version} is installed in schema {found.schema}.")


@packs.command(epilog=EXAMPLES)
def upgrade(
    pack: PackArgument,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Apply what changed in a pack since it was installed, in one transaction.

    Tables, sources and parameters keep what they hold; views that changed are made anew.
    """
    found = find_pack(pack)
    with connect(url, host, pg_port) as connection:
        for line in upgrade_pack(WireDoor(connection), found) or ["Nothing to make or drop."]:
            say(line)
    say(f"{found.name} is now in version {found.version}.")


@packs.command("test", epilog=EXAMPLES)
def tried(
    pack: PackArgument,
    only: Annotated[
        str | None, typer.Option("--only", help="Only tests whose file name has this in it.")
    ] = None,
) -> None:
    """Run a pack's tests, each in an engine of its own whose clock moves as the test says.

    Panels are asked too. The exit status is 1 when anything failed.
    """
    found = find_pack(pack)
    chosen = [(name, text) for name, text in found.tests if only is None or only in name]
    if not chosen and only is not None:
        raise InvalidParameter(f'no test of pack "{found.name}" has "{only}" in its name')
    with Trials(found) as trials:
        faults = [_tell(name, failure(partial(trials.run, name, text))) for name, text in chosen]
        if only is None:
            faults.append(_tell(f"{len(found.panels)} panels", failure(trials.run_panels)))
    if any(faults):
        raise typer.Exit(1)


def _tell(what: str, error: VoltstreamError | None) -> bool:
    """Say how a test ended. Returns whether it failed."""
    say(f"{what}: {'ok' if error is None else 'failed'}")
    if error is not None:
        complain(error)
    return error is not None


@packs.command(epilog=EXAMPLES)
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make; its name is the pack's.")],
) -> None:
    """Write a small pack that works and passes its test."""
    for file in write_skeleton(folder):
        say(str(file))
    say(f"Try it: voltstream pack test {folder}")
