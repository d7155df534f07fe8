"""A fleet's messages as NDJSON files, cut into slices; ``feed_maker`` makes them."""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

SLICE_ROWS = 122_880  # Meter rows of one slice: a DuckDB row group.
SOURCES = ("boots", "heartbeats", "session_events", "meter_readings")


@dataclass(frozen=True)
class Feed:
    """A folder with one NDJSON file per source, cut into slices of ``SLICE_ROWS`` meter rows."""

    folder: Path
    rows: int  # Meter rows.
    start_us: int
    end_us: int  # When the last row arrived.
    slices: list[dict[str, tuple[int, int]]]  # Per slice and source, the bytes from, to.
    slice_end_us: list[int]

    def path(self, source: str) -> Path:
        return self.folder / f"{source}.ndjson"


class FeedReader:
    """The files of a feed, mapped: a slice lies where the system keeps it, and nobody copies it."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._mapped = {source: _mapped(feed.path(source)) for source in SOURCES}

    def read(self, number: int, source: str) -> memoryview:
        first, last = self._feed.slices[number][source]
        mapped = self._mapped[source]
        if done := first - first % mmap.PAGESIZE:
            # What was read does not count as memory of its reader; touched again, it comes again.
            mapped.madvise(mmap.MADV_DONTNEED, 0, done)
        return memoryview(mapped)[first:last]


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def cache_folder() -> Path:
    """Return where what is made once is kept: outside the repository."""
    base = os.environ.get("VOLTSTREAM_BENCH_CACHE") or Path.home() / ".cache" / "voltstream-bench"
    folder = Path(base)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load_feed(folder: Path) -> Feed:
    """Read what a feed's folder holds."""
    noted = json.loads((folder / "feed.json").read_text())
    slices = [{name: (span[0], span[1]) for name, span in each.items()} for each in noted["slices"]]
    return Feed(
        folder, noted["rows"], noted["start_us"], noted["end_us"], slices, noted["slice_end_us"]
    )
