"""A session's settings: what PostgreSQL clients set, ask and expect to be told."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from voltstream.core.errors import FeatureNotSupported, UndefinedObject, VoltstreamError
from voltstream.core.identity import SERVER_VERSION, SERVER_VERSION_NUM
from voltstream.core.limits import CONNECTIONS_MAX
from voltstream.runtime.setting_values import (
    canonical,
    check_changeable,
    facts_of,
    raw_value,
    shown_name,
    switched,
)

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
    "password_encryption": "scram-sha-256",
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
_OTHER_NAMES: Mapping[str, str] = {
    "enable_two_phase_agg": "rw_enable_two_phase_agg",
    "force_two_phase_agg": "rw_force_two_phase_agg",
}
# What is forced is enabled, and what is not enabled is not forced.
_BRINGS: Mapping[tuple[str, str], str] = {
    ("rw_force_two_phase_agg", "true"): "rw_enable_two_phase_agg",
    ("rw_enable_two_phase_agg", "false"): "rw_force_two_phase_agg",
}
# Who the session is: told by it and asked by others, but changed by SET ROLE and its like only.
IDENTITY = ("role", "session_authorization", "is_superuser")
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


# INFO is always told.
_SEVERITIES = {"NOTICE": 1, "WARNING": 2}
_LEVELS = {"notice": 1, "warning": 2, "error": 3}
# What decides how values are spelled to the client.
_SPELLING = (
    "timezone", "datestyle", "intervalstyle", "bytea_output", "extra_float_digits",
    "client_encoding",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Values:
    """Values by lower-case name; ``local`` ones end with the block."""

    lasting: Mapping[str, str]
    local: Mapping[str, str]


def checked(name: str, value: str, before: str = "") -> str:
    """Return a value as it is kept. Raises: InvalidParameter (22023), CannotChange (55P02)."""
    if name in IDENTITY:
        return value
    check_changeable(name)
    new = canonical(name, value, before)
    if name == "standard_conforming_strings" and new == "off":
        raise FeatureNotSupported(
            "standard_conforming_strings cannot be off", hint="Write backslash escapes as E'…'."
        )
    return new


def _key(name: str) -> str:
    key = name.lower()
    return _OTHER_NAMES.get(key, key)


class Settings:
    """What one session has set (a block's Party).

    Unknown names are kept: clients set more than any server knows.
    """

    def __init__(
        self, user: str, given: Mapping[str, str], of_role: Mapping[str, str] | None = None
    ) -> None:
        start = {**_RISINGWAVE, **_DEFAULTS}
        for name, value in (of_role or {}).items():
            with suppress(VoltstreamError):  # A role's own settings never keep it out.
                start[name] = checked(name, value, start.get(name, ""))
        asked = {name.lower(): value for name, value in given.items()}
        for name, value in asked.items():
            if name not in IDENTITY:
                start[name] = checked(name, value, start.get(name, ""))
        start["session_authorization"] = user
        self._start: Mapping[str, str] = start
        self._values = _Values(start, {})

    def get(self, name: str) -> str:
        """Raises: UndefinedObject (42704)."""
        key = _key(name)
        value = self._values.local.get(key)
        if value is None:
            value = self._values.lasting.get(key)
        if value is None:
            raise UndefinedObject(f'unrecognized configuration parameter "{name}"')
        return value

    def knows(self, name: str) -> bool:
        return _key(name) in self._values.lasting or _key(name) in self._values.local

    def set(self, name: str, value: str | None, *, local: bool = False) -> None:
        """Set a value; None restores the session's first one, ``all`` every one.

        ``local`` lets it end with the block. Raises: InvalidParameter (22023), CannotChange.
        """
        key = _key(name)
        if key == "all" and value is None:
            kept = {name: self.get(name) for name in IDENTITY}
            self._values = _Values({**self._start, **kept}, {})
            return
        old = self._start.get(key, "")
        if value is not None and _RISINGWAVE.get(key) in ("true", "false"):
            value = switched(key, value)
        new = old if value is None else checked(key, value, self._known(key))
        if local:
            self._values = _Values(self._values.lasting, {**self._values.local, key: new})
            return
        ended = {name: kept for name, kept in self._values.local.items() if name != key}
        brought = _BRINGS.get((key, new))
        if brought is not None:
            ended.pop(brought, None)
            self._values = _Values({**self._values.lasting, brought: new}, ended)
        self._values = _Values({**self._values.lasting, key: new}, ended)

    def _known(self, key: str) -> str:
        return self.get(key) if self.knows(key) else ""

    def all(self) -> list[tuple[str, str]]:
        """Return what SHOW ALL does, by PostgreSQL's spelling of the names."""
        found = {**self._values.lasting, **self._values.local}
        return [(shown_name(name), value) for name, value in sorted(found.items())]

    def described(self) -> list[Mapping[str, str | None]]:
        """Return the rows of pg_settings."""
        return [self._row(name.lower(), value) for name, value in self.all()]

    def _row(self, name: str, value: str) -> Mapping[str, str | None]:
        facts = facts_of(name)
        usual = {**_RISINGWAVE, **_DEFAULTS}.get(name, value)
        first = self._start.get(name, value)
        source = "default" if value == usual else "client" if value == first else "session"
        return {
            "name": shown_name(name), "setting": raw_value(name, value), "unit": facts.unit,
            "vartype": facts.kind, "min_val": facts.low, "max_val": facts.high,
            "enumvals": "\n".join(facts.choices) if facts.choices else None,
            "context": facts.context, "source": source,
            "boot_val": raw_value(name, usual), "reset_val": raw_value(name, first),
        }  # fmt: skip

    def reported(self) -> dict[str, str]:
        return {shown: self.get(name) for name, shown in _REPORTED.items()}

    def hears(self, severity: str) -> bool:
        """Tell whether client_min_messages lets a remark through."""
        level = self.get("client_min_messages")
        return _SEVERITIES.get(severity, 3) >= _LEVELS.get(level, 0)

    def spelling(self) -> tuple[str, ...]:
        """Return what decides how values are spelled, in the order of ports.Spelling."""
        return tuple(self.get(name) for name in _SPELLING)

    # --- block.Party ----------------------------------------------------------------------------

    @property
    def state(self) -> object:
        return self._values

    def restore(self, state: object) -> None:
        if isinstance(state, _Values):
            self._values = state

    def committed(self) -> None:
        if self._values.local:
            self._values = _Values(self._values.lasting, {})
