"""History as Parquet files in a directory or a bucket: a folder a table, a folder a part."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from voltstream.core.errors import HistoryDiffers, StorageFault
from voltstream.deploy.history import Fingerprint, Part, Table
from voltstream.deploy.history_copy import Step
from voltstream.deploy.history_rows import add_rows, part_fingerprint, part_rows
from voltstream.store.remote import Remote

_READ_ROWS = 65_536


def exported(
    source: psycopg.Connection, remote: Remote, table: Table, *, replace: bool
) -> Iterator[Step]:
    """Write the parts that are not there yet, and yield each when it is proved.

    Law: a part's note is written last: what has none is written anew, what has one is whole and
    was read back equal. A part whose source has changed since is told. Shape: with ``replace`` it
    is written anew, as is one whose files have changed. Raises: HistoryDiffers, StorageFault.
    """
    for part in table.parts:
        known = _note(remote, table, part)
        if known is not None:
            ours = part_fingerprint(source, table, part)
            same = (known["hash"], known["rows"]) == (ours.hash, ours.rows)
            if same and replace:
                same = _noted(remote, known) == ours
            if same or not replace:
                yield Step(table, part, "there" if same else "differs", ours.rows)
                continue
        yield Step(table, part, "copied", _export(source, remote, table, part))


def compared(source: psycopg.Connection, remote: Remote, table: Table) -> Iterator[Step]:
    """Read every part on both sides and say whether they are equal."""
    for part in table.parts:
        known = _note(remote, table, part)
        ours = part_fingerprint(source, table, part)
        if known is None:
            yield Step(table, part, "missing", ours.rows)
            continue
        same = _noted(remote, known) == ours
        yield Step(table, part, "equal" if same else "differs", ours.rows)


def _noted(remote: Remote, known: Any) -> Fingerprint | None:
    """Read the files of a note; None when one is gone or is not as it was written."""
    found = Fingerprint()
    for file in known["files"]:
        if remote.size(file["name"]) is None:
            return None
        content = remote.read(file["name"])
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            return None
        _add_file(found, content)
    return found


def _export(source: psycopg.Connection, remote: Remote, table: Table, part: Part) -> int:
    sent, arrived = Fingerprint(), Fingerprint()
    files: list[dict[str, Any]] = []
    # Files take the names of older ones, so what is killed from here on must not look whole.
    remote.delete(_note_name(table, part))
    for rows in part_rows(source, table, part):
        sink = io.BytesIO()
        pq.write_table(rows, sink, compression="zstd", store_decimal_as_integer=True)
        name, content = _file_name(table, part, len(files)), sink.getvalue()
        remote.write(name, content)
        add_rows(sent, rows)
        _add_file(arrived, remote.read(name))
        digest = hashlib.sha256(content).hexdigest()
        files.append({"name": name, "rows": rows.num_rows, "sha256": digest})
    if sent != arrived:
        raise HistoryDiffers(
            f'rows of "{table.full_name}" are not in their files as they were read: {part.shown}',
            detail=f"Read: {sent.rows} rows, hash {sent.hash}. "
            f"In files: {arrived.rows} rows, hash {arrived.hash}.",
        )
    _cut(remote, table, part, len(files))
    noted = {"relation": table.full_name, "since": part.since, "until": part.until,
             "rows": sent.rows, "hash": sent.hash, "files": files}  # fmt: skip
    remote.write(_note_name(table, part), (json.dumps(noted, indent=1) + "\n").encode())
    return sent.rows


def _file_name(table: Table, part: Part, number: int) -> str:
    return f"{table.full_name}/{part.name}/part-{number:05}.parquet"


def _cut(remote: Remote, table: Table, part: Part, kept: int) -> None:
    """Take away the files behind those kept: readers of the folder would read them too."""
    end = kept
    while remote.size(_file_name(table, part, end)) is not None:
        end += 1
    # From the last one, so that a kill leaves no gap that would hide some from the next run.
    for number in reversed(range(kept, end)):
        remote.delete(_file_name(table, part, number))


def _add_file(found: Fingerprint, content: bytes) -> None:
    for batch in pq.ParquetFile(io.BytesIO(content)).iter_batches(_READ_ROWS):
        add_rows(found, pa.Table.from_batches([batch]))


def _note_name(table: Table, part: Part) -> str:
    # Beside the folders of Parquet, so that their readers see nothing else.
    return f"_voltstream/{table.full_name}/{part.name}.json"


def _note(remote: Remote, table: Table, part: Part) -> Any:
    name = _note_name(table, part)
    if remote.size(name) is None:
        return None
    try:
        return json.loads(remote.read(name))
    except ValueError as error:
        raise StorageFault(f'cannot read "{name}" in {remote.url}: it is no JSON') from error
