"""What a server uses that has nothing to do: no view, and 50 views over some rows."""

from __future__ import annotations

import http.client
import re
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.contenders.voltstream import PIPELINE
from bench.feed import SOURCES, FeedReader
from bench.feed_maker import ocpp_feed
from bench.server import Server
from bench.suite import Options, Report, Row

VIEWS = 50
_SETTLE_S = 5.0
_VIEW = re.compile(r"CREATE MATERIALIZED VIEW (\w+) AS(.*?);", re.S)


def bench(options: Options) -> Report:
    report = Report("idle", f"no input for {options.seconds} s; aim: at most 2 % of a core")
    for views in (0, VIEWS):
        with (
            tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
            Server(Path(folder) / "data") as server,
        ):
            if views:
                _fill(server, views)
            report.rows.append(_rest(server, f"{views} views", options.seconds))
    return report


def _fill(server: Server, views: int) -> None:
    """Create the sources, as many views as asked for, and push one slice of the feed."""
    text = PIPELINE.read_text()
    sources = text[: text.index("CREATE MATERIALIZED VIEW")]
    found = _VIEW.findall(text)
    with psycopg.connect(server.postgres, autocommit=True) as session:
        session.execute(sources.encode())
        for number in range(views):
            name, query = found[number % len(found)]
            copy = number // len(found)
            for each, _ in found:  # A copy reads the views of its own round.
                query = re.sub(rf"\b{each}\b", f"{each}_{copy}", query)
            session.execute(f"CREATE MATERIALIZED VIEW {name}_{copy} AS {query}".encode())
    parts = urlsplit(server.http)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    reader = FeedReader(ocpp_feed(1_000_000))
    for source in SOURCES:
        connection.request("POST", f"/v1/sources/{source}/rows", reader.read(0, source))
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"refused: {answer.read()!r}")
        answer.read()


def _rest(server: Server, name: str, seconds: int) -> Row:
    time.sleep(_SETTLE_S)
    used, began = server.cpu_s(), time.perf_counter()
    time.sleep(seconds)
    share = (server.cpu_s() - used) / (time.perf_counter() - began)
    return {
        "case": name,
        "CPU %": round(share * 100, 2),
        "RSS MB": round(server.rss_mb()),
        "started in s": round(server.started_s, 2),
    }
