"""Real clients against a real server on a free port."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest


@pytest.fixture
def connection(address: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(address, autocommit=True) as opened:
        yield opened


def test_values_come_back_in_both_formats(connection: psycopg.Connection) -> None:
    text = "SELECT 1, true, 1.50, 'x', NULL, TIMESTAMPTZ '2026-01-01 00:00:00+00'"
    expected = (1, True, Decimal("1.50"), "x", None, datetime(2026, 1, 1, tzinfo=UTC))
    for binary in (False, True):
        assert connection.cursor(binary=binary).execute(text).fetchone() == expected


def test_server_parameters(connection: psycopg.Connection) -> None:
    assert connection.info.server_version >= 150000
    assert connection.execute("SELECT %s::int + 1", (41,)).fetchone() == (42,)
    assert connection.execute("SELECT %s::varchar", ("it's",)).fetchone() == ("it's",)


def test_rows_in_and_out(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE readings (id int PRIMARY KEY, name varchar)")
    done = connection.execute("INSERT INTO readings VALUES (1, 'a'), (2, 'b')")
    assert done.statusmessage == "INSERT 0 2"
    with connection.cursor().copy("COPY readings FROM STDIN") as copy:
        copy.write_row((3, "c\td"))
    with connection.pipeline():
        connection.execute("INSERT INTO readings VALUES (%s, %s)", (4, "d"))
        connection.execute("INSERT INTO readings VALUES (%s, %s)", (5, "e"))
    rows = connection.execute("SELECT * FROM readings ORDER BY id").fetchall()
    assert rows == [(1, "a"), (2, "b"), (3, "c\td"), (4, "d"), (5, "e")]
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute("INSERT INTO readings VALUES (NULL, 'lost')")


def test_errors_carry_their_place(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.SyntaxError) as caught:
        connection.execute("SELECT 1; SELEC 1")
    assert caught.value.diag.statement_position == "11"
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM nope")


def test_failed_block(connection: psycopg.Connection) -> None:
    connection.execute("BEGIN")
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM nope")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("SELECT 1")
    connection.execute("ROLLBACK")


def test_notice(connection: psycopg.Connection) -> None:
    heard: list[str] = []
    connection.add_notice_handler(lambda told: heard.append(told.message_primary or ""))
    connection.execute("DROP TABLE IF EXISTS never_there")
    assert len(heard) == 1


def test_cancel(connection: psycopg.Connection) -> None:
    timer = threading.Timer(0.5, connection.cancel_safe)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(
            "SELECT count(*) FROM generate_series(1, 1000000) AS a(i), "
            "generate_series(1, 1000000) AS b(j) WHERE (i * j) % 1000003 = 7"
        )
    timer.join()


def test_unknown_database(address: str) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nope" does not exist'):
        psycopg.connect(address, dbname="nope")


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql(address: str) -> None:
    script = "SELECT 1 AS one, 'x' AS two; SELECT 2;"
    done = subprocess.run(
        ["psql", "-X", "-At", address], input=script, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1|x\n2\n"


def test_binary_copy_out_and_in(connection: psycopg.Connection) -> None:
    connection.execute(
        "CREATE TABLE packed (id int PRIMARY KEY, kw double precision, note varchar, "
        "at timestamptz, exact numeric(10,3), ok boolean, raw bytea)"
    )
    types = ("int4", "float8", "varchar", "timestamptz", "numeric", "bool", "bytea")
    at = datetime(2026, 3, 1, 12, 30, 0, 250000, tzinfo=UTC)
    rows = [
        (1, 1.5, "tab\there\nand \\", at, Decimal("12.345"), True, b"\x00\xff"),
        (2, None, "", None, None, False, None),
    ]
    with connection.cursor().copy("COPY packed FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
    assert connection.execute("SELECT * FROM packed ORDER BY id").fetchall() == rows
    query = "COPY (SELECT * FROM packed ORDER BY id) TO STDOUT (FORMAT binary)"
    with connection.cursor().copy(query) as copy:
        copy.set_types(types)
        assert list(copy.rows()) == rows


def test_settings_come_from_the_startup_packet(address: str) -> None:
    options = "-c timezone=Europe/Oslo -c statement_timeout=5000"
    with psycopg.connect(address, options=options, application_name="meter") as opened:
        assert opened.info.parameter_status("TimeZone") == "Europe/Oslo"
        assert opened.execute("SHOW timezone").fetchone() == ("Europe/Oslo",)
        assert opened.execute("SHOW application_name").fetchone() == ("meter",)
        found = opened.execute("SELECT current_setting('statement_timeout')").fetchone()
        assert found == ("5s",)


def test_one_server_version_everywhere(connection: psycopg.Connection) -> None:
    shown = connection.execute("SHOW server_version").fetchone()
    assert shown == (connection.info.parameter_status("server_version"),)
    assert connection.execute("SHOW server_version_num").fetchone() == ("150000",)
    version = connection.execute("SELECT version()").fetchone()
    assert version is not None and version[0].startswith(f"PostgreSQL {shown[0]}")


def test_rows_come_in_portions(connection: psycopg.Connection) -> None:
    with connection.transaction(), connection.cursor("walker") as walker:
        walker.itersize = 2
        walker.execute("SELECT i FROM generate_series(1, 5) AS g(i)")
        assert [row[0] for row in walker] == [1, 2, 3, 4, 5]


def test_who_is_connected(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT usename, datname, state, query FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    ).fetchall()
    assert [(user, database, state) for user, database, state, _ in rows] == [
        ("al", "volt", "active")
    ]
    assert "pg_stat_activity" in rows[0][3]


def test_copy_out_escapes_what_it_must(connection: psycopg.Connection) -> None:
    query = (
        "SELECT 1.5::float8 AS a, 'x,\"y' AS b, '' AS c, NULL AS d, E'p\\tq\\\\' AS e, true AS f"
    )
    for options, line in (
        ("", b'1.5\tx,"y\t\t\\N\tp\\tq\\\\\tt\n'),
        ("(FORMAT csv)", b'1.5,"x,""y","",,p\tq\\,t\n'),
        ("(FORMAT csv, DELIMITER '.')", b'"1.5"."x,""y".""..p\tq\\.t\n'),
    ):
        with connection.cursor().copy(f"COPY ({query}) TO STDOUT {options}".encode()) as copy:
            assert b"".join(bytes(piece) for piece in copy) == line
