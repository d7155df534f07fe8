"""The system catalogs of one database: made when a statement first asks for them."""

from __future__ import annotations

from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.sql import system
from voltstream.store.pg_catalog.install import install, is_installed, refresh


class SystemCatalog:
    """Knows what the catalogs in the file show. Most programs never ask, and pay nothing."""

    def __init__(self) -> None:
        self._shown: Catalog | None = None

    def shows(self, catalog: Catalog) -> bool:
        """Tell whether the catalogs are there and of this state of affairs."""
        return self._shown is catalog

    def make(self, epoch: Epoch) -> None:
        """Bring them up to this epoch's definitions; others see them once it commits."""
        if is_installed(epoch.connection):
            refresh(epoch.connection)
        else:
            install(epoch.connection)
        catalog = epoch.catalog

        def show() -> None:
            self._shown = catalog

        epoch.after_commit.append(show)


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
