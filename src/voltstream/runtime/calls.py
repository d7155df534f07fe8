"""Administrative functions: accepted, recorded, answered as TimescaleDB answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from voltstream.core.errors import InvalidParameter, UndefinedColumn, UndefinedTable
from voltstream.core.ports import Notice, Outcome
from voltstream.core.schema import Column
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.results import Held
from voltstream.sql.statements import Call, ObjectName

_BY_RANGE = re.compile(r"by_range\s*\(\s*'([^']*)'", re.IGNORECASE)
_SILENT = frozenset({"refresh_continuous_aggregate", "add_columnstore_policy", "run_job",
                     "remove_columnstore_policy", "convert_to_columnstore",
                     "convert_to_rowstore"})  # fmt: skip
_JOBS = frozenset({"add_retention_policy", "add_compression_policy", "add_reorder_policy",
                   "add_continuous_aggregate_policy", "add_tiering_policy",
                   "add_job"})  # fmt: skip


def call(epoch: Epoch, parsed: Call) -> Outcome:
    """Record a call; hypertables keep their rows plainly, so only the record differs."""
    if parsed.function == "create_hypertable":
        return _create_hypertable(epoch, parsed)
    arguments = json.dumps([list(parsed.arguments), dict(parsed.named_arguments)])
    epoch.connection.execute(
        "INSERT INTO _vs.calls VALUES (?, ?, getvariable('vs_now'))", [parsed.function, arguments]
    )
    if parsed.function in _SILENT:
        return Outcome("CALL")
    if parsed.function in _JOBS:
        jobs = epoch.connection.rows("SELECT count(*) FROM _vs.calls")[0][0]
        return _one(parsed.function, "INTEGER", pa.array([999 + int(jobs)], pa.int32()))
    return Outcome(
        "SELECT", rows=Held((Column(parsed.function, "VARCHAR"),), _nothing(parsed.function))
    )


def _nothing(name: str) -> pa.Table:
    return pa.table({name: pa.array([], pa.string())})


def _one(name: str, store_type: str, values: pa.Array[Any]) -> Outcome:
    return Outcome("SELECT", rows=Held((Column(name, store_type),), pa.table({name: values})))


def _create_hypertable(epoch: Epoch, parsed: Call) -> Outcome:
    named = parsed.named_arguments
    arguments = [*parsed.arguments]
    if not arguments and "relation" in named:
        arguments.append(named["relation"])
    if not arguments:
        raise InvalidParameter("create_hypertable needs a relation")
    entry = epoch.catalog.require(_name(_text(arguments[0])), "table")
    spec = arguments[1] if len(arguments) > 1 else _dimension(named)
    by_range = _BY_RANGE.search(spec)
    column = by_range[1] if by_range else _text(spec)
    _check_column(entry, column)
    schema, name = entry.key
    known = epoch.connection.rows(
        "SELECT id FROM _vs.hypertables WHERE schema = ? AND name = ?", [schema, name]
    )
    notices: tuple[Notice, ...] = ()
    if known:
        if "true" not in named.get("if_not_exists", "").lower():
            raise InvalidParameter(f'table "{name}" is already a hypertable')
        notices = (Notice(f'table "{name}" is already a hypertable, skipping'),)
        number = int(known[0][0])
    else:
        rows = epoch.connection.rows("SELECT coalesce(max(id), 0) + 1 FROM _vs.hypertables")
        number = int(rows[0][0])
        epoch.connection.execute(
            "INSERT INTO _vs.hypertables VALUES (?, ?, ?, ?, ?)",
            [number, schema, name, column, json.dumps(dict(named))],
        )
    created = "f" if known else "t"
    text = f"({number},{created})" if by_range else f"({number},{schema},{name},{created})"
    answer = _one("create_hypertable", "VARCHAR", pa.array([text], pa.string()))
    return Outcome("SELECT", rows=answer.rows, notices=notices)


def _dimension(named: Mapping[str, str]) -> str:
    for key in ("dimension", "time_column_name"):
        if key in named:
            return named[key]
    raise InvalidParameter("create_hypertable needs a time column")


def _check_column(entry: Entry, column: str) -> None:
    columns = entry.relation.columns if entry.relation is not None else ()
    if all(known.name != column for known in columns):
        raise UndefinedColumn(f'column "{column}" does not exist')


def _text(argument: str) -> str:
    stripped = argument.strip()
    if stripped.startswith("'") and stripped.endswith("'"):
        return stripped[1:-1].replace("''", "'")
    return stripped


def _name(text: str) -> ObjectName:
    parts = [part.strip().strip('"') for part in text.split(".")]
    if not all(parts) or len(parts) > 2:
        raise UndefinedTable(f'relation "{text}" does not exist')
    return ObjectName(parts[-1], parts[0] if len(parts) == 2 else None)
