"""Chunk files in a remote store, as a file system that DuckDB reads: fetched whole, and kept.

Shape: ``tiered://12/3-ab.parquet`` is the file ``12/3-ab.parquet`` of this database's tier.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from voltstream.core.errors import StorageFault, VoltstreamError
from voltstream.store.remote import Remote

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # A chunk file never changes.
log = logging.getLogger(__name__)


class _Handle(io.FileIO):
    """A file that DuckDB lets go of without closing it, and reads with several threads at once.

    Law: a thread that seeks and then reads gets what lies there, whatever others do meanwhile.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._place = threading.local()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self.tell()
        elif whence == os.SEEK_END:
            offset += os.fstat(self.fileno()).st_size
        self._place.at = offset
        return offset

    def tell(self) -> int:
        return int(getattr(self._place, "at", 0))

    def read(self, size: int | None = -1, /) -> bytes:
        at = self.tell()
        if size is None or size < 0:
            size = max(0, os.fstat(self.fileno()).st_size - at)
        found = os.pread(self.fileno(), size, at)
        self._place.at = at + len(found)
        return found

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        found = self.read(len(view))
        view[: len(found)] = found
        return len(found)

    def __del__(self) -> None:
        self.close()


class TieredFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types.
    """The files of a tier, through a bounded folder of copies. Safe from any thread."""

    protocol = "tiered"
    cachable = False

    def __init__(self, remote: Remote | None, cache: Path, bytes_max: int) -> None:
        super().__init__()
        self._remote = remote
        self._cache = cache
        self._bytes_max = bytes_max
        self._lock = threading.Lock()

    # --- what the engine asks -------------------------------------------------------------------

    @property
    def remote(self) -> Remote:
        """Raises: StorageFault when the server was given no tier."""
        if self._remote is None:
            raise StorageFault(
                "there is no tier to read or write chunk files",
                hint="Start the server with --set tier=DIRECTORY or tier=s3://bucket/prefix.",
            )
        return self._remote

    @property
    def exists_somewhere(self) -> bool:
        return self._remote is not None

    def local(self, file: str) -> Path:
        """Return a copy on the local disk, fetched if it is not there. Raises: StorageFault."""
        path = self._cache / file
        with self._lock:
            if not path.exists():
                self.remote.fetch(file, path)
                self._make_room(path)
            path.touch()
        return path

    def _make_room(self, newest: Path) -> None:
        """Let the copies that were read longest ago go."""
        found = [(one.stat().st_mtime_ns, one.stat().st_size, one) for one in self._copies()]
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found, key=lambda one: one[0]):
            if total <= self._bytes_max:
                return
            if path != newest:
                path.unlink(missing_ok=True)  # Who has it open reads on.
                total -= size

    def _copies(self) -> list[Path]:
        return [path for path in self._cache.glob("*/*.parquet") if path.is_file()]

    def forget(self, file: str) -> None:
        (self._cache / file).unlink(missing_ok=True)

    # --- what DuckDB asks -----------------------------------------------------------------------

    def _file(self, path: str) -> str:
        return str(self._strip_protocol(path)).lstrip("/")

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": self._here(path).stat().st_size, "type": "file"}

    def _here(self, path: str) -> Path:
        try:
            return self.local(self._file(path))
        except VoltstreamError as fault:
            log.warning("%s", fault.message)
            # Its SQLSTATE travels in the text, as that of a function of our own.
            raise OSError(f"NativeFault: [{fault.sqlstate}] {fault.message}") from fault

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path]

    def exists(self, path: str, **_: Any) -> bool:
        with suppress(OSError):
            return self._here(path).exists()
        return False

    def isfile(self, path: str) -> bool:
        del path
        return True

    def modified(self, path: str) -> datetime:
        del path
        return _ALWAYS

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.FileIO:
        del mode
        return _Handle(self._here(path))
