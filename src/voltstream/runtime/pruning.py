"""Which chunk files a query must open: chosen by its WHERE, in memory, before any is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from voltstream.core.errors import InternalError, VoltstreamError
from voltstream.core.schema import Schema
from voltstream.runtime.catalog import Catalog, Entry, Names
from voltstream.sql.bounds import Bound, plain_constant, repointed
from voltstream.sql.changes import Compiling
from voltstream.sql.statements import CreateView
from voltstream.sql.view_bodies import Body, with_bodies
from voltstream.store import hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection, quoted
from voltstream.store.hypertable import DAY_US, Hypertable
from voltstream.store.known_chunks import Known, Limit, Value, known

SCAN = "_vs_scan_"  # Stands for a hypertable in a query's text: its number, and which reading.
_SCANNED = re.compile(rf'(?:"?temp"?\.)?"?main"?\."?{SCAN}(\d+)_(\d+)"?')
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UINTEGER", "DOUBLE", "FLOAT", "DECIMAL")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Constants that are read here as the store would read them; others are asked of it.
_TEXT = re.compile(r"(?:CAST\()*'((?:[^']|'')*)'(?: AS (?:VARCHAR|TEXT)\))*")
_INSTANT = re.compile(
    r"(?:CAST\()*'(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d(?::?\d\d)?))'"
    r"(?: AS (?:TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE)\))*"
)
_NUMBER = re.compile(r"(?:CAST\()*(-?\d{1,15}(?:\.\d{1,9})?)(?: AS (?:SMALLINT|INTEGER|BIGINT)\))*")


@dataclass(frozen=True, slots=True)
class Probe:
    """What a query says of a column: ``text`` is a constant in the store's words.

    Shape: ``kind`` is time, text or number; ``slack`` widens a time, in microseconds; it is -1
    where the time itself is outside.
    """

    column: str
    kind: str
    below: bool
    text: str
    slack: int = 0

    @property
    def asked(self) -> str:
        """Return the query for its value; NULL when it has none, and bounds nothing."""
        match self.kind:
            case "time":
                return f"TRY(epoch_us(CAST({self.text} AS TIMESTAMPTZ)))"
            case "text":
                return f"TRY(CAST({self.text} AS VARCHAR))"
            case _:
                return f"TRY(CAST({self.text} AS DOUBLE))"

    def limit(self, value: Value) -> Limit:
        if isinstance(value, str):
            return Limit(self.column, self.below, value)
        wider = value + (self.slack if self.below else -self.slack)
        return Limit(self.column or None, self.below, wider)


@dataclass(frozen=True, slots=True)
class Scan:
    """One reading of a hypertable in a query."""

    oid: int
    columns: Schema
    probes: tuple[Probe, ...]


def scanned(
    connection: Connection, catalog: Catalog, tree: Any, parameters: Sequence[object | None]
) -> tuple[Any, list[Scan]]:
    """Return a query in which names stand for hypertables, and what it reads of each.

    The names are views of ``connection``, so that their types can be asked for; ``opened`` puts
    the files of a snapshot in their place.
    """
    hypertables = hypertables_of(catalog)
    scans: list[Scan] = []
    if not hypertables:
        return tree, scans
    compiling = Compiling(Names(catalog, connection.describe), connection, parameters)

    def choose(
        schema: str, name: str, bounds: Callable[[frozenset[str]], list[Bound]]
    ) -> str | None:
        entry = hypertables.get((schema, name))
        if entry is None or entry.relation is None:
            return None
        seen = known(connection, [entry.oid]).get(entry.oid)
        if seen is None:
            return None
        columns = entry.relation.columns
        found = bounds(frozenset(column.name for column in columns))
        view = f"{SCAN}{entry.oid}_{len(scans)}"
        listed = ", ".join(quoted(column.name) for column in columns)
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {listed} FROM {seen.table.hot}"
        )
        probes = probes_of(compiling, seen.table, columns, found)
        scans.append(Scan(entry.oid, columns, tuple(probes)))
        return f"temp.main.{view}"

    def columns_of(schema: str, name: str) -> list[str] | None:
        entry = hypertables.get((schema, name))
        if entry is None or entry.relation is None:
            return None
        return [column.name for column in entry.relation.columns]

    return repointed(with_bodies(tree, _bodies(catalog)), choose, columns_of), scans


def _bodies(catalog: Catalog) -> Callable[[str, str], Body | None]:
    """Find the plain views that read hypertables: as a name such a view would open every file."""

    def reads(entry: Entry) -> bool:
        for oid in entry.stored.depends_on:
            other = catalog.by_oid(oid)
            if other is not None and (is_parted(other) or (other.kind == "view" and reads(other))):
                return True
        return False

    def body_of(schema: str, name: str) -> Body | None:
        entry = catalog.get(schema, name)
        if entry is None or entry.kind != "view" or not isinstance(entry.parsed, CreateView):
            return None
        return Body(entry.parsed.query, entry.parsed.column_names) if reads(entry) else None

    return body_of


def is_parted(entry: Entry) -> bool:
    return (
        entry.kind == "table"
        and entry.relation is not None
        and entry.relation.stored == f"_vs.h_{entry.oid}"
    )


def hypertables_of(catalog: Catalog) -> dict[tuple[str, str], Entry]:
    return {entry.key: entry for entry in catalog.of_kind("table") if is_parted(entry)}


# --- bounds -------------------------------------------------------------------------------------


def probes_of(
    compiling: Compiling, table: Hypertable, columns: Schema, bounds: Sequence[Bound]
) -> list[Probe]:
    """Return what can be asked about the bounds of a query."""
    kinds = {column.name: column.store_type for column in columns}
    found: list[Probe] = []
    for bound in bounds:
        for value, below in ((bound.low, False), (bound.high, True)):
            if value is None:
                continue
            with suppress(VoltstreamError):  # What cannot be told bounds nothing.
                text = plain_constant(value) or compiling.items([value], None)[0]
                probe = _probe(table, bound.column, kinds[bound.column], text, below=below)
                if probe is not None and bound.strict and probe.kind == "time":
                    probe = replace(probe, slack=probe.slack - 1)
                if probe is not None:
                    found.append(probe)
    return found


def _probe(table: Hypertable, column: str, kind: str, text: str, *, below: bool) -> Probe | None:
    if column == table.column:
        if table.by_integers:
            return Probe("", "number", below, text)
        # What a time without zone means to an instant depends on the zone: give it two days.
        slack = 0 if table.kind == "TIMESTAMP WITH TIME ZONE" else DAY_US * 2
        return Probe("", "time", below, text, slack)
    base = kind.upper().partition("(")[0]
    if base == "VARCHAR":
        return Probe(column, "text", below, text)
    return Probe(column, "number", below, text) if base in _NUMBERS else None


def limits_of(connection: Connection, probes: Sequence[Probe]) -> list[Limit]:
    """Find the values of constants. Raises nothing: what has no value bounds nothing."""
    limits: list[Limit] = []
    open_ones: list[Probe] = []
    for probe in probes:
        value = _read(probe)
        if value is None:
            open_ones.append(probe)
        else:
            limits.append(probe.limit(value))
    if not open_ones:
        return limits
    try:
        connection.describe(f"SELECT {', '.join(probe.asked for probe in open_ones)}")
    except VoltstreamError:  # One does not suit its column.
        open_ones = [probe for probe in open_ones if _binds(connection, probe)]
    if open_ones:
        values = connection.rows(f"SELECT {', '.join(probe.asked for probe in open_ones)}")[0]
        for probe, value in zip(open_ones, values, strict=True):
            if value is not None:
                limits.append(probe.limit(value))
    return limits


def _binds(connection: Connection, probe: Probe) -> bool:
    try:
        connection.describe(f"SELECT {probe.asked}")
    except VoltstreamError:
        return False
    return True


def _read(probe: Probe) -> Value | None:
    """Read a constant that is plain."""
    text = probe.text
    if probe.kind == "time" and (found := _INSTANT.fullmatch(text)) is not None:
        with suppress(ValueError):
            return (datetime.fromisoformat(found[1]) - _EPOCH) // _MICROSECOND
    elif probe.kind == "text" and (found := _TEXT.fullmatch(text)) is not None:
        return found[1].replace("''", "'")
    elif probe.kind == "number" and (found := _NUMBER.fullmatch(text)) is not None:
        return float(found[1]) if "." in found[1] else int(found[1])
    return None


# --- files --------------------------------------------------------------------------------------


def opened(connection: Connection, text: str, scans: Sequence[Scan]) -> str:
    """Put the rows of a snapshot in the places of the names: hot ones, and those of files.

    Law: ``connection`` is in a transaction, in which the query then runs: rows are seen either hot
    or in a file.
    """
    limits = [limits_of(connection, scan.probes) for scan in scans]
    seen = known(connection, [scan.oid for scan in scans])
    relations = [
        f"({_rows_sql(connection, scan, seen.get(scan.oid), one)})"
        for scan, one in zip(scans, limits, strict=True)
    ]
    text = _SCANNED.sub(lambda found: relations[int(found[2])], text)
    if SCAN in text:
        raise InternalError(f'a query has a name with "{SCAN}" in it that stands for nothing')
    return text


def _rows_sql(
    connection: Connection, scan: Scan, seen: Known | None, limits: Sequence[Limit]
) -> str:
    if seen is None:
        return f"SELECT * FROM _vs.h_{scan.oid}"
    parts = seen.chosen(limits)
    listed = ", ".join(quoted(column.name) for column in scan.columns)
    hot = f"SELECT {listed} FROM {seen.table.hot}"
    cold = hypertable.cold_sql(connection.folder, scan.columns, parts, seen.holes, marked=False)
    return " UNION ALL ".join([hot, *cold])


def chosen_parts(
    connection: Connection,
    compiling: Compiling,
    table: Hypertable,
    columns: Schema,
    bounds: Sequence[Bound],
) -> list[Part]:
    """Return the parts that may have rows within the bounds."""
    limits = limits_of(connection, probes_of(compiling, table, columns, bounds))
    seen = known(connection, [table.oid])
    return seen[table.oid].chosen(limits) if table.oid in seen else []


def filled(scan: Scan, texts: Sequence[str]) -> Scan:
    """Return a scan with other constants."""
    probes = zip(scan.probes, texts, strict=True)
    return replace(scan, probes=tuple(replace(probe, text=text) for probe, text in probes))
