"""`voltstream pack test`: a pack in an engine of its own, whose clock a test moves."""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.pack_doors import Door, EngineDoor, Texts
from voltstream.cli.pack_install import blamed, install, literal
from voltstream.cli.packs import PACKS_FOLDER, Pack, find_pack, shipped_packs
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.ports import RawBatch
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

PUSH_S_MAX = 60.0
_RELATIVE = 1e-9  # The sum of floats depends on their order in the last digits.
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


class _Step(BaseModel):
    """Time first, then rows, then statements, then what must be seen."""

    model_config = ConfigDict(extra="forbid")

    title: str = ""
    clock: datetime | None = None
    advance_s: float = Field(0, ge=0)
    into: str | None = None
    rows: list[dict[str, Any]] = Field(default_factory=list)
    sql: str | None = None
    query: str | None = None
    expect: str | None = None


class _Script(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    clock: datetime
    step: list[_Step] = Field(min_length=1)


class Trial:
    """One engine with one pack, and what else that requires. Law: nothing of it is left behind."""

    def __init__(self, folder: Path, clock: datetime, compiled: Catalog | None = None) -> None:
        self._clock = ManualClock()
        self._clock.set(clock)
        options = EngineOptions(compiled=compiled)
        self._instance = Instance(folder, options, self._clock, ConnectorRegistry(None))
        self._instance.start()
        session = self._instance.open(database=DATABASE, user=USER, options={"TimeZone": "UTC"})
        self._session = session
        self.door: Door = EngineDoor(session)

    def close(self) -> None:
        self._session.close()
        self._instance.stop()

    @property
    def catalog(self) -> Catalog:
        return self._instance.engine(DATABASE).catalog

    def set_clock(self, instant: datetime) -> None:
        self._clock.set(instant)
        self._settle()

    def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)
        self._settle()

    def _settle(self) -> None:
        """Let an epoch pass, so that what is due at this instant is there."""
        self._instance.engine(DATABASE).loop.run_statement(lambda epoch: epoch.number).result()

    def push(self, name: str, rows: Sequence[dict[str, Any]]) -> None:
        """Bring rows as a connector would. Raises: InvalidParameter when one is unreadable."""
        lines = "".join(json.dumps(row, default=_spelled) + "\n" for row in rows)
        batch = RawBatch("ndjson", payload=lines.encode())
        receipt = self._instance.submit(DATABASE, name, batch).result(PUSH_S_MAX)
        if receipt.dead_letters:
            _, letters = self.door.ask(
                f"SELECT reason FROM rw_dead_letters WHERE source = {literal(name)}"
            )
            raise InvalidParameter(
                f'{receipt.dead_letters} rows for "{name}" could not be read',
                detail="\n".join(str(letter[0]) for letter in letters),
            )


class Trials:
    """The tests of a pack. It is installed once, as early as the first of them; each has a copy.

    The first of them plans its views as any start does; the others take its plans.
    """

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._scratch = tempfile.TemporaryDirectory(prefix="voltstream-pack-")
        self._installed: Path | None = None
        self._compiled: Catalog | None = None

    def __enter__(self) -> Trials:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def run(self, name: str, text: str) -> str:
        """Run one test and return its title.

        Raises: InvalidParameter with what was seen; what the pack's statements raise.
        """
        script = _script(name, text)
        with self._trial(script.clock) as made:
            for number, step in enumerate(script.step, 1):
                with blamed(f"{name}, step {number}" + (step.title and f" ({step.title})")):
                    _play(made, self._pack, step)
        return script.title

    def run_panels(self) -> None:
        """Ask every panel. Raises: what the query raises, with the panel's title."""
        with self._trial(self._begin()) as made:
            for panel in self._pack.panels:
                with blamed(f'panel "{panel.title}"'):
                    made.door.ask(panel.sql)

    @contextmanager
    def _trial(self, clock: datetime) -> Iterator[Trial]:
        with tempfile.TemporaryDirectory(dir=self._scratch.name) as folder:
            shutil.copytree(self._template(), folder, dirs_exist_ok=True)
            made = Trial(Path(folder), clock, self._compiled)
            self._compiled = self._compiled or made.catalog
            try:
                found = (self._pack, *requirements(self._pack))
                path = dict.fromkeys((*(one.schema for one in found), "public"))
                made.door.ask(f"SET search_path TO {', '.join(path)}")
                yield made
            finally:
                made.close()

    def _template(self) -> Path:
        """Return a folder in which the pack is installed, and what it requires."""
        if self._installed is None:
            folder = Path(tempfile.mkdtemp(dir=self._scratch.name))
            made = Trial(folder, self._begin())
            try:
                for one in (*requirements(self._pack), self._pack):
                    install(made.door, one)
            finally:
                made.close()
            self._installed = folder
        return self._installed

    def _begin(self) -> datetime:
        """Return when the first test begins: no clock goes back."""
        clocks = []
        for name, text in self._pack.tests:
            with suppress(InvalidParameter):  # Its own run tells what is wrong with it.
                clocks.append(_script(name, text).clock)
        return min(clocks, default=datetime(2026, 1, 1, tzinfo=UTC))


def requirements(pack: Pack, above: tuple[str, ...] = ()) -> list[Pack]:
    """Return the packs that one requires, each after its own: shipped, or a neighbour's folder.

    Raises: InvalidParameter when packs require one another in a circle.
    """
    if pack.name in above:
        raise InvalidParameter(f'pack "{pack.name}" requires itself: {" > ".join(above)}')
    found: dict[str, Pack] = {}
    for name in pack.requires:
        place = PACKS_FOLDER / name if name in shipped_packs() else pack.folder.parent / name
        needed = find_pack(str(place))
        for one in (*requirements(needed, (*above, pack.name)), needed):
            found.setdefault(one.name, one)
    return list(found.values())


def _script(name: str, text: str) -> _Script:
    try:
        return _Script.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidParameter(f'cannot read "{name}": {error}') from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise InvalidParameter(f'"{name}" is not a test', detail="\n".join(lines)) from error


def _play(made: Trial, pack: Pack, step: _Step) -> None:
    if step.clock is not None:
        made.set_clock(step.clock)
    if step.advance_s:
        made.advance(step.advance_s)
    if step.into is not None:
        into = step.into if "." in step.into else f"{pack.schema}.{step.into}"
        made.push(into, step.rows)
    if step.sql is not None:
        made.door.ask(step.sql)
    if step.query is not None:
        compare(step.query, step.expect or "", *made.door.ask(step.query))


def compare(query: str, expect: str, names: list[str], rows: list[Texts]) -> None:
    """Raise InvalidParameter unless the rows are those expected.

    Shape: ``expect`` has a line of column names and a line for each row, cells between bars; NULL
    is NULL. The order counts when the query has one.
    """
    shown = [[cell if cell is not None else "NULL" for cell in row] for row in rows]
    seen = [list(map(str, names)), *(shown if _ORDERED.search(query) else sorted(shown))]
    wanted = [
        [cell.strip() for cell in line.split("|")] for line in expect.strip().splitlines() if line
    ]
    if not _ORDERED.search(query):
        wanted = [*wanted[:1], *sorted(wanted[1:])]
    if len(seen) == len(wanted) and all(map(_alike, seen, wanted)):
        return
    raise InvalidParameter(
        "the rows are not those expected",
        detail="\n".join(["seen:", *_aligned(seen), "expected:", *_aligned(wanted)]),
    )


def _alike(seen: list[str], wanted: list[str]) -> bool:
    return len(seen) == len(wanted) and all(map(_equal, seen, wanted))


def _equal(seen: str, wanted: str) -> bool:
    if seen.strip() == wanted:
        return True
    try:
        return math.isclose(float(seen), float(wanted), rel_tol=_RELATIVE)
    except ValueError:
        return False


def _aligned(lines: list[list[str]]) -> list[str]:
    count = max((len(line) for line in lines), default=0)
    padded = [[*line, *[""] * (count - len(line))] for line in lines]
    widths = [max(len(line[place]) for line in padded) for place in range(count)]
    return [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in padded
    ]


def _spelled(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def failure(trial: Callable[[], object]) -> VoltstreamError | None:
    """Run what tries a pack; return what it failed with."""
    try:
        trial()
    except VoltstreamError as error:
        return error
    return None
