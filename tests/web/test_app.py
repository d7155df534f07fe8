"""The HTTP interface over an engine that answers from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa
import pytest

from tests.web.asgi_client import AsgiClient
from voltstream.core.errors import InsufficientPrivilege, UndefinedDatabase, UndefinedTable
from voltstream.core.limits import PUSH_BYTES_MAX
from voltstream.core.passwords import verifier_of
from voltstream.core.ports import (
    AtHand,
    Bearer,
    Description,
    Notice,
    Notification,
    Outcome,
    RawBatch,
    Receipt,
    Spelling,
    Standing,
    Statement,
    TransactionStatus,
)
from voltstream.core.schema import Column, Schema
from voltstream.web.app import build_app


class MemoryIngest:
    def __init__(self) -> None:
        self.batches: list[RawBatch] = []

    def submit(self, database: str, source: str, batch: RawBatch) -> Future[Receipt]:
        if database != "volt":
            raise UndefinedDatabase(f'database "{database}" does not exist')
        if source != "reads":
            raise UndefinedTable(f'source "{source}" does not exist', hint="CREATE SOURCE first.")
        self.batches.append(batch)
        future: Future[Receipt] = Future()
        future.set_result(Receipt(rows=2, dead_letters=1, epoch=5))
        return future


@dataclass(frozen=True)
class OneStatement:
    text: str
    offset: int = 0


class OneRow:
    columns: Schema = (Column("n", "BIGINT"), Column("x", "DOUBLE"), Column("b", "BLOB"))

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"n": [1], "x": [float("nan")], "b": [b"\x01"]})

    def close(self) -> None:
        return


class MemorySession:
    status: TransactionStatus = "I"

    def __init__(self) -> None:
        self.commits: list[bool] = []

    @property
    def at_hand(self) -> AtHand:
        raise AssertionError("pages do not ask for it")

    def parse(self, text: str) -> Sequence[Statement]:
        return [OneStatement(part) for part in text.split(";") if part.strip()]

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description:
        return Description((), OneRow.columns)

    def execute(self, statement: Statement, parameters: Sequence[object | None] = ()) -> Outcome:
        return Outcome("SELECT", rows=OneRow())

    def fail(self) -> None:
        """Its own errors fail its blocks."""

    def begin_implicit(self) -> None:
        return

    def end_implicit(self, *, commit: bool) -> None:
        self.commits.append(commit)

    def idle_limit_s(self) -> float | None:
        return None

    def reported_settings(self) -> Mapping[str, str]:
        return {}

    def spelling(self) -> Spelling:
        return Spelling()

    @property
    def listening(self) -> bool:
        return False

    def notifications(self) -> Sequence[Notification | Notice]:
        return ()

    def on_notification(self, wake: Callable[[], None]) -> None:
        """Nothing is ever told."""

    def interrupt(self) -> None:
        return

    def close(self) -> None:
        return


class MemorySessions:
    def __init__(self) -> None:
        self.session = MemorySession()
        self.verifier = verifier_of("pencil")

    def bearer(self, token: str) -> Bearer | None:
        return {
            "all": Bearer("writer"), "one": Bearer("writer", "public.reads", "volt"),
            "blind": Bearer("stranger"),
        }.get(token)  # fmt: skip

    def allow_push(self, user: str, database: str, source: str) -> None:
        if user == "stranger":
            raise InsufficientPrivilege(f"permission denied for source {source}")

    def standing(self, user: str) -> Standing:
        return Standing(self.verifier, has_password=user == "reader", any_password=True)

    def open(
        self,
        *,
        database: str,
        user: str,
        options: Mapping[str, str],
        process_id: int = 0,
        client: str = "",
    ) -> MemorySession:
        return self.session


INGEST = MemoryIngest()
SESSIONS = MemorySessions()
PATH = "/v1/sources/reads/rows"


@pytest.fixture
def client() -> AsgiClient:
    INGEST.batches.clear()
    return AsgiClient(build_app(INGEST, SESSIONS, SESSIONS))


def test_rows_are_answered_with_their_epoch(client: AsgiClient) -> None:
    answer = client.post(PATH, content=b'{"a":1}\n{"a":2}\n{')
    assert answer.status_code == 200
    assert answer.json() == {"rows": 2, "dead_letters": 1, "epoch": 5}
    assert [batch.encoding for batch in INGEST.batches] == ["declared"]


def test_the_media_type_chooses_the_encoding(client: AsgiClient) -> None:
    client.post(PATH, content=b"a\n1\n", headers={"content-type": "text/csv; charset=utf-8"})
    as_json = {"content-type": "application/json"}
    client.post(PATH, content=b' [ {"a": 1.50} ,\n{"a":"]"} ] ', headers=as_json)
    client.post(PATH, content=b'{"a":1}', headers=as_json)
    client.post(PATH, content=b"[]", headers={**as_json, "idempotency-key": "k1"})
    csv, array, single, nothing = INGEST.batches
    assert (csv.encoding, csv.header) == ("csv", None)  # As the source declares.
    assert array.records == [b'{"a": 1.50}', b'{"a":"]"}']
    assert single.encoding == "ndjson"
    assert nothing.records == []
    assert [batch.name for batch in INGEST.batches] == ["", "", "", "k1"]
    long = {"idempotency-key": "k" * 256}
    assert client.post(PATH, content=b"{}", headers=long).status_code == 400


@pytest.mark.parametrize("body", [b"[", b"[1", b"[1,]", b"[1 2]", b"[1]x", b"[\xff]"])
def test_a_broken_array_is_refused_whole(client: AsgiClient, body: bytes) -> None:
    answer = client.post(PATH, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "22P04")
    assert not INGEST.batches


def test_what_does_not_exist_is_not_found(client: AsgiClient) -> None:
    answer = client.post("/v1/sources/nope/rows", content=b"{}")
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "42P01",
        "message": 'source "nope" does not exist',
        "hint": "CREATE SOURCE first.",
    }
    assert client.post(PATH + "?database=nope", content=b"{}").status_code == 404


def test_a_body_that_is_too_long_is_refused_early(client: AsgiClient) -> None:
    answer = client.post(PATH, content=b"", headers={"content-length": str(PUSH_BYTES_MAX + 1)})
    assert (answer.status_code, answer.json()["code"]) == (413, "54000")


def test_queries_are_answered_and_undone(client: AsgiClient) -> None:
    answer = client.get("/v1/sql", params={"q": "SELECT 1"})
    assert answer.status_code == 200
    assert answer.json()["rows"] == [[1, "nan", "\\x01"]]
    assert SESSIONS.session.commits[-1] is False


@pytest.mark.parametrize("text", ["DROP TABLE t", "SELECT 1; SELECT 2", ""])
def test_other_statements_are_refused(client: AsgiClient, text: str) -> None:
    assert client.get("/v1/sql", params={"q": text}).status_code == 400


def test_other_sites_are_refused(client: AsgiClient) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    assert client.post(PATH, content=b"{}", headers=headers).status_code == 403
    assert client.get("/", headers=headers).status_code == 200


def test_the_page_and_the_answers_of_health(client: AsgiClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_body_names_the_format_of_its_head_end(client: AsgiClient) -> None:
    said = f"{PATH}?encode=nem12&head_end=east"
    assert client.post(said, content=b"900\n").status_code == 200
    [batch] = INGEST.batches
    assert (batch.encoding, bytes(batch.payload)) == ("metering", b"900\n")
    assert batch.metering is not None
    assert (batch.metering.format, batch.metering.head_end) == ("nem12", "east")
    assert client.post(f"{PATH}?encode=thrift", content=b"x").status_code == 400
    assert client.post(f"{PATH}?encode=espi&tz=Mars/Base", content=b"x").status_code == 400
