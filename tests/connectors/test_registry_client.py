"""What the registry's client asks, and how often: a server that answers as registries do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3

from voltstream.connectors.schema_registry import schemas_of
from voltstream.core.errors import InvalidParameter, RegistryUnavailable
from voltstream.core.ports import Schemas

FIRST = {"type": "record", "name": "R", "fields": [{"name": "p", "type": "Place"}]}
PLACE = {"type": "record", "name": "Place", "fields": []}


class Answers(ThreadingHTTPServer):
    """Answers of paths; what it was asked is kept."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.authorization: list[str | None] = []
        self.told: dict[str, tuple[int, object]] = {}
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.path)
        self.server.authorization.append(self.headers["authorization"])
        missing = (404, {"error_code": 40401, "message": "no such thing"})
        status, body = self.server.told.get(self.path, missing)
        if self.server.refusals:
            self.server.refusals -= 1
            status, body = 503, {}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def answers() -> Iterator[Answers]:
    server = Answers()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.told["/subjects/t-value/versions/latest"] = (200, {
        "id": 7, "schema": json.dumps(FIRST),
        "references": [{"name": "Place", "subject": "places", "version": 3}],
    })  # fmt: skip
    server.told["/subjects/places/versions/3"] = (200, {"id": 6, "schema": json.dumps(PLACE)})
    server.told["/schemas/ids/5"] = (200, {"schema": json.dumps(PLACE)})
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def opened(url: str, **more: str) -> Schemas:
    found = schemas_of({"encode": "AVRO", "topic": "t", "schema.registry": url, **more}, "source")
    assert found is not None
    return found


def test_each_thing_is_asked_for_once(answers: Answers) -> None:
    schemas = opened(answers.url)
    for _ in range(3):
        known = schemas.known({5, 9})
    assert known.by_id.keys() == {5}
    assert known.value.imports == (("Place", json.dumps(PLACE)),)
    assert [path for path in answers.asked if "/ids/" in path] == [
        "/schemas/ids/5", "/schemas/ids/9",
    ]  # fmt: skip
    # A number that was new may come with a newer schema of the subject.
    assert answers.asked.count("/subjects/t-value/versions/latest") == 2


def test_who_asks_says_who_he_is(answers: Answers) -> None:
    given = {"schema.registry.username": "u", "schema.registry.password": "p"}
    opened(answers.url, **given).newest()
    opened(answers.url, **{"schema.registry.token": "abc"}).newest()
    basic = urllib3.make_headers(basic_auth="u:p")["authorization"]
    assert set(answers.authorization) == {basic, "Bearer abc"}


def test_a_registry_that_is_busy_or_away_is_gone_round(answers: Answers) -> None:
    answers.refusals = 2
    opened(answers.url).newest()
    opened(f"http://127.0.0.1:9, {answers.url}/").newest()
    with pytest.raises(RegistryUnavailable, match="could not be asked: no answer"):
        opened("http://127.0.0.1:9").newest()


def test_a_refusal_is_told(answers: Answers) -> None:
    answers.told["/subjects/t-value/versions"] = (409, {"message": "not compatible"})
    with pytest.raises(RegistryUnavailable, match="it answered 409: not compatible"):
        opened(answers.url).register("value", "AVRO", "{}")
    answers.told["/subjects/t-value/versions"] = (200, {"id": 12})
    assert opened(answers.url).register("value", "AVRO", "{}") == 12


def test_subjects_are_named_by_strategies(answers: Answers) -> None:
    for strategy, subject in (
        ("record_name_strategy", "grid.R"),
        ("topic_record_name_strategy", "t-grid.R"),
    ):
        given = {"schema.registry.name.strategy": strategy, "message": "grid.R"}
        with pytest.raises(RegistryUnavailable, match=f'no subject "{subject}"'):
            opened(answers.url, **given).newest()
    with pytest.raises(InvalidParameter, match='"message"'):
        opened(answers.url, **{"schema.registry.name.strategy": "record_name_strategy"})
    with pytest.raises(InvalidParameter, match="cannot take"):
        opened("ftp://x")


def test_a_schema_has_a_place_of_its_own(tmp_path: Path, answers: Answers) -> None:
    place = tmp_path / "r.avsc"
    place.write_text(json.dumps(PLACE))
    given = {"encode": "AVRO", "schema.location": str(place)}
    found = schemas_of(given, "source")
    assert found is not None
    assert not found.newest().framed
    assert found.newest().value.text == json.dumps(PLACE)
    answers.told["/r.avsc"] = (200, PLACE)
    found = schemas_of({**given, "schema.location": f"{answers.url}/r.avsc"}, "source")
    assert found is not None
    assert json.loads(found.newest().value.text) == PLACE
    for wrong in (f"{answers.url}/none", str(tmp_path / "none")):
        absent = schemas_of({**given, "schema.location": wrong}, "source")
        assert absent is not None
        with pytest.raises(RegistryUnavailable, match="its schema"):
            absent.newest()
