"""`voltstream history`: rows that are there already, moved to where they are kept from now on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from voltstream.cli.address import HostOption, PgPortOption, UrlOption
from voltstream.cli.definitions import studied, told
from voltstream.cli.resting import opened
from voltstream.cli.terminal import err, remark, say
from voltstream.core.errors import InvalidParameter, TargetRefused, TargetUnavailable
from voltstream.deploy import history_copy, history_files
from voltstream.deploy.drafting import Options
from voltstream.deploy.history import Table, spell_alike, tables
from voltstream.deploy.history_copy import Step
from voltstream.deploy.history_iceberg import Lake
from voltstream.deploy.history_target import fitted, prepare
from voltstream.deploy.script import Target, refuse
from voltstream.deploy.targets import script_for
from voltstream.store.remote import Remote

CONNECT_S = 10
EXAMPLES = """
Examples:

  voltstream history copy --to postgres://app@timescale:5432/fleet

  voltstream history export readings --to s3://lake/fleet --data /srv/volt

  voltstream history export --format iceberg --to /srv/lake

  voltstream history verify --to postgres://app@timescale:5432/fleet
"""

history = typer.Typer(
    name="history", help="Move rows that are there to another place.", no_args_is_help=True,
    epilog=EXAMPLES,
)  # fmt: skip


class Form(Enum):
    PARQUET = "parquet"
    ICEBERG = "iceberg"


TablesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="TABLE…", help="Tables; none: every hypertable.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="A data directory that no server has open.")
]
FormOption = Annotated[Form, typer.Option("--format", help="Of files.")]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Copy anew what is there and differs.")
]
CatalogOption = Annotated[
    list[str] | None,
    typer.Option("--catalog", metavar="NAME=VALUE", help="Property of the Iceberg catalog."),
]


@history.callback()
def run() -> None:
    """Move rows that are there to another place, a chunk at a time, each proved before the next."""


@history.command(epilog=EXAMPLES)
def copy(
    to: Annotated[str, typer.Option("--to", help="PostgreSQL or TimescaleDB: postgres://…")],
    names: TablesArgument = None,
    replace: ReplaceOption = False,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Copy tables into PostgreSQL or TimescaleDB; run again, it goes on where it ended.

    Each chunk is one transaction: count and hash of its rows are compared on both sides before it
    is committed. Tables that are not there are made, as hypertables where the extension is. Chunks
    that have changed here since they were copied are told, and the status is 1.
    """
    wrong = 0
    with opened(data, url, host, pg_port) as source, _target(to) as target:
        spell_alike(source)
        found = tables(source, names or ())
        history_copy.begin(target)
        missing = [table for table in found if fitted(target, table) is None]
        if missing:
            _make(source, target, missing)
        for table in found:
            there = fitted(target, table)
            if there is None:
                raise TargetRefused(f'"{table.full_name}" was made and is not there')
            steps = history_copy.copied(source, target, there, replace=replace)
            wrong += _show(steps, len(table.parts))
    _end(wrong)


@history.command(epilog=EXAMPLES)
def export(
    to: Annotated[str, typer.Option("--to", help="A directory, or s3://bucket/prefix.")],
    names: TablesArgument = None,
    form: FormOption = Form.PARQUET,
    catalog: CatalogOption = None,
    replace: ReplaceOption = False,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Write tables as Parquet files or as Iceberg tables; run again, it goes on where it ended.

    Each chunk is read back, and count and hash of its rows are compared, before it counts as there.
    Chunks that have changed here since they were written are told, and the status is 1.
    """
    wrong = 0
    with opened(data, url, host, pg_port) as source:
        spell_alike(source)
        lake = Lake(catalog_options(to, catalog or ())) if form is Form.ICEBERG else None
        remote = Remote(to) if lake is None else None
        for table in tables(source, names or ()):
            if lake is not None:
                steps = lake.exported(source, table, replace=replace)
            else:
                assert remote is not None
                steps = history_files.exported(source, remote, table, replace=replace)
            wrong += _show(steps, len(table.parts))
    _end(wrong)


@history.command(epilog=EXAMPLES)
def verify(
    to: Annotated[str, typer.Option("--to", help="Where the rows were moved to.")],
    names: TablesArgument = None,
    form: FormOption = Form.PARQUET,
    catalog: CatalogOption = None,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Read both sides again and compare them chunk by chunk; status 1 when any differs."""
    wrong = 0
    with opened(data, url, host, pg_port) as source:
        spell_alike(source)
        for table in tables(source, names or ()):
            with _compared(source, table, to, form, catalog or []) as steps:
                wrong += _show(steps, len(table.parts))
    if wrong:
        raise typer.Exit(1)


@contextmanager
def _compared(
    source: psycopg.Connection, table: Table, to: str, form: Form, catalog: list[str]
) -> Iterator[Iterator[Step]]:
    if to.startswith(("postgres://", "postgresql://")):
        with _target(to) as target:
            there = fitted(target, table)
            if there is None:
                raise InvalidParameter(f'there is no table "{table.full_name}" at the target')
            yield history_copy.compared(source, target, there)
    elif form is Form.ICEBERG:
        yield Lake(catalog_options(to, catalog)).compared(source, table)
    else:
        yield history_files.compared(source, Remote(to), table)


def catalog_options(to: str, given: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Return the properties of an Iceberg catalog whose files are there.

    Raises: InvalidParameter for a property without a value, or where no catalog can be guessed.
    """
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidParameter(f'"{one}" is no NAME=VALUE')
        found[name] = value
    if "://" not in to:
        folder = Path(to).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db",
                "warehouse": f"file://{folder}", **found}  # fmt: skip
    if "uri" not in found:
        raise InvalidParameter(
            "an Iceberg catalog must be named", hint="Say --catalog uri=… (and --catalog type=…)."
        )
    environment = {"s3.endpoint": "AWS_ENDPOINT", "s3.region": "AWS_REGION",
                   "s3.access-key-id": "AWS_ACCESS_KEY_ID",
                   "s3.secret-access-key": "AWS_SECRET_ACCESS_KEY"}  # fmt: skip
    known = {name: os.environ[told] for name, told in environment.items() if told in os.environ}
    kind = "rest" if found["uri"].startswith("http") else "sql"
    return {"type": kind, "warehouse": to, **known, **found}


@contextmanager
def _target(to: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(to, autocommit=True, connect_timeout=CONNECT_S)
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason was given"])[0]
        raise TargetUnavailable(
            f"cannot connect: {reason}", hint="Check --to postgres://user@host:port/db."
        ) from error
    with connection:
        spell_alike(connection)
        try:
            yield connection
        except psycopg.Error as error:
            state = error.diag.sqlstate or "no SQLSTATE"
            reason = (str(error).strip().splitlines() or ["no reason was given"])[0]
            raise TargetRefused(
                f"{reason} ({state})", hint="Parts that were told are there; run this again."
            ) from error


def _make(source: psycopg.Connection, target: psycopg.Connection, missing: list[Table]) -> None:
    """Make tables as `voltstream deploy` would."""
    with studied(told(source)) as definitions:
        script = script_for(
            Target.TIMESCALEDB, definitions.catalog, definitions.reader, Options(),
            [table.full_name for table in missing],
        )  # fmt: skip
    refuse(script)
    prepare(target, script)


def _end(wrong: int) -> None:
    """End with status 1 when parts that are there were left though they differ."""
    if wrong:
        remark(
            "WARNING", f"parts that have changed here since they were moved: {wrong}",
            "Run this again with --replace, which moves them anew.",
        )  # fmt: skip
        raise typer.Exit(1)


def _show(steps: Iterator[Step], parts: int) -> int:
    """Tell of each part when it is there; return how many differ."""
    rows = wrong = 0
    name = ""
    for number, step in enumerate(steps, 1):
        name = step.table.full_name
        err.print(
            f"{name}: {number} of {parts}: {step.part.shown}: {step.rows:,} rows {step.state}",
            highlight=False, markup=False,
        )  # fmt: skip
        rows += step.rows
        if step.state in ("differs", "missing"):
            wrong += 1
            say(f"{name}: {step.part.shown}: {step.state}")
    if name:
        say(f"{name}: {parts} parts, {rows:,} rows")
    return wrong
