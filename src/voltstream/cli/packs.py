"""Packs: folders of SQL with a manifest, shipped inside the package or anybody's own."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import voltstream
from voltstream.core.errors import InvalidParameter, UndefinedObject

PACKS_FOLDER = Path(voltstream.__file__).parent / "packs"
MANIFEST = "pack.toml"
PUBLIC = "public"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Panel(_Strict):
    """One query worth watching."""

    title: str
    sql: str


class Parameter(_Strict):
    """What a pack's views ask for and a user may change. Shape: ``type`` as SQL spells it."""

    type: str
    default: str | bool | int | float
    doc: str

    @property
    def default_text(self) -> str:
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)


class Seed(_Strict):
    """A CSV file whose rows a table begins with."""

    table: str
    file: str


class _Heading(_Strict):
    name: Identifier
    title: str
    version: Version
    description: str = ""
    schema_name: Identifier = Field(PUBLIC, alias="schema")
    requires: dict[Identifier, Version] = Field(default_factory=dict)
    files: tuple[str, ...] = Field(min_length=1)
    tests: tuple[str, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)


class _Manifest(_Strict):
    pack: _Heading
    parameters: dict[Identifier, Parameter] = Field(default_factory=dict)
    seed: tuple[Seed, ...] = ()
    panel: tuple[Panel, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's manifest and its SQL.

    Shape: ``files`` are (name, text) in order of creation; ``seeds`` (table, text of the CSV);
    ``tests`` (name, text); ``requires`` the least version of each other pack.
    """

    name: str
    title: str
    version: str
    description: str
    schema: str
    requires: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    files: tuple[tuple[str, str], ...]
    seeds: tuple[tuple[str, str], ...]
    tests: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]
    folder: Path

    @property
    def parameters_table(self) -> str:
        return f"{self.name}_parameters"


def find_pack(place: str) -> Pack:
    """Read the pack of a name, or of a folder: ``gas``, ``./gas``. Raises: as ``read_pack``."""
    if "/" not in place and (PACKS_FOLDER / place / MANIFEST).is_file():
        return load_pack(place)
    if (Path(place) / MANIFEST).is_file():
        return read_pack(Path(place))
    known = ", ".join(shipped_packs())
    raise UndefinedObject(
        f'pack "{place}" does not exist',
        hint=f"Packs: {known}. A pack of your own is named by its folder, which has a {MANIFEST}.",
    )


def shipped_packs() -> list[str]:
    return sorted(path.parent.name for path in PACKS_FOLDER.glob(f"*/{MANIFEST}"))


def load_pack(name: str) -> Pack:
    """Read a shipped pack. Raises: UndefinedObject (42704)."""
    if name not in shipped_packs():
        known = ", ".join(shipped_packs())
        raise UndefinedObject(f'pack "{name}" does not exist', hint=f"Packs: {known}.")
    return read_pack(PACKS_FOLDER / name)


def read_pack(folder: Path) -> Pack:
    """Read a pack with everything its manifest names. Raises: InvalidParameter (22023)."""
    try:
        manifest = _Manifest.model_validate(tomllib.loads(_text(folder / MANIFEST)))
    except tomllib.TOMLDecodeError as error:
        raise InvalidParameter(f'cannot read "{folder / MANIFEST}": {error}') from error
    except ValidationError as error:
        raise _refused(folder, error) from error
    pack = manifest.pack
    return Pack(
        name=pack.name,
        title=pack.title,
        version=pack.version,
        description=pack.description,
        schema=pack.schema_name,
        requires=pack.requires,
        parameters=manifest.parameters,
        files=tuple((name, _text(folder / name)) for name in pack.files),
        seeds=tuple((one.table, _text(folder / one.file)) for one in manifest.seed),
        tests=tuple((name, _text(folder / name)) for name in pack.tests),
        panels=manifest.panel,
        folder=folder,
    )


def seed_rows(table: str, text: str) -> tuple[list[str], list[list[str | None]]]:
    """Return the columns and rows of a seed; an empty cell is NULL. Raises: InvalidParameter."""
    lines = list(csv.reader(io.StringIO(text), strict=True))
    if not lines:
        raise InvalidParameter(f'the seed of "{table}" has no line that names its columns')
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(lines[0]):
            raise InvalidParameter(
                f'line {number} of the seed of "{table}" has {len(line)} cells,'
                f" its heading {len(lines[0])}"
            )
    return lines[0], [[cell or None for cell in line] for line in lines[1:]]


def version_of(text: str) -> tuple[int, ...]:
    """Return a version as something to compare."""
    return tuple(int(part) for part in text.split("."))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameter(f'cannot read "{file}": {error}') from error


def _refused(folder: Path, error: ValidationError) -> InvalidParameter:
    said: list[dict[str, Any]] = [dict(one) for one in error.errors()]
    lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in said]
    return InvalidParameter(
        f'"{folder / MANIFEST}" is not the manifest of a pack', detail="\n".join(lines)
    )
