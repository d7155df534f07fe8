"""Sink target: new files in a bucket or a directory, each record in them once."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from voltstream.connectors.object_places import Place, place_of
from voltstream.connectors.properties import choice, count, seconds
from voltstream.core.errors import FeatureNotSupported, StorageFault
from voltstream.core.limits import SINK_FILE_BYTES_MAX, SINK_FILE_ROWS_MAX
from voltstream.core.ports import Rolling, SinkRecord, SinkRefused, SinkShape, SinkUnavailable
from voltstream.formats.rows_out import arrow_rows, csv_rows

_ENDINGS = {"PARQUET": "parquet", "JSON": "ndjson", "CSV": "csv"}
_COMPRESSED = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_Place = tuple[int, int]  # (epoch, ordinal)


class ObjectSink:
    """Writes a file for each batch, whole.

    Law: a file is named for the place of its last record, so who comes back from a crash finds
    by the names which records are there; a record is in one file.
    """

    def __init__(self, name: str, properties: Mapping[str, str], shape: SinkShape) -> None:
        owner = f'sink "{name}"'
        self._columns = shape.columns
        self._encode = shape.encode
        if self._encode not in _ENDINGS:
            hint = "Write ENCODE PARQUET, JSON or CSV."
            raise FeatureNotSupported(f"{owner} cannot write ENCODE {self._encode}", hint=hint)
        if shape.form != "PLAIN" and self._encode != "JSON":
            hint = "Write FORMAT PLAIN, or ENCODE JSON."
            message = f"{owner} cannot write FORMAT {shape.form} ENCODE {self._encode}"
            raise FeatureNotSupported(message, hint=hint)
        self._place: Place = place_of(properties, owner)
        self._folder = _folder(properties)
        compressions = tuple(_COMPRESSED) if self._encode != "PARQUET" else ("none",)
        self._compression = choice(properties, "compression", compressions, owner)
        identity = properties.get("sink.identity", name)[:12]
        ending = _ENDINGS[self._encode] + _COMPRESSED[self._compression]
        self._suffix = f"-{identity}.{ending}"
        self._bytes_max = count(properties, "max_file_bytes", SINK_FILE_BYTES_MAX, owner)
        self.rolling = Rolling(
            count(properties, "max_row_count", SINK_FILE_ROWS_MAX, owner),
            seconds(properties, "rollover_seconds", "10", owner),
        )
        self._known = False
        self._delivered: _Place = (-1, -1)

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        refused: list[tuple[SinkRecord, str]] = []
        try:
            if not self._known:
                self._delivered = self._found(records[0])
                self._known = True
            news = [one for one in records if (one.epoch, one.ordinal) > self._delivered]
            for part in _parts(news, self._bytes_max):
                content, faults = self._content(part)
                refused += faults
                self._place.put(self._name(part[-1]), content)
                self._delivered = (part[-1].epoch, part[-1].ordinal)
        except StorageFault as error:
            self._known = False  # Written or not: the names tell.
            raise SinkUnavailable(error.message) from error
        if refused:
            raise SinkRefused(refused)

    def interrupt(self) -> None:
        return  # A request ends by its own limits.

    def close(self) -> None:
        return

    def _name(self, last: SinkRecord) -> str:
        return f"{self._folder}{last.epoch:020d}-{last.ordinal:010d}{self._suffix}"

    def _found(self, first: SinkRecord) -> _Place:
        """Return the place of the last record that is in a file, if any from ``first`` on is."""
        after = f"{self._folder}{first.epoch:020d}-{first.ordinal:010d}"
        found = (-1, -1)
        for name in self._place.names(self._folder, after):
            bare = name[len(self._folder) :]
            if name.endswith(self._suffix) and "/" not in bare:
                epoch, _, ordinal = bare.removesuffix(self._suffix).partition("-")
                found = max(found, (int(epoch), int(ordinal)))
        return found

    def _content(self, part: Sequence[SinkRecord]) -> tuple[bytes, list[tuple[SinkRecord, str]]]:
        faults: list[tuple[SinkRecord, str]] = []
        if self._encode == "JSON":
            content = b"".join(_line(record) for record in part)
        else:
            documents = [record.value for record in part if record.value is not None]
            if self._encode == "CSV":
                content = csv_rows(self._columns, documents)
            else:
                table, bad = arrow_rows(self._columns, documents)
                faults = [(part[at], reason) for at, reason in bad]
                content = _parquet(table)
        if self._compression == "gzip":
            content = gzip.compress(content, mtime=0)
        elif self._compression == "zstd":
            compressed: Any = pa.compress(content, "zstd", asbytes=True)
            content = compressed
        return content, faults


def _folder(properties: Mapping[str, str]) -> str:
    kind = properties["connector"].strip().lower()
    within = "" if kind in ("fs", "posix_fs") else properties.get(f"{kind}.path", "")
    folder = properties.get("path", within).strip("/")
    return f"{folder}/" if folder else ""


def _parts(records: Sequence[SinkRecord], bytes_max: int) -> Iterator[Sequence[SinkRecord]]:
    """Cut records where a file of them would grow too large."""
    first = size = 0
    for at, record in enumerate(records):
        more = len(record.value or b"")
        if size and size + more > bytes_max:
            yield records[first:at]
            first, size = at, 0
        size += more
    if first < len(records):
        yield records[first:]


def _line(record: SinkRecord) -> bytes:
    if record.value is None:
        return b'{"deleted": ' + (record.key or b"null") + b"}\n"
    return record.value + b"\n"


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
