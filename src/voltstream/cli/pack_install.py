"""What makes a pack: its schema, its parameters, its files in order, its seeds, its record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from voltstream.cli.pack_doors import Door
from voltstream.cli.packs import MANIFEST, PUBLIC, Pack, Parameter, seed_rows, version_of
from voltstream.core.errors import DuplicateObject, UndefinedObject, VoltstreamError
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import Parsed

RECORDS = (
    "CREATE TABLE IF NOT EXISTS public.installed_packs (pack VARCHAR PRIMARY KEY,"
    " version VARCHAR NOT NULL, title VARCHAR NOT NULL, schema_name VARCHAR NOT NULL,"
    " installed_at TIMESTAMPTZ NOT NULL, upgraded_at TIMESTAMPTZ)",
    "COMMENT ON TABLE public.installed_packs IS 'Packs of this database and their versions'",
    "CREATE TABLE IF NOT EXISTS public.installed_pack_files (pack VARCHAR NOT NULL,"
    " file VARCHAR NOT NULL, place INTEGER NOT NULL, sha256 VARCHAR NOT NULL,"
    " content VARCHAR NOT NULL, PRIMARY KEY (pack, file))",
    "COMMENT ON TABLE public.installed_pack_files IS"
    " 'Files of packs as they were installed: an upgrade compares with them'",
    "CREATE TABLE IF NOT EXISTS public.installed_panels (pack VARCHAR NOT NULL,"
    " place INTEGER NOT NULL, title VARCHAR NOT NULL, query VARCHAR NOT NULL,"
    " search_path VARCHAR NOT NULL, PRIMARY KEY (pack, place))",
    "COMMENT ON TABLE public.installed_panels IS"
    " 'Queries worth watching of each pack, to be asked with their search path'",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement. Shape: ``where`` names the file and line, for errors."""

    text: str
    where: str


def literal(value: str | None) -> str:
    return sql.Literal(value).as_string()


def name_of(*parts: str) -> str:
    return sql.Identifier(*parts).as_string()


def installation(pack: Pack, schemas: Sequence[str] = ()) -> list[Step]:
    """Return every statement that makes a pack, without the transaction around them.

    Shape: ``schemas`` are those of the packs it requires: its files see them without a prefix.
    """
    steps = [Step(text, MANIFEST) for text in RECORDS]
    steps += scoped(pack, schemas)
    steps += [Step(text, MANIFEST) for text in parameters_made(pack)]
    steps += [one for name, text in pack.files for one in statements_of(name, text)]
    steps += seeding(pack, {})
    title, version = literal(pack.title), literal(pack.version)
    steps.append(
        Step(
            "INSERT INTO public.installed_packs VALUES"
            f" ({literal(pack.name)}, {version}, {title}, {literal(pack.schema)}, NOW(), NULL)",
            MANIFEST,
        )
    )
    return [*steps, *recorded_files(pack), *recorded_panels(pack, schemas)]


def scoped(pack: Pack, schemas: Sequence[str] = ()) -> list[Step]:
    """Return what makes a pack's schema, and its names found without a prefix."""
    steps = [Step(f"SET LOCAL search_path TO {_path(pack, schemas)}", MANIFEST)]
    if pack.schema != PUBLIC:
        steps.insert(0, Step(f"CREATE SCHEMA IF NOT EXISTS {name_of(pack.schema)}", MANIFEST))
    return steps


def _path(pack: Pack, schemas: Sequence[str]) -> str:
    return ", ".join(name_of(one) for one in dict.fromkeys([pack.schema, *schemas, PUBLIC]))


def recorded_panels(pack: Pack, schemas: Sequence[str] = ()) -> list[Step]:
    """Return what notes the pack's panels anew, for the live page and other dashboards."""
    gone = f"DELETE FROM public.installed_panels WHERE pack = {literal(pack.name)}"
    steps = [Step(gone, MANIFEST)]
    if pack.panels:
        path = literal(_path(pack, schemas))
        rows = ", ".join(
            f"({literal(pack.name)}, {place}, {literal(one.title)}, {literal(one.sql)}, {path})"
            for place, one in enumerate(pack.panels, 1)
        )
        steps.append(Step(f"INSERT INTO public.installed_panels VALUES {rows}", MANIFEST))
    return steps


def statements_of(name: str, text: str) -> Iterator[Step]:
    """Cut a file into statements. Raises: SyntaxFault with the file's name."""
    for one in parsed_file(name, text):
        yield Step(one.text, place_of(name, text, one))


def place_of(name: str, text: str, parsed: Parsed) -> str:
    return f"{name}, line {text.count(chr(10), 0, parsed.offset) + 1}"


def parsed_file(name: str, text: str) -> list[Parsed]:
    """Read a file's statements. Raises: SyntaxFault with the file's name."""
    with blamed(name):
        return parse_statements(text)


def parameters_made(pack: Pack) -> Iterator[str]:
    """Yield one row of typed columns: a value of the wrong type is refused when it is set."""
    if not pack.parameters:
        return
    table = name_of(pack.schema, pack.parameters_table)
    mine = literal(pack.name)
    columns = [f"pack VARCHAR PRIMARY KEY DEFAULT {mine} CHECK (pack = {mine})"]
    columns += [parameter_column(name, one) for name, one in pack.parameters.items()]
    yield f"CREATE TABLE {table} ({', '.join(columns)})"
    title = literal(f"What may be changed of the pack {pack.name}: UPDATE the one row")
    yield f"COMMENT ON TABLE {table} IS {title}"
    for name, one in pack.parameters.items():
        yield f"COMMENT ON COLUMN {table}.{name_of(name)} IS {literal(one.doc)}"
    yield f"INSERT INTO {table} DEFAULT VALUES"


def parameter_column(name: str, one: Parameter) -> str:
    return f"{name_of(name)} {one.type} NOT NULL DEFAULT {literal(one.default_text)}"


def seeding(pack: Pack, known: dict[str, str]) -> list[Step]:
    """Return what puts seed rows into their tables. A key that a table has keeps its row.

    Shape: ``known`` maps a table to the seed it had before; rows of that are left out.
    """
    steps = []
    for table, text in pack.seeds:
        columns, rows = seed_rows(table, text)
        before = seed_rows(table, known[table])[1] if table in known else []
        values = ", ".join(
            "(" + ", ".join(literal(cell) for cell in row) + ")"
            for row in rows
            if row not in before
        )
        if values:
            names = ", ".join(name_of(one) for one in columns)
            insert = f"INSERT INTO {name_of(table)} ({names}) VALUES {values}"
            steps.append(Step(f"{insert} ON CONFLICT DO NOTHING", f"the seed of {table}"))
    return steps


def recorded_files(pack: Pack) -> list[Step]:
    """Return what notes every file, as an upgrade will want to compare it."""
    seeds = [(f"seed {table}", text) for table, text in pack.seeds]
    parameters = [
        (f"parameter {name}", f"{one.type}\n{one.default_text}\n{one.doc}")
        for name, one in pack.parameters.items()
    ]
    rows = ", ".join(
        f"({literal(pack.name)}, {literal(name)}, {place},"
        f" {literal(hashlib.sha256(text.encode()).hexdigest())}, {literal(text)})"
        for place, (name, text) in enumerate([*parameters, *pack.files, *seeds])
    )
    return [Step(f"INSERT INTO public.installed_pack_files VALUES {rows}", MANIFEST)]


@dataclass(frozen=True, slots=True)
class Installed:
    """What a database says of a pack in it."""

    version: str
    schema: str


def installed_packs(door: Door) -> dict[str, Installed]:
    """Ask a database which packs it has."""
    _, found = door.ask(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_name = 'installed_packs'"
    )
    if not found:
        return {}
    _, rows = door.ask("SELECT pack, version, schema_name FROM public.installed_packs")
    return {str(row[0]): Installed(str(row[1]), str(row[2])) for row in rows}


Progress = Callable[[int, int], None]  # Statements that have run, of how many.


def install(door: Door, pack: Pack, progress: Progress | None = None) -> None:
    """Make a pack in one transaction: all of it or nothing.

    Raises: DuplicateObject (42710), UndefinedObject (42704), and what its statements raise.
    """
    known = installed_packs(door)
    if pack.name in known:
        raise DuplicateObject(
            f'pack "{pack.name}" is already installed, in version {known[pack.name].version}',
            hint=f"To apply what changed: voltstream pack upgrade {pack.name}",
        )
    run(door, installation(pack, required_schemas(pack, known)), progress)


def required_schemas(pack: Pack, known: dict[str, Installed]) -> list[str]:
    """Return where the packs are that one requires. Raises: UndefinedObject (42704)."""
    for name, version in pack.requires.items():
        hint = f"Before it: voltstream pack install {name}"
        needs = f'pack "{pack.name}" requires pack "{name}" {version}'
        if name not in known:
            raise UndefinedObject(f"{needs}, which is not installed", hint=hint)
        if version_of(known[name].version) < version_of(version):
            raise UndefinedObject(
                f"{needs}, installed is {known[name].version}",
                hint=hint.replace("install", "upgrade"),
            )
    return [known[name].schema for name in pack.requires]


def run(door: Door, steps: Sequence[Step], progress: Progress | None = None) -> None:
    """Run statements in one transaction. Raises: what they raise, with the place."""
    door.ask("BEGIN")
    try:
        for number, step in enumerate(steps, start=1):
            with blamed(step.where):
                door.ask(step.text)
            if progress is not None:
                progress(number, len(steps))
        door.ask("COMMIT")
    except BaseException:
        door.ask("ROLLBACK")
        raise


@contextmanager
def blamed(where: str) -> Iterator[None]:
    """Add to an error where in the pack it is."""
    try:
        yield
    except VoltstreamError as error:
        error.detail = f"{error.detail}\n{where}" if error.detail else where
        raise
