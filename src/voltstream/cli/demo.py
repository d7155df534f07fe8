"""`voltstream demo`: a charging network and a distribution grid, for a week that was measured."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.live import Live

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.config import load_settings
from voltstream.cli.demo_chargers import Chargers
from voltstream.cli.demo_feed import OPENING_S, Feed
from voltstream.cli.demo_grid import DemoGrid
from voltstream.cli.demo_packs import install_chargers, install_grid
from voltstream.cli.demo_screen import Picture, Pulse, look, plain_line, render
from voltstream.cli.extracts import SESSIONS
from voltstream.cli.ledger import records, verify
from voltstream.cli.replay import DAY_S, Replay, load_sessions
from voltstream.cli.replay_clock import ReplayClock
from voltstream.cli.serve import RunningServer, listen
from voltstream.cli.terminal import out, say
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.ports import Session
from voltstream.runtime.instance import Instance

HOST = "127.0.0.1"
PG_PORT = 4566
HTTP_PORT = 8080
OCPP_PORT = 9000
SPEED = 120.0  # A day in twelve minutes: a minute of watching is two hours of the network.
GRID_FROM_S = 30.0  # A shorter show is over before the grid's pack is there.
SETTLE_S = 1  # A charge detail record follows its session at once: that is two minutes of the day.
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
    opens_page: bool


def run_demo(
    seconds: float | None = None,
    speed: float = SPEED,
    *,
    sessions: Path | None = None,
    pg_port: int | None = None,
    http_port: int | None = None,
    opens_page: bool = False,
) -> None:
    """Run the demo to its end. A port that was not asked for and is taken gives way to a free one.

    Raises: InvalidParameter when there are no sessions to replay.
    """
    if speed <= 0:
        raise InvalidParameter("the speed of the demo must be positive")
    show = Show(
        seconds=seconds,
        speed=speed,
        sessions=sessions or SESSIONS,
        pg_port=available(HOST, PG_PORT) if pg_port is None else pg_port,
        http_port=available(HOST, HTTP_PORT) if http_port is None else http_port,
        opens_page=opens_page,
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
            "ocpp_port": available(HOST, OCPP_PORT),
        }
        settings = load_settings(None, flags, [f"ocpp.settle_s={SETTLE_S}"])
        async with RunningServer(settings, clock) as server:
            connect = f"psql postgres://{USER}@{HOST}:{server.pg_port}/{DATABASE}"
            page = f"http://{HOST}:{server.http_port}"
            say(f"voltstream demo  ·  {connect}  ·  {page}")
            chargers = Chargers(
                f"ws://{HOST}:{server.ocpp_port}/ocpp", replay, replay.start_s + OPENING_S
            )

            def tell(until_s: float) -> Future[int]:
                return asyncio.run_coroutine_threadsafe(chargers.say(until_s), loop)

            feed = Feed(
                replay, server.instance, clock, database=DATABASE, speed=show.speed,
                speakers=chargers.names, tell=tell,
            )  # fmt: skip
            scene = Scene(show, server.instance, feed, replay, stopped, connect, page)
            try:
                await asyncio.to_thread(scene.perform)
            finally:
                await chargers.close()


def _replay(folder: Path) -> Replay:
    try:
        return Replay(load_sessions(folder))
    except FileNotFoundError as error:
        raise InvalidParameter(
            f'no recorded sessions in "{folder}"',
            hint="Make some with examples/acn/convert.py, then name the folder: --sessions FOLDER.",
        ) from error


@dataclass(frozen=True, slots=True)
class Scene:
    """The demo as it runs."""

    show: Show
    instance: Instance
    feed: Feed
    replay: Replay
    stopped: threading.Event
    connect: str
    page: str

    def perform(self) -> None:
        """Install, then feed and look in turn until time is up or somebody stops it."""
        over = threading.Event()
        bringing = threading.Thread(target=self._bring_grid, args=(over,))
        with closing(self._open()) as session:
            install_chargers(session, self.replay.stations)
            if self.show.opens_page:
                webbrowser.open(self.page)
            pace = Pace(self.feed)
            begin_s = pace.seconds()
            self.feed.open()
            self.feed.step()  # The first freshness is that of live rows, not of the backlog.
            if self.show.seconds is None or self.show.seconds >= GRID_FROM_S:
                bringing.start()
            try:
                self._watch(session, pace, begin_s)
            finally:
                over.set()
                if bringing.ident is not None:
                    bringing.join()
            picture = look(session, pace.pulse(), details=False)
        self._say_records()
        for line in summary(picture, self.feed, pace.seconds() - begin_s):
            say(line)
        if self.show.seconds is None or self.stopped.is_set():
            say("The server and its temporary data are gone now.")

    def _open(self) -> Session:
        return self.instance.open(database=DATABASE, user=USER, options={})

    def _watch(self, session: Session, pace: Pace, begin_s: float) -> None:
        look_s = LOOK_S_TERMINAL if out.is_terminal else LOOK_S_PLAIN
        with _screen(self.show, self.connect) as draw:
            draw(look(session, pace.pulse(), details=True))
            looked_s = pace.seconds()
            while not self.stopped.is_set():
                if self.show.seconds is not None and pace.seconds() - begin_s >= self.show.seconds:
                    break
                self.feed.step()
                if pace.seconds() - looked_s >= look_s:
                    looked_s = pace.seconds()
                    draw(look(session, pace.pulse(), details=out.is_terminal))

    def _bring_grid(self, over: threading.Event) -> None:
        """Let a grid of meters join the show when its pack is there."""
        days = round((self.replay.end_s - self.replay.start_s) / DAY_S)

        def make() -> DemoGrid:
            return DemoGrid(self.replay.start_s, days, self.feed.at_s)

        try:
            with closing(self._open()) as session:
                grid = install_grid(session, over, make)
        except VoltstreamError as error:
            say(f"the grid stays away: {error.message}")
            return
        if grid is not None:
            self.feed.grid = grid
            say(f"a grid of {grid.meters} smart meters joins: {self.page}/#/grid")

    def _say_records(self) -> None:
        """Check the chain of the charge detail records, as `voltstream ledger verify` does."""
        address = self.connect.removeprefix("psql ")
        with psycopg.connect(address) as connection:
            verify(records(connection), None)


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
        f"{feed.messages:,} OCPP messages answered; "
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
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the page; by default on a terminal."),
    ] = None,
) -> None:
    """Watch a week of real charging, and the grid below it, in always-fresh views."""
    run_demo(
        seconds,
        speed,
        sessions=sessions,
        pg_port=pg_port,
        http_port=http_port,
        opens_page=out.is_terminal if browser is None else browser,
    )
