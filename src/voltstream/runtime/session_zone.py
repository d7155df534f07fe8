"""Statements on the writer in the time zone of their session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from voltstream.core.errors import VoltstreamError
from voltstream.core.zones import store_zone
from voltstream.runtime.epoch import Epoch
from voltstream.store.database import Connection

T = TypeVar("T")


def in_zone(run: Callable[[Epoch], T], name: str, *, reads: bool = False) -> Callable[[Epoch], T]:
    """Let a statement read and make local times as its session does.

    Law: views are computed in UTC: what a query that ``reads`` them needs is flushed before, and
    the writer is in UTC again when the statement is over, or an epoch that it broke rolled back.
    """
    zone = store_zone(name)
    if zone.upper() == "UTC":
        return run

    def zoned(epoch: Epoch) -> T:
        if reads:
            epoch.flush()
        connection = epoch.connection
        epoch.on_rollback(lambda: _set_zone(connection, "UTC"))
        _set_zone(connection, zone)
        try:
            return run(epoch)
        finally:
            with suppress(VoltstreamError):  # In a broken epoch nothing runs before its rollback.
                _set_zone(connection, "UTC")

    return zoned


def _set_zone(connection: Connection, zone: str) -> None:
    spelled = zone.replace("'", "''")
    connection.execute(f"SET TimeZone = '{spelled}'")
