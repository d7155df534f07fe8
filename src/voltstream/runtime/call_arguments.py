"""The arguments of an administrative call: by place or by name, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from voltstream.core.errors import DatatypeMismatch, InvalidParameter, UndefinedFunction
from voltstream.sql.statements import Call, ObjectName
from voltstream.store.database import Connection
from voltstream.store.hypertable import Hypertable

_NOW = re.compile(r"\b(?:NOW\(\)|CURRENT_TIMESTAMP(?:\(\))?)", re.IGNORECASE)
# By place, as TimescaleDB declares them. What has no place is given by name only.
PARAMETERS: Mapping[str, Sequence[str]] = {
    "by_range": ("column_name", "partition_interval", "partition_func", "partition_origin"),
    "by_hash": ("column_name", "number_partitions", "partition_func"),
    "create_hypertable": ("relation", "dimension", "partitioning_column", "number_partitions"),
    "add_dimension": ("hypertable", "dimension", "number_partitions", "chunk_time_interval"),
    "set_chunk_time_interval": ("hypertable", "chunk_time_interval", "dimension_name",
                                "chunk_time_origin"),
    "show_chunks": ("relation", "older_than", "newer_than", "created_before", "created_after"),
    "drop_chunks": ("relation", "older_than", "newer_than", "verbose", "created_before",
                    "created_after"),
    "compress_chunk": ("uncompressed_chunk", "if_not_compressed", "recompress"),
    "decompress_chunk": ("uncompressed_chunk", "if_compressed"),
    "convert_to_columnstore": ("chunk", "if_not_columnstore", "recompress"),
    "convert_to_rowstore": ("chunk", "if_columnstore"),
    "add_retention_policy": ("relation", "drop_after", "if_not_exists", "schedule_interval",
                             "initial_start", "timezone", "drop_created_before"),
    "remove_retention_policy": ("relation", "if_exists"),
    "add_compression_policy": ("hypertable", "after", "if_not_exists", "schedule_interval",
                               "initial_start", "timezone", "created_before"),
    "remove_compression_policy": ("hypertable", "if_exists"),
    "add_columnstore_policy": ("hypertable", "after", "if_not_exists", "schedule_interval",
                               "initial_start", "timezone", "created_before"),
    "remove_columnstore_policy": ("hypertable", "if_exists"),
    "add_continuous_aggregate_policy": ("continuous_aggregate", "start_offset", "end_offset",
                                        "schedule_interval", "if_not_exists", "initial_start",
                                        "timezone", "include_tiered_data", "buckets_per_batch",
                                        "max_batches_per_execution"),
    "remove_continuous_aggregate_policy": ("continuous_aggregate", "if_not_exists", "if_exists"),
    "refresh_continuous_aggregate": ("continuous_aggregate", "window_start", "window_end",
                                     "force", "options"),
    "add_reorder_policy": ("hypertable", "index_name", "if_not_exists", "initial_start",
                           "timezone"),
    "remove_reorder_policy": ("hypertable", "if_exists"),
    "add_tiering_policy": ("relation", "move_after", "if_not_exists", "schedule_interval"),
    "remove_tiering_policy": ("relation", "if_exists"),
    "tier_chunk": ("chunk",),
    "untier_chunk": ("chunk",),
    "add_job": ("proc", "schedule_interval", "config", "initial_start", "scheduled",
                "check_config", "fixed_schedule", "timezone", "job_name"),
    "alter_job": ("job_id", "schedule_interval", "max_runtime", "max_retries", "retry_period",
                  "scheduled", "config", "next_start", "if_exists", "check_config",
                  "fixed_schedule", "initial_start", "timezone", "job_name"),
    "run_job": ("job_id",),
    "delete_job": ("job_id",),
    "set_integer_now_func": ("hypertable", "integer_now_func", "replace_if_exists"),
    "set_number_partitions": ("hypertable", "number_partitions", "dimension_name"),
    "enable_chunk_skipping": ("hypertable", "column_name", "if_not_exists"),
    "disable_chunk_skipping": ("hypertable", "column_name", "if_not_exists"),
    "attach_tablespace": ("tablespace", "hypertable", "if_not_attached"),
    "voltstream_backup": ("target",),
    "voltstream_verify": (),
    "replay_dead_letters": ("relation", "id"),
    "drop_dead_letters": ("relation", "id"),
    "detach_tablespace": ("tablespace", "hypertable", "if_attached"),
}  # fmt: skip
# Other names under which a parameter is known: older versions, and the twins of a function.
_ALIASES = {
    "main_table": "relation", "hypertable_or_cagg": "relation", "time_column_name": "dimension",
    "compress_after": "after", "compress_created_before": "created_before",
    "chunk_name": "chunk", "cagg": "continuous_aggregate", "column_name": "dimension",
    "name": "continuous_aggregate", "proc_name": "proc",
}  # fmt: skip
_NAMED_ONLY = frozenset({
    "chunk_time_interval", "chunk_time_origin", "if_not_exists", "migrate_data",
    "create_default_indexes", "partitioning_func", "associated_schema_name",
    "associated_table_prefix",
    "chunk_target_size", "chunk_sizing_func", "time_partitioning_func", "timezone",
    "initial_start", "schedule_interval", "hypercore_use_access_method", "refresh_newest_first",
    "job_name", "verbose",
})  # fmt: skip


class Arguments:
    """What a call was given. Raises: UndefinedFunction (42883) for what the function lacks."""

    def __init__(self, call: Call, connection: Connection) -> None:
        self._connection = connection
        self.function = call.function
        self.dimension = Arguments(call.dimension, connection) if call.dimension else None
        self._given: dict[str, str] = {}
        names = PARAMETERS[call.function]
        if len(call.arguments) > len(names):
            raise UndefinedFunction(
                f"function {call.function} takes at most {len(names)} arguments by place"
            )
        for name, text in zip(names, call.arguments, strict=False):
            self._given[name] = text
        for written, text in call.named_arguments.items():
            known = written in names or written in _NAMED_ONLY
            name = written if known else _ALIASES.get(written, written)
            if name not in names and name not in _NAMED_ONLY:
                raise UndefinedFunction(
                    f'function {call.function} has no parameter "{written}"',
                    hint=f"It has {', '.join(names)}.",
                )
            self._given[name] = text

    def text_of(self, name: str) -> str | None:
        """Return an argument as SQL; None when it is absent or NULL."""
        text = self._given.get(name)
        if text is None or text.strip().upper() == "NULL":
            return None
        return _NOW.sub("_vs_now()", text)

    def instant_us(self, name: str) -> int:
        text = self.required(name)
        return int(self._connection.rows(f"SELECT epoch_us(CAST({text} AS TIMESTAMPTZ))")[0][0])

    def required(self, name: str) -> str:
        text = self.text_of(name)
        if text is None:
            raise InvalidParameter(f"{name} of {self.function} cannot be NULL")
        return text

    def value(self, name: str) -> Any:
        text = self.text_of(name)
        return None if text is None else self._connection.rows(f"SELECT {text}")[0][0]

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.value(name)
        return default if value is None else str(value).lower() in ("true", "t", "1", "on", "yes")

    def relation(self, name: str) -> ObjectName:
        return object_name(str(self._connection.rows(f"SELECT {self.required(name)}")[0][0]))

    def kind(self, name: str) -> str:
        """Return the store type of an argument, or ''."""
        text = self.text_of(name)
        if text is None:
            return ""
        return self._connection.describe(f"SELECT {text} AS x")[0].store_type

    def interval_us(self, name: str, *, default_us: int) -> int:
        """Return a length of time in microseconds. A month has 30 days."""
        text = self.text_of(name)
        if text is None:
            return default_us
        if not self.kind(name).startswith("INTERVAL"):
            text = f"CAST({text} AS INTERVAL)"
        return microseconds(self._connection.rows(f"SELECT {text}")[0][0])

    def width(self, name: str, table_is_integer: bool) -> int | None:
        """Return the width of a chunk in the units of its hypertable."""
        text = self.text_of(name)
        if text is None:
            return None
        kind = self.kind(name)
        if kind.startswith("INTERVAL") or kind == "VARCHAR":
            if table_is_integer:
                raise InvalidParameter(
                    "invalid interval type for integer dimension",
                    hint="Use an interval of type integer.",
                )
            return self.interval_us(name, default_us=0)
        return int(self.value(name))

    def origin(self, name: str, table_is_integer: bool) -> int | None:
        """Return the instant from which chunks are counted, in the units of the hypertable.

        Raises: InvalidParameter (22023).
        """
        text = self.text_of(name)
        if text is None:
            return None
        kind = self.kind(name)
        if table_is_integer != (kind.endswith("INT") or kind == "INTEGER"):
            raise InvalidParameter(
                f"invalid origin type for {'integer' if table_is_integer else 'time'} dimension",
                hint=f"Use an origin of type {'integer' if table_is_integer else 'timestamptz'}.",
            )
        return int(self.value(name)) if table_is_integer else self.instant_us(name)

    def span(self, name: str) -> str | int | None:
        """Return how long ago a policy means, as it is kept in a job's configuration."""
        if self.text_of(name) is None:
            return None
        if self.kind(name).startswith("INTERVAL") or self.kind(name) == "VARCHAR":
            text = self.required(name)
            return str(
                self._connection.rows(f"SELECT CAST(CAST({text} AS INTERVAL) AS VARCHAR)")[0][0]
            )
        return int(self.value(name))

    def cutoff(self, name: str, table: Hypertable) -> int | None:
        """Return an instant: what is given, or so long before now."""
        text = self.text_of(name)
        if text is None:
            return None
        return cutoff(self._connection, table, text, self.kind(name))


def cutoff(connection: Connection, table: Hypertable, text: str, kind: str) -> int:
    """Raises: DatatypeMismatch when the argument does not suit the hypertable's time."""
    if kind.startswith("INTERVAL") and not table.by_integers:
        return int(connection.rows(f"SELECT epoch_us(_vs_now() - ({text}))")[0][0])
    if kind.startswith(("TIMESTAMP", "DATE")) and not table.by_integers:
        return int(connection.rows(f"SELECT epoch_us(CAST({text} AS TIMESTAMPTZ))")[0][0])
    if kind == "VARCHAR" and not table.by_integers:
        return int(connection.rows(f"SELECT epoch_us(CAST({text} AS TIMESTAMPTZ))")[0][0])
    if (kind.endswith("INT") or kind == "INTEGER") and table.by_integers:
        return int(connection.rows(f"SELECT {text}")[0][0])
    raise DatatypeMismatch(
        f"invalid time argument type for a hypertable partitioned by {table.kind.lower()}",
        hint="Give an interval or a time stamp, or an integer where time is an integer.",
    )


def microseconds(value: object) -> int:
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    raise InvalidParameter(f"invalid interval: {value}")


def object_name(text: str) -> ObjectName:
    """Read a relation's name. Raises: InvalidParameter."""
    parts = [part.strip().strip('"') for part in text.split(".")]
    if not all(parts) or len(parts) > 2:
        raise InvalidParameter(f'invalid name syntax: "{text}"')
    return ObjectName(parts[-1], parts[0] if len(parts) == 2 else None)
