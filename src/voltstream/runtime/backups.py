"""Backups of a running database, and the check of its chunk files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from voltstream.core.clock import Clock
from voltstream.core.errors import UndefinedFunction, VoltstreamError
from voltstream.core.ports import Outcome
from voltstream.core.schema import Column
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.epoch import Books
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.jobs import Jobs
from voltstream.runtime.results import Held
from voltstream.sql.statements import Call
from voltstream.store import backup, chunk, hypertable
from voltstream.store.backup import DATABASE_FILE, Kept, Manifest
from voltstream.store.chunk import Part
from voltstream.store.database import Connection
from voltstream.store.remote import Remote

FUNCTIONS = ("voltstream_backup", "voltstream_verify")
_STAGE = "backup"


class Backups:
    """What a session asks for; it runs beside the writer, one at a time."""

    def __init__(
        self,
        name: str,
        books: Books,
        loop: EpochLoop,
        jobs: Jobs,
        clock: Clock,
        reader: Callable[[], Connection],
    ) -> None:
        self._name = name
        self._books = books
        self._loop = loop
        self._jobs = jobs
        self._clock = clock
        self._reader = reader

    def call(self, parsed: Call) -> Outcome:
        reader = self._reader()
        try:
            if parsed.function == "voltstream_backup":
                return self._back_up(str(Arguments(parsed, reader).value("target")), reader)
            if parsed.function == "voltstream_verify":
                return self._verify(reader)
        finally:
            reader.close()
        raise UndefinedFunction(f"function {parsed.function} does not exist")

    # --- backup ---------------------------------------------------------------------------------

    def _back_up(self, target: str, reader: Connection) -> Outcome:
        """Copy the database as it is between two epochs. The writer waits for one local copy."""
        remote = Remote(target)
        with self._jobs.quiet:  # No chunk file is deleted meanwhile.
            stage = reader.folder / _STAGE
            try:
                epoch, parts = self._loop.run_chore(self._stage).result()
                kept = [backup.kept_file(path.name, path) for path in sorted(stage.iterdir())] + [
                    self._part(reader, part) for part in parts
                ]
                kept += [_shape(path) for path in _shapes(reader.folder)]
                manifest = Manifest(
                    self._name, epoch, _spelled(self._clock), tuple(one for one, _ in kept)
                )
                copied = backup.store(remote, manifest, [place for _, place in kept])
            finally:
                shutil.rmtree(stage, ignore_errors=True)
        total = sum(one.bytes for one in manifest.files)
        return _answer(
            {"epoch": [epoch], "files": [len(kept)], "bytes": [total],
             "files_copied": [copied.files], "bytes_copied": [copied.bytes]}
        )  # fmt: skip

    def _stage(self, writer: Connection) -> tuple[int, list[Part]]:
        """Copy the database file and its log while nothing is written."""
        stage = writer.folder / _STAGE
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        for name in (DATABASE_FILE, f"{DATABASE_FILE}.wal"):
            if (writer.folder / name).exists():
                shutil.copyfile(writer.folder / name, stage / name)
        return self._books.row.epoch, hypertable.parts(writer, "TRUE")

    @staticmethod
    def _part(reader: Connection, part: Part) -> tuple[Kept, Path]:
        place = chunk.folder_of(reader.folder) / part.file
        if part.tier is not None:
            place = reader.tier.local(part.file)
        return backup.kept_file(f"{chunk.FOLDER}/{part.file}", place, part.sha256)

    # --- verify ---------------------------------------------------------------------------------

    @staticmethod
    def _verify(reader: Connection) -> Outcome:
        """Compare every chunk file with what the catalog knows of it."""
        files: list[str] = []
        found: list[str] = []
        for part in hypertable.parts(reader, "TRUE"):
            files.append(part.file)
            try:
                place = chunk.folder_of(reader.folder) / part.file
                if part.tier is not None:
                    reader.tier.forget(part.file)
                    place = reader.tier.local(part.file)
                chunk.verified(place, part)
                found.append("ok")
            except VoltstreamError as fault:
                found.append(fault.message)
        return _answer({"file": files, "state": found})


def _shapes(folder: Path) -> list[Path]:
    return sorted(chunk.folder_of(folder).glob("*/shape-*.parquet"))


def _shape(path: Path) -> tuple[Kept, Path]:
    return backup.kept_file(f"{chunk.FOLDER}/{path.parent.name}/{path.name}", path)


def _spelled(clock: Clock) -> str:
    return datetime.fromtimestamp(clock.now_us() / 1_000_000, UTC).isoformat()


def _answer(columns: dict[str, list[int] | list[str]]) -> Outcome:
    kinds = {name: "BIGINT" if values and isinstance(values[0], int) else "VARCHAR"
             for name, values in columns.items()}  # fmt: skip
    arrays = {
        name: pa.array(values, pa.int64() if kinds[name] == "BIGINT" else pa.string())
        for name, values in columns.items()
    }
    schema = tuple(Column(name, kind) for name, kind in kinds.items())
    return Outcome("SELECT", rows=Held(schema, pa.table(arrays)))
