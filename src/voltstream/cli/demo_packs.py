"""The packs of the demo: the first before the show, the grid's while chargers are at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from voltstream.cli.demo_grid import DemoGrid
from voltstream.cli.demo_screen import ask
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import Step, installation, run
from voltstream.cli.pack_install import install as install_pack
from voltstream.cli.packs import load_pack
from voltstream.cli.replay import Station
from voltstream.cli.terminal import out, say
from voltstream.core.ports import Session

GRID_PACK = "ami"
TOGETHER = 120  # Statements of a piece: comments for the most part, a second or two.


def install_chargers(session: Session, stations: Sequence[Station]) -> None:
    """Create the ocpp pack and register every station of the recording, silent ones included."""
    began_s, steps = time.monotonic(), 0
    with out.status("the ocpp pack …") as status:

        def progress(done: int, count: int) -> None:
            nonlocal steps
            steps = count
            status.update(f"the ocpp pack: {done} of {count} statements")

        install_pack(EngineDoor(session), load_pack("ocpp"), progress)
    values = ", ".join(f"('{one.charge_point_id}', '{one.site}', NOW())" for one in stations)
    ask(
        session, f"INSERT INTO charge_points (charge_point_id, site, registered_at) VALUES {values}"
    )
    say(f"the ocpp pack is installed: {steps} statements in {time.monotonic() - began_s:.1f} s")


def install_grid(
    session: Session, over: threading.Event, make: Callable[[], DemoGrid]
) -> DemoGrid | None:
    """Create the grid's pack in pieces, so that others can write in between.

    Returns: the grid, its meters and transformers registered; None when the show is over before.
    """
    steps = installation(load_pack(GRID_PACK))
    for first in range(0, len(steps), TOGETHER):
        if over.is_set():
            return None
        # Without a transaction around all, the path is the session's.
        piece = [
            Step(one.text.replace("SET LOCAL search_path", "SET search_path", 1), one.where)
            for one in steps[first : first + TOGETHER]
        ]
        run(EngineDoor(session), piece)
    grid = make()
    for table, rows in grid.registry().items():
        listed = ", ".join(_values(row) for row in rows.to_pylist())
        columns = ", ".join(rows.column_names)
        ask(session, f"INSERT INTO {GRID_PACK}.{table} ({columns}) VALUES {listed}")
    return grid


def _values(row: dict[str, object]) -> str:
    return "(" + ", ".join(_literal(value) for value in row.values()) + ")"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, bool | int | float) else f"'{value}'"
