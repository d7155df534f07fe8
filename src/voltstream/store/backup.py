"""Backups: the files of a database under the names of their content, and a list of them.

Shape: ``<database>/files/<sha256>`` are files, each there once however many backups have it;
``<database>/backups/<epoch>.json`` lists those of one; ``<database>/latest`` names the last.
A list is written after all it names, so a backup that was cut off is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from voltstream.core.errors import InvalidParameter, StorageFault, VoltstreamError
from voltstream.store.chunk import digest, durable
from voltstream.store.faults import translated
from voltstream.store.remote import Remote

_FORMAT = 1
_SAFE_PATH = re.compile(r"(volt\.duckdb(\.wal)?|chunks/\d+/[\w.-]+\.parquet)")
DATABASE_FILE = "volt.duckdb"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup; ``path`` is where it belongs below the database's folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    database: str
    epoch: int
    created: str
    files: tuple[Kept, ...]

    def text(self) -> str:
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup had to copy, and what was there already."""

    manifest: Manifest
    files: int
    bytes: int


def kept_file(path: str, place: Path, sha256: str | None = None) -> tuple[Kept, Path]:
    return Kept(path, place.stat().st_size, sha256 or digest(place)), place


def store(remote: Remote, manifest: Manifest, places: Sequence[Path]) -> Copied:
    """Copy what the store does not have yet, then the list. Raises: StorageFault."""
    files = size = 0
    for kept, place in zip(manifest.files, places, strict=True):
        key = _key(manifest.database, kept.sha256)
        if remote.size(key) != kept.bytes:
            remote.put(key, place)
            files += 1
            size += kept.bytes
    remote.write(f"{manifest.database}/backups/{manifest.epoch}.json", manifest.text().encode())
    remote.write(f"{manifest.database}/latest", str(manifest.epoch).encode())
    return Copied(manifest, files, size)


def _key(database: str, sha256: str) -> str:
    return f"{database}/files/{sha256}"


def read(remote: Remote, database: str, epoch: int | None) -> Manifest:
    """Return a backup's list, the last one's by default. Raises: StorageFault."""
    number = epoch if epoch is not None else int(remote.read(f"{database}/latest"))
    try:
        found: dict[str, Any] = json.loads(remote.read(f"{database}/backups/{number}.json"))
        files = tuple(Kept(**one) for one in found["files"])
        manifest = Manifest(found["database"], found["epoch"], found["created"], files)
    except (ValueError, KeyError, TypeError) as error:
        raise StorageFault(f"the list of backup {number} in {remote.url} is damaged") from error
    if found.get("format") != _FORMAT or not all(_SAFE_PATH.fullmatch(one.path) for one in files):
        raise StorageFault(
            f"the list of backup {number} in {remote.url} is not one of this version"
        )
    return manifest


def restore(remote: Remote, manifest: Manifest, folder: Path) -> None:
    """Lay the files of a backup out as a database. Raises: InvalidParameter when there is one."""
    if (folder / DATABASE_FILE).exists():
        raise InvalidParameter(
            f'there is a database in "{folder}" already', hint="Restore into another directory."
        )
    # The file that makes it a database comes last: what was cut off is none.
    order = sorted(manifest.files, key=lambda one: one.path == DATABASE_FILE)
    for kept in order:
        path = folder / kept.path
        partial = path.with_name(f"{path.name}.restoring")
        remote.fetch(_key(manifest.database, kept.sha256), partial)
        if digest(partial) != kept.sha256:
            partial.unlink()
            raise StorageFault(f'"{kept.path}" in {remote.url} is damaged: its checksum differs')
        partial.replace(path)
        durable(path)
    _untier(folder / DATABASE_FILE)


def _untier(path: Path) -> None:
    """Let every chunk file be local: a backup has those of tiers too."""
    with translated(), duckdb.connect(str(path)) as opened:
        opened.execute("UPDATE _vs.parts SET tier = NULL")
        opened.execute("DELETE FROM _vs.garbage")
        opened.execute("CHECKPOINT")


def problems(remote: Remote, manifest: Manifest, scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of a backup with what is wrong with it, or ''."""
    for kept in manifest.files:
        try:
            remote.fetch(_key(manifest.database, kept.sha256), scratch)
            wrong = "" if digest(scratch) == kept.sha256 else "its checksum differs"
        except VoltstreamError as fault:
            wrong = fault.message
        yield kept.path, wrong
    scratch.unlink(missing_ok=True)
