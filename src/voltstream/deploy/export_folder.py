"""A folder of exported files, written again only where nobody else has written.

Law: a folder is changed as a whole or not at all for what is in it; what an export was stopped
amid is finished by the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from voltstream.core.errors import InvalidParameter

LIST = "voltstream-export.json"
# What dbt and its users keep beside the project.
_BESIDE = frozenset((
    "target", "logs", "dbt_packages", "profiles.yml", ".user.yml", "packages.yml",
    "package-lock.yml", ".git", ".gitignore",
))  # fmt: skip
_NAMED_MAX = 5


def write_folder(folder: Path, files: Mapping[str, str]) -> int:
    """Write files and take away those of the last export; return how many have changed.

    Raises: InvalidParameter (22023) when the folder has files of others, or edited ones.
    """
    try:
        return _written(folder, files)
    except OSError as error:
        raise InvalidParameter(f'cannot write to "{folder}": {error}') from error


def _written(folder: Path, files: Mapping[str, str]) -> int:
    wanted = {path: text.encode() for path, text in files.items()}
    listed = _listed(folder)
    found = {path: (folder / path).read_bytes() for path in _files(folder)}
    foreign = sorted(
        path
        for path, held in found.items()
        if held != wanted.get(path) and _digest(held) != listed.get(path)
    )
    if foreign:
        named = ", ".join(foreign[:_NAMED_MAX]) + (", …" if foreign[_NAMED_MAX:] else "")
        raise InvalidParameter(
            f'"{folder}" has files that are not as an export wrote them: {named}',
            hint="Name another folder with --out, or move these files away.",
        )
    stale = [path for path in found if path not in wanted]
    changed = [path for path, data in wanted.items() if found.get(path) != data]
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(wanted[path])
    for path in stale:
        (folder / path).unlink()
    listing = {path: _digest(data) for path, data in sorted(wanted.items())}
    (folder / LIST).write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    return len(changed) + len(stale)


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if place.parts[0] not in _BESIDE and place.as_posix() != LIST and not path.is_dir():
            yield place.as_posix()


def _listed(folder: Path) -> dict[str, str]:
    """Return what the last export wrote: digests by path."""
    try:
        held = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise InvalidParameter(
            f'"{folder / LIST}" is not the list of an export',
            hint="Name another folder with --out.",
        )
    return held


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
