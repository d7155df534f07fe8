"""The JSON interface over an engine: statements, alerts, metrics."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator, Mapping

import httpx
import pyarrow as pa
import pytest
from starlette.responses import PlainTextResponse

from tests.driver import Engine
from tests.web.asgi_client import AsgiClient
from voltstream.cli.record_book import Book
from voltstream.core.clock import ManualClock
from voltstream.web.app import build_app
from voltstream.web.openapi import description
from voltstream.web.pace import Pace

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = Engine(tmp_path_factory.mktemp("api") / "data", ManualClock())
    running.run(
        "CREATE TABLE t (k INT, name VARCHAR, x NUMERIC, at TIMESTAMPTZ, tags TEXT[], j JSONB);"
        "INSERT INTO t VALUES (1, 'a', 1.50, '2026-01-01 00:00+00', ARRAY['p', 'q'], '{\"b\": 1}'),"
        " (2, 'b', NULL, NULL, NULL, NULL);"
        "CREATE TABLE fault (charger VARCHAR PRIMARY KEY, code VARCHAR);"
        "CREATE MATERIALIZED VIEW faulted WITH (alert.key = 'charger') AS SELECT * FROM fault;"
        "INSERT INTO fault VALUES ('CP-1', 'A'), ('CP-2', 'B')"
    )
    yield running
    running.close()


@pytest.fixture
def client(engine: Engine) -> AsgiClient:
    instance = engine.instance
    return AsgiClient(build_app(instance, instance, instance, live=instance))


def post(client: AsgiClient, path: str, said: Mapping[str, object]) -> httpx.Response:
    return client.post(path, content=json.dumps(said).encode(), headers=JSON)


def test_parameters_have_the_types_of_the_statement(client: AsgiClient) -> None:
    sql = (
        "SELECT k FROM t WHERE k = $1 AND name = $2 AND x = $3 AND at = $4 AND tags = $5 AND j = $6"
    )
    values = [1, "a", 1.5, "2026-01-01T00:00:00Z", ["p", "q"], {"b": 1}]
    answer = post(client, "/v1/sql", {"sql": sql, "parameters": values})
    assert answer.json()["rows"] == [[1]], answer.text
    for wrong in ([], values[:5], [*values, 1]):
        assert post(client, "/v1/sql", {"sql": sql, "parameters": wrong}).status_code == 400
    nulls = post(client, "/v1/sql", {"sql": "SELECT $1::INT + 1", "parameters": [None]})
    assert nulls.json()["rows"] == [[None]]


def test_names_are_found_along_the_path_that_is_given(client: AsgiClient, engine: Engine) -> None:
    engine.run("CREATE SCHEMA apart; CREATE TABLE apart.only_there (k INT)")
    asked = {"sql": "SELECT count(*) FROM only_there"}
    assert post(client, "/v1/sql", asked).status_code == 404
    found = post(client, "/v1/sql", {**asked, "search_path": '"apart", public'})
    assert found.json()["rows"] == [[0]], found.text


def test_an_answer_is_json_csv_or_arrow(client: AsgiClient) -> None:
    ask = {"sql": "SELECT k, name, tags, k = 1 AS one FROM t ORDER BY k"}
    assert post(client, "/v1/sql", ask).json() == {
        "columns": [
            {"name": "k", "type": "integer"}, {"name": "name", "type": "character varying"},
            {"name": "tags", "type": "character varying[]"}, {"name": "one", "type": "boolean"},
        ],
        "rows": [[1, "a", ["p", "q"], True], [2, "b", None, False]],
        "truncated": False,
    }  # fmt: skip
    csv = post(client, "/v1/sql", {**ask, "format": "csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.text == 'k,name,tags,one\r\n1,a,"[""p"", ""q""]",true\r\n2,b,,false\r\n'
    arrow = client.get(
        "/v1/sql",
        params={"q": ask["sql"]},
        headers={"accept": "application/vnd.apache.arrow.stream"},
    )
    table = pa.ipc.open_stream(io.BytesIO(arrow.content)).read_all()
    assert table.column("name").to_pylist() == ["a", "b"]
    assert client.get("/v1/sql", params={"q": ask["sql"], "format": "xml"}).status_code == 400
    empty = post(client, "/v1/sql", {"sql": "SELECT k FROM t WHERE k > 9", "format": "arrow"})
    assert pa.ipc.open_stream(io.BytesIO(empty.content)).read_all().num_rows == 0


def test_rows_and_time_are_bounded(client: AsgiClient) -> None:
    many = {"sql": "SELECT i FROM generate_series(1, 5) AS g(i)", "limit": 3}
    answer = post(client, "/v1/sql", many)
    assert (len(answer.json()["rows"]), answer.json()["truncated"]) == (3, True)
    csv = post(client, "/v1/sql", {**many, "format": "csv"})
    assert csv.headers["voltstream-truncated"] == "true"
    whole = post(client, "/v1/sql", {**many, "limit": 5})
    assert whole.json()["truncated"] is False
    endless = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b"
    slow = post(client, "/v1/sql", {"sql": endless, "timeout_s": 0.2})
    assert (slow.status_code, slow.json()["code"]) == (400, "57014")
    for wrong in ({"limit": 0}, {"limit": 1.5}, {"limit": True}, {"timeout_s": -1}, {"limit": "3"}):
        assert post(client, "/v1/sql", {"sql": "SELECT 1", **wrong}).status_code == 400


def test_only_what_says_write_changes_data(client: AsgiClient, engine: Engine) -> None:
    insert = "INSERT INTO t (k) VALUES (3)"
    assert post(client, "/v1/sql", {"sql": insert}).status_code == 400
    hidden = post(client, "/v1/sql", {"sql": "SELECT acknowledge_alert(1)"})
    assert hidden.json()["code"] == "25006"
    done = post(client, "/v1/sql", {"sql": insert, "write": True})
    assert done.json()["command"] == "INSERT 0 1"
    assert engine.run("SELECT count(*) FROM t WHERE k = 3") == [(1,)]
    failed = post(client, "/v1/sql", {"sql": "INSERT INTO t VALUES ('x')", "write": True})
    assert failed.status_code == 400
    gone = post(client, "/v1/sql", {"sql": "DELETE FROM t WHERE k = 3 RETURNING k", "write": True})
    assert (gone.json()["rows"], gone.json()["command"]) == ([[3]], "DELETE 1")
    # A form of another site cannot send JSON, and GET never writes.
    form = client.post(
        "/v1/sql", content=b'{"sql": "SELECT 1"}', headers={"content-type": "text/plain"}
    )
    assert form.status_code == 400
    assert client.get("/v1/sql", params={"q": insert, "write": "true"}).status_code == 400
    for body in (b"[]", b"{", b'{"sql": 1}', b'{"nope": 1}', b"\xff", b'{"sql": "a\\u0000"}'):
        assert client.post("/v1/sql", content=body, headers=JSON).status_code == 400


def test_alerts_are_listed_and_answered(client: AsgiClient) -> None:
    listed = client.get("/v1/alerts", params={"rule": "faulted"}).json()
    assert [row["entity"] for row in listed["rows"]] == ["CP-2", "CP-1"]
    number = listed["rows"][0]["alert_id"]
    said = post(client, f"/v1/alerts/{number}/acknowledge", {"comment": "it's mine"})
    assert said.json() == {"alert_id": number}
    open_ones = client.get("/v1/alerts", params={"acknowledged": "true", "suppressed": "false"})
    [row] = open_ones.json()["rows"]
    assert (row["acknowledged_by"], row["comment"]) == ("volt", "it's mine")
    assert post(client, f"/v1/alerts/{number}/comment", {"comment": "more"}).status_code == 200
    assert post(client, f"/v1/alerts/{number}/unacknowledge", {}).status_code == 200
    events = client.get("/v1/alerts/events", params={"alert_id": str(number), "after": "2"}).json()
    assert [row["event"] for row in events["rows"]] == [
        "acknowledged", "commented", "unacknowledged",
    ]  # fmt: skip
    cut = client.get("/v1/alerts/events", params={"limit": "1"}).json()
    assert (len(cut["rows"]), cut["truncated"]) == (1, True)
    assert post(client, "/v1/alerts/99/acknowledge", {}).status_code == 404
    assert post(client, f"/v1/alerts/{number}/comment", {}).status_code == 400
    assert post(client, f"/v1/alerts/{number}/sing", {}).status_code == 404
    assert client.get("/v1/alerts", params={"acknowledged": "maybe"}).status_code == 400


def test_metrics_are_as_prometheus_reads_them(client: AsgiClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert "# TYPE voltstream_epochs_total counter" in lines
    found = [line for line in lines if line.startswith("voltstream_alerts_open{")]
    assert found == [
        'voltstream_alerts_open{rule="faulted",severity="warning",acknowledged="false",'
        'suppressed="false"} 2'
    ]
    for line in lines:
        if not line.startswith("#"):
            float(line.rpartition(" ")[2])


def test_answers_tell_browsers_to_run_nothing(client: AsgiClient) -> None:
    for path in ("/v1/sql?q=SELECT+1", "/metrics", "/openapi.json", "/nowhere", "/"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_every_route_is_described(engine: Engine) -> None:
    instance = engine.instance
    app = build_app(instance, instance, instance, live=instance, book=Book())
    paths = {getattr(route, "path", "") for route in app.routes}
    served = {path for path in paths if not path.startswith("/assets")} - {"/", "/openapi.json"}
    described = {
        path.replace("/acknowledge", "/{saying}").replace("{alert_id}", "{alert_id:int}")
        for path in description()["paths"]
        if not path.endswith(("unacknowledge", "comment"))
    }
    assert served == described


def test_who_asks_too_often_waits() -> None:
    at_s = [0.0]
    app = Pace(PlainTextResponse("ok"), per_s=2, burst=3, now_s=lambda: at_s[0])
    asked = AsgiClient(app)
    assert [asked.get("/v1/sql").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert asked.get("/v1/sql").headers["retry-after"] == "1"
    assert asked.get("/healthz").status_code == 200
    assert asked.post("/v1/sources/a/rows", content=b"").status_code == 200
    assert AsgiClient(app, peer="203.0.113.7").get("/v1/sql").status_code == 200
    at_s[0] = 0.5
    assert [asked.get("/v1/sql").status_code for _ in range(2)] == [200, 429]


def test_a_stop_ends_the_statements_that_run(engine: Engine) -> None:
    instance = engine.instance
    app = build_app(instance, instance, instance)
    long = (
        "SELECT count(*) FROM generate_series(1, 200000) AS a(n)"
        " CROSS JOIN generate_series(1, 200000) AS b(m) WHERE n * m % 7 = 3"
    )
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(post(AsgiClient(app), "/v1/sql", {"sql": long}))

    asking = threading.Thread(target=ask)
    asking.start()
    until_s = time.monotonic() + 30
    while asking.is_alive() and time.monotonic() < until_s:
        time.sleep(0.1)
        app.state.end_statements()
    asking.join(timeout=0)
    assert [answer.json()["code"] for answer in answers] in (["57014"], ["57P01"])
    refused = post(AsgiClient(app), "/v1/sql", {"sql": "SELECT 1"})
    assert refused.json()["code"] == "57P01"
    assert refused.status_code == 503
