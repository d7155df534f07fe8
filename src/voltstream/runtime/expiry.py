"""Tables whose watermark has TTL: rows below it are forgotten, and late ones do not come in.

Law: what goes by its time goes without a delta: views keep what they made of it. A row that comes
below the watermark, as it was before the statement, is a dead letter; where it would have taken
the place of a row with its key, that row is deleted. The table holds no row below its watermark.
"""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.runtime import entries
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.sql.statements import CreateTable
from voltstream.sql.watermarks import declared
from voltstream.store.database import Connection, literal, quoted

EXPIRES = "watermark.ttl"  # The property that holds what the rows expire by.
LATE = "_late"


def follows(properties: Mapping[str, str]) -> bool:
    return EXPIRES in properties


def properties_of(parsed: CreateTable) -> dict[str, str]:
    """Return what a table's declaration says of its rows' end."""
    return {EXPIRES: parsed.watermark} if parsed.watermark and parsed.ttl else {}


def make_mark(connection: Connection, oid: int, properties: Mapping[str, str], store: str) -> None:
    """Make the place of a table's mark, of the type of its expression."""
    if not follows(properties):
        return
    _, expression = declared(properties[EXPIRES])
    connection.execute(
        f"CREATE TABLE {mark_table(oid)} AS SELECT max({expression}) AS reached FROM {store}"
    )


def mark_table(oid: int) -> str:
    return f"_vs.ttl_{oid}"


def drop_mark(connection: Connection, oid: int) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {mark_table(oid)}")


def set_late_apart(epoch: Epoch, entry: Entry, rows: str) -> int:
    """Move the rows that come too late into LATE. Returns how many they are."""
    connection = epoch.connection
    column = quoted(declared(entry.stored.properties[EXPIRES])[0])
    late = f"{column} < (SELECT reached FROM {mark_table(entry.oid)})"
    count = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {LATE} AS SELECT * FROM {rows} WHERE {late}"
    )
    if count <= 0:
        return 0
    connection.execute(f"DELETE FROM {rows} WHERE {late}")
    columns = entry.relation.stable if entry.relation is not None else ()
    row = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in columns)
    reason = "the row is below the watermark of its table"
    connection.execute(
        'INSERT INTO _vs.dead_letters (source, position, raw, reason, "at") '
        f"SELECT {literal(entry.stored.name)}, '', encode(to_json(struct_pack({row}))::VARCHAR), "
        f"{literal(reason)}, CAST(getvariable('vs_now') AS TIMESTAMPTZ) FROM {LATE}"
    )
    return count


def advance(epoch: Epoch, entry: Entry, rows: str) -> None:
    """Raise the mark by new rows, and forget what is below it."""
    connection = epoch.connection
    name, expression = declared(entry.stored.properties[EXPIRES])
    mark = mark_table(entry.oid)
    moved = connection.execute(
        f"UPDATE {mark} SET reached = m.found FROM (SELECT max({expression}) AS found FROM {rows}) "
        "m WHERE m.found > reached OR reached IS NULL AND m.found IS NOT NULL"
    )
    if moved > 0:
        connection.execute(
            f"DELETE FROM {entries.table_store(entry.oid)} "
            f"WHERE {quoted(name)} < (SELECT reached FROM {mark})"
        )
