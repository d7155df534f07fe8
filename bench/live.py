"""Browsers that watch while rows flow: how fresh they are, and what they cost the epochs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.contenders.pusher import CONNECTIONS
from bench.contenders.voltstream import PIPELINE
from bench.feed import Feed
from bench.feed_maker import ocpp_feed
from bench.server import ENVIRONMENT, ROOT, Server
from bench.suite import Options, Report, Row

RATE = 20_000
BATCH = 1_000
SCREENS = 50
_WARM_S = 1.0  # Not counted: caches fill.
_SETTLE_S = 2.0  # How long after the last batch is due it may come.
# What a page shows: a few sums, and the probes that tell how fresh they are.
_VIEWS = """
CREATE MATERIALIZED VIEW probes AS
SELECT session, power_kw FROM active_session_power WHERE session >= 'probe-' AND session < 'probe.';
CREATE MATERIALIZED VIEW power_by_connector AS
SELECT connector, count(*) AS sessions, sum(power_kw) AS power_kw FROM active_session_power
GROUP BY connector;
"""


@dataclass(frozen=True)
class Case:
    """What the screens watch; without views there are none."""

    name: str
    views: str = ""
    rows: str = "true"


CASES = (
    Case("nobody"),
    Case("that views changed", "probes,power_by_connector,gap_alerts,offline_alerts", "false"),
    Case("rows of small views", "probes,power_by_connector,offline_alerts"),
    Case("rows of every session", "active_session_power"),
)


def bench(options: Options) -> Report:
    cases = [case for case in CASES if not options.only or case.name in {"nobody", *options.only}]
    rounds = max(1, options.rounds)
    feed = ocpp_feed(1_000_000)
    told = f"{RATE:,} rows/s, 8 views and 2 more; {SCREENS} screens; {rounds} x {options.seconds} s"
    report = Report("live", told, bar="screens p99 ms")
    seen: dict[str, list[Mapping[str, float]]] = {case.name: [] for case in cases}
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        psycopg.connect(server.postgres, autocommit=True) as session,
    ):
        session.execute(PIPELINE.read_text())
        session.execute(_VIEWS)
        first = 0
        for turn in range(rounds + 1):
            # The first turn fills the state and is not counted; then cases in turn.
            for case in cases if turn else cases[:1]:
                found, first = _phase(server, feed, case, first, options.seconds)
                if turn:
                    seen[case.name].append(found)
                    print(f"  {case.name}: {found}", flush=True)
    base = _medians(seen["nobody"])
    report.rows = [_row(case, options.seconds, _medians(seen[case.name]), base) for case in cases]
    report.notes.append("durable: from due to the answer that says the batch is on disk")
    return report


def _phase(
    server: Server, feed: Feed, case: Case, first: int, seconds: int
) -> tuple[dict[str, float], int]:
    """Push for some seconds. Returns what was seen, and the batch that comes next."""
    screens = _screens(server.http, case) if case.views else None
    numbers = [str(BATCH), str(RATE), str(seconds), str(first)]
    command = [sys.executable, "-m", "bench.contenders.pusher", server.http, str(feed.folder)]
    pusher = _started([*command, *numbers])
    assert pusher.stdout is not None
    plan: dict[str, Any] = json.loads(pusher.stdout.readline())
    warm = round(_WARM_S / plan["every"])
    until = plan["began"] + plan["count"] * plan["every"] + _SETTLE_S
    if screens is not None:
        assert screens.stdin is not None
        screens.stdin.write(json.dumps({**plan, "first": first, "warm": warm, "until": until}))
        screens.stdin.write("\n")
        screens.stdin.flush()
    used, epochs = server.cpu_s(), _epochs(server.http)
    ended = json.loads(pusher.stdout.readline())
    took = ended["ended"] - plan["began"]
    found = {
        "epochs/s": (_epochs(server.http) - epochs) / took,
        "cpu": (server.cpu_s() - used) / took,
    }
    durable = [seconds for batch, seconds in ended["durable"].items() if int(batch) >= warm]
    cuts = statistics.quantiles(durable, n=100, method="inclusive")
    found |= {"durable p50": cuts[49], "durable p99": cuts[98]}
    if screens is not None:
        assert screens.stdout is not None
        found |= json.loads(screens.stdout.readline())
        screens.wait(30)
    time.sleep(1.0)  # The feeds of those who left are given up between phases.
    following = first + plan["count"] + CONNECTIONS
    return found, following - following % CONNECTIONS  # A phase begins at the first slot.


def _screens(url: str, case: Case) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.contenders.screens", url, str(SCREENS)]
    process = _started([*command, case.views, case.rows])
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise SystemExit("the screens failed")
    return process


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
    )


def _epochs(url: str) -> int:
    with urllib.request.urlopen(f"{url}/v1/sql?q=SELECT+epoch+FROM+rw_catalog.rw_epochs") as answer:
        return int(json.load(answer)["rows"][0][0])


def _medians(all_found: list[Mapping[str, float]]) -> dict[str, float]:
    names = all_found[0] if all_found else {}
    return {name: statistics.median(one[name] for one in all_found) for name in names}


def _row(case: Case, seconds: int, found: Mapping[str, float], base: Mapping[str, float]) -> Row:
    row: Row = {
        "screens watch": case.name,
        "durable p50 ms": round(found["durable p50"] * 1e3),
        "durable p99 ms": round(found["durable p99"] * 1e3),
        "slower %": round((found["durable p50"] / base["durable p50"] - 1) * 100),
        "epochs/s": round(found["epochs/s"], 1),
        "server CPU %": round(found["cpu"] * 100),
        "screens p50 ms": None, "screens p99 ms": None, "MB/s": None, "not seen": None,
    }  # fmt: skip
    if case.views:
        row |= {
            "screens p50 ms": round(found["p50"] * 1e3),
            "screens p99 ms": round(found["p99"] * 1e3),
            "MB/s": round(found["bytes"] / 1e6 / seconds, 1),
            "not seen": round(found["lost"]),
        }
    return row
