"""A sink that posts to a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.connectors.memory_feed import eventually
from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock, SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import SinkRecord, SinkRefused, SinkUnavailable

KEY = b"a key of 32 bytes, for the tests"


class Endpoint(ThreadingHTTPServer):
    """Keeps what it is sent; answers what it is told to, then 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def bodies(self) -> list[object]:
        return [json.loads(body) for _, body in self.got]


@contextmanager
def serving() -> Iterator[Endpoint]:
    """Run an endpoint."""
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        del code, size


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as server:
        yield server


def records(*numbers: int) -> list[SinkRecord]:
    return [SinkRecord(3, n, b'{"n":%d}' % n, b'{"n":%d}' % n) for n in numbers]


def test_requests_are_signed_and_named(endpoint: Endpoint) -> None:
    secret = "whsec_" + base64.b64encode(KEY).decode()
    clock = ManualClock(1_700_000_000_000_000)
    properties = {"connector": "webhook", "url": endpoint.url, "secret": secret, "header.x-a": "b"}
    target = ConnectorRegistry(None, clock).sink("hook", properties)
    target.deliver([*records(0), SinkRecord(3, 1, b'{"n":7}', None)])
    target.close()
    assert endpoint.bodies() == [{"n": 0}, {"deleted": {"n": 7}}]
    headers, body = endpoint.got[0]
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("hook.3.0", "1700000000")
    signed = hmac.new(KEY, b"hook.3.0.1700000000." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()
    assert (headers["x-a"], headers["content-type"]) == ("b", "application/json")


def test_what_may_pass_is_tried_again_from_where_it_stopped(endpoint: Endpoint) -> None:
    target = ConnectorRegistry().sink("h", {"connector": "webhook", "url": endpoint.url})
    endpoint.answers = [204, 400, 503]
    with pytest.raises(SinkUnavailable, match="503"):
        target.deliver(records(0, 1, 2))
    with pytest.raises(SinkRefused) as refusal:
        target.deliver(records(0, 1, 2))
    assert [record.ordinal for record, _ in refusal.value.refused] == [1]
    assert endpoint.bodies() == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 2}]
    target.close()


def test_a_batch_is_an_array(endpoint: Endpoint) -> None:
    properties = {"connector": "webhook", "url": endpoint.url, "batch_rows": "2"}
    target = ConnectorRegistry().sink("h", properties)
    target.deliver(records(0, 1, 2))
    target.close()
    assert endpoint.bodies() == [[{"n": 0}, {"n": 1}], [{"n": 2}]]


@pytest.mark.parametrize(
    "wrong", [{"url": "ftp://x"}, {"url": "x"}, {"batch_rows": "0"}, {"secret": "whsec_*"}]
)
def test_wrong_properties_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().sink("h", {"connector": "webhook", "url": "http://x"} | wrong)


def test_a_refused_record_is_a_dead_letter_and_the_next_goes_on(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    engine = Engine(tmp_path, SystemClock())
    engine.run("CREATE TABLE alerts (n INT PRIMARY KEY)")
    engine.run(
        f"CREATE SINK hook FROM alerts WITH (connector = 'webhook', url = '{endpoint.url}', "
        "secret = 's') FORMAT PLAIN ENCODE JSON"
    )
    endpoint.answers = [422]
    engine.run("INSERT INTO alerts VALUES (1)")
    eventually(lambda: len(endpoint.got) == 1)
    engine.run("INSERT INTO alerts VALUES (2)")
    eventually(lambda: engine.run("SELECT pending FROM rw_sinks") == [(0,)])
    assert endpoint.bodies() == [{"n": 1}, {"n": 2}]
    dead = engine.run("SELECT source, reason, convert_from(raw, 'UTF8') FROM rw_dead_letters")
    assert dead == [("hook", "answered 422", '{"n":1}')]
    engine.close()


def test_alerts_are_posted_as_they_open_and_clear(endpoint: Endpoint, tmp_path: Path) -> None:
    engine = Engine(tmp_path, SystemClock())
    engine.run("CREATE TABLE loads (device TEXT PRIMARY KEY, percent INT)")
    engine.run(
        "CREATE MATERIALIZED VIEW overload WITH (alert.key = 'device', alert.severity = 'error') "
        "AS SELECT device, percent FROM loads WHERE percent > 100"
    )
    engine.run(
        "CREATE SINK pager AS SELECT event, entity, severity, details FROM alert_events "
        f"WITH (connector = 'webhook', url = '{endpoint.url}') FORMAT PLAIN ENCODE JSON"
    )
    engine.run("INSERT INTO loads VALUES ('T-1', 120), ('T-2', 90)")
    eventually(lambda: len(endpoint.got) == 1)
    engine.run("UPDATE loads SET percent = 80")
    eventually(lambda: len(endpoint.got) == 2)
    about = {"entity": "T-1", "severity": "error", "details": {"device": "T-1", "percent": 120}}
    assert endpoint.bodies() == [{"event": e, **about} for e in ("opened", "cleared")]
    engine.close()
