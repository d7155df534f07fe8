"""Drivers that must not share our environment, one by one: drivers.py DRIVER HOST PORT DATABASE."""

from __future__ import annotations

import datetime
import decimal
import io
import sys
import uuid
from importlib import import_module
from typing import Any

AT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC)
ROW = (1, "it's", decimal.Decimal("12.50"), 0.1, True, AT, AT.date(), uuid.UUID(int=7), b"\x00\xff")
TABLE = (
    "CREATE TABLE {} (id int PRIMARY KEY, name text, cost numeric(9,2), kw float8, ok bool, "
    "at timestamptz, day date, tag uuid, raw bytea)"
)


def same(found: object, wanted: object) -> None:
    if found != wanted:
        raise SystemExit(f"{found!r} is not {wanted!r}")


def by_psycopg2(host: str, port: int, database: str) -> None:
    psycopg2: Any = import_module("psycopg2")
    errors: Any = import_module("psycopg2.errors")
    extras: Any = import_module("psycopg2.extras")

    extras.register_uuid()
    with psycopg2.connect(host=host, port=port, dbname=database, user="al") as session:
        cursor = session.cursor()
        cursor.execute(TABLE.format("two"))
        marks = ", ".join(["%s"] * len(ROW))
        cursor.execute(f"INSERT INTO two VALUES ({marks})", ROW)
        cursor.execute("SELECT * FROM two WHERE name = %s AND at = %s", ("it's", AT))
        found = cursor.fetchone()
        same((*found[:-1], bytes(found[-1])), ROW)
        same([one.name for one in cursor.description][:2], ["id", "name"])
        session.commit()
        more = [(n, f"n{n}") for n in range(2, 102)]
        extras.execute_values(cursor, "INSERT INTO two (id, name) VALUES %s", more)
        same(cursor.rowcount, 100)
        session.rollback()
        copied = io.StringIO("2\tb\n3\t\\N\n")
        cursor.copy_expert("COPY two (id, name) FROM STDIN", copied)
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT id, name FROM two ORDER BY id) TO STDOUT CSV", out)
        same(out.getvalue(), "1,it's\n2,b\n3,\n")
        session.commit()
        with session.cursor(name="held") as held:
            held.itersize = 2
            held.execute("SELECT i FROM generate_series(1, 5) AS g(i)")
            same([row[0] for row in held], [1, 2, 3, 4, 5])
        try:
            cursor.execute("INSERT INTO two (id) VALUES ('x')")
        except errors.InvalidTextRepresentation as error:
            same(error.pgcode, "22P02")
        else:
            raise SystemExit("no error")
        session.rollback()
        cursor.execute("SELECT %s, ARRAY[1,2], ARRAY['a', NULL]", ([1, 2],))
        same(cursor.fetchone(), ([1, 2], [1, 2], ["a", None]))


def by_pg8000(host: str, port: int, database: str) -> None:
    native: Any = import_module("pg8000.native")
    dbapi: Any = import_module("pg8000.dbapi")

    session = native.Connection("al", host=host, port=port, database=database)
    session.run(TABLE.format("eight"))
    names = ["id", "name", "cost", "kw", "ok", "at", "day", "tag", "raw"]
    values = dict(zip(names, ROW, strict=True))
    marks = ", ".join(f":{name}" for name in names)
    session.run(f"INSERT INTO eight VALUES ({marks})", **values)
    same([tuple(row) for row in session.run("SELECT * FROM eight")], [ROW])
    same(session.run("SELECT :a + 1", a=41, types={"a": 23}), [[42]])
    statement = session.prepare("SELECT name FROM eight WHERE id = :id")
    for _ in range(3):
        same(statement.run(id=1), [["it's"]])
    try:
        session.run("SELECT nothing FROM eight")
    except native.DatabaseError as error:
        same((error.args[0]["C"], error.args[0]["P"]), ("42703", "8"))
    session.close()
    connection = dbapi.connect("al", host=host, port=port, database=database)
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO eight (id) VALUES (%s)", [(n,) for n in range(2, 5)])
    connection.rollback()
    cursor.execute("SELECT count(*) FROM eight")
    same(cursor.fetchone()[0], 1)
    connection.close()


def by_odbc(host: str, port: int, database: str) -> None:
    pyodbc: Any = import_module("pyodbc")

    session = pyodbc.connect(
        f"DRIVER={{PostgreSQL Unicode}};SERVER={host};PORT={port};DATABASE={database};UID=al;"
        "BoolsAsChar=0;UseServerSidePrepare=1",
        autocommit=True,
    )
    cursor = session.cursor()
    cursor.execute(TABLE.format("odbc").replace("odbc", "by_odbc"))
    at = AT.replace(tzinfo=None)
    cursor.execute(
        "INSERT INTO by_odbc VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        1, "it's", decimal.Decimal("12.50"), 0.1, True, at, AT.date(), str(ROW[7]), ROW[8],
    )  # fmt: skip
    row = cursor.execute("SELECT * FROM by_odbc WHERE id = ?", 1).fetchone()
    same(tuple(row[:5]), (*ROW[:4], True))
    same((row.at, row.day, bytes(row.raw)), (at, AT.date(), ROW[8]))
    tables = {one.table_name: one.table_type for one in cursor.tables(schema="public")}
    same(tables["by_odbc"], "TABLE")
    columns = [(one.column_name, one.nullable) for one in cursor.columns(table="by_odbc")]
    same(columns[:2], [("id", 0), ("name", 1)])
    same([one.column_name for one in cursor.primaryKeys(table="by_odbc")], ["id"])
    cursor.execute("CREATE INDEX by_name ON by_odbc (name, day)")
    found = cursor.statistics(table="by_odbc", unique=False)
    indexes = [(one.index_name, one.column_name, one.non_unique) for one in found if one.index_name]
    wanted = [("by_odbc_pkey", "id", 0), ("by_name", "name", 1), ("by_name", "day", 1)]
    same(sorted(indexes), sorted(wanted))
    session.autocommit = False
    cursor.execute("DELETE FROM by_odbc")
    session.rollback()
    same(cursor.execute("SELECT count(*) FROM by_odbc").fetchval(), 1)
    try:
        cursor.execute("SELECT nothing FROM by_odbc")
    except pyodbc.Error as error:
        same(error.args[0], "42703")
    session.rollback()
    session.close()


if __name__ == "__main__":
    driver, where, at_port, name = sys.argv[1:]
    {"psycopg2": by_psycopg2, "pg8000": by_pg8000, "odbc": by_odbc}[driver](
        where, int(at_port), name
    )
    print("done")
