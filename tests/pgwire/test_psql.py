"""Every describing command of psql against a small schema: no errors, and the lines people read."""

from __future__ import annotations

import shutil
import subprocess

import psycopg
import pytest

pytestmark = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")

SCHEMA = (
    "CREATE TABLE stations (id int PRIMARY KEY, name varchar NOT NULL, "
    "power numeric(10,2) DEFAULT 5, tags varchar[], UNIQUE (name), CHECK (power > 0))",
    "CREATE SOURCE readings (station int, kwh double precision, at timestamptz) "
    "WITH (connector = 'none', region = 'north', \"sasl.password\" = 'hidden') "
    "FORMAT PLAIN ENCODE JSON",
    "CREATE VIEW busy AS SELECT id, name FROM stations WHERE power > 3",
    "CREATE MATERIALIZED VIEW per_station AS SELECT station, sum(kwh) AS total FROM readings "
    "GROUP BY station",
    "CREATE INDEX on_total ON per_station (total)",
    "CREATE SCHEMA extra",
    "CREATE TABLE extra.notes (note varchar)",
    "COMMENT ON TABLE stations IS 'Where cars charge'",
    "COMMENT ON COLUMN stations.name IS 'As the sign says'",
)

# Each command of `\?` that asks the server, with what its answer holds.
COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d", ("busy|view", "per_station|materialized view", "readings|foreign table")),
    (r"\d+", ("stations|table|volt|permanent|heap", "Where cars charge")),
    (r"\d stations", ("id|integer||not null|", "name|character varying||not null|",
                      "power|numeric(10,2)|||5", "tags|character varying[]",
                      '"stations_pkey" PRIMARY KEY, btree (id)',
                      '"stations_name_key" UNIQUE CONSTRAINT, btree (name)',
                      '"stations_power_check" CHECK ((power > 0))')),
    (r"\d+ stations", ("As the sign says", "Access method: heap")),
    (r"\d readings", ("at|timestamp with time zone", "Server: none",
                      "FDW options: (region 'north')")),
    (r"\d+ per_station", ("total|double precision", '"on_total" btree (total)',
                          "View definition:", "SELECT station, sum(kwh) AS total FROM readings")),
    (r"\d+ busy", ("id|integer", "SELECT id, name FROM stations WHERE power > 3;")),
    (r"\d on_total", ("total|double precision|yes|total",
                      'btree, for table "public.per_station"')),
    (r"\d stations_pkey", ('primary key, btree, for table "public.stations"',)),
    (r"\d st*", ('Table "public.stations"', 'Index "public.stations_pkey"')),
    (r"\d extra.*", ('Table "extra.notes"',)),
    (r"\d pg_class", ('relkind|"char"', "relname|name")),
    (r"\da sum", ("pg_catalog|sum|",)),
    (r"\dA", ("btree|Index", "heap|Table")),
    (r"\dA+", ("btree",)),
    (r"\dAc+", ("btree|\"any\"||any_ops|yes|any_ops|volt",)),
    (r"\dAf", ()),
    (r"\dAo", ()),
    (r"\dAp", ()),
    (r"\db+", ("pg_default|volt",)),
    (r"\dc", ()),
    (r"\dconfig max_connections", ("max_connections|500",)),
    (r"\dconfig+ server_version", ("server_version|15.0 (Voltstream)",)),
    (r"\d+ pg_am", ("amname|name", "View definition:")),
    (r"\dC+", ()),
    (r"\dd", ()),
    (r"\dD+", ()),
    (r"\ddp", ()),
    (r"\dE", ("public|readings|foreign table|volt",)),
    (r"\des+", ("none|volt|none",)),
    (r"\det+", ("public|readings|none|(region 'north')",)),
    (r"\deu+", ()),
    (r"\dew+", ("none|volt",)),
    (r"\df", ("(0 rows)",)),
    (r"\df abs", ("pg_catalog|abs|integer|integer|func",)),
    (r"\df+ abs", ("immutable",)),
    (r"\dF+", ()),
    (r"\dFd+", ()),
    (r"\dFp+", ()),
    (r"\dFt+", ()),
    (r"\dg+", ("volt|Superuser, Create role, Create DB, Bypass RLS",)),
    (r"\di+", ("public|on_total|index|volt|per_station|permanent|btree",)),
    (r"\dl+", ()),
    (r"\dL+", ()),
    (r"\dm+", ("public|per_station|materialized view|volt",)),
    (r"\dn+", ("extra|volt", "public|volt||standard public schema")),
    (r"\do+", ()),
    (r"\dO+", ()),
    (r"\dp", ("public|stations|table",)),
    (r"\dP+", ()),
    (r"\drds", ()),
    (r"\dRp+", ()),
    (r"\dRs+", ()),
    (r"\ds+", ()),
    (r"\dt+", ("public|stations|table|volt|permanent|heap",)),
    (r"\dt extra.*", ("extra|notes|table|volt",)),
    (r"\dtvmi", ("public|stations_name_key|index|volt|stations",)),
    (r"\dvS pg_cl*", ("pg_catalog|pg_class|view|volt",)),
    (r"\dT+", ()),
    (r"\dT+ int4", ("pg_catalog|integer|int4|4",)),
    (r"\du", ("volt|Superuser", "al|Superuser")),
    (r"\dv+", ("public|busy|view|volt|permanent",)),
    (r"\dv information_schema.tab*", ("information_schema|tables|view|volt",)),
    (r"\dx+", ()),
    (r"\dX", ()),
    (r"\dy+", ()),
    (r"\l+", ("volt|volt|UTF8|C.UTF-8|C.UTF-8",)),
    (r"\sf abs(integer)", ("CREATE OR REPLACE FUNCTION pg_catalog.abs(integer)",)),
    (r"\sf+ pi", ("RETURNS double precision",)),
    (r"\sv busy", ("CREATE OR REPLACE VIEW public.busy AS",)),
    (r"\sv+ busy", ("SELECT id, name FROM stations WHERE power > 3",)),
    (r"\z", ("public|stations|table",)),
    (r"\conninfo", ('You are connected to database "volt" as user "al"',)),
    (r"\encoding", ("UTF8",)),
    (r"\echo :SERVER_VERSION_NAME :ENCODING", ("15.0 (Voltstream) UTF8",)),
)  # fmt: skip

# What psql asks behind the tabulator key (psql 15, tab-complete.c), with a word half typed.
COMPLETIONS: tuple[tuple[str, str], ...] = (
    (
        "SELECT c.relname, NULL::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.relkind IN "
        "('r', 'f', 'v', 'm', 'S', 'p') AND (c.relname) LIKE 'sta%' AND "
        "pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM "
        "pg_catalog.pg_namespace WHERE nspname = 'pg_catalog') UNION ALL SELECT "
        "NULL::pg_catalog.text, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE "
        "'sta%' AND n.nspname NOT LIKE E'pg\\\\_%' LIMIT 1000",
        "stations",
    ),
    (
        "SELECT a.attname, NULL::pg_catalog.text FROM pg_catalog.pg_attribute a, "
        "pg_catalog.pg_class c WHERE c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped "
        "AND (a.attname) LIKE 'po%' AND (c.relname = 'stations') AND "
        "pg_catalog.pg_table_is_visible(c.oid) LIMIT 1000",
        "power",
    ),
    (
        "SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings WHERE "
        "(pg_catalog.lower(name)) LIKE 'timez%' LIMIT 1000",
        "timezone",
    ),
    ("SELECT datname FROM pg_catalog.pg_database WHERE (datname) LIKE 'v%' LIMIT 1000", "volt"),
    ("SELECT rolname FROM pg_catalog.pg_roles WHERE (rolname) LIKE 'vo%' LIMIT 1000", "volt"),
    (
        "SELECT nspname FROM pg_catalog.pg_namespace WHERE (nspname) LIKE 'ex%' LIMIT 1000",
        "extra",
    ),
)


@pytest.fixture(scope="module")
def prepared(address: str) -> str:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in SCHEMA:
            connection.execute(statement.encode())
    return address


def asked(address: str, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["psql", "-X", "-A", "-P", "pager=off", "-v", "ON_ERROR_STOP=1", address, "-c", command],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("command", "lines"), COMMANDS, ids=[one for one, _ in COMMANDS])
def test_command(prepared: str, command: str, lines: tuple[str, ...]) -> None:
    done = asked(prepared, command)
    nothing = done.stderr.startswith("Did not find any")
    assert nothing or (done.returncode, done.stderr) == (0, "")
    for line in lines:
        assert line in done.stdout
    assert "hidden" not in done.stdout


@pytest.mark.parametrize(("query", "found"), COMPLETIONS)
def test_completion(prepared: str, query: str, found: str) -> None:
    done = asked(prepared, query)
    assert done.returncode == 0, done.stderr
    assert found in done.stdout


def test_unknown_relation_is_told(prepared: str) -> None:
    done = asked(prepared, r"\d nothing_here")
    assert 'Did not find any relation named "nothing_here"' in done.stderr


def test_copy_of_a_client_file(prepared: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("copied")
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_text('name,kw\n"a, b",1.5\nc,\n')
    script = (
        "CREATE TABLE carried (name varchar, kw double precision);\n"
        f"\\copy carried FROM '{source}' WITH (FORMAT csv, HEADER)\n"
        f"\\copy (SELECT * FROM carried ORDER BY name) TO '{target}' WITH (FORMAT csv, HEADER)\n"
    )
    done = subprocess.run(
        ["psql", "-X", "-v", "ON_ERROR_STOP=1", prepared],
        input=script, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["CREATE TABLE", "COPY 2", "COPY 2"]
    assert target.read_text() == source.read_text()
