"""The watermark of a source or table with partitions: the least of those that are not idle.

Partitions are read at different speeds when much waits in them. Were the watermark the greatest
time of all rows, the rows of a partition that is behind would come late.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from voltstream.core.limits import PARTITION_IDLE_S
from voltstream.runtime.catalog import Entry
from voltstream.runtime.work import SourceRows
from voltstream.store.database import Connection

PARTITION = "_part"


def with_partition(entry: Entry, batch: SourceRows) -> pa.Table:
    """Return a batch's rows, and beside them where they are from if the watermark needs it."""
    relation = entry.relation
    watched = relation is not None and relation.watermarks
    if not (watched and batch.partition):
        return batch.table
    places = np.zeros(batch.table.num_rows, np.int8)
    names = pa.DictionaryArray.from_arrays(places, pa.array([batch.partition]))
    return batch.table.append_column(PARTITION, names)


def advance_by_partition(connection: Connection, oid: int, expression: str, rows: str) -> None:
    """Raise the watermark of each partition by its new rows, and the source's to their least.

    A partition counts while rows come from it or wait in it, as far as its connector has told;
    one from which nothing has come yet, though rows wait, holds the watermark where it is.
    """
    connection.execute(
        "MERGE INTO _vs.partition_marks AS p USING (SELECT CAST(_part AS VARCHAR) AS part, "
        f"CAST(max({expression}) AS TIMESTAMPTZ) AS reached FROM {rows} GROUP BY ALL) AS n "
        f"ON p.oid = {oid} AND p.part = n.part "
        "WHEN MATCHED THEN UPDATE SET reached = greatest(p.reached, n.reached), "
        "arrived = getvariable('vs_now') "
        f"WHEN NOT MATCHED THEN INSERT VALUES ({oid}, n.part, n.reached, getvariable('vs_now'))"
    )
    connection.execute(
        "UPDATE _vs.watermarks SET arrived = getvariable('vs_now'), reached = greatest(reached, "
        "(SELECT CASE WHEN count(*) = count(reached) THEN min(reached) END FROM ("
        "SELECT p.reached FROM (SELECT part, reached AS ending FROM _vs.ends "
        f"WHERE oid = {oid}) AS e FULL JOIN (FROM _vs.partition_marks WHERE oid = {oid}) AS p "
        f"USING (part) LEFT JOIN (FROM _vs.offsets WHERE source = {oid}) AS o USING (part) "
        "WHERE p.arrived > getvariable('vs_now')::TIMESTAMPTZ - coalesce(idle_s, "
        f"{PARTITION_IDLE_S}) * INTERVAL '1 second' "
        "OR e.ending > coalesce(TRY_CAST(o.position AS BIGINT), 0)))) "
        f"WHERE oid = {oid}"
    )
