"""Packs: folders of SQL with a manifest, shipped inside the package."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import voltstream
from voltstream.core.errors import UndefinedObject

PACKS_FOLDER = Path(voltstream.__file__).parent / "packs"


@dataclass(frozen=True, slots=True)
class Panel:
    """One query worth watching."""

    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's manifest and its SQL. Shape: ``files`` are (name, text) in order of creation."""

    name: str
    title: str
    files: tuple[tuple[str, str], ...]
    panels: tuple[Panel, ...]


def load_pack(name: str) -> Pack:
    """Read a shipped pack. Raises: UndefinedObject (42704)."""
    folder = PACKS_FOLDER / name
    manifest = folder / "pack.toml"
    if not manifest.is_file():
        known = ", ".join(sorted(path.parent.name for path in PACKS_FOLDER.glob("*/pack.toml")))
        raise UndefinedObject(f'pack "{name}" does not exist', hint=f"Packs: {known}.")
    content = tomllib.loads(manifest.read_text(encoding="utf-8"))
    pack = content["pack"]
    return Pack(
        name=pack["name"],
        title=pack["title"],
        files=tuple((file, (folder / file).read_text(encoding="utf-8")) for file in pack["files"]),
        panels=tuple(Panel(one["title"], one["sql"]) for one in content.get("panel", ())),
    )
