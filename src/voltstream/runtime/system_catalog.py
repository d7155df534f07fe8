"""The system catalogs of one database: made when a statement first asks for them."""

from __future__ import annotations

from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.sql import system
from voltstream.store.database import Connection
from voltstream.store.pg_catalog.install import install, is_installed


class SystemCatalog:
    """Knows whether a file holds the catalogs; most programs never ask, and need not wait."""

    def __init__(self, connection: Connection) -> None:
        self.is_made = is_installed(connection)

    def make(self, epoch: Epoch) -> None:
        """Make them in this epoch; they are there once it commits."""
        if not is_installed(epoch.connection):
            install(epoch.connection)
        epoch.after_commit.append(self._made)

    def _made(self) -> None:
        self.is_made = True


def names_system(text: str, catalog: Catalog) -> bool:
    """Tell whether a statement may read the catalogs, itself or through a plain view."""
    if system.mentions(text):
        return True
    return any(
        entry.kind == "view"
        and entry.stored.name in text
        and system.mentions(entry.stored.definition)
        for entry in catalog
    )
