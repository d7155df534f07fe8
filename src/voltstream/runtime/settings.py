"""A session's settings: what PostgreSQL clients set, ask and expect to be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from voltstream.core.errors import InvalidParameter, UndefinedObject
from voltstream.core.identity import SERVER_VERSION, SERVER_VERSION_NUM
from voltstream.core.limits import CONNECTIONS_MAX
from voltstream.runtime.deadline import duration_s

_DEFAULTS: Mapping[str, str] = {
    "application_name": "",
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "block_size": "8192",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "client_min_messages": "notice",
    "datestyle": "ISO, MDY",
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "escape_string_warning": "on",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "in_hot_standby": "off",
    "integer_datetimes": "on",
    "intervalstyle": "postgres",
    "is_superuser": "on",
    "jit": "off",
    "lc_collate": "C.UTF-8",
    "lc_ctype": "C.UTF-8",
    "lc_messages": "C.UTF-8",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "lock_timeout": "0",
    "max_connections": str(CONNECTIONS_MAX),
    "max_identifier_length": "63",
    "max_index_keys": "32",
    "role": "none",
    "row_security": "on",
    "search_path": '"$user", public',
    "server_encoding": "UTF8",
    "server_version": SERVER_VERSION,
    "server_version_num": SERVER_VERSION_NUM,
    "session_authorization": "volt",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "transaction_deferrable": "off",
    "transaction_isolation": "read committed",
    "transaction_read_only": "off",
    "wal_level": "replica",
    "xmlbinary": "base64",
    "xmloption": "content",
}
# RisingWave's variables: scripts set them and ask for them; one process has nothing to tune by
# them. Every statement is durable and seen by all views when it is answered, as an implicit flush.
_RISINGWAVE: Mapping[str, str] = {
    "background_ddl": "false",
    "batch_enable_distributed_dml": "false",
    "batch_expr_strict_mode": "true",
    "batch_parallelism": "default",
    "bypass_cluster_limits": "false",
    "cdc_source_wait_streaming_start_timeout": "30",
    "enable_join_ordering": "true",
    "enable_locality_backfill": "false",
    "enable_share_plan": "true",
    "query_epoch": "0",
    "query_mode": "auto",
    "rw_batch_enable_lookup_join": "true",
    "rw_batch_enable_sort_agg": "true",
    "rw_enable_join_ordering": "true",
    "rw_enable_share_plan": "true",
    "rw_enable_two_phase_agg": "true",
    "rw_force_delta_join": "false",
    "rw_force_split_distinct_agg": "false",
    "rw_force_two_phase_agg": "false",
    "rw_implicit_flush": "true",
    "rw_streaming_allow_jsonb_in_stream_key": "false",
    "rw_streaming_enable_bushy_join": "true",
    "rw_streaming_enable_delta_join": "false",
    "rw_streaming_over_window_cache_policy": "full",
    "sink_decouple": "default",
    "source_rate_limit": "default",
    "streaming_enable_unaligned_join": "false",
    "streaming_max_parallelism": "256",
    "streaming_parallelism": "default",
    "streaming_parallelism_for_index": "default",
    "streaming_parallelism_for_materialized_view": "default",
    "streaming_parallelism_for_sink": "default",
    "streaming_parallelism_for_source": "default",
    "streaming_parallelism_for_table": "default",
    "streaming_use_arrangement_backfill": "true",
    "streaming_use_shared_source": "true",
    "streaming_use_snapshot_backfill": "true",
    "synchronize_seqscans": "false",
    "upsert_dml": "false",
    "visibility_mode": "default",
}
# Who the session is: told by it and asked by others, but changed by SET ROLE and its like only.
IDENTITY = ("role", "session_authorization", "is_superuser")
_DURATIONS = (
    "idle_in_transaction_session_timeout", "idle_session_timeout", "statement_timeout",
)  # fmt: skip
_REPORTED: Mapping[str, str] = {
    "application_name": "application_name",
    "client_encoding": "client_encoding",
    "datestyle": "DateStyle",
    "default_transaction_read_only": "default_transaction_read_only",
    "in_hot_standby": "in_hot_standby",
    "integer_datetimes": "integer_datetimes",
    "intervalstyle": "IntervalStyle",
    "is_superuser": "is_superuser",
    "server_encoding": "server_encoding",
    "server_version": "server_version",
    "session_authorization": "session_authorization",
    "standard_conforming_strings": "standard_conforming_strings",
    "timezone": "TimeZone",
}


class Settings:
    """Values by lower-case name. Unknown names are kept: clients set more than any server knows."""

    def __init__(
        self, user: str, given: Mapping[str, str], of_role: Mapping[str, str] | None = None
    ) -> None:
        self._start = {**_RISINGWAVE, **_DEFAULTS, **(of_role or {})}
        for name, value in given.items():
            if name.lower() not in IDENTITY:
                self._start[name.lower()] = value
        self._start["session_authorization"] = user
        for name in _DURATIONS:
            duration_s(name, self._start[name])
        self._start["timezone"] = zone_named(self._start["timezone"])
        self._values = dict(self._start)

    def get(self, name: str) -> str:
        """Raises: UndefinedObject (42704)."""
        try:
            return self._values[name.lower()]
        except KeyError:
            raise UndefinedObject(f'unrecognized configuration parameter "{name}"') from None

    def set(self, name: str, value: str | None) -> None:
        """Set a value; None restores the session's first one, ``all`` every one."""
        key = name.lower()
        if key == "all" and value is None:
            kept = {name: self._values[name] for name in IDENTITY}
            self._values = {**self._start, **kept}
        elif value is None:
            self._values[key] = self._start.get(key, "")
        else:
            if key in _DURATIONS:
                duration_s(key, value)
            self._values[key] = zone_named(value) if key == "timezone" else value

    def all(self) -> list[tuple[str, str]]:
        return sorted(self._values.items())

    def reported(self) -> dict[str, str]:
        return {shown: self._values[name] for name, shown in _REPORTED.items()}


def zone_named(name: str) -> str:
    """Return a time zone's own name, in whatever case it was given; whole hours are zones too.

    Raises: InvalidParameter (22023).
    """
    found = _zones().get(name.strip().lower())
    if found is not None:
        return found
    hours = _HOURS.fullmatch(name.strip())
    if hours is not None and abs(int(hours[1])) <= 12:
        # The database of zones counts west of Greenwich as positive; people and PostgreSQL do not.
        return f"Etc/GMT{-int(hours[1]):+d}" if int(hours[1]) else "UTC"
    raise InvalidParameter(f'invalid value for parameter "TimeZone": "{name}"')


_HOURS = re.compile(r"(?:UTC|GMT)?([+-]?\d{1,2})(?::?00)?", re.IGNORECASE)


@cache
def _zones() -> Mapping[str, str]:
    return {"z": "UTC", "local": "UTC", **{name.lower(): name for name in available_timezones()}}
