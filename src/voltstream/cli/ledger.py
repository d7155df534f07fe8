"""`voltstream ledger`: prove that charge detail records are as issued, and export them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
import typer

from voltstream.cli.address import HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.checkpoint import Checkpoint, read, signed
from voltstream.cli.record_book import Book
from voltstream.cli.terminal import say
from voltstream.core.errors import InvalidParameter, UndefinedTable
from voltstream.core.records import Issuer, Verdict
from voltstream.ocpp import chain

EXAMPLES = """
Examples:

  voltstream ledger verify

  voltstream ledger verify --head 5d41402abc4b2a76b9719d911017c592…

  openssl genpkey -algorithm ed25519 -out ledger.key

  openssl pkey -in ledger.key -pubout -out ledger.pub

  voltstream ledger checkpoint --key ledger.key > 2026-06-01.json

  voltstream ledger verify --checkpoint 2026-06-01.json --key ledger.pub

  voltstream ledger export --format ocpi-2.2.1 --country DE --party VLT > cdrs.ndjson
"""
_PAGE = 5_000


def ledger(
    action: Annotated[
        Literal["verify", "export", "checkpoint"],
        typer.Argument(help="verify the chain, export records, or sign what the chain is now."),
    ],
    head: Annotated[
        str | None, typer.Option(help="Hash noted earlier that must be in the chain.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="verify: a checkpoint that the chain must hold.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM, Ed25519: private to sign, public to verify.")
    ] = None,
    form: Annotated[
        Literal["csv", "ocpi-2.2.1", "ocpi-2.3"], typer.Option("--format", help="Of an export.")
    ] = "csv",
    since: Annotated[str | None, typer.Option(help="Export what was issued from then on.")] = None,
    country: Annotated[str, typer.Option(help="OCPI: two letters of the country.")] = "ZZ",
    party: Annotated[str, typer.Option(help="OCPI: three letters of the operator.")] = "VLT",
    currency: Annotated[
        str, typer.Option(help="OCPI: where a charger has none of its own.")
    ] = "EUR",
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Verify the hash chain of charge detail records, sign it, or print records: CSV, OCPI JSON."""
    if key is None and (checkpoint is not None or action == "checkpoint"):
        raise InvalidParameter("--key is missing")
    with connect(url, host, pg_port) as connection:
        if action == "checkpoint" and key is not None:
            sign(records(connection), key)
        elif action == "verify":
            known = read(checkpoint, key) if checkpoint is not None and key is not None else None
            verify(records(connection), head, known)
        else:
            issuer = Issuer(country, party, currency)
            found = records(connection, since)
            lines = Book().export(found, form, issuer, lambda name: _named(connection, name))
            sys.stdout.writelines(lines)


def _named(connection: psycopg.Connection, name: str) -> dict[str, Any] | None:
    columns = ", ".join(chain.COLUMNS)
    row = connection.execute(
        f"SELECT {columns} FROM charge_detail_records WHERE cdr_id = %s".encode(), [name]
    ).fetchone()
    return None if row is None else dict(zip(chain.COLUMNS, row, strict=True))


def records(connection: psycopg.Connection, since: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield records in the order of the chain. Raises: UndefinedTable when there are none yet."""
    columns = ", ".join(chain.COLUMNS)
    last = 0
    while True:
        try:
            rows = connection.execute(
                f"SELECT {columns} FROM charge_detail_records WHERE chain_no > %s"
                " AND issued_at >= COALESCE(%s::TIMESTAMPTZ, '-infinity') "
                f"ORDER BY chain_no LIMIT {_PAGE}".encode(),
                [last, since],
            ).fetchall()
        except psycopg.errors.UndefinedTable as error:
            raise UndefinedTable(
                "there are no charge detail records", hint="They come with the first charger."
            ) from error
        for row in rows:
            yield dict(zip(chain.COLUMNS, row, strict=True))
        if len(rows) < _PAGE:
            return
        last = rows[-1][0]


def verify(
    found: Iterator[dict[str, Any]], head: str | None, known: Checkpoint | None = None
) -> None:
    """Say whether the chain holds. Raises: InvalidParameter naming the first break."""
    seen_head = head is None
    seen_known = known is None or known.records == 0

    def looked() -> Iterator[dict[str, Any]]:
        nonlocal seen_head, seen_known
        for number, record in enumerate(found, start=1):
            seen_head = seen_head or record["hash"] == head
            if known is not None and number == known.records:
                seen_known = record["hash"] == known.head
            yield record

    verdict = _held(looked())
    if not seen_head:
        raise InvalidParameter("the hash given with --head is not in the chain: its end is missing")
    if known is not None and not seen_known:
        raise InvalidParameter(f"the chain is another one than that of {known.at}")
    say(f"{verdict.records:,} records, the chain holds; its head is {verdict.head}")


def _held(found: Iterator[dict[str, Any]]) -> Verdict:
    """Raises: InvalidParameter where the chain does not hold."""
    verdict = Book().verdict(found)
    for number, name, reason in verdict.breaks[:20]:
        say(f"record {number} ({name}) {reason}")
    if verdict.breaks:
        raise InvalidParameter(f"the chain is broken in {len(verdict.breaks)} places")
    return verdict


def sign(found: Iterator[dict[str, Any]], key: Path) -> None:
    """Print a signed checkpoint of a chain that holds. Raises: InvalidParameter."""
    verdict = _held(found)
    say(signed(verdict.records, verdict.head, key, datetime.now(UTC)))
