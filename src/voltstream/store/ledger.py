"""The tables in which the engine remembers: objects, offsets, epochs, outbox, dead letters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from voltstream.core.errors import StorageFault
from voltstream.store import alerts, hypertable, pushes
from voltstream.store.database import STORE_VERSION, Connection, literal
from voltstream.store.roles import TABLES as ROLE_TABLES
from voltstream.store.rw_catalog import OWNER_ID, RW_VIEWS, SHOWN, schema_id
from voltstream.store.rw_inner import inner_views
from voltstream.store.timescale import JOB_NUMBERS, JOB_TABLES, MACROS, VIEWS

_TABLES = (
    "CREATE TABLE IF NOT EXISTS _vs.epoch (epoch BIGINT, now TIMESTAMPTZ, next_rid BIGINT, "
    "next_oid BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.objects (oid BIGINT, schema VARCHAR, name VARCHAR, "
    "kind VARCHAR, definition VARCHAR, comment VARCHAR, properties VARCHAR, created TIMESTAMPTZ)",
    "CREATE TABLE IF NOT EXISTS _vs.dependencies (oid BIGINT, on_oid BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.bindings (oid BIGINT, schema VARCHAR, name VARCHAR, "
    "on_oid BIGINT, columns VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.column_comments (oid BIGINT, name VARCHAR, comment VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.offsets (source BIGINT, part VARCHAR, position VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.outbox (sink BIGINT, epoch BIGINT, ordinal BIGINT, "
    "key VARCHAR, value VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.dropped (sink BIGINT, rows BIGINT)",
    "CREATE SEQUENCE IF NOT EXISTS _vs.dead_letter_ids",
    "CREATE TABLE IF NOT EXISTS _vs.dead_letters (source VARCHAR, position VARCHAR, raw BLOB, "
    "reason VARCHAR, \"at\" TIMESTAMPTZ, id BIGINT DEFAULT nextval('_vs.dead_letter_ids'))",
    "CREATE TABLE IF NOT EXISTS _vs.states (oid BIGINT, state VARCHAR, detail VARCHAR)",
    "CREATE TABLE IF NOT EXISTS _vs.ends (oid BIGINT, part VARCHAR, reached BIGINT, "
    '"at" TIMESTAMPTZ)',
    "CREATE TABLE IF NOT EXISTS _vs.failures (oid BIGINT, cause BIGINT, reason VARCHAR, "
    "epoch BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.watermarks (oid BIGINT, reached TIMESTAMPTZ, "
    "arrived TIMESTAMPTZ, idle_s DOUBLE, delay_s DOUBLE)",
    "CREATE TABLE IF NOT EXISTS _vs.partition_marks (oid BIGINT, part VARCHAR, "
    "reached TIMESTAMPTZ, arrived TIMESTAMPTZ)",
    "CREATE TABLE IF NOT EXISTS _vs.late_rows (oid BIGINT, rows BIGINT)",
)
_VIEWS = (
    "CREATE OR REPLACE MACRO main._vs_now() AS coalesce("
    "CAST(getvariable('vs_now') AS TIMESTAMPTZ), (SELECT max(now) FROM _vs.epoch))",
    "CREATE OR REPLACE VIEW rw_catalog.rw_sources AS SELECT o.name, o.schema, "
    "coalesce(json_extract_string(o.properties, '$.connector'), '') AS connector, "
    "coalesce(s.state, CASE WHEN json_extract_string(o.properties, '$.connector') IS NULL "
    "THEN 'running' ELSE 'starting' END) AS state, coalesce(s.detail, '') AS detail, "
    f"{SHOWN}, o.oid AS id, {schema_id('o.schema')} AS schema_id, {OWNER_ID} AS owner "
    "FROM _vs.objects o LEFT JOIN _vs.states s USING (oid) WHERE o.kind = 'source' "
    "OR o.kind = 'table' AND json_extract_string(o.properties, '$.connector') IS NOT NULL",
    "CREATE OR REPLACE VIEW rw_catalog.rw_sinks AS SELECT o.name, o.schema, "
    "coalesce(json_extract_string(o.properties, '$.connector'), '') AS connector, "
    "CASE WHEN f.oid IS NOT NULL THEN 'failed' ELSE coalesce(s.state, 'running') END AS state, "
    "coalesce(f.reason, s.detail, '') AS detail, "
    "(SELECT count(*) FROM _vs.outbox b WHERE b.sink = o.oid) AS pending, "
    "(SELECT coalesce(sum(d.rows), 0)::BIGINT FROM _vs.dropped d WHERE d.sink = o.oid) AS dropped, "
    f"{SHOWN}, o.oid AS id, {schema_id('o.schema')} AS schema_id, {OWNER_ID} AS owner "
    "FROM _vs.objects o LEFT JOIN _vs.states s USING (oid) "
    "LEFT JOIN _vs.failures f USING (oid) WHERE o.kind = 'sink'",
    "CREATE OR REPLACE VIEW rw_catalog.rw_dead_letters AS SELECT * FROM _vs.dead_letters",
    "CREATE OR REPLACE VIEW rw_catalog.dead_letters AS SELECT * FROM _vs.dead_letters",
    "CREATE OR REPLACE VIEW rw_catalog.rw_source_lag AS SELECT o.name, o.schema, "
    "e.part AS partition, coalesce(TRY_CAST(f.position AS BIGINT), 0) AS position, e.reached, "
    "greatest(e.reached - coalesce(TRY_CAST(f.position AS BIGINT), 0), 0) AS behind, "
    'p.reached AS watermark, e."at" AS measured_at FROM _vs.ends e '
    "JOIN _vs.objects o USING (oid) "
    "LEFT JOIN _vs.offsets f ON f.source = e.oid AND f.part = e.part "
    "LEFT JOIN _vs.partition_marks p ON p.oid = e.oid AND p.part = e.part",
    "CREATE OR REPLACE VIEW rw_catalog.rw_source_offsets AS SELECT o.name, o.schema, "
    "f.part AS partition, f.position FROM _vs.offsets f JOIN _vs.objects o ON o.oid = f.source",
    # An idle source's watermark follows the clock, so that it does not hold windows open.
    "CREATE OR REPLACE VIEW _vs.watermarks_now AS SELECT oid, CASE WHEN arrived <= now - idle_s * "
    "INTERVAL '1 second' THEN greatest(reached, now - delay_s * INTERVAL '1 second') "
    "ELSE reached END AS reached FROM (SELECT *, CAST(getvariable('vs_now') AS TIMESTAMPTZ) AS now "
    "FROM _vs.watermarks)",
    "CREATE OR REPLACE VIEW rw_catalog.rw_watermarks AS SELECT o.name, o.schema, n.reached AS "
    "watermark, w.arrived AS last_row_at FROM _vs.watermarks w "
    "JOIN _vs.watermarks_now n USING (oid) JOIN _vs.objects o USING (oid)",
    "CREATE OR REPLACE VIEW rw_catalog.rw_late_rows AS SELECT o.name, o.schema, "
    "sum(l.rows)::BIGINT AS late_rows FROM _vs.late_rows l JOIN _vs.objects o USING (oid) "
    "GROUP BY ALL",
    # What it shows is handed to the connection that asks (runtime/costs).
    "CREATE OR REPLACE VIEW rw_catalog.rw_operator_costs AS SELECT x.name, x.operator, "
    "x.epochs, x.statements, x.seconds, x.rows_in, x.rows_out, x.rows_scanned, "
    "x.scanned_per_delta_row FROM (SELECT unnest(from_json(CAST("
    'getvariable(\'vs_costs\') AS VARCHAR), \'[{"name":"VARCHAR","operator":"VARCHAR",'
    '"epochs":"BIGINT","statements":"BIGINT","seconds":"DOUBLE","rows_in":"BIGINT",'
    '"rows_out":"BIGINT","rows_scanned":"BIGINT","scanned_per_delta_row":"DOUBLE"}]\')) '
    "AS x)",
    "CREATE OR REPLACE VIEW rw_catalog.rw_epochs AS SELECT epoch, now FROM _vs.epoch",
)
# How internal tables, operator state and chunks are laid out: tests/store/test_layout.py tells
# when it must be raised, because what an earlier version wrote cannot be read as it is.
LAYOUT = 2
FIRST_OID = 16_384  # PostgreSQL's first oid of user objects: clients treat lower ones as built in.


@dataclass(frozen=True, slots=True)
class Binding:
    """What one name in a definition was bound to; ``columns`` are those it had then."""

    schema: str | None
    name: str
    oid: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One row of the persistent catalog."""

    oid: int
    schema: str
    name: str
    kind: str
    definition: str
    properties: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None
    depends_on: tuple[int, ...] = ()
    bindings: tuple[Binding, ...] = ()


@dataclass(slots=True)
class EpochRow:
    """Where the last epoch ended. Units: microseconds."""

    epoch: int
    now_us: int
    next_rid: int
    next_oid: int


def prepare(connection: Connection, macros: Sequence[str] = ()) -> None:
    """Make the internal tables, ``macros``, and the views users see tables through.

    Law: a file in which this version made them is not written to: a start is soon over.
    Raises: StorageFault.
    """
    connection.execute("BEGIN")  # Each statement alone would wait for the disk.
    made = _check_layout(connection)
    statements = (
        *macros, *_TABLES, *ROLE_TABLES, *pushes.TABLES, *alerts.TABLES, *hypertable.TABLES,
        *JOB_TABLES, JOB_NUMBERS,
    )  # fmt: skip
    views = (*_VIEWS, *RW_VIEWS, *inner_views(), *VIEWS, *MACROS)
    digest = _digest((*statements, *views))
    if made != digest:
        for statement in statements:
            connection.execute(statement)
        hypertable.count_hot_rows(connection)
        for statement in views:
            connection.execute(statement)
        connection.execute(f"COMMENT ON TABLE _vs.layout IS '{digest}'")
    if not connection.rows("SELECT 1 FROM _vs.epoch"):
        connection.execute(f"INSERT INTO _vs.epoch VALUES (0, make_timestamptz(0), 1, {FIRST_OID})")
    connection.execute("DELETE FROM _vs.states")  # States describe a process that is gone.
    connection.execute("DELETE FROM _vs.ends")
    connection.execute("COMMIT")


def _digest(statements: Sequence[str]) -> str:
    """Return what tells one version's definitions from another's."""
    return hashlib.sha256("\n".join((STORE_VERSION, *statements)).encode()).hexdigest()


def _check_layout(connection: Connection) -> str | None:
    """Return which definitions the file holds, none when it is new.

    Raises: StorageFault when another version laid the file out, before anything is touched.
    """
    tables = "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = '_vs'"
    names = dict(connection.rows(tables))
    found = 0
    if "layout" in names:
        found = int(connection.rows("SELECT number FROM _vs.layout")[0][0])
    elif not names:
        connection.execute(f"CREATE TABLE _vs.layout AS SELECT {LAYOUT}::BIGINT AS number")
        return None
    if found != LAYOUT:
        connection.execute("ROLLBACK")
        raise StorageFault(
            f"the database was laid out by another version (layout {found}, this one reads "
            f"{LAYOUT})",
            hint="Start the version that wrote it, or another data directory: --data DIR.",
        )
    comment = names["layout"]
    return None if comment is None else str(comment)


def read_epoch(connection: Connection) -> EpochRow:
    row = connection.rows("SELECT epoch, epoch_us(now), next_rid, next_oid FROM _vs.epoch")[0]
    return EpochRow(*(int(value) for value in row))


def write_epoch(connection: Connection, row: EpochRow) -> None:
    connection.execute(
        f"UPDATE _vs.epoch SET epoch = {row.epoch}, now = make_timestamptz({row.now_us}), "
        f"next_rid = {row.next_rid}, next_oid = {row.next_oid}"
    )


# --- objects ------------------------------------------------------------------------------------


def read_objects(connection: Connection) -> list[StoredObject]:
    """Return every object, the oldest first: an object depends on older ones only."""
    dependencies: dict[int, list[int]] = {}
    for oid, on_oid in connection.rows("SELECT oid, on_oid FROM _vs.dependencies"):
        dependencies.setdefault(oid, []).append(on_oid)
    bindings: dict[int, list[Binding]] = {}
    for oid, schema, name, on_oid, columns in connection.rows(
        "SELECT oid, schema, name, on_oid, columns FROM _vs.bindings"
    ):
        bound = Binding(schema, name, on_oid, tuple(json.loads(columns)))
        bindings.setdefault(oid, []).append(bound)
    found = connection.rows(
        "SELECT oid, schema, name, kind, definition, properties, comment FROM _vs.objects "
        "ORDER BY oid"
    )
    return [
        StoredObject(
            oid=oid,
            schema=schema,
            name=name,
            kind=kind,
            definition=definition,
            properties=json.loads(properties),
            comment=comment,
            depends_on=tuple(dependencies.get(oid, ())),
            bindings=tuple(bindings.get(oid, ())),
        )
        for oid, schema, name, kind, definition, properties, comment in found
    ]


def add_object(connection: Connection, stored: StoredObject) -> None:
    connection.execute(
        "INSERT INTO _vs.objects VALUES (?, ?, ?, ?, ?, ?, ?, getvariable('vs_now'))",
        [
            stored.oid,
            stored.schema,
            stored.name,
            stored.kind,
            stored.definition,
            stored.comment,
            json.dumps(dict(stored.properties)),
        ],
    )
    for on_oid in stored.depends_on:
        connection.execute("INSERT INTO _vs.dependencies VALUES (?, ?)", [stored.oid, on_oid])
    _add_bindings(connection, stored)


def remove_object(connection: Connection, oid: int) -> None:
    for table, column in (
        ("objects", "oid"),
        ("dependencies", "oid"),
        ("bindings", "oid"),
        ("column_comments", "oid"),
        ("offsets", "source"),
        ("outbox", "sink"),
        ("ends", "oid"),
        ("pushes", "source"),
        ("dropped", "sink"),
        ("states", "oid"),
        ("failures", "oid"),
        ("watermarks", "oid"),
        ("partition_marks", "oid"),
        ("late_rows", "oid"),
    ):
        connection.execute(f"DELETE FROM _vs.{table} WHERE {column} = {oid}")


def set_definition(connection: Connection, stored: StoredObject) -> None:
    """Keep an object's new name, schema and text."""
    connection.execute(
        "UPDATE _vs.objects SET schema = ?, name = ?, definition = ? WHERE oid = ?",
        [stored.schema, stored.name, stored.definition, stored.oid],
    )


def set_bindings(connection: Connection, stored: StoredObject) -> None:
    """Keep what an object's names mean now."""
    connection.execute(f"DELETE FROM _vs.bindings WHERE oid = {stored.oid}")
    _add_bindings(connection, stored)


def _add_bindings(connection: Connection, stored: StoredObject) -> None:
    for bound in stored.bindings:
        connection.execute(
            "INSERT INTO _vs.bindings VALUES (?, ?, ?, ?, ?)",
            [stored.oid, bound.schema, bound.name, bound.oid, json.dumps(bound.columns)],
        )


def read_column_comments(connection: Connection) -> dict[int, dict[str, str]]:
    """Return the comments on columns, by object."""
    found: dict[int, dict[str, str]] = {}
    for oid, name, comment in connection.rows("SELECT oid, name, comment FROM _vs.column_comments"):
        found.setdefault(int(oid), {})[str(name)] = str(comment)
    return found


def set_comment(connection: Connection, oid: int, column: str | None, comment: str | None) -> None:
    if column is None:
        connection.execute("UPDATE _vs.objects SET comment = ? WHERE oid = ?", [comment, oid])
        return
    connection.execute("DELETE FROM _vs.column_comments WHERE oid = ? AND name = ?", [oid, column])
    if comment is not None:
        connection.execute(
            "INSERT INTO _vs.column_comments VALUES (?, ?, ?)", [oid, column, comment]
        )


def set_properties(connection: Connection, oid: int, properties: Mapping[str, str]) -> None:
    connection.execute(
        "UPDATE _vs.objects SET properties = ? WHERE oid = ?", [json.dumps(dict(properties)), oid]
    )


# --- offsets, dead letters, states --------------------------------------------------------------


def read_offsets(connection: Connection, source: int) -> dict[str, str]:
    found = connection.rows(f"SELECT part, position FROM _vs.offsets WHERE source = {source}")
    return {str(part): str(position) for part, position in found}


def save_offsets(connection: Connection, source: int, offsets: Mapping[str, str]) -> None:
    if not offsets:
        return
    rows = ", ".join(f"({literal(part)}, {literal(at)})" for part, at in offsets.items())
    connection.execute(
        f"MERGE INTO _vs.offsets AS o USING (VALUES {rows}) AS n(part, position) "
        f"ON o.source = {source} AND o.part = n.part "
        "WHEN MATCHED THEN UPDATE SET position = n.position "
        f"WHEN NOT MATCHED THEN INSERT VALUES ({source}, n.part, n.position)"
    )


@dataclass(frozen=True, slots=True)
class Letter:
    """One record that could not be taken in. Units: ``at_us`` microseconds."""

    source: str
    position: str
    raw: bytes
    reason: str
    at_us: int


def add_dead_letters(connection: Connection, letters: Sequence[Letter]) -> None:
    if not letters:
        return
    table = pa.table(
        {
            "source": pa.array([letter.source for letter in letters], pa.string()),
            "position": pa.array([letter.position for letter in letters], pa.string()),
            "raw": pa.array([letter.raw for letter in letters], pa.binary()),
            "reason": pa.array([letter.reason for letter in letters], pa.string()),
            "at_us": pa.array([letter.at_us for letter in letters], pa.int64()),
        }
    )
    connection.lend("_letters", table)
    try:
        connection.execute(
            'INSERT INTO _vs.dead_letters (source, position, raw, reason, "at") '
            "SELECT source, position, raw, reason, make_timestamptz(at_us) FROM _letters"
        )
    finally:
        connection.take_back("_letters")


def set_ends(connection: Connection, oid: int, ends: Mapping[str, int], now_us: int) -> None:
    """Keep how far each part of a source's origin reaches."""
    connection.execute(f"DELETE FROM _vs.ends WHERE oid = {oid}")
    for part, reached in ends.items():
        connection.execute(
            "INSERT INTO _vs.ends VALUES (?, ?, ?, make_timestamptz(?))",
            [oid, part, reached, now_us],
        )


def set_state(connection: Connection, oid: int, state: str, detail: str) -> None:
    known = connection.execute(
        "UPDATE _vs.states SET state = ?, detail = ? WHERE oid = ?", [state, detail, oid]
    )
    if not known:
        connection.execute("INSERT INTO _vs.states VALUES (?, ?, ?)", [oid, state, detail])


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that stands still since an epoch; ``cause`` is the one whose program failed."""

    oid: int
    cause: int
    reason: str
    epoch: int


def add_failures(connection: Connection, failures: Sequence[Failure]) -> None:
    for failure in failures:
        connection.execute(
            "INSERT INTO _vs.failures VALUES (?, ?, ?, ?)",
            [failure.oid, failure.cause, failure.reason, failure.epoch],
        )


def read_failures(connection: Connection) -> list[Failure]:
    found = connection.rows("SELECT oid, cause, reason, epoch FROM _vs.failures ORDER BY oid")
    return [Failure(*row) for row in found]


def forget_failures(connection: Connection, oids: Sequence[int]) -> None:
    for oid in oids:
        connection.execute(f"DELETE FROM _vs.failures WHERE oid = {oid}")


def remove_failures(connection: Connection, cause: int) -> None:
    connection.execute(f"DELETE FROM _vs.failures WHERE cause = {cause}")


# --- outbox -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parcel:
    """One change that waits to be delivered."""

    epoch: int
    ordinal: int
    key: str | None
    value: str | None


def read_parcels(connection: Connection, sink: int, limit: int) -> list[Parcel]:
    found = connection.rows(
        f"SELECT epoch, ordinal, key, value FROM _vs.outbox WHERE sink = {sink} "
        f"ORDER BY epoch, ordinal LIMIT {limit}"
    )
    return [Parcel(*row) for row in found]


def acknowledge(connection: Connection, sink: int, last: Parcel) -> int:
    """Forget what was delivered, up to and with ``last``. Returns how many rows that was."""
    return connection.execute(
        f"DELETE FROM _vs.outbox WHERE sink = {sink} AND (epoch < {last.epoch} OR "
        f"(epoch = {last.epoch} AND ordinal <= {last.ordinal}))"
    )


def count_parcels(connection: Connection) -> dict[int, int]:
    """Return how many undelivered rows each sink has."""
    return dict(connection.rows("SELECT sink, count(*) FROM _vs.outbox GROUP BY sink"))


def drop_oldest(connection: Connection, sink: int, rows: int) -> int:
    """Drop undelivered rows, and count them. Returns how many there were to drop."""
    found = connection.rows(
        f"SELECT epoch, ordinal FROM _vs.outbox WHERE sink = {sink} ORDER BY epoch, ordinal "
        f"LIMIT {rows}"
    )
    if not found:
        return 0
    epoch, ordinal = found[-1]
    dropped = acknowledge(connection, sink, Parcel(epoch, ordinal, None, None))
    connection.execute(f"INSERT INTO _vs.dropped VALUES ({sink}, {dropped})")
    return dropped
