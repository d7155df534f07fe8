"""Who is let in over HTTP, and whose rights a request has."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Engine
from tests.web.asgi_client import AsgiClient
from voltstream.core.clock import ManualClock
from voltstream.web.app import build_app
from voltstream.web.entry import EntryPolicy

ASK = {"q": "SELECT current_user"}
FAR = "203.0.113.7"


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("web") / "data"
    running = Engine(folder, ManualClock())
    running.run(
        "CREATE SOURCE reads (a INT); CREATE SOURCE other (a INT); CREATE SCHEMA lab;"
        "CREATE SOURCE lab.reads (a INT); CREATE TABLE t (a INT); INSERT INTO t VALUES (7);"
        "CREATE USER ann PASSWORD 'pen cil'; CREATE USER gate; GRANT SELECT ON t TO ann;"
        "GRANT INSERT ON SOURCE reads TO gate"
    )
    yield running
    running.close()


def client(
    engine: Engine,
    peer: str = "127.0.0.1",
    base: str = "http://localhost",
    policy: EntryPolicy | None = None,
) -> AsgiClient:
    instance = engine.instance
    return AsgiClient(build_app(instance, instance, instance, policy), base, peer)


def test_this_machine_is_the_owner_until_it_has_a_password(engine: Engine) -> None:
    answer = client(engine).get("/v1/sql", params=ASK)
    assert answer.json()["rows"] == [["volt"]]
    engine.run("ALTER USER volt PASSWORD 'x'")
    answer = client(engine).get("/v1/sql", params=ASK)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    engine.run("ALTER USER volt PASSWORD NULL")
    assert (
        client(engine, policy=EntryPolicy(asks_all=True)).get("/v1/sql", params=ASK).status_code
        == 401
    )
    assert client(engine).get("/v1/sql", params=ASK).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/sql?q=SELECT+1"])
def test_other_machines_log_in(engine: Engine, path: str) -> None:
    assert client(engine, FAR).get(path).status_code == 401
    trusted = client(engine, FAR, "http://203.0.113.1", EntryPolicy(near_all=True))
    assert trusted.get(path).status_code == 200


def test_a_proxy_speaks_for_another_machine(engine: Engine) -> None:
    for name in ("x-forwarded-for", "forwarded"):
        answer = client(engine).get("/v1/sql", params=ASK, headers={name: FAR})
        assert answer.status_code == 401


def test_it_lives_for_everybody(engine: Engine) -> None:
    assert client(engine, FAR).get("/healthz").status_code == 200
    assert client(engine, FAR).get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("base", "status"),
    [
        ("http://localhost", 200), ("http://127.0.0.1:8080", 200), ("http://[::1]:8080", 200),
        ("http://evil.example", 403), ("http://volt.example", 200), ("http://localhost.evil", 403),
    ],
)  # fmt: skip
def test_a_name_of_another_site_does_not_lead_here(engine: Engine, base: str, status: int) -> None:
    asked = client(engine, base=base, policy=EntryPolicy(hosts=("volt.example",)))
    assert asked.get("/v1/sql", params=ASK).status_code == status


def test_other_sites_are_not_answered_even_with_a_login(engine: Engine) -> None:
    for headers in (
        {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"},
        {"sec-fetch-site": "same-site"},
    ):  # fmt: skip
        known = headers | basic("ann", "pen cil")
        assert client(engine).get("/v1/sql", params=ASK, headers=known).status_code == 403
        posted = client(engine).post("/v1/sources/reads/rows", content=b"{}", headers=known)
        assert posted.status_code == 403
    own = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert client(engine).get("/v1/sql", params=ASK, headers=own).status_code == 200


def test_a_password_has_its_roles_rights(engine: Engine) -> None:
    ann = basic("ann", "pen cil")
    https = client(engine, FAR, "https://volt.example")
    assert https.get("/v1/sql", params=ASK, headers=ann).json()["rows"] == [["ann"]]
    assert https.get("/v1/sql", params={"q": "SELECT * FROM t"}, headers=ann).status_code == 200
    refused = https.get("/v1/sql", params={"q": "SELECT * FROM reads"}, headers=ann)
    assert (refused.status_code, refused.json()["code"]) == (403, "42501")
    pushed = https.post("/v1/sources/reads/rows", content=b'{"a":1}', headers=ann)
    assert (pushed.status_code, pushed.json()["code"]) == (403, "42501")


def test_a_password_is_not_taken_in_the_clear_from_afar(engine: Engine) -> None:
    asked = client(engine, FAR, "http://volt.example")
    answer = asked.get("/v1/sql", params=ASK, headers=basic("ann", "pen cil"))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        basic("nobody", "x"), basic("gate", ""), basic("ann", "pencil"), bearer("vst_nothing"),
        {"authorization": "Basic !"}, {"authorization": "Digest x"}, {"authorization": "Bearer"},
    ],
)  # fmt: skip
def test_what_proves_nothing(engine: Engine, headers: dict[str, str]) -> None:
    assert client(engine).get("/v1/sql", params=ASK, headers=headers).status_code == 401


def test_a_token_has_its_roles_rights_until_it_is_dropped(engine: Engine) -> None:
    ((token,),) = engine.run("CREATE TOKEN pusher FOR gate")
    headers = bearer(str(token))
    far = client(engine, FAR, "https://volt.example")
    pushed = far.post("/v1/sources/reads/rows", content=b'{"a":1}', headers=headers)
    assert pushed.status_code == 200
    assert engine.run("SELECT a FROM reads") == [(1,)]
    other = far.post("/v1/sources/other/rows", content=b'{"a":1}', headers=headers)
    assert (other.status_code, other.json()["code"]) == (403, "42501")
    assert far.get("/v1/sql", params=ASK, headers=headers).json()["rows"] == [["gate"]]
    engine.run("REVOKE INSERT ON SOURCE reads FROM gate")
    again = far.post("/v1/sources/reads/rows", content=b'{"a":1}', headers=headers)
    assert again.status_code == 403
    engine.run("GRANT INSERT ON SOURCE reads TO gate; DROP TOKEN pusher")
    gone = far.post("/v1/sources/reads/rows", content=b'{"a":1}', headers=headers)
    assert gone.status_code == 401


def test_a_token_of_a_source_does_nothing_else(engine: Engine) -> None:
    ((token,),) = engine.run("CREATE TOKEN meter FOR volt ON SOURCE reads VALID UNTIL '2000-01-02'")
    headers = bearer(str(token))
    far = client(engine, FAR, "https://volt.example")
    clock = engine.clock
    assert isinstance(clock, ManualClock)
    for name, status in (("reads", 200), ("public.reads", 200), ("other", 403), ("lab.reads", 403)):
        pushed = far.post(f"/v1/sources/{name}/rows", content=b'{"a":2}', headers=headers)
        assert pushed.status_code == status, name
    assert far.get("/v1/sql", params=ASK, headers=headers).status_code == 403
    clock.advance(30 * 365 * 86_400.0 * 2)
    ended = far.post("/v1/sources/reads/rows", content=b'{"a":2}', headers=headers)
    assert ended.status_code == 401


def test_what_is_kept_of_a_token_does_not_let_in(engine: Engine) -> None:
    ((token,),) = engine.run("CREATE TOKEN kept FOR gate")
    kept = engine.run("SELECT body FROM _vs.tokens WHERE name = 'kept'")
    assert str(token) not in str(kept)
    digest = engine.run("SELECT body ->> '$.digest' FROM _vs.tokens WHERE name = 'kept'")[0][0]
    answer = client(engine).get("/v1/sql", params=ASK, headers=bearer(str(digest)))
    assert answer.status_code == 401
