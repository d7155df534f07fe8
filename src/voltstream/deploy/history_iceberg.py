"""History as Iceberg tables: each part one commit with its note, which is then proved."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pyarrow as pa

from voltstream.core.errors import (
    FeatureNotSupported,
    HistoryDiffers,
    TargetRefused,
    VoltstreamError,
)
from voltstream.deploy.history import Fingerprint, Part, Table
from voltstream.deploy.history_copy import State, Step
from voltstream.deploy.history_rows import Shape, add_rows, part_fingerprint, part_rows

_NOTE = "voltstream.history."
_UNPROVED = "/unproved"  # Ends the note of a part that was not read back equal yet.


class Lake:
    """An Iceberg catalog. Shape: ``options`` are the library's own (type, uri, warehouse, s3.…)."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """Raises: FeatureNotSupported without the library, TargetRefused for a bad catalog."""
        if importlib.util.find_spec("pyiceberg") is None:
            hint = "Install voltstream[iceberg]."
            raise FeatureNotSupported("Iceberg needs the package pyiceberg", hint=hint)
        with _asking():
            load = importlib.import_module("pyiceberg.catalog").load_catalog
            self._catalog = load("voltstream", **options)

    def exported(
        self, source: psycopg.Connection, table: Table, *, replace: bool
    ) -> Iterator[Step]:
        """Append the parts that are not there yet, and yield each when it was read back equal.

        Law: a part is in the table once, and noted there, or not at all; one whose note is not
        proved is written anew. One whose source has changed since is told. Shape: with ``replace``
        it is written anew, as is one whose rows have changed in the table.
        Raises: HistoryDiffers, TargetRefused with what the catalog says or for rows without a note.
        """
        there = self._opened(table)
        for part in table.parts:
            known = there.properties.get(_NOTE + part.name)
            if known is not None and not known.endswith(_UNPROVED):
                ours = part_fingerprint(source, table, part)
                same = known == _noted(ours)
                if same and replace:
                    same = _found(there, table, part) == ours
                if same or not replace:
                    yield Step(table, part, "there" if same else "differs", ours.rows)
                    continue
            if known is None and not replace:
                _need_empty(there, table, part)
            yield Step(table, part, "copied", _export(source, there, table, part))

    def compared(self, source: psycopg.Connection, table: Table) -> Iterator[Step]:
        """Read every part on both sides and say whether they are equal."""
        there = self._opened(table)
        for part in table.parts:
            ours = part_fingerprint(source, table, part)
            theirs = _found(there, table, part)
            known = _NOTE + part.name in there.properties
            wrong: State = "differs" if known or theirs.rows else "missing"
            yield Step(table, part, "equal" if ours == theirs else wrong, ours.rows)

    def _opened(self, table: Table) -> Any:
        with _asking():
            self._catalog.create_namespace_if_not_exists(table.schema)
            name = (table.schema, table.name)
            kept = _kept(Shape(table.fields).schema)
            return self._catalog.create_table_if_not_exists(name, kept)


@contextmanager
def _asking() -> Iterator[None]:
    """Tell what the library, its files and its catalog raise. Raises: TargetRefused."""
    try:
        yield
    except VoltstreamError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:300]
        raise TargetRefused(
            f"Iceberg: {type(error).__name__}: {reason}",
            hint="Parts that were told are there; running this again goes on.",
        ) from error


def _export(source: psycopg.Connection, there: Any, table: Table, part: Part) -> int:
    sent = _append(source, there, table, part)
    arrived = _found(there, table, part)
    if arrived != sent:
        raise HistoryDiffers(
            f'rows of "{table.full_name}" are not in the Iceberg table as they were read: '
            f"{part.shown}",
            detail=f"Read: {sent.rows} rows, hash {sent.hash}. "
            f"In the table: {arrived.rows} rows, hash {arrived.hash}.",
            hint="This part does not count as there: running this again writes it anew.",
        )
    with _asking(), there.transaction() as transaction:
        transaction.set_properties({_NOTE + part.name: _noted(sent)})
    return sent.rows


def _append(source: psycopg.Connection, there: Any, table: Table, part: Part) -> Fingerprint:
    """Put a part into the table, in the place of the rows that it has there."""
    sent = Fingerprint()
    kept = _kept(Shape(table.fields).schema)
    held = _holds(there, table, part)
    with _asking(), there.transaction() as transaction:
        if held:
            transaction.delete(_within(table, part))
        for rows in part_rows(source, table, part):
            add_rows(sent, rows)
            transaction.append(rows.cast(kept), snapshot_properties={"voltstream.part": part.name})
        transaction.set_properties({_NOTE + part.name: _noted(sent) + _UNPROVED})
    return sent


def _noted(found: Fingerprint) -> str:
    return f"{found.rows}/{found.hash}"


def _need_empty(there: Any, table: Table, part: Part) -> None:
    if _holds(there, table, part):
        raise TargetRefused(
            f'"{table.full_name}" has rows there that no export remembers: {part.shown}',
            hint="Take them away, or let --replace do it.",
        )


def _holds(there: Any, table: Table, part: Part) -> bool:
    """Tell whether the table has rows in a part."""
    with _asking():
        there.refresh()
        scan = there.scan(row_filter=_within(table, part), limit=1)
        return bool(scan.to_arrow().num_rows)


def _found(there: Any, table: Table, part: Part) -> Fingerprint:
    """Read a part's rows from the table."""
    found = Fingerprint()
    with _asking():
        there.refresh()
        scan = there.scan(row_filter=_within(table, part))
        for batch in scan.to_arrow_batch_reader():
            read = pa.Table.from_batches([batch]).select([field.name for field in table.fields])
            add_rows(found, read)
    return found


def _within(table: Table, part: Part) -> Any:
    """Return the filter that takes a part's rows."""
    told = importlib.import_module("pyiceberg.expressions")
    if not part.column:
        return told.AlwaysTrue()
    since, until = _bound(part.since, part.kind), _bound(part.until, part.kind)
    return told.And(told.GreaterThanOrEqual(part.column, since), told.LessThan(part.column, until))


def _bound(text: str, kind: str) -> Any:
    if kind in ("smallint", "integer", "bigint"):
        return int(text)
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if kind == "date":
        return date(at.year, at.month, at.day)
    zoned = at.astimezone(UTC)
    return (zoned if kind == "timestamp with time zone" else zoned.replace(tzinfo=None)).isoformat()


def _kept(schema: pa.Schema) -> pa.Schema:
    """Return the types that Iceberg has: it knows no integers of two bytes."""
    narrow, wide = pa.int16(), pa.int32()
    return pa.schema([field.with_type(wide) if field.type == narrow else field for field in schema])
