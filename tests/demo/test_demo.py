"""The demo, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from voltstream.cli.demo import SPEED
from voltstream.cli.demo_feed import OPENING_S
from voltstream.cli.extracts import SESSIONS
from voltstream.cli.replay import Replay, load_sessions

ROOT = Path(__file__).parents[2]
READY_S_MAX = 240.0  # Beside other work.
STORY_S_MAX = 240.0
SOON_S = 20 * SPEED  # Of the day, when it keeps its pace: twenty seconds of watching.

# What a watcher has to see, as any client would ask for it.
OF_CHARGERS = {
    "a record of a session": "SELECT count(*) FROM charge_detail_records",
    "three versions of OCPP": "SELECT count(DISTINCT ocpp_version) / 3 FROM charger_boots"
    " WHERE raw_id IS NOT NULL",
}
GRID = "SELECT count(*) FROM ami.meter_registry"
OF_THE_GRID = {
    "an outage with members": "SELECT count(*) FROM ami.outage_list AS o"
    " JOIN ami.outage_members AS m ON m.outage_id = o.outage_id",
    "a voltage sag": "SELECT count(*) FROM alerts WHERE rule LIKE '%voltage_alerts'",
    "an opened meter": "SELECT count(*) FROM alerts WHERE rule LIKE '%tamper_alerts'",
}


@contextmanager
def playing(*flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "voltstream", "demo", "--no-browser", *flags]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
    played = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield played
    finally:
        if played.poll() is None:
            played.kill()
        played.communicate()


def test_demo_ends_by_itself_with_a_summary() -> None:
    with playing("--seconds", "1") as played:
        told, trouble = played.communicate(timeout=READY_S_MAX)
    assert played.returncode == 0, trouble
    lines = told.splitlines()
    assert "psql postgres://volt@127.0.0.1:" in lines[0]
    assert lines[1].startswith("the ocpp pack is installed: ")
    assert any("Mon 13 May 2019 07:" in line and " kW " in line for line in lines)
    assert any(line.endswith("the chain holds; its head is " + line[-64:]) for line in lines)
    assert " 0 of them unreadable" in lines[-2]
    assert int(lines[-1].split()[0]) > 10  # Sessions.
    assert "Traceback" not in trouble


def test_the_first_minute_tells_the_whole_story() -> None:
    with playing() as played:
        assert played.stdout is not None
        found = re.search(r"postgres://\S+", played.stdout.readline())
        assert found is not None
        # A line a second, of a show that a busy machine makes long: a pipe would fill up.
        lines: list[str] = []
        reading = threading.Thread(target=_keep, args=(played.stdout, lines))
        reading.start()
        opened_s = Replay(load_sessions(SESSIONS)).start_s + OPENING_S
        asked = OF_CHARGERS | {"the grid": GRID} | OF_THE_GRID
        seen: dict[str, float] = {}
        until_s = time.monotonic() + READY_S_MAX + STORY_S_MAX
        with psycopg.connect(found[0], autocommit=True) as session:
            while len(seen) < len(asked) and time.monotonic() < until_s and reading.is_alive():
                time.sleep(0.5)
                at_s = _first(session, "SELECT extract(epoch FROM now())")
                for what, question in asked.items():
                    if what not in seen and _first(session, question) >= 1:
                        seen[what] = at_s - opened_s
        played.send_signal(signal.SIGINT)
        reading.join(READY_S_MAX)
        _, trouble = played.communicate(timeout=READY_S_MAX)
    assert seen.keys() == asked.keys(), (lines[-20:], trouble)
    assert all(seen[what] < SOON_S for what in OF_CHARGERS), seen
    assert all(seen[what] - seen["the grid"] < SOON_S for what in OF_THE_GRID), seen
    assert played.returncode == 0, trouble
    assert any(re.match(r"[1-9]\d* records, the chain holds", line) for line in lines)
    assert lines[-1] == "The server and its temporary data are gone now."
    assert "Traceback" not in trouble


def _keep(written: IO[str], lines: list[str]) -> None:
    for line in written:
        lines.append(line.rstrip("\n"))


def _first(session: psycopg.Connection, asked: str) -> float:
    """Return the first value; 0 while a relation is not there yet."""
    try:
        rows = session.execute(asked.encode()).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0.0
    return float(rows[0][0] or 0) if rows else 0.0
