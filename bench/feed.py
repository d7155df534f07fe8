"""A fleet's messages as NDJSON files, cut into slices; ``feed_maker`` makes them."""

from __future__ import annotations

import json
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
    """The files of a feed, held open; a slice is read when it is asked for."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._open = {source: os.open(feed.path(source), os.O_RDONLY) for source in SOURCES}

    def read(self, number: int, source: str) -> bytes:
        first, last = self._feed.slices[number][source]
        return os.pread(self._open[source], last - first, first) if last > first else b""


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
