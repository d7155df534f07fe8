"""The files of an optional package, installed or as a wheel, without importing it."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from voltstream.core.errors import InvalidParameter


class Files(Protocol):
    """Where files of a package are read, by their path within it."""

    def read(self, name: str) -> bytes: ...

    def names(self, folder: str) -> Iterator[str]: ...


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def names(self, folder: str) -> Iterator[str]:
        for path in sorted((self._folder / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(self._folder).as_posix()


class _Wheel:
    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()))

    def read(self, name: str) -> bytes:
        return self._archive.read(name)

    def names(self, folder: str) -> Iterator[str]:
        yield from sorted(n for n in self._archive.namelist() if n.startswith(f"{folder}/"))


def files_of(package: str, given: Path | None = None) -> Files:
    """Return a package's files: of a wheel or a folder that is given, else as installed.

    Shape: paths begin with the package's name. Raises: InvalidParameter (22023) that says what to
    install.
    """
    if given is not None:
        if given.is_file() and zipfile.is_zipfile(given):
            return _Wheel(given)
        if (given / package).is_dir():
            return _Folder(given)
        hint = f"Give a wheel of {package}, or the folder that holds {package}/."
        raise InvalidParameter(f'"{given}" holds no package {package}', hint=hint)
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InvalidParameter(
            f"the package {package} is not installed",
            hint=f"pip install --no-deps {package}",
        )
    return _Folder(Path(next(iter(found.submodule_search_locations))).parent)
