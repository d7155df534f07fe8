"""SELECT ocpp_…(…): a command to a charge point, its answer as a row."""

from __future__ import annotations

import pyarrow as pa

from voltstream.core.errors import (
    ActiveTransaction,
    FeatureNotSupported,
    InsufficientPrivilege,
    UndefinedFunction,
)
from voltstream.core.ports import Commands, Outcome
from voltstream.core.schema import Column
from voltstream.runtime.access import Access
from voltstream.runtime.results import Held
from voltstream.sql.calls import COMMAND_PREFIX
from voltstream.sql.statements import Call, ObjectName

RELATION = "charger_commands"
_COLUMNS = tuple(
    Column(name, "VARCHAR")
    for name in ("command_id", "charge_point_id", "action", "state", "status", "reply")
)


def is_command(parsed: Call) -> bool:
    return parsed.function.startswith(COMMAND_PREFIX)


def run(parsed: Call, access: Access, commands: Commands | None, *, in_block: bool) -> Outcome:
    """Send a command and wait for its answer.

    Raises: ActiveTransaction (25001): it cannot be rolled back; InsufficientPrivilege (42501) for
    a role that may not insert into charger_commands; what ``Commands.run`` raises.
    """
    if in_block:
        raise ActiveTransaction(f"{parsed.function}() cannot run inside a transaction block")
    permits = access.permits()
    entry = access.catalog.named(ObjectName(RELATION))
    if entry is not None:
        permits.need(entry, "a")
    elif not permits.everything:
        raise InsufficientPrivilege(f"permission denied for function {parsed.function}")
    if commands is None:
        raise FeatureNotSupported("no charge point gateway runs here")
    if parsed.named_arguments:
        raise UndefinedFunction(f"{parsed.function} takes its arguments by place")
    texts = [f"CAST({text} AS VARCHAR)" for text in parsed.arguments]
    reader = access.open_reader()
    try:
        values = reader.rows(f"SELECT {', '.join(texts)}")[0] if texts else ()
    finally:
        reader.close()
    result = commands.run(parsed.function, list(values))
    row = (
        result.command_id,
        result.charge_point_id,
        result.action,
        result.state,
        result.status,
        result.reply,
    )
    columns = {
        column.name: pa.array([value], pa.string())
        for column, value in zip(_COLUMNS, row, strict=True)
    }
    return Outcome("SELECT", rows=Held(_COLUMNS, pa.table(columns)))
