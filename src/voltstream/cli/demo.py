"""`voltstream demo`: a server in a temporary folder, the ocpp pack, and a week of real charging."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.config import load_settings
from voltstream.cli.demo_feed import Feed
from voltstream.cli.demo_screen import Picture, Pulse, ask, look, plain_line, render
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import install as install_pack
from voltstream.cli.packs import load_pack
from voltstream.cli.replay import Replay, Station, load_sessions
from voltstream.cli.replay_clock import ReplayClock
from voltstream.cli.serve import RunningServer, listen
from voltstream.cli.terminal import out, say
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Session

EXTRACT_FOLDER = Path(__file__).parents[3] / "examples" / "acn" / "sessions"
HOST = "127.0.0.1"
PG_PORT = 4566
HTTP_PORT = 8080
SPEED = 600.0  # A day in 2.4 minutes.
LOOK_S_TERMINAL = 0.5
LOOK_S_PLAIN = 1.0

EXAMPLES = """
Examples:

  voltstream demo

  voltstream demo --seconds 20

  voltstream demo --speed 60 --sessions ./more-days
"""


@dataclass(frozen=True, slots=True)
class Show:
    """What was asked for. ``seconds`` None runs until Ctrl-C. Units: seconds, times real pace."""

    seconds: float | None
    speed: float
    sessions: Path
    pg_port: int
    http_port: int


def run_demo(
    seconds: float | None = None,
    speed: float = SPEED,
    *,
    sessions: Path | None = None,
    pg_port: int | None = None,
    http_port: int | None = None,
) -> None:
    """Run the demo to its end. A port that was not asked for and is taken gives way to a free one.

    Raises: InvalidParameter when there are no sessions to replay.
    """
    if speed <= 0:
        raise InvalidParameter("the speed of the demo must be positive")
    show = Show(
        seconds=seconds,
        speed=speed,
        sessions=sessions or EXTRACT_FOLDER,
        pg_port=available(HOST, PG_PORT) if pg_port is None else pg_port,
        http_port=available(HOST, HTTP_PORT) if http_port is None else http_port,
    )
    asyncio.run(_run(show))


def available(host: str, port: int) -> int:
    """Return the port when it is free, else 0: any free one."""
    try:
        with listen(host, port):
            return port
    except InvalidParameter:
        return 0


async def _run(show: Show) -> None:
    replay = _replay(show.sessions)
    clock = ReplayClock(replay.start_s)
    stopped = threading.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    with tempfile.TemporaryDirectory(prefix="voltstream-demo-") as data:
        flags = {
            "data": Path(data),
            "host": HOST,
            "pg_port": show.pg_port,
            "http_port": show.http_port,
            "ocpp_port": 0,
        }
        async with RunningServer(load_settings(None, flags), clock) as server:
            connect = f"psql postgres://{USER}@{HOST}:{server.pg_port}/{DATABASE}"
            say(f"voltstream demo  ·  {connect}  ·  http://{HOST}:{server.http_port}")
            session = server.instance.open(database=DATABASE, user=USER, options={})
            feed = Feed(replay, server.instance, clock, database=DATABASE, speed=show.speed)
            try:
                await asyncio.to_thread(
                    _perform, show, session, feed, replay.stations, stopped, connect
                )
            finally:
                await asyncio.to_thread(session.close)


def _replay(folder: Path) -> Replay:
    try:
        return Replay(load_sessions(folder))
    except FileNotFoundError as error:
        raise InvalidParameter(
            f'no recorded sessions in "{folder}"',
            hint="Make some with examples/acn/convert.py, then name the folder: --sessions FOLDER.",
        ) from error


def _perform(
    show: Show,
    session: Session,
    feed: Feed,
    stations: Sequence[Station],
    stopped: threading.Event,
    connect: str,
) -> None:
    """Create the pack, then feed and look in turn until time is up or somebody stops it."""
    install(session, stations)
    pace = Pace(feed)
    begin_s = pace.seconds()
    feed.open()
    feed.step()  # The first freshness to show is that of live rows, not of the backlog.
    picture = look(session, pace.pulse(), details=True)
    with _screen(show, connect) as draw:
        draw(picture)
        look_s = LOOK_S_TERMINAL if out.is_terminal else LOOK_S_PLAIN
        looked_s = pace.seconds()
        while not stopped.is_set():
            if show.seconds is not None and pace.seconds() - begin_s >= show.seconds:
                break
            feed.step()
            if pace.seconds() - looked_s >= look_s:
                looked_s = pace.seconds()
                picture = look(session, pace.pulse(), details=out.is_terminal)
                draw(picture)
    picture = look(session, pace.pulse(), details=False)
    for line in summary(picture, feed, pace.seconds() - begin_s):
        say(line)
    if show.seconds is None or stopped.is_set():
        say("The server and its temporary data are gone now.")


def install(session: Session, stations: Sequence[Station]) -> None:
    """Create the ocpp pack and register every station of the recording, silent ones included."""
    install_pack(EngineDoor(session), load_pack("ocpp"))
    values = ", ".join(f"('{one.charge_point_id}', '{one.site}', NOW())" for one in stations)
    ask(
        session, f"INSERT INTO charge_points (charge_point_id, site, registered_at) VALUES {values}"
    )


@contextmanager
def _screen(show: Show, connect: str) -> Iterator[Callable[[Picture], None]]:
    """Draw in place on a terminal; print a line a second elsewhere."""
    if not out.is_terminal:
        yield lambda picture: say(plain_line(picture))
        return
    with Live(console=out, auto_refresh=False, transient=False) as live:
        yield lambda picture: live.update(render(picture, show.speed, connect), refresh=True)


class Pace:
    """Rows per second between two looks."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._rows = 0
        self._at_s = feed.seconds()

    def seconds(self) -> float:
        return self._feed.seconds()

    def pulse(self) -> Pulse:
        """Measure since the last call."""
        now_s, rows = self._feed.seconds(), self._feed.rows
        elapsed_s = max(now_s - self._at_s, 1e-3)
        rows_per_s = (rows - self._rows) / elapsed_s
        self._at_s, self._rows = now_s, rows
        return Pulse(
            at_s=self._feed.at_s,
            day_start_s=self._feed.day_start_s,
            rows=rows,
            rows_per_s=rows_per_s,
            freshness_ms=self._feed.freshness_ms(),
            freshness_ms_p99=self._feed.freshness_ms(0.99),
        )


def summary(picture: Picture, feed: Feed, elapsed_s: float) -> list[str]:
    """Say what happened, in lines that are the same in every terminal."""
    pulse = picture.pulse
    return [
        "",
        f"{feed.rows:,} rows in {elapsed_s:.1f} s, {feed.dead_letters} of them unreadable;"
        f" freshness {pulse.freshness_ms:.0f} ms (median), {pulse.freshness_ms_p99:.0f} ms (p99)",
        f"{picture.session_count} sessions charging with {picture.power_kw:,.1f} kW,"
        f" {picture.energy_kwh:,.1f} kWh today, {picture.alert_count} alerts",
    ]


def demo(
    seconds: Annotated[
        float | None, typer.Option(min=0, help="End by itself after so many seconds.")
    ] = None,
    speed: Annotated[float, typer.Option(help="Times as fast as it happened.")] = SPEED,
    sessions: Annotated[
        Path | None, typer.Option(help="Folder of recorded sessions (examples/acn).")
    ] = None,
    pg_port: Annotated[int | None, typer.Option(help="PostgreSQL wire port.")] = None,
    http_port: Annotated[int | None, typer.Option(help="HTTP port.")] = None,
) -> None:
    """Watch a week of real charging sessions flow through always-fresh views."""
    run_demo(seconds, speed, sessions=sessions, pg_port=pg_port, http_port=http_port)
