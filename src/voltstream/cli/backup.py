"""`voltstream backup`, `restore` and `verify`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from voltstream.cli.address import DATABASE, HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.terminal import say
from voltstream.core.errors import StorageFault
from voltstream.store import backup as backups
from voltstream.store.remote import Remote

BACKUP_EXAMPLES = """
Examples:

  voltstream backup /mnt/backups

  voltstream backup s3://bucket/fleet --url postgres://volt@db:4566/volt
"""
RESTORE_EXAMPLES = """
Examples:

  voltstream restore /mnt/backups --data new-data

  voltstream restore s3://bucket/fleet --data new-data --epoch 81234
"""
VERIFY_EXAMPLES = """
Examples:

  voltstream verify

  voltstream verify --backup /mnt/backups
"""
TargetArgument = Annotated[str, typer.Argument(help="A directory, or s3://bucket/prefix.")]
EpochOption = Annotated[int | None, typer.Option("--epoch", help="Of which epoch. Default: last.")]
DatabaseOption = Annotated[str, typer.Option("--database", help="Which database.")]


def backup(
    target: TargetArgument,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Copy a database of a running server as it is in one epoch.

    The server writes the copy, and copies only what the target does not have yet. A directory is
    one of the server's machine; credentials of a store are in the server's environment.
    """
    place = target if "://" in target else str(Path(target).absolute())
    with connect(url, host, pg_port) as connection:
        row = connection.execute("SELECT voltstream_backup(%s)", [place]).fetchone()
    if row is None:
        raise StorageFault("the server did not say what it copied")
    epoch, files, size, copied, copied_bytes = row
    say(f"epoch {epoch}: {files} files, {size:,} bytes; copied {copied} of {copied_bytes:,} bytes")


def restore(
    target: TargetArgument,
    data: Annotated[Path, typer.Option("--data", help="Data directory, of no running server.")],
    database: DatabaseOption = DATABASE,
    epoch: EpochOption = None,
) -> None:
    """Lay a database out from a backup; then start a server on the directory."""
    remote = Remote(target)
    manifest = backups.read(remote, database, epoch)
    backups.restore(remote, manifest, data / database)
    total = sum(one.bytes for one in manifest.files)
    files = len(manifest.files)
    say(f"epoch {manifest.epoch} of {manifest.created}: {files} files, {total:,} bytes")


def verify(
    backup_target: Annotated[
        str | None, typer.Option("--backup", help="Verify a backup instead of a server.")
    ] = None,
    database: DatabaseOption = DATABASE,
    epoch: EpochOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Compare every chunk file, or every file of a backup, with its checksum."""
    if backup_target is not None:
        remote = Remote(backup_target)
        manifest = backups.read(remote, database, epoch)
        with tempfile.TemporaryDirectory(prefix="voltstream-verify-") as folder:
            found = list(backups.problems(remote, manifest, Path(folder) / "file"))
    else:
        with connect(url, host, pg_port) as connection:
            rows = connection.execute("SELECT voltstream_verify()").fetchall()
        found = [(str(file), "" if state == "ok" else str(state)) for file, state in rows]
    for file, wrong in found:
        if wrong:
            say(f"{file}: {wrong}")
    damaged = sum(bool(wrong) for _, wrong in found)
    say(f"{len(found)} files, {damaged} damaged")
    if damaged:
        raise typer.Exit(1)
