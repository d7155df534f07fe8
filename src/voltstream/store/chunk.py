"""Chunk files: written aside, made durable, checked, and swept when nothing names them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from voltstream.core.errors import StorageFault

FOLDER = "chunks"
_SHAPE = "shape-"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a chunk.

    Shape: ``file`` is its path below the chunk folder, ``shape`` the types it has (columnstore),
    ``low`` and ``high`` the least and greatest time in it, in the hypertable's units. ``tier`` is
    where it went, None on the local disk.
    """

    id: int
    oid: int
    chunk: int
    file: str
    rows: int
    bytes: int
    bytes_before: int
    sha256: str
    low: int
    high: int
    shape: str
    stats: str
    tier: str | None = None


def folder_of(folder: Path) -> Path:
    return folder / FOLDER


def file_name(oid: int, part: str) -> str:
    return f"{oid}/{part}.parquet"


def durable(path: Path) -> None:
    """Wait until a new file and its name are on disk."""
    for place in (path, path.parent, path.parent.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified(path: Path, part: Part) -> None:
    """Raises: StorageFault when a file is gone or is not what was written."""
    if not path.exists():
        raise StorageFault(f'chunk file "{part.file}" is missing', hint="Restore it from a backup.")
    if path.stat().st_size != part.bytes or digest(path) != part.sha256:
        raise StorageFault(
            f'chunk file "{part.file}" is damaged: its checksum differs',
            hint="Restore it from a backup.",
        )


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            path.unlink()


def orphans(root: Path, known: Iterable[str]) -> Iterator[Path]:
    """Yield the files below a folder that no part names: a crash came before their commit."""
    kept = set(known)
    for path in sorted(root.glob("*/*")):
        if path.name.startswith(_SHAPE):
            continue
        if path.is_file() and path.relative_to(root).as_posix() not in kept:
            yield path


def shape_file(oid: int, shape: str) -> str:
    """Return the name of the empty file that tells the columns of files that are elsewhere."""
    return f"{oid}/{_SHAPE}{hashlib.sha256(shape.encode()).hexdigest()[:12]}.parquet"
