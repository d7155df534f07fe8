"""ALTER, word by word."""

from __future__ import annotations

from dataclasses import replace

from voltstream.sql.columns import has_ttl, parse_columns, watermark
from voltstream.sql.create import view_after_name
from voltstream.sql.create_more import meta_backend
from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import parse_expression
from voltstream.sql.grants import parse_defaults
from voltstream.sql.options import parse_options
from voltstream.sql.overloads import parse_function_name
from voltstream.sql.roles import parse_alter_role, parse_kept_setting, role_name
from voltstream.sql.statements import (
    AlterObject,
    AlterTable,
    ColumnAction,
    ColumnSpec,
    NoOp,
    ObjectName,
    Parsed,
)
from voltstream.sql.type_names import parse_type
from voltstream.sql.watermarks import declared as watermark_parts

_KINDS = (
    "MATERIALIZED VIEW", "TABLE", "SOURCE", "SINK", "VIEW", "INDEX", "SCHEMA", "DATABASE",
    "SUBSCRIPTION", "FUNCTION", "SECRET", "CONNECTION",
)  # fmt: skip
# Settings of a cluster: one process has nothing to set, and a script that sets them goes on.
_CLUSTER = (
    "PARALLELISM", "BACKFILL_PARALLELISM", "BACKFILL_RATE_LIMIT", "DML_RATE_LIMIT",
    "RESOURCE_GROUP", "STREAMING_RATE_LIMIT", "CONFIG",
    "BACKFILL_ORDER", "SERVERLESS_BACKFILL", "BARRIER_INTERVAL_MS", "CHECKPOINT_FREQUENCY",
)  # fmt: skip


# RisingWave's parameters of a cluster, for the scripts that set them.
_SYSTEM = frozenset({
    "adaptive_parallelism_strategy", "backup_storage_directory", "backup_storage_url",
    "barrier_interval_ms", "block_size_kb", "bloom_false_positive", "checkpoint_frequency",
    "data_directory", "enable_tracing", "enforce_secret", "license_key",
    "max_concurrent_creating_streaming_jobs", "parallel_compact_size_mb",
    "pause_on_next_bootstrap", "per_database_isolation", "sstable_size_mb", "state_store",
    "time_travel_retention_ms", "use_new_object_prefix_strategy",
})  # fmt: skip


def _alter_system(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse ALTER SYSTEM SET name {= | TO} value, and RESET name."""
    if not cursor.accept("RESET"):
        cursor.expect("SET")
    name = cursor.identifier().lower()
    cursor.rest()
    return NoOp(
        text=text, offset=offset, tag="ALTER SYSTEM", remark="ALTER SYSTEM has no effect here",
        setting="" if name in _SYSTEM else name,
    )  # fmt: skip


def parse_alter(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse ALTER kind name action. Raises: FeatureNotSupported for what is not offered."""
    if cursor.accept("USER") or cursor.accept("ROLE"):
        return parse_alter_role(cursor, text, offset)
    if cursor.accept("DEFAULT PRIVILEGES"):
        return parse_defaults(cursor, text, offset)
    if cursor.accept("SYSTEM"):
        return _alter_system(cursor, text, offset)
    if cursor.accept("COMPACTION GROUP"):
        cursor.rest()
        tag = "ALTER COMPACTION GROUP"
        return NoOp(text=text, offset=offset, tag=tag, remark=f"{tag} has no effect here")
    kind = next((words for words in _KINDS if cursor.accept(words)), None)
    if kind is None:
        raise cursor.unsupported(f"ALTER {cursor.word()}")
    lenient = cursor.accept("IF EXISTS")
    cursor.accept("ONLY")
    name = parse_function_name(cursor) if kind == "FUNCTION" else cursor.object_name()

    def altered(verb: str, value: str = "") -> AlterObject:
        return AlterObject(
            text=text, offset=offset, kind=kind, name=name, verb=verb, value=value,
            if_exists=lenient,
        )  # fmt: skip

    if kind == "SECRET" and (cursor.sees("AS") or cursor.sees("WITH")):
        meta_backend(cursor)
        cursor.expect("AS")
        return altered("AS", cursor.string())
    if kind == "MATERIALIZED VIEW" and cursor.sees("AS"):
        return view_after_name(
            cursor, text, offset, name, materialized=True, replace=True, requeries=True
        )
    own = kind == "DATABASE" and (cursor.sees("RESET") or cursor.sees("SET"))
    if own and cursor.word(1) not in (*_CLUSTER, "TABLESPACE"):
        return parse_kept_setting(cursor, text, offset, "", name.name)
    if cursor.accept("RENAME TO"):
        return altered("RENAME TO", cursor.identifier())
    if cursor.accept("SWAP WITH"):
        other = cursor.object_name()
        return altered("SWAP WITH", f"{other.schema or ''}.{other.name}")
    if cursor.accept("OWNER TO"):
        return altered("OWNER TO", role_name(cursor))
    if cursor.accept("SET SCHEMA"):
        return altered("SET SCHEMA", cursor.identifier())
    for words in ("SOURCE_RATE_LIMIT", "SINK_RATE_LIMIT"):
        if cursor.accept(f"SET {words}"):
            if not cursor.accept("="):
                cursor.expect("TO")
            return altered(words, cursor.slice_text(cursor.rest()))
    if kind in ("SOURCE", "TABLE") and cursor.accept("REFRESH SCHEMA"):
        return AlterTable(
            text=text, offset=offset, name=name, options={}, if_exists=lenient, refresh=True
        )
    if _cluster_setting(cursor):
        return altered("IGNORED", cursor.slice_text(cursor.rest()) or "SET")
    if cursor.accept("SET"):
        options = parse_options(cursor.parenthesized(), cursor.text)
        return AlterTable(text=text, offset=offset, name=name, options=options, if_exists=lenient)
    return _columns(cursor, text, offset, kind, name, lenient)


def _cluster_setting(cursor: Cursor) -> bool:
    if cursor.sees("CONNECTOR") or cursor.sees("RESET"):
        return True
    return cursor.sees("SET") and cursor.word(1) in _CLUSTER


def _columns(
    cursor: Cursor, text: str, offset: int, kind: str, name: ObjectName, lenient: bool
) -> Parsed:
    if cursor.accept("REPLICA IDENTITY"):
        cursor.rest()
        return AlterTable(text=text, offset=offset, name=name, options={}, if_exists=lenient)
    if kind not in ("TABLE", "SOURCE", "VIEW", "MATERIALIZED VIEW"):
        raise cursor.unsupported(f"ALTER {kind} … {cursor.word()}")
    actions = [_action(cursor)]
    while cursor.accept(","):
        actions.append(_action(cursor))
    return AlterTable(
        text=text, offset=offset, name=name, options={}, actions=tuple(actions), if_exists=lenient
    )


def _action(cursor: Cursor) -> ColumnAction:
    if cursor.accept("ADD"):
        return _add_column(cursor)
    if cursor.accept("DROP"):
        for words in ("CONSTRAINT", "WATERMARK"):
            if cursor.sees(words) and cursor.word(1) not in (",", ""):
                raise cursor.unsupported(f"DROP {words}", "Make the table anew without it.")
        cursor.accept("COLUMN")
        lenient = cursor.accept("IF EXISTS")
        column = cursor.identifier()
        if not cursor.accept("RESTRICT"):
            cursor.accept("CASCADE")
        return ColumnAction("DROP", column, lenient=lenient)
    if cursor.accept("RENAME"):
        cursor.accept("COLUMN")
        old = cursor.identifier()
        cursor.expect("TO")
        return ColumnAction("RENAME", old, text=cursor.identifier())
    if cursor.accept("ALTER WATERMARK FOR"):
        ttl = has_ttl(cursor.tokens)
        declared = watermark(cursor)
        return ColumnAction("WATERMARK", watermark_parts(declared)[0], text=declared, ttl=ttl)
    if cursor.accept("ALTER"):
        cursor.accept("COLUMN")
        return _alter_column(cursor, cursor.identifier())
    raise cursor.unsupported(f"ALTER TABLE … {cursor.word()}")


def _add_column(cursor: Cursor) -> ColumnAction:
    if cursor.word() in ("CONSTRAINT", "PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY"):
        raise cursor.unsupported(f"ADD {cursor.word()}", "Declare it in CREATE TABLE.")
    cursor.accept("COLUMN")
    lenient = cursor.accept("IF NOT EXISTS")
    start = cursor.at
    while not cursor.done and not cursor.sees(","):
        if cursor.sees("("):
            cursor.parenthesized()
        else:
            cursor.advance()
    part = cursor.tokens[start : cursor.at]
    if not part:
        raise cursor.fault()
    columns = parse_columns(part, cursor.text, source=False)
    bound = columns.primary_key or columns.unique or columns.checks or columns.references
    if bound or not columns.specs:
        cursor.at = start
        raise cursor.unsupported(
            "a constraint in ADD COLUMN", "Declare it in CREATE TABLE; a key cannot be altered."
        )
    spec = columns.specs[0]
    return ColumnAction("ADD", spec.name, spec=spec, lenient=lenient)


def _alter_column(cursor: Cursor, column: str) -> ColumnAction:
    for words in ("SET NOT NULL", "DROP NOT NULL", "DROP DEFAULT"):
        if cursor.accept(words):
            return ColumnAction(words, column)
    if cursor.accept("SET DEFAULT"):
        return ColumnAction("SET DEFAULT", column, text=_expression(cursor))
    if cursor.accept("SET DATA TYPE") or cursor.accept("TYPE"):
        start = cursor.at
        store_type = parse_type(cursor)
        declared = cursor.slice_text(cursor.tokens[start : cursor.at])
        spec = replace(ColumnSpec(column, store_type), declared=declared)
        using = _expression(cursor) if cursor.accept("USING") else None
        return ColumnAction("TYPE", column, spec=spec, text=using)
    raise cursor.fault()


def _expression(cursor: Cursor) -> str:
    start = cursor.at
    while not cursor.done and not cursor.sees(","):
        if cursor.sees("("):
            cursor.parenthesized()
        else:
            cursor.advance()
    tokens = cursor.tokens[start : cursor.at]
    parse_expression(tokens, cursor.text)
    return cursor.slice_text(tokens)
