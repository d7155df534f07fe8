"""The generator of each target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from voltstream.deploy.drafting import Options
from voltstream.deploy.flink import flink_script
from voltstream.deploy.objects import Deployed, deployed
from voltstream.deploy.risingwave import risingwave_script
from voltstream.deploy.script import Script, Target
from voltstream.deploy.timescaledb import timescaledb_script
from voltstream.runtime.catalog import Catalog
from voltstream.sql.catalog import TypeOracle
from voltstream.store.database import Connection

Generator = Callable[[Sequence[Deployed], TypeOracle, Options], Script]

GENERATORS: Mapping[Target, Generator] = {
    Target.FLINK: flink_script,
    Target.RISINGWAVE: risingwave_script,
    Target.TIMESCALEDB: timescaledb_script,
}


def script_for(
    target: Target,
    catalog: Catalog,
    reader: Connection,
    options: Options,
    only: Sequence[str] = (),
) -> Script:
    """Return what a target is told of a catalog, refusals among the notes.

    Raises: UndefinedTable (42P01) for a name that nothing has.
    """
    return GENERATORS[target](deployed(catalog, reader, only), reader, options)
