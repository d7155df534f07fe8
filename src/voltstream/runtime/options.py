"""What the front door may decide about an engine."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.limits import (
    EPOCH_INTERVAL_MS,
    EPOCH_ROWS_MAX,
    OUTBOX_ROWS_MAX,
    SOURCE_RETENTION_S,
    TRANSACTION_IDLE_S,
    TRANSACTION_YIELD_S,
    WRITER_WAIT_S,
)
from voltstream.runtime.catalog import Catalog


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Bounds of an engine; the defaults are those of core/limits."""

    epoch_rows_max: int = EPOCH_ROWS_MAX
    epoch_interval_ms: int = EPOCH_INTERVAL_MS
    retention_s: int = SOURCE_RETENTION_S
    transaction_idle_s: float = TRANSACTION_IDLE_S
    transaction_yield_s: float = TRANSACTION_YIELD_S
    writer_wait_s: float = WRITER_WAIT_S
    outbox_rows_max: int = OUTBOX_ROWS_MAX
    threads: int = 2
    secret_key: str | None = None  # What secrets are sealed with; None: a key beside the data.
    memory_mb: int = 0  # 0: four fifths of the machine's.
    tier: str | None = None  # Where chunks are tiered to: a directory or s3://bucket/prefix.
    server_version: str = "16.0"
    compiled: Catalog | None = None  # What a copy of the database had: views are not planned anew.
