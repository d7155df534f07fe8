"""`voltstream check`: read a script without a server, as a server would."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.script import split_script
from voltstream.cli.terminal import complain, remark, say
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.origins import OriginTable
from voltstream.core.ports import (
    ANY_SHAPE,
    Connector,
    Schemas,
    Session,
    SinkShape,
    SinkTarget,
    SourceFeed,
    Statement,
)
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

ExplainForm = Literal["ast", "plan", "incremental", "duckdb"]
_EXPLAINED = re.compile(
    r"\s*(?:create\s+(?:or\s+replace\s+)?(?:materialized\s+view|view|sink)|select|with)\b",
    re.IGNORECASE,
)
# Only what defines something is run: later statements need it, and no row is ever touched.
_DEFINES = re.compile(r"\s*(?:create|drop|alter|comment|set|begin|commit)\b", re.IGNORECASE)

EXAMPLES = """
Examples:

  voltstream check pipeline.sql

  voltstream check --explain incremental tables.sql views.sql
"""


class CheckedConnectors:
    """Makes connectors to check their properties, and lets none of them run."""

    def __init__(self) -> None:
        self._registry = ConnectorRegistry()

    def source(self, feed: SourceFeed) -> Connector | None:
        self._registry.source(feed)
        return None

    def schemas(self, properties: Mapping[str, str], owner: str) -> Schemas | None:
        return self._registry.schemas(properties, owner)  # What follows needs the columns.

    def origin_table(self, properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
        return self._registry.origin_table(properties, owner, table)

    def sink(
        self, name: str, properties: Mapping[str, str], shape: SinkShape = ANY_SHAPE
    ) -> SinkTarget:
        self._registry.sink(name, properties, shape).close()
        return self._registry.sink(name, {"connector": "blackhole"})


def check(
    files: Annotated[list[Path], typer.Argument(help="Scripts, read in order.")],
    explain: Annotated[
        ExplainForm | None, typer.Option("--explain", help="Print every query in this form.")
    ] = None,
) -> None:
    """Parse, bind and plan every statement of a script without a server.

    Definitions take effect in a database that is gone afterwards; other statements are bound and
    not run. The exit status is 1 when any statement failed.
    """
    scripts = [(file, _read(file)) for file in files]
    with tempfile.TemporaryDirectory(prefix="voltstream-check-") as folder:
        instance = Instance(Path(folder), EngineOptions(), SystemClock(), CheckedConnectors())
        instance.start()
        try:
            session = instance.open(database=DATABASE, user=USER, options={})
            faults = sum(_check_script(session, file, text, explain) for file, text in scripts)
            session.close()
        finally:
            instance.stop()
    if faults:
        raise typer.Exit(1)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f'cannot read "{file}": {error}') from error


def _check_script(session: Session, file: Path, script: str, form: ExplainForm | None) -> int:
    """Check one file. Returns the number of statements that failed."""
    faults = 0
    for offset, text in split_script(script):
        line = script.count("\n", 0, offset) + 1
        try:
            for statement in session.parse(text):
                _check_statement(session, statement, form)
        except VoltstreamError as error:
            faults += 1
            say(f"{file}:{line}: failed: {_headline(text)}")
            complain(error, text)
        else:
            say(f"{file}:{line}: ok: {_headline(text)}")
    return faults


def _check_statement(session: Session, statement: Statement, form: ExplainForm | None) -> None:
    if form is not None and _EXPLAINED.match(statement.text):
        for line in _lines(session, f"EXPLAIN ({form.upper()}) {statement.text}"):
            say(f"    {line}")
    if not _DEFINES.match(statement.text):
        session.describe(statement, ())
        return
    outcome = session.execute(statement)
    for notice in outcome.notices:
        remark(notice.severity, notice.message, notice.hint)
    if outcome.rows is not None:
        outcome.rows.close()


def _lines(session: Session, text: str) -> Sequence[str]:
    """Run an EXPLAIN and return its lines."""
    lines: list[str] = []
    for statement in session.parse(text):
        rows = session.execute(statement).rows
        if rows is None:
            continue
        try:
            for batch in rows.batches():
                lines.extend(str(value) for value in batch.column(0).to_pylist())
        finally:
            rows.close()
    return lines


def _headline(text: str) -> str:
    """Return a statement's first line, without the bracket it opens."""
    return text.split("\n", 1)[0].rstrip(" (")
