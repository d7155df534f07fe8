"""Every system catalog can be read, is PostgreSQL's in its columns, and is documented."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench.postgresql import Postgresql, tool
from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import UndefinedColumn, UndefinedTable

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "catalogs.md"
COLUMNS = (
    "SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute a "
    "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname IN ({}) AND c.relkind IN ('r', 'v') AND a.attnum > 0"
)
STANDARD = "'pg_catalog', 'information_schema'"
OWN = {("information_schema", "granted")}  # What others are made of.


SCHEMA = """
CREATE TABLE sites (id int PRIMARY KEY, kw numeric(9,2) CHECK (kw > 0), tags text[]);
CREATE SOURCE reads (site int, at timestamptz) WITH (connector = 'none', region = 'n');
CREATE MATERIALIZED VIEW per_site AS SELECT site, count(*) AS n FROM reads GROUP BY 1;
CREATE VIEW busy AS SELECT id FROM sites WHERE kw > 5;
CREATE INDEX on_n ON per_site (n);
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
INSERT INTO sites VALUES (1, 7, '{a,b}'), (2, 1, NULL);
"""


@pytest.fixture(scope="module")
def volt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    driver = Engine(tmp_path_factory.mktemp("data"), SystemClock())
    driver.run(SCHEMA)
    yield driver
    driver.close()


def _columns(driver: Engine, schemas: str) -> set[tuple[object, ...]]:
    return set(driver.run(COLUMNS.format(schemas)))


def test_every_relation_can_be_read(volt: Engine) -> None:
    relations = {row[:2] for row in _columns(volt, STANDARD + ", 'rw_catalog'")}
    assert len(relations) > 230
    for schema, name in sorted(relations, key=str):
        volt.run(f"SELECT * FROM {schema}.{name} LIMIT 3")


def test_columns_are_those_of_postgresql(volt: Engine) -> None:
    if tool("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's folder: the server runs as another user.
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-") as folder,
        Postgresql(Path(folder)) as theirs,
        psycopg.connect(theirs.address) as session,
    ):
        if session.info.server_version // 10_000 != 15:
            pytest.skip("the catalogs are those of PostgreSQL 15")
        wanted = set(session.execute(COLUMNS.format(STANDARD).encode()).fetchall())
    ours = _columns(volt, STANDARD)
    assert wanted - ours == set()
    extra = {row for row in ours - wanted if row[:2] not in OWN}
    # Of PostgreSQL before 12 and 15, and of 16.
    others = {"adsrc", "consrc", "datlastsysoid", "inherit_option", "set_option"}
    assert {row[2] for row in extra} <= others


def test_every_relation_is_documented(volt: Engine) -> None:
    sections = DOCUMENT.read_text().split("\n## ")
    told = {
        section.partition("\n")[0]: set(re.findall(r"`(\w+)`", section)) for section in sections
    }
    own = {name for _, name in OWN}
    for schema, heading in (
        ("pg_catalog", "pg_catalog"),
        ("information_schema", "information_schema"),
        ("rw_catalog", "Streaming facts"),
    ):
        names = {str(row[1]) for row in _columns(volt, f"'{schema}'")} - own
        assert names - told[heading] == set()
    facts = {row[2] for row in _columns(volt, "'rw_catalog'") if "state_sizes" in str(row[1])}
    assert facts <= told["Streaming facts"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT view_name, table_name FROM information_schema.view_table_usage ORDER BY 1",
         [("busy", "sites"), ("per_site", "reads")]),
        ("SELECT routine_name, data_type, routine_body, routine_definition FROM "
         "information_schema.routines WHERE routine_schema = 'public'",
         [("twice", "integer", "SQL", "SELECT $1 * 2")]),
        ("SELECT parameter_mode, ordinal_position, data_type FROM information_schema.parameters "
         "WHERE specific_schema = 'public'", [("IN", 1, "integer")]),
        ("SELECT option_name, option_value FROM information_schema.foreign_table_options",
         [("region", "n")]),
        ("SELECT foreign_server_name FROM information_schema.foreign_servers", [("none",)]),
        ("SELECT datname, deadlocks, xact_commit > 3 FROM pg_stat_database", [("volt", 0, True)]),
        ("SELECT relname, n_live_tup, n_mod_since_analyze FROM pg_stat_user_tables "
         "WHERE relname = 'sites'", [("sites", 2, 0)]),
        ("SELECT udt_name FROM information_schema.column_udt_usage WHERE column_name = 'tags'",
         [("_text",)]),
        ("SELECT constraint_name FROM information_schema.constraint_table_usage "
         "WHERE table_name = 'sites' ORDER BY 1", [("sites_kw_check",), ("sites_pkey",)]),
        ("SELECT definition FROM pg_views WHERE viewname = 'busy'",
         [("SELECT id FROM sites WHERE kw > 5;",)]),
        ("SELECT name, kind, rows FROM rw_catalog.rw_state_sizes WHERE name = 'sites'",
         [("sites", "table", 2)]),
        ("SELECT count(*) > 300 FROM pg_timezone_names", [(True,)]),
    ],
)  # fmt: skip
def test_content(volt: Engine, query: str, found: list[tuple[object, ...]]) -> None:
    assert volt.run(query) == found


def test_what_is_not_there_is_refused(volt: Engine) -> None:
    with pytest.raises(UndefinedTable):
        volt.run("SELECT * FROM pg_catalog.pg_nothing")
    with pytest.raises(UndefinedColumn):
        volt.run("SELECT relnothing FROM pg_class")
