"""An upgrade: what changed of an installed pack, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from voltstream.cli.pack_changes import Changes, NotUpgradable, Written, changes
from voltstream.cli.pack_doors import Door
from voltstream.cli.pack_install import (
    RECORDS,
    Step,
    installed_packs,
    literal,
    name_of,
    parameter_column,
    parameters_made,
    recorded_files,
    recorded_panels,
    required_schemas,
    run,
    scoped,
    seeding,
)
from voltstream.cli.packs import MANIFEST, Pack, version_of
from voltstream.core.errors import UndefinedObject
from voltstream.sql.statements import CreateIndex

_PARAMETER, _SEED = "parameter ", "seed "


def upgrade(door: Door, pack: Pack) -> list[str]:
    """Apply what changed since a pack was installed; return what was done, a line each.

    Law: the relations are then those of a fresh installation; tables and sources keep their rows,
    and a view that changed is made anew with those of the pack that read it.

    Raises: UndefinedObject (42704), NotUpgradable (0A000) and what its statements raise.
    """
    known = installed_packs(door)
    if pack.name not in known:
        raise UndefinedObject(
            f'pack "{pack.name}" is not installed',
            hint=f"Before it: voltstream pack install {pack.name}",
        )
    there = known[pack.name]
    if version_of(pack.version) < version_of(there.version):
        raise NotUpgradable(
            f'pack "{pack.name}" is installed in version {there.version}, newer than {pack.version}'
        )
    if pack.schema != there.schema:
        raise NotUpgradable(
            f'pack "{pack.name}" is in schema "{there.schema}" and cannot move to "{pack.schema}"'
        )
    schemas = required_schemas(pack, known)
    files = _recorded(door, pack)
    found = changes(
        pack, [one for one in files.items() if not one[0].startswith((_PARAMETER, _SEED))]
    )
    anew = _made_anew(door, pack, found)
    before = {
        name.removeprefix(_PARAMETER): tuple(text.split("\n", 2))
        for name, text in files.items()
        if name.startswith(_PARAMETER)
    }
    seeds = {
        name.removeprefix(_SEED): text for name, text in files.items() if name.startswith(_SEED)
    }
    seeded = seeding(pack, seeds)
    steps = [*scoped(pack, schemas), *_parameters_before(pack, before)]
    steps += [*_dropped(found, anew), *_made(found, anew), *seeded]
    steps += [
        Step(f"ALTER TABLE {_table(pack)} DROP COLUMN {name_of(name)}", MANIFEST)
        for name in before
        if name not in pack.parameters
    ]
    run(door, [*_records(), *steps, *_recorded_anew(pack), *recorded_panels(pack, schemas)])
    return [*_told(found, anew), *(f"rows added from {one.where}" for one in seeded)]


def _records() -> list[Step]:
    """Return what makes the tables of records that an earlier version did not have."""
    return [Step(text, MANIFEST) for text in RECORDS]


def _recorded(door: Door, pack: Pack) -> dict[str, str]:
    _, rows = door.ask(
        "SELECT file, content FROM public.installed_pack_files"
        f" WHERE pack = {literal(pack.name)} ORDER BY place"
    )
    return {str(name): str(text) for name, text in rows}


def _made_anew(door: Door, pack: Pack, found: Changes) -> set[str]:
    """Return the pack's views that go: what changed or is gone, and all that reads those.

    Raises: NotUpgradable when something else reads one of them.
    """
    _, named = door.ask("SELECT id, name, schema, relation_type FROM rw_catalog.rw_relations")
    _, reads = door.ask("SELECT objid, refobjid FROM rw_catalog.rw_depend")
    schema_of = {one.name.name: one.name.schema or pack.schema for _, one in found.views()}
    view_of = {
        oid: str(name) for oid, name, schema, _ in named if schema_of.get(str(name)) == schema
    }
    label = {oid: f"{kind} {schema}.{name}" for oid, name, schema, kind in named}
    anew = found.changed | found.gone
    faults: list[str] = []
    waiting = [oid for oid, name in view_of.items() if name in anew]
    while waiting:
        read = waiting.pop()
        for reader in [reader for reader, what in reads if what == read]:
            if reader in view_of:
                if view_of[reader] not in anew:
                    anew.add(view_of[reader])
                    waiting.append(reader)
            elif reader in label and not label[reader].startswith("index "):
                faults.append(f"{label[reader]} reads {label[read]}, which is made anew")
    if faults:
        raise NotUpgradable(
            f'cannot upgrade pack "{pack.name}"',
            detail="\n".join(sorted(set(faults))),
            hint="Drop what is yours, upgrade, and make it again.",
        )
    return anew


def _dropped(found: Changes, anew: set[str]) -> Iterator[Step]:
    """Yield what takes views away, readers first."""
    for where, view in reversed(found.views()):
        if view.name.name in anew:
            word = "MATERIALIZED VIEW" if view.materialized else "VIEW"
            name = [view.name.schema] if view.name.schema else []
            yield Step(f"DROP {word} IF EXISTS {name_of(*name, view.name.name)}", where)


def _made(found: Changes, anew: set[str]) -> Iterator[Step]:
    """Yield what is new or made anew, in the order of the pack; indexes and comments go along."""
    for one in found.new:
        if one.key in found.fresh or _belongs(one, anew):
            yield one.step


def _belongs(one: Written, anew: set[str]) -> bool:
    if isinstance(one.parsed, CreateIndex):
        return one.parsed.table.name in anew
    return one.key[0] in ("view", "comment") and one.key[1] in anew


def _parameters_before(pack: Pack, before: Mapping[str, Sequence[str]]) -> list[Step]:
    """Return what parameters need before views ask for them. Raises: NotUpgradable (0A000)."""
    if not before:
        return [Step(text, MANIFEST) for text in parameters_made(pack)]
    table, texts = _table(pack), []
    for name, one in pack.parameters.items():
        column = name_of(name)
        kind, default, doc = before.get(name, (None, None, None))
        if kind is None:
            texts.append(f"ALTER TABLE {table} ADD COLUMN {parameter_column(name, one)}")
        elif kind != one.type:
            raise NotUpgradable(
                f'parameter "{name}" of pack "{pack.name}" is {kind} and cannot become {one.type}',
                hint="Give the new one another name.",
            )
        elif default != one.default_text:
            texts.append(
                f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {literal(one.default_text)}"
            )
        if doc != one.doc:
            texts.append(f"COMMENT ON COLUMN {table}.{column} IS {literal(one.doc)}")
    return [Step(text, MANIFEST) for text in texts]


def _recorded_anew(pack: Pack) -> list[Step]:
    mine = f"WHERE pack = {literal(pack.name)}"
    return [
        Step(f"DELETE FROM public.installed_pack_files {mine}", MANIFEST),
        *recorded_files(pack),
        Step(
            f"UPDATE public.installed_packs SET version = {literal(pack.version)},"
            f" title = {literal(pack.title)}, upgraded_at = NOW() {mine}",
            MANIFEST,
        ),
    ]


def _told(found: Changes, anew: set[str]) -> list[str]:
    still = {one.key[1] for one in found.new if one.is_view}
    lines = [f"made anew: view {name}" for name in sorted(anew & still)]
    lines += [f"dropped: view {name}" for name in sorted(anew - still)]
    lines += [
        f"made: {' '.join(key[:2])}"
        for key in sorted(found.fresh)
        if key[0] not in ("run", "comment")
    ]
    lines += [
        f"run: {one.where}" for one in found.new if one.key[0] == "run" and one.key in found.fresh
    ]
    return [*lines, *(f"no longer in the pack, kept: {one}" for one in found.kept)]


def _table(pack: Pack) -> str:
    return name_of(pack.schema, pack.parameters_table)
