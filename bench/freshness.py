"""From POST to psql: how long a batch takes to show in a view, at a steady rate."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.contenders.pusher import CONNECTIONS
from bench.contenders.voltstream import PIPELINE
from bench.feed import Feed
from bench.feed_maker import ocpp_feed
from bench.processes import cpu_s
from bench.server import ENVIRONMENT, ROOT, Server
from bench.suite import Options, Report, Row

RATE = 20_000
BATCHES = (1_000, 100)
_WARM_S = 1.0  # The first second is not counted: caches fill and threads start.
_SETTLE_S = 30.0  # How long the last batches may take to show before they count as lost.
_LOOK = (
    "SELECT session, power_kw FROM active_session_power "
    "WHERE session >= 'probe-' AND session < 'probe.'"
)
Look = Callable[[], list[tuple[str, float]]]


def bench(options: Options) -> Report:
    feed = ocpp_feed(1_000_000 if options.seconds <= 40 else options.seconds * RATE * 5 // 4)
    told = f"{RATE:,} rows/s over HTTP for {options.seconds} s, polled every 2 ms; 8 views"
    report = Report("freshness", told, bar="p99 ms")
    for rows in BATCHES:
        for contender in (_voltstream, _floor):
            report.rows.append(contender(feed, rows, options.seconds))
            print(f"  {report.rows[-1]}", flush=True)
    return report


def _voltstream(feed: Feed, rows: int, seconds: int) -> Row:
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        session.execute(PIPELINE.read_text())

        def look() -> list[tuple[str, float]]:
            found = session.execute(_LOOK).fetchall()
            return [(str(probe), float(number)) for probe, number in found]

        return _measure("voltstream", server.http, feed, rows, seconds, look, server.process)


def _floor(feed: Feed, rows: int, seconds: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder:
        command = [sys.executable, "-m", "bench.contenders.floor_server", folder]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            parts = urlsplit(url)
            assert parts.hostname is not None
            connection = http.client.HTTPConnection(parts.hostname, parts.port)

            def look() -> list[tuple[str, float]]:
                connection.request("GET", "/")
                return [(str(p), float(n)) for p, n in json.loads(connection.getresponse().read())]

            return _measure("floor A, HTTP", url, feed, rows, seconds, look, process)
        finally:
            process.kill()
            process.wait()


def _measure(
    name: str,
    url: str,
    feed: Feed,
    rows: int,
    seconds: int,
    look: Look,
    process: subprocess.Popen[str],
) -> Row:
    """Push from a process of its own and watch here."""
    numbers = [str(rows), str(RATE), str(seconds)]
    command = [sys.executable, "-m", "bench.contenders.pusher", url, str(feed.folder), *numbers]
    pusher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT)
    assert pusher.stdout is not None
    plan = json.loads(pusher.stdout.readline())
    used = cpu_s(process.pid)
    began, every, count = plan["began"], plan["every"], int(plan["count"])
    delays, polls = _watch(look, began, every, count)
    used = (cpu_s(process.pid) - used) / (time.monotonic() - began)
    lost = count - len(delays)
    if lost:  # It fell behind, and so does the pusher.
        pusher.kill()
    if pusher.wait() and not lost:
        raise SystemExit("the pusher failed")
    # A batch that was not seen in time took at least until now.
    for number in range(count):
        delays.setdefault(number, time.monotonic() - (began + number * every))
    counted = [delay for number, delay in delays.items() if number * every >= _WARM_S]
    cuts = statistics.quantiles(counted, n=100, method="inclusive")
    return {
        "contender": f"{name}, {rows} a batch",
        "p50 ms": round(cuts[49] * 1e3),
        "p90 ms": round(cuts[89] * 1e3),
        "p99 ms": round(cuts[98] * 1e3),
        "max ms": round(max(counted) * 1e3),
        "batches": count,
        "not seen": lost,
        "polls/s": round(polls / (time.monotonic() - began)),
        "server CPU %": round(used * 100),
    }


def _watch(look: Look, began: float, every: float, count: int) -> tuple[dict[int, float], int]:
    """Look until every batch was seen. Returns each one's seconds from due to seen, and looks."""
    shown = dict.fromkeys(range(CONNECTIONS), 0)  # Batches of a slot that have been seen.
    delays: dict[int, float] = {}
    polls = 0
    until = began + count * every + _SETTLE_S
    while len(delays) < count and time.monotonic() < until:
        found = look()
        seen = time.monotonic()
        polls += 1
        for _, kilowatts in found:
            newest = round(kilowatts) - 1
            slot = newest % CONNECTIONS
            for nth in range(shown[slot], newest // CONNECTIONS + 1):
                number = nth * CONNECTIONS + slot
                delays[number] = seen - (began + number * every)
            shown[slot] = max(shown[slot], newest // CONNECTIONS + 1)
        time.sleep(0.002)
    return delays, polls
