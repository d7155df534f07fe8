"""What could not be taken in or sent: tried again, or forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from voltstream.core.errors import FeatureNotSupported, WrongObjectType
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX, DEAD_LETTERS_REPLAYED_MAX
from voltstream.core.ports import Encoding, Outcome, RawBatch, SchemaSet
from voltstream.formats.declared import Encode
from voltstream.runtime.absorb import absorb
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.ingest import Decoder, decoded_rows, layout
from voltstream.runtime.results import told_number
from voltstream.runtime.schemas import SchemaStores
from voltstream.sql.statements import Call, CreateTable
from voltstream.store.database import Connection, literal

REPLAY = "replay_dead_letters"
_ENCODINGS: Mapping[Encode, Encoding] = {
    "json": "json",
    "csv": "csv",
    "bytes": "bytes",
    "avro": "framed",
    "protobuf": "framed",
}


def schemas_of_letters(
    catalog: Catalog, connection: Connection, stores: SchemaStores, call: Call
) -> SchemaSet | None:
    """Ask for the schemas that the letters of a replay name. Blocks: not for the writer.

    Raises: RegistryUnavailable (08006); nothing is replayed then.
    """
    given = Arguments(call, connection)
    entry = catalog.require(given.relation("relation"))
    if entry.kind == "sink":
        return None
    return stores.of_records(entry, [bytes(row[1]) for row in _letters(connection, entry, given)])


def _letters(connection: Connection, entry: Entry, given: Arguments) -> list[tuple[Any, ...]]:
    return connection.rows(
        f"SELECT id, raw FROM _vs.dead_letters WHERE {_chosen(entry, given)} "
        f"AND octet_length(raw) < {DEAD_LETTER_BYTES_MAX} ORDER BY id "
        f"LIMIT {DEAD_LETTERS_REPLAYED_MAX}"
    )


def replay(epoch: Epoch, call: Call, schemas: SchemaSet | None) -> Outcome:
    """Take the records of a source in again, or send a sink's again. Returns how many.

    Law: rows, letters that stay unreadable and the end of the old ones are one epoch.
    """
    given = Arguments(call, epoch.connection)
    entry = epoch.catalog.require(given.relation("relation"))
    found = _letters(epoch.connection, entry, given)
    ids = [int(row[0]) for row in found]
    if not ids:
        return told_number(REPLAY, 0)
    if entry.kind == "sink":
        listed = ", ".join(map(str, ids))
        epoch.post(
            entry.oid,
            "SELECT NULL AS key, decode(raw) AS value FROM _vs.dead_letters "
            f"WHERE id IN ({listed}) ORDER BY id",
        )
    else:
        _take_in(epoch, entry, [bytes(row[1]) for row in found], schemas)
    _forget(epoch, ids)
    return told_number(REPLAY, len(ids))


def drop(epoch: Epoch, given: Arguments) -> Outcome:
    """Forget dead letters. Returns how many."""
    entry = epoch.catalog.require(given.relation("relation"))
    gone = epoch.connection.execute(f"DELETE FROM _vs.dead_letters WHERE {_chosen(entry, given)}")
    return told_number("drop_dead_letters", max(gone, 0))


def _chosen(entry: Entry, given: Arguments) -> str:
    condition = f"source = {literal(entry.stored.name)}"
    number = given.value("id")
    return condition if number is None else f"{condition} AND id = {int(number)}"


def _take_in(epoch: Epoch, entry: Entry, records: list[bytes], schemas: SchemaSet | None) -> None:
    if entry.kind != "source" and not isinstance(entry.parsed, CreateTable):
        raise WrongObjectType(
            f'"{entry.stored.name}" is neither a source nor a sink',
            hint="A view's letters tell of rows it has: correct those, then drop the letters.",
        )
    read = layout(entry)
    encoding = _ENCODINGS.get(read.encode)
    described = read.form == "pgoutput" or (read.encode == "csv" and read.header)
    if encoding is None or described:
        raise FeatureNotSupported(
            f'dead letters of "{entry.stored.name}" do not say what their fields are',
            hint="Send the corrected records again, then drop the letters.",
        )
    decoder = Decoder()
    try:
        batch = RawBatch(
            encoding, records=records, position="replayed", header=False, schemas=schemas
        )
        absorb(epoch, decoded_rows(entry, [batch], decoder, epoch.row.now_us))
    finally:
        decoder.close()


def _forget(epoch: Epoch, ids: list[int]) -> None:
    listed = ", ".join(map(str, ids))
    epoch.connection.execute(f"DELETE FROM _vs.dead_letters WHERE id IN ({listed})")


FUNCTIONS: Mapping[str, Callable[[Epoch, Arguments], Outcome]] = {
    "drop_dead_letters": drop,
}
