"""Source: files that appear and grow (NDJSON, CSV) or appear whole (Parquet)."""

from __future__ import annotations

import glob
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from voltstream.connectors import whole_files
from voltstream.connectors.line_ends import csv_end
from voltstream.connectors.properties import file_encoding, includes, required
from voltstream.connectors.whole_files import compression_asked, compression_of, encoding_of
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Encoding, RawBatch, SourceFeed, Stopped
from voltstream.formats.declared import declared, truth

BATCH_BYTES = 32 * 1024 * 1024  # About one epoch of 225-byte rows. More: the next batch.
POLL_INTERVAL_S = 0.2  # How often a file that was read to its end is looked at again.
# A last line without its newline is taken after this silence. Half a JSON object is never one;
# half a CSV number is a number, and a program that buffers may write half a line and pause.
TAIL_SETTLED_S: Mapping[Encoding, float] = {"ndjson": 3.0, "csv": 30.0, "metering": 3.0}
RETRY_S = 2.0
_TORN = "~"
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """How far a file was read. Units: bytes, or rows of a Parquet file."""

    position: int
    torn: bool = False  # The last line taken had no newline: what follows it is its rest.
    size_seen: int = -1
    grown_at_s: float = 0.0

    @staticmethod
    def stored(offset: str) -> _Progress:
        return _Progress(int(offset.removesuffix(_TORN)), offset.endswith(_TORN))

    def offset(self) -> str:
        return f"{self.position}{_TORN if self.torn else ''}"


class FileSource:
    """Follows every file that matches ``path``; documents of head-ends are taken whole.

    Law: a line is taken once. One without its newline is taken when the file has been silent for
    TAIL_SETTLED_S, or at once without ``follow``; what is written behind it later is no row but a
    dead letter.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'source "{feed.source}"'
        self._pattern = required(feed.properties, "path", owner)
        self._follow = truth(feed.properties, "follow", owner) is not False
        layout = declared(feed.properties, owner)
        self._encode = layout.encode
        self._header = layout.header is not False
        self._by_document = layout.by_document
        file_encoding(layout.encode, owner)  # Refuses a wrong ENCODE now, not at the first file.
        self._names_file = bool(includes(feed.properties, ("file",), owner))
        self._compression = compression_asked(feed.properties, owner)
        self._marker = feed.properties.get("done.suffix", "")
        self._owner = owner
        self._feed = feed
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop)
        self._progress: dict[str, _Progress] = {}
        self._thread = threading.Thread(
            target=self._run, name=f"file-source-{feed.source}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._recover()
                self._read_on()
                return
            except Stopped:
                return
            except (OSError, VoltstreamError, pa.ArrowException) as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._feed.report("failed", f"{error}; trying again")
                self._stop.wait(RETRY_S)

    def _recover(self) -> None:
        self._outstanding.forget()
        stored = self._feed.offsets()
        self._progress = {path: _Progress.stored(at) for path, at in stored.items()}

    def _read_on(self) -> None:
        told = ""
        while not self._stop.is_set():
            paths = sorted(p for p in glob.glob(self._pattern, recursive=True) if os.path.isfile(p))
            if self._marker:
                paths = [p for p in paths if os.path.isfile(p + self._marker)]
            advanced = False
            for path in paths:
                advanced = self._read_file(path) or advanced
            if advanced:
                continue
            self._outstanding.settle()
            if not self._follow:
                self._feed.report("finished", f"{len(paths)} files")
                return
            detail = f"{len(paths)} files" if paths else f'no file matches "{self._pattern}" yet'
            if detail != told:
                self._feed.report("running", detail)
                told = detail
            self._stop.wait(POLL_INTERVAL_S)

    def _read_file(self, path: str) -> bool:
        """Submit what is new in a file; tell whether anything was."""
        progress = self._progress.setdefault(path, _Progress(0))
        kind = encoding_of(self._encode, self._owner, path)
        if self._by_document:
            batches = self._document(path, progress)
        elif kind == "arrow" or compression_of(path, self._compression) is not None:
            batches = self._whole_batches(path, progress, kind)
        else:
            batches = self._byte_batches(path, progress, kind)
        advanced = False
        beside = pa.table({"file": [path]}) if self._names_file else None
        for batch in batches:
            if self._stop.is_set():
                raise Stopped
            self._outstanding.submit(replace(batch, beside=beside))
            advanced = True
        return advanced

    def _whole_batches(self, path: str, progress: _Progress, kind: Encoding) -> Iterator[RawBatch]:
        """Read a file that appeared whole; one that is still written is tried again later."""
        size = os.path.getsize(path)
        if size == progress.size_seen:
            return
        with open(path, "rb") as file:
            found = whole_files.batches(
                file,
                path,
                progress.position,
                encoding=kind,
                header=self._header,
                compression=compression_of(path, self._compression),
            )
            for batch, end in found:
                progress.position = end
                yield replace(batch, offsets={path: str(end)})
        progress.size_seen = size

    def _document(self, path: str, progress: _Progress) -> Iterator[RawBatch]:
        """Read a file as one when it has settled; one that changed is read again as a whole."""
        size = os.path.getsize(path)
        if size != progress.size_seen:
            progress.size_seen, progress.grown_at_s = size, time.monotonic()
        if size == progress.position:
            return
        silent_s = time.monotonic() - progress.grown_at_s
        if silent_s < TAIL_SETTLED_S["metering"] and self._follow and not self._marker:
            return
        with open(path, "rb") as file:
            compression = compression_of(path, self._compression)
            batch = whole_files.document(file, path, compression)
        progress.position = size
        yield replace(batch, offsets={path: progress.offset()})

    def _byte_batches(self, path: str, progress: _Progress, kind: Encoding) -> Iterator[RawBatch]:
        size = os.path.getsize(path)
        if size < progress.position:  # The file was begun anew (copytruncate).
            progress.position, progress.torn = 0, False
        if size != progress.size_seen:
            progress.size_seen, progress.grown_at_s = size, time.monotonic()
        if size == progress.position:
            return
        with open(path, "rb") as file:
            header = file.readline() if kind == "csv" and self._header else b""
            if header and not header.endswith(b"\n"):
                return
            progress.position = max(progress.position, len(header))
            file.seek(progress.position)
            while chunk := file.read(BATCH_BYTES):
                end, whole = self._whole(chunk, kind, progress)
                if end == 0:
                    return
                position = f"{path}@{progress.position}"
                was_torn, progress.torn = progress.torn, not whole
                progress.position += end
                taken = memoryview(chunk)[:end]
                yield RawBatch(
                    "rest" if was_torn else kind,
                    payload=b"".join((header, taken)) if header and not was_torn else taken,
                    offsets={path: progress.offset()},
                    position=position,
                    header=bool(header),
                )
                file.seek(progress.position)

    def _whole(self, chunk: bytes, kind: Encoding, progress: _Progress) -> tuple[int, bool]:
        """Return how many bytes of a chunk to take, and whether they end where a record does."""
        if progress.torn:
            end = chunk.find(b"\n") + 1
        else:
            end = csv_end(chunk) if kind == "csv" else chunk.rfind(b"\n") + 1
        if end:
            return end, True
        if len(chunk) == BATCH_BYTES:
            return len(chunk), False  # Far past LINE_BYTES_MAX: decoding makes it a dead letter.
        silent_s = time.monotonic() - progress.grown_at_s
        settled = silent_s > TAIL_SETTLED_S[kind] or not self._follow
        return (len(chunk) if settled else 0), False
