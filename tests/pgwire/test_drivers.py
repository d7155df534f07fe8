"""Drivers and tools of other languages and libraries against a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

HERE = Path(__file__).parent / "clients"
TOOLS = Path(__file__).parent.parent.parent / ".venv"
JDBC = Path("/usr/share/java/postgresql.jar")


@pytest.fixture
def url(address: str) -> str:
    pairs = dict(pair.split("=") for pair in address.split())
    return f"{pairs['user']}@{pairs['host']}:{pairs['port']}/{pairs['dbname']}"


def ran(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(not JDBC.exists(), reason="libpostgresql-jdbc-java is not installed")
@pytest.mark.skipif(shutil.which("javac") is None, reason="a JDK is not installed")
def test_pgjdbc(url: str) -> None:
    server = "jdbc:postgresql://" + url.partition("@")[2]
    told = ran("java", "-cp", JDBC, HERE / "Client.java", server)
    assert told.splitlines()[-1] == "done"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not (TOOLS / "node").exists(), reason="node-postgres is not installed")
def test_node_postgres(url: str) -> None:
    modules = TOOLS / "node" / "node_modules"
    told = ran("node", HERE / "client.cjs", f"postgres://{url}", NODE_PATH=str(modules))
    assert told.splitlines()[-1] == "done"


@pytest.mark.skipif(not (TOOLS / "dbt" / "bin" / "dbt").exists(), reason="dbt is not installed")
def test_dbt(url: str, address: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / "dbt", project)
    port = url.rpartition(":")[2].partition("/")[0]
    for _ in range(2):  # The second run replaces what the first has made.
        told = ran(
            TOOLS / "dbt" / "bin" / "dbt", "--no-use-colors", "build", "--profiles-dir", project,
            "--project-dir", project, VOLT_PORT=port, DO_NOT_TRACK="1",
        )  # fmt: skip
        assert "PASS=8 WARN=0 ERROR=0" in told, told
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute("SELECT site, most FROM live_sites ORDER BY site").fetchall()
        assert [(site, float(most)) for site, most in rows] == [("north", 2.5), ("south", 4)]


@pytest.mark.skipif(shutil.which("pgbench") is None, reason="pgbench is not installed")
def test_pgbench(url: str, address: str, tmp_path: Path) -> None:
    script = tmp_path / "visits.sql"
    script.write_text(
        "\\set id random(1, 100)\nINSERT INTO visits VALUES (:id, :id);\n"
        "SELECT count(*) FROM visits WHERE id = :id;\n"
    )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE visits (id int, kw int) APPEND ONLY")
    for mode in ("simple", "extended", "prepared"):
        told = ran(
            "pgbench", "-n", "-f", script, "-c", "2", "-t", "5", "-M", mode, f"postgres://{url}"
        )
        assert "number of transactions actually processed: 10/10" in told
        assert "number of failed transactions: 0" in told


@pytest.fixture(scope="module")
def sites(address: str) -> str:
    with psycopg.connect(address, autocommit=True) as connection:
        for text in (
            "CREATE TABLE sites (id int PRIMARY KEY, name varchar NOT NULL, kw numeric(10,2), "
            "at timestamptz, UNIQUE (name))",
            "INSERT INTO sites VALUES (1, 'a', 1.5, '2026-01-01 00:00:00+00'), "
            "(2, 'b', NULL, NULL)",
            "CREATE VIEW busy_sites AS SELECT * FROM sites WHERE kw > 1",
            "CREATE MATERIALIZED VIEW per_name AS "
            "SELECT name, count(*) AS n FROM sites GROUP BY name",
            "CREATE INDEX by_n ON per_name (n)",
        ):
            connection.execute(text.encode())
    return address


def test_sqlalchemy_reflects(sites: str, url: str) -> None:
    sqlalchemy: Any = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://{url}")
    seen = sqlalchemy.inspect(engine)
    assert "sites" in seen.get_table_names()
    assert seen.get_view_names().count("busy_sites") == 1
    assert "per_name" in seen.get_materialized_view_names()
    columns = {
        one["name"]: (str(one["type"]), one["nullable"]) for one in seen.get_columns("sites")
    }
    assert columns == {
        "id": ("INTEGER", False), "name": ("VARCHAR", False), "kw": ("NUMERIC(10, 2)", True),
        "at": ("TIMESTAMP", True),
    }  # fmt: skip
    assert seen.get_pk_constraint("sites")["constrained_columns"] == ["id"]
    assert [one["column_names"] for one in seen.get_unique_constraints("sites")] == [["name"]]
    assert [one["column_names"] for one in seen.get_indexes("per_name")] == [["n"]]
    engine.dispose()


def test_sqlalchemy_orm(url: str) -> None:
    sqlalchemy: Any = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    orm: Any = pytest.importorskip("sqlalchemy.orm")
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://{url}")
    registry = orm.registry()
    table = sqlalchemy.Table(
        "chargers", registry.metadata,
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True, autoincrement=False),
        sqlalchemy.Column("name", sqlalchemy.String(20)),
    )  # fmt: skip
    sqlalchemy.Table(
        "cables", registry.metadata,
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True, autoincrement=False),
        sqlalchemy.Column("charger_id", sqlalchemy.ForeignKey("chargers.id", ondelete="CASCADE")),
    )  # fmt: skip
    charger: Any = type("Charger", (), {})
    registry.map_imperatively(charger, table)
    registry.metadata.create_all(engine)
    (key,) = sqlalchemy.inspect(engine).get_foreign_keys("cables")
    assert (key["constrained_columns"], key["referred_table"]) == (["charger_id"], "chargers")
    assert (key["referred_columns"], key["options"]) == (["id"], {"ondelete": "CASCADE"})
    with orm.Session(engine) as session:
        for number, name in ((1, "a"), (2, "b")):
            one = charger()
            one.id, one.name = number, name
            session.add(one)
        session.commit()
        found = session.get(charger, 1)
        found.name = "z"
        session.commit()
        names = session.scalars(sqlalchemy.select(table.c.name).order_by(table.c.id)).all()
        assert names == ["z", "b"]
        session.delete(found)
        session.commit()
        assert session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)) == 1
    engine.dispose()


def test_pandas(sites: str, url: str) -> None:
    pandas: Any = pytest.importorskip("pandas", reason="pandas is not installed")
    sqlalchemy: Any = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://{url}")
    frame = pandas.read_sql("SELECT id, name FROM sites ORDER BY id", engine)
    assert frame.to_dict("list") == {"id": [1, 2], "name": ["a", "b"]}
    pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_sql("frames", engine, index=False)
    assert pandas.read_sql_table("frames", engine).to_numpy().tolist() == [[1, "x"], [2, "y"]]
    engine.dispose()


def test_polars(sites: str, url: str) -> None:
    polars: Any = pytest.importorskip("polars", reason="polars is not installed")
    pytest.importorskip("adbc_driver_postgresql", reason="the ADBC driver is not installed")
    text = "SELECT id, name, at FROM sites ORDER BY id"
    frame = polars.read_database_uri(text, f"postgresql://{url}", engine="adbc")
    assert frame["name"].to_list() == ["a", "b"]
    with psycopg.connect(sites) as connection:
        assert polars.read_database(text, connection).equals(frame)


def test_adbc(sites: str, url: str) -> None:
    dbapi: Any = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="the ADBC driver is not installed"
    )
    pyarrow: Any = pytest.importorskip("pyarrow")
    with dbapi.connect(f"postgresql://{url}") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, kw FROM sites ORDER BY id")
        table = cursor.fetch_arrow_table()
        assert table.column("id").to_pylist() == [1, 2]
        assert [None if v is None else Decimal(v) for v in table.column("kw").to_pylist()] == [
            Decimal("1.50"), None,
        ]  # fmt: skip
        given = pyarrow.table({"a": [1, 2, None], "b": ["x", None, "z"], "c": [1.5, 2.5, None]})
        assert cursor.adbc_ingest("ingested", given, mode="create") == 3
        connection.commit()
        cursor.execute("SELECT * FROM ingested ORDER BY a")
        assert cursor.fetchall() == [(1, "x", 1.5), (2, None, 2.5), (None, "z", None)]
        cursor.execute("SELECT name FROM sites WHERE id = $1", parameters=(2,))
        assert cursor.fetchall() == [("b",)]
        assert connection.adbc_get_table_schema("sites").names == ["id", "name", "kw", "at"]
