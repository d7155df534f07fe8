"""Source: files of a bucket or a directory that appear whole, each taken once."""

from __future__ import annotations

import fnmatch
import logging
import threading
from dataclasses import replace

import pyarrow as pa

from voltstream.connectors.object_places import place_of
from voltstream.connectors.properties import includes, seconds
from voltstream.connectors.whole_files import (
    batches,
    compression_asked,
    compression_of,
    encoding_of,
)
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import StorageFault, VoltstreamError
from voltstream.core.ports import RawBatch, SourceFeed, Stopped
from voltstream.formats.declared import declared, truth

RETRY_S_MIN, RETRY_S_MAX = 1.0, 60.0
_DONE = "."
_WILD = "*?["
_LOG = logging.getLogger(__name__)


class ObjectSource:
    """Takes every file whose name matches, in the order of the names.

    Law: a file is taken once, whatever it becomes later; a restart goes on within it. With
    ``done.suffix`` a file is taken when its marker is there.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'source "{feed.source}"'
        given = feed.properties
        self._feed = feed
        self._owner = owner
        self._place = place_of(given, owner)
        self._pattern = given.get("match_pattern", "*").lstrip("/")
        self._prefix = _literal(self._pattern)
        self._marker = given.get("done.suffix", "")
        self._follow = truth(given, "follow", owner) is not False
        self._poll_s = seconds(given, "refresh.interval.sec", "10", owner)
        self._compression = compression_asked(given, owner)
        layout = declared(given, owner)
        self._encode = layout.encode
        self._header = layout.header is not False
        self._by_document = layout.by_document
        encoding_of(layout.encode, owner, "")  # Refuses a wrong ENCODE now, not at the first file.
        self._names_file = bool(includes(given, ("file",), owner))
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop)
        self._progress: dict[str, str] = {}
        self._thread = threading.Thread(
            target=self._run, name=f"object-source-{feed.source}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while not self._stop.is_set():
            try:
                self._outstanding.forget()
                self._progress = dict(self._feed.offsets())
                while True:
                    self._poll()
                    retry_s = RETRY_S_MIN
                    if not self._follow:
                        self._feed.report("finished", f"{len(self._progress)} files")
                        return
                    self._feed.report("running", f"{len(self._progress)} files")
                    if self._stop.wait(self._poll_s):
                        return
            except Stopped:
                return
            except VoltstreamError as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._feed.report("disconnected", f"{error}; trying again")
            self._stop.wait(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    def _poll(self) -> None:
        found = set(self._place.names(self._prefix))
        for name in sorted(found):
            if self._progress.get(name, "").endswith(_DONE):
                continue
            if not fnmatch.fnmatchcase(name, self._pattern):
                continue
            if self._marker and (name.endswith(self._marker) or name + self._marker not in found):
                continue
            try:
                self._take(name)
            except (pa.ArrowException, OSError) as error:  # Not what its name says it is.
                raise StorageFault(f'cannot read "{name}": {error}') from error
        self._outstanding.settle()

    def _take(self, name: str) -> None:
        beside = pa.table({"file": [name]}) if self._names_file else None
        held: RawBatch | None = None  # The last batch also says that the file is done.
        end = int(self._progress.get(name, "0"))
        with self._place.opened(name) as file:
            for batch, reached in batches(
                file,
                name,
                end,
                encoding=encoding_of(self._encode, self._owner, name),
                header=self._header,
                compression=compression_of(name, self._compression),
                by_document=self._by_document,
            ):
                if held is not None:
                    self._outstanding.submit(held)
                end = reached
                held = replace(batch, beside=beside, offsets={name: str(end)})
        done = f"{end}{_DONE}"
        nothing = RawBatch("ndjson", position=name)
        self._outstanding.submit(replace(held or nothing, offsets={name: done}))
        self._progress[name] = done


def _literal(pattern: str) -> str:
    """Return what every name that matches begins with."""
    ends = [at for at, letter in enumerate(pattern) if letter in _WILD]
    return pattern[: ends[0]] if ends else pattern
