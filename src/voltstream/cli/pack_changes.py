"""What an upgrade of a pack has to do: its statements as installed beside those of now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voltstream.cli.pack_install import Step, parsed_file, place_of
from voltstream.cli.packs import Pack
from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.signature import signature
from voltstream.sql.statements import (
    Comment,
    CreateConnection,
    CreateFunction,
    CreateIndex,
    CreateSchema,
    CreateSecret,
    CreateSink,
    CreateSource,
    CreateSubscription,
    CreateTable,
    CreateView,
    Parsed,
)

Key = tuple[str, ...]
_Named = (
    CreateTable
    | CreateSource
    | CreateSink
    | CreateIndex
    | CreateSubscription
    | CreateSecret
    | CreateConnection
)
_DEFINITIONS: dict[type[Parsed], str] = {
    CreateTable: "table", CreateSource: "source", CreateSink: "sink", CreateIndex: "index",
    CreateSubscription: "subscription", CreateFunction: "function", CreateSecret: "secret",
    CreateConnection: "connection", CreateSchema: "schema",
}  # fmt: skip


class NotUpgradable(FeatureNotSupported):
    """A pack changed in what an upgrade cannot change without losing rows."""

    sqlstate = "0A000"


@dataclass(frozen=True, slots=True)
class Written:
    """One statement of a pack, what it defines, and where it stands."""

    parsed: Parsed
    key: Key
    where: str

    @property
    def is_view(self) -> bool:
        return self.key[0] == "view"

    @property
    def step(self) -> Step:
        return Step(self.parsed.text, self.where)


@dataclass(slots=True)
class Changes:
    """The difference. Shape: ``changed``, ``gone``: names of views; ``kept``: what stays."""

    old: dict[Key, Written]
    new: list[Written]
    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)
    fresh: set[Key] = field(default_factory=set)

    def views(self) -> list[tuple[str, CreateView]]:
        """Return every view that was installed, in order, with its place."""
        return [
            (one.where, one.parsed)
            for one in self.old.values()
            if isinstance(one.parsed, CreateView)
        ]


def written(files: Sequence[tuple[str, str]]) -> list[Written]:
    """Read every statement of a pack. Raises: SyntaxFault with the file's name."""
    return [
        Written(parsed, _key(parsed), place_of(name, text, parsed))
        for name, text in files
        for parsed in parsed_file(name, text)
    ]


def changes(pack: Pack, before: Sequence[tuple[str, str]]) -> Changes:
    """Compare the files of a pack with those that were installed.

    Raises: NotUpgradable (0A000) with every statement that stands in the way.
    """
    installed, now = written(before), written(pack.files)
    found = Changes({one.key: one for one in installed}, now)
    here = {one.key: one for one in now}
    _refuse(pack, installed, now, here)
    for key, one in here.items():
        if key not in found.old:
            found.fresh.add(key)
        elif signature(found.old[key].parsed.text) != signature(one.parsed.text):
            if one.is_view:
                found.changed.add(key[1])
            else:  # A comment: _refuse() lets nothing else pass.
                found.fresh.add(key)
    for key in found.old.keys() - here.keys():
        if key[0] == "view":
            found.gone.add(key[1])
        elif key[0] in _DEFINITIONS.values():
            found.kept.append(" ".join(key[:2]))
    return found


def _refuse(
    pack: Pack, installed: list[Written], now: list[Written], here: Mapping[Key, Written]
) -> None:
    words = set(_DEFINITIONS.values())
    faults = [
        f"{one.key[0]} {one.key[1]}: its definition changed"
        for one in installed
        if one.key[0] in words
        and one.key in here
        and signature(one.parsed.text) != signature(here[one.key].parsed.text)
    ]
    ran = Counter(one.key for one in installed if one.key[0] == "run")
    ran.subtract(one.key for one in now)
    faults += [
        f"{one.where}: a statement that has run was changed or taken away"
        for one in installed
        if ran[one.key] > 0
    ]
    if faults:
        raise NotUpgradable(
            f'cannot upgrade pack "{pack.name}"',
            detail="\n".join(dict.fromkeys(faults)),
            hint="Leave what was installed as it was, and write the change behind it:"
            " ALTER TABLE, ALTER SOURCE, or an object of another name.",
        )


def _key(parsed: Parsed) -> Key:
    """Return what a statement defines; one that defines nothing is known by its own words."""
    if isinstance(parsed, CreateView):
        return ("view", parsed.name.name)
    if isinstance(parsed, Comment):
        return ("comment", parsed.name.name, parsed.kind, parsed.column or "")
    if isinstance(parsed, CreateSchema):
        return ("schema", parsed.name)
    if isinstance(parsed, CreateFunction):
        return ("function", parsed.name.name, *(kind for _, kind in parsed.parameters))
    if isinstance(parsed, _Named):
        return (_DEFINITIONS[type(parsed)], parsed.name.name)
    return ("run", *signature(parsed.text))
