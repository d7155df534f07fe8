"""`--jdbc`: views of a job in a real PostgreSQL, row for row as embedded, also after changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

import psycopg
import pytest

from tests.cluster.deploying import deploy, send
from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.connectors.real_postgres.server import Server
from tests.pgwire.conftest import address
from voltstream.core.errors import InvalidParameter
from voltstream.deploy.script import NotDeployable

WAIT_S = 120
__all__ = ["address"]  # A server of ours.
TYPES = {
    "flag": "BOOLEAN", "small": "SMALLINT", "whole": "INT", "big": "BIGINT", "r": "REAL",
    "d": "DOUBLE PRECISION", "exact": "NUMERIC(12, 3)", "free": "NUMERIC", "txt": "TEXT",
    "chars": "VARCHAR(20)", "day": "DATE", "clock": "TIME", "here": "TIMESTAMP",
    "at": "TIMESTAMPTZ", "span": "INTERVAL", "uid": "UUID", "doc": "JSONB",
    "place": "TEXT",
}  # fmt: skip
TABLE = (
    "CREATE TABLE things (id INT PRIMARY KEY, "
    + ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    + ") WITH (connector = 'kafka', topic = 'jdbc.things', properties.bootstrap.server = "
    "'{brokers}', scan.startup.mode = 'earliest') FORMAT UPSERT ENCODE JSON;"
)
VIEWS = {
    # Every type, under the key of the table.
    "everything": "SELECT * FROM things",
    # Groups that come, change and go, one of them that of NULL.
    "grid.places": "SELECT place, count(*) AS n, "
    "sum(exact) AS exact, "
    "max(free) AS free, max(at) AS latest, min(span) AS least, count(doc) AS docs "
    "FROM things GROUP BY 1",
    # No key: equal rows are counted, and shown as often as they are.
    "equals": "SELECT place, whole % 2 AS odd, at FROM things WHERE flag",
    # What readers compute.
    "ages": "SELECT id, at, now() > at + INTERVAL '1 day' AS is_old FROM things",
}
_TRAILING = re.compile(r"^(-?\d+)(\.\d*?)0+$")


def thing(number: int) -> dict[str, Any]:
    """Return a row; every third has NULLs, from the back and from the front by turns."""
    row: dict[str, Any] = {
        "flag": number % 2 == 0, "small": number - 50, "whole": number * 1_000, "big": number << 40,
        "r": number / 4, "d": number / 3, "exact": f"{number / 8:.3f}", "free": f"{number}.0625",
        "txt": f"text {number} 'quoted' \\ ü\n", "chars": "x" * (number % 20),
        "day": f"2026-03-{number % 28 + 1:02}", "clock": f"08:{number % 60:02}:07.125",
        "here": f"2026-03-02T08:{number % 60:02}:00.123456",
        "at": f"2026-03-02T08:{number % 60:02}:00.654321Z",
        "span": f"{(-number, number)[number % 2]} days {'+-'[number % 2]}00:{number % 60:02}:00.5",
        "uid": f"00000000-0000-4000-8000-{number:012}", "doc": {"n": number, "tags": ["a", None]},
        "place": f"P-{number % 4}",
    }  # fmt: skip
    if number % 3 == 0:
        names = [*row] if number % 2 else [*reversed(row)]
        row |= dict.fromkeys(names[: number % len(names)])
    return {"id": number, **row}


def comparable(connection: psycopg.Connection[Any], view: str) -> Counter[tuple[Any, ...]]:
    """Return the rows of a view as texts, numerics without the zeros behind."""
    rows = connection.execute(f"SELECT * FROM {view}".encode())
    return Counter(tuple(_text(value) for value in row) for row in rows.fetchall())


def _text(value: object) -> str:
    return _TRAILING.sub(lambda found: found[1] + found[2].rstrip("."), str(value))


@pytest.fixture
def embedded(broker: Broker, address: str) -> Iterator[psycopg.Connection[Any]]:
    """A server of ours that reads the same topic."""
    broker.create_topic("jdbc.things", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute("CREATE SCHEMA grid")
        connection.execute(TABLE.format(brokers=broker.address).encode())
        for name, query in VIEWS.items():
            connection.execute(f"CREATE MATERIALIZED VIEW {name} AS {query}".encode())
        yield connection


def things(broker: Broker, rows: dict[int, dict[str, Any] | None]) -> None:
    send(broker, "jdbc.things", ((f'{{"id":{key}}}', row) for key, row in rows.items()))


def test_views_in_postgresql_are_the_embedded_ones(
    broker: Broker, cluster: Cluster, embedded: psycopg.Connection[Any], postgres: Server,
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("VOLTSTREAM_JDBC_PASSWORD", "hidden-secret")
    out = tmp_path / "out"
    parts = dict(part.split("=") for part in address.split())
    url = f"jdbc:postgresql://127.0.0.1:{postgres.port}/postgres?user=volt"
    target = ("--target", "flink", "--out", out, "--topics", "jdbc.out.", "--jdbc", url,
              "--null-keys", "--host", parts["host"], "--pg-port", parts["port"])  # fmt: skip
    deploy(*target)
    assert "hidden-secret" not in "".join(one.read_text() for one in out.iterdir())
    there = postgres.connect()
    there.execute("SET timezone = 'UTC'")
    for _ in range(2):  # Run again it changes nothing.
        there.execute((out / "postgres.sql").read_text().encode())

    def agree() -> bool:
        return all(comparable(there, view) == comparable(embedded, view) for view in VIEWS)

    def differing() -> dict[str, Any]:
        found = {view: (comparable(embedded, view), comparable(there, view)) for view in VIEWS}
        return {
            view: ([*(ours - theirs)][:3], [*(theirs - ours)][:3])
            for view, (ours, theirs) in found.items()
            if ours != theirs
        }

    def wait(count: int) -> None:
        """Wait for so many rows here, then for the same rows of every view there."""
        counted = b"SELECT count(*) FROM everything"
        eventually(lambda: embedded.execute(counted).fetchall() == [(count,)], WAIT_S)
        try:
            eventually(agree, WAIT_S)
        except AssertionError:
            pytest.fail(pformat(differing(), width=250))

    deploy(*target, "--to", cluster.gateway)
    try:
        assert "hidden-secret" not in "".join(one.read_text() for one in out.iterdir())
        things(broker, {number: thing(number) for number in range(60)})
        wait(60)
        # Values change, keys go, a whole group with them, and one comes back.
        changed: dict[int, dict[str, Any] | None] = {
            number: {**thing(number + 1), "id": number, "place": "P-1"} for number in range(30)
        }
        things(broker, changed | dict.fromkeys(range(30, 60, 2)))
        wait(45)
        things(broker, dict.fromkeys(range(60)))
        wait(0)
        assert [there.execute(f"SELECT count(*) FROM {view}".encode()).fetchall()
                for view in VIEWS] == [[(0,)]] * len(VIEWS)  # fmt: skip
        things(broker, {7: thing(7), 8: thing(8)})
        wait(2)
    finally:
        deploy("destroy", *target[:4], "--to", cluster.gateway)
    there.execute((out / "postgres_empty.sql").read_text().encode())
    assert there.execute("SELECT count(*) FROM grid.places__rows").fetchall() == [(0,)]
    there.close()


def test_what_the_connector_cannot_write_is_refused(broker: Broker, tmp_path: Path) -> None:
    file = tmp_path / "p.sql"
    file.write_text(
        TABLE.format(brokers=broker.address)
        + "CREATE MATERIALIZED VIEW v AS SELECT place, array_agg(id) AS ids FROM things GROUP BY 1;"
    )
    target = ("--target", "flink", "-f", file, "--out", tmp_path / "out", "--jdbc")
    with pytest.raises(NotDeployable, match="ids: Flink's JDBC connector writes no arrays"):
        deploy(*target, "jdbc:postgresql://h/d")
    file.write_text(
        "CREATE TABLE frames (id INT PRIMARY KEY, raw BYTEA); "
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM frames;"
    )
    with pytest.raises(NotDeployable, match="bytea: Flink has no such type"):
        deploy("--target", "flink", "-f", file, "--kafka", broker.address)
    wrong = {"postgres://h/d": "not the address", "jdbc:postgresql://h/d?password=p": "password"}
    for url, said in wrong.items():
        with pytest.raises(InvalidParameter, match=said) as error:
            deploy(*target, url)
        assert error.value.sqlstate == "22023" and error.value.hint
    assert not (tmp_path / "out").exists()
