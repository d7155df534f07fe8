"""An API that is polled, at a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.connectors.memory_feed import MemoryFeed, eventually
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.errors import InvalidParameter


class Headend(ThreadingHTTPServer):
    """An API of reads, three to a page, that pages in every way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reads: list[dict[str, Any]] = []
        self.asked: list[tuple[dict[str, str], Mapping[str, str]]] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/reads"

    def page(self, query: Mapping[str, str]) -> tuple[object, dict[str, str]]:
        found = [read for read in self.reads if read["at"] >= query.get("since", "")]
        start = int(query.get("offset", query.get("token", 0)))
        start = (int(query["page"]) - 1) * 3 if "page" in query else start
        rows = found[start : start + 3]
        more = start + 3 < len(found)
        headers = {"link": f'</reads?offset={start + 3}>; rel="next"'} if more else {}
        return {"data": {"rows": rows, "next": str(start + 3) if more else None}}, headers


class _Handler(BaseHTTPRequestHandler):
    server: Headend

    def do_GET(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        self.server.asked.append((query, {k.lower(): v for k, v in self.headers.items()}))
        body, headers = self.server.page(query)
        status = 200
        if self.server.refusals:
            status, headers = self.server.refusals.pop(0)
        sent = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        del code, size


@pytest.fixture
def headend() -> Iterator[Headend]:
    with Headend() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def read(number: int, at: str) -> dict[str, Any]:
    return {"id": number, "at": at, "kwh": 1.5}


def properties(headend: Headend, more: Mapping[str, str]) -> dict[str, str]:
    common = {"connector": "rest", "url": headend.url, "rows.path": "data.rows"}
    return common | {"poll.interval.s": "0.05", "requests.per.second": "1000"} | dict(more)


def polled(feed: MemoryFeed, count: int) -> list[int]:
    connector = ConnectorRegistry().source(feed)
    assert connector is not None
    connector.start()
    eventually(lambda: len(feed.records()) >= count)
    connector.stop()
    return [json.loads(record)["id"] for record in feed.records()]


@pytest.mark.parametrize(
    "paging",
    [
        {"paging": "link"},
        {"paging": "cursor", "paging.param": "token", "paging.next.path": "data.next"},
        {"paging": "page", "paging.param": "page"},
        {"paging": "offset", "paging.param": "offset"},
    ],
)
def test_every_page_is_taken(headend: Headend, paging: dict[str, str]) -> None:
    headend.reads = [read(n, "t") for n in range(8)]
    feed = MemoryFeed(properties(headend, {**paging, "auth.token": "secret"}), {})
    assert polled(feed, 8)[:8] == list(range(8))
    assert headend.asked[0][1]["authorization"] == "Bearer secret"


def test_a_cursor_goes_on_where_it_stood_and_knows_its_last_rows(headend: Headend) -> None:
    since = {"cursor.field": "at", "cursor.param": "since", "paging": "link"}
    headend.reads = [read(n, f"2026-01-0{1 + n // 2}") for n in range(5)]
    feed = MemoryFeed(properties(headend, since), {})
    assert polled(feed, 5) == [0, 1, 2, 3, 4]
    assert feed.offsets()["cursor"] == "2026-01-03"
    headend.reads += [read(5, "2026-01-03"), read(6, "2026-01-04")]
    again = MemoryFeed(feed.properties, feed.offsets())
    assert polled(again, 2) == [5, 6]
    assert again.offsets()["cursor"] == "2026-01-04"


def test_refusals_are_waited_for_as_the_server_asks(headend: Headend) -> None:
    headend.reads = [read(1, "t")]
    headend.refusals = [(429, {"retry-after": "0"}), (503, {"retry-after": "0"})]
    feed = MemoryFeed(properties(headend, {"cursor.field": "at"}), {})
    assert polled(feed, 1) == [1]
    assert feed.states[:3] == ["connecting", "disconnected", "disconnected"]


def test_a_next_page_elsewhere_gets_no_credentials(headend: Headend) -> None:
    headend.refusals = [(200, {"link": '<http://localhost:1/x>; rel="next"'})] * 50
    feed = MemoryFeed(properties(headend, {"paging": "link", "auth.token": "secret"}), {})
    connector = ConnectorRegistry().source(feed)
    assert connector is not None
    connector.start()
    eventually(lambda: "disconnected" in feed.states)
    connector.stop()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "file:///etc/passwd"}, {"paging": "page"}, {"poll.interval.s": "0"}, {"paging": "x"}],
)
def test_wrong_properties_are_refused(headend: Headend, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().source(MemoryFeed(properties(headend, wrong), {}))
