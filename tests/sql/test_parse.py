"""Text to statements: kinds, offsets, store DDL, and errors with their places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from voltstream.core.errors import FeatureNotSupported, SyntaxFault, VoltstreamError
from voltstream.sql import statements as st
from voltstream.sql.parse import parse_statements
from voltstream.sql.table_ddl import definition, stored_ddl

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"


def parse_one(text: str) -> st.Parsed:
    (statement,) = parse_statements(text)
    return statement


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the published pipelines are not beside the project")
@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("ocpp_streaming.sql", ["CreateSource"] * 4 + ["CreateView"] * 8 + ["CreateSink"]),
        ("ami_streaming.sql", ["CreateSource"] * 2 + ["CreateView"] * 3 + ["CreateSink"] * 2),
        (
            "cpo_timeseries.sql",
            ["CreateTable", "Call", "AlterTable", "CreateTable", "CreateTable", "Call"]
            + ["CreateView"] * 2,
        ),
    ],
)
def test_published_pipelines_parse_statement_for_statement(file: str, kinds: list[str]) -> None:
    text = (SEEDS / file).read_text()
    statements = parse_statements(text)
    assert [type(statement).__name__ for statement in statements] == kinds
    for statement in statements:
        assert text[statement.offset :].startswith(statement.text)
        assert not statement.text.endswith(";")


def test_comments_and_empty_statements_give_nothing() -> None:
    assert parse_statements("") == []
    assert parse_statements(" ;; -- nothing\n /* at all; */ ;") == []
    text = "/* a */ select 1; -- b\n;select ';' ; "
    first, second = parse_statements(text)
    assert (first.text, first.offset) == ("select 1", 8)
    assert (second.text, second.offset) == ("select ';'", text.index("select ';'"))


def test_source_keeps_dotted_properties_and_generated_columns() -> None:
    source = parse_one(
        'CREATE SOURCE IF NOT EXISTS Reads (Id VARCHAR, "Value" NUMERIC, at TIMESTAMPTZ AS '
        "proctime(), WATERMARK FOR at AS at - INTERVAL '5 minutes') WITH (connector = 'kafka', "
        "properties.bootstrap.server = 'k:1', flag) FORMAT UPSERT ENCODE AVRO (schema.registry='r')"
    )
    assert isinstance(source, st.CreateSource)
    assert source.name == st.ObjectName("reads")
    assert [(c.name, c.store_type, c.generated_sql) for c in source.columns] == [
        ("id", "VARCHAR", None),
        ("Value", "DECIMAL(38,10)", None),
        ("at", "TIMESTAMPTZ", "proctime()"),
    ]
    assert source.properties == {
        "connector": "kafka",
        "properties.bootstrap.server": "k:1",
        "flag": "true",
        "schema.registry": "r",
        "watermark": '"at" AS "at" - INTERVAL \'5\' MINUTES',
    }
    assert (source.format, source.encode, source.if_not_exists) == ("UPSERT", "AVRO", True)


@pytest.mark.parametrize(
    ("declared", "stored"),
    [
        ("text", "VARCHAR"),
        ("varchar(20)", "VARCHAR"),
        ("character varying", "VARCHAR"),
        ("int", "INTEGER"),
        ("int8", "BIGINT"),
        ("double precision", "DOUBLE"),
        ("float(10)", "FLOAT"),
        ("numeric", "DECIMAL(38,10)"),
        ("numeric(12,3)", "DECIMAL(12,3)"),
        ("decimal(9)", "DECIMAL(9,0)"),
        ("timestamp with time zone", "TIMESTAMPTZ"),
        ("timestamp(3) with time zone", "TIMESTAMPTZ"),
        ("timestamp", "TIMESTAMP"),
        ("time without time zone", "TIME"),
        ("jsonb", "JSON"),
        ("bytea", "BLOB"),
        ("int[]", "INTEGER[]"),
        ("text[][3]", "VARCHAR[][]"),
        ("boolean", "BOOLEAN"),
        ("uuid", "UUID"),
        ("interval", "INTERVAL"),
    ],
)
def test_types_as_the_store_spells_them(declared: str, stored: str) -> None:
    table = parse_one(f"create table t (c {declared} not null)")
    assert isinstance(table, st.CreateTable)
    assert table.columns == (st.ColumnSpec("c", stored, not_null=True, declared=declared),)


def test_table_ddl_for_the_store() -> None:
    table = parse_one(
        "CREATE TABLE App.Rates (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), price NUMERIC(8,4) "
        "NOT NULL CHECK (price > 0), site TEXT REFERENCES sites (id) ON DELETE CASCADE UNIQUE, "
        "since TIMESTAMPTZ DEFAULT now(), UNIQUE (site, since), FOREIGN KEY (site) REFERENCES "
        "sites (id)) WITH (tsdb.hypertable, tsdb.segmentby = 'site')"
    )
    assert isinstance(table, st.CreateTable)
    assert table.name == st.ObjectName("rates", "app")
    assert table.primary_key == ("id",)
    assert table.properties == {"tsdb.hypertable": "true", "tsdb.segmentby": "site"}
    assert table.checks == (st.Check("price > 0"),)
    assert stored_ddl("_vs.t_1", table) == (
        'CREATE TABLE _vs.t_1 ("id" UUID, "price" DECIMAL(8,4) NOT NULL, "site" VARCHAR, '
        '"since" TIMESTAMPTZ, PRIMARY KEY ("id"), UNIQUE ("site"), UNIQUE ("site", "since"))'
    )


def test_a_table_can_be_written_down_again() -> None:
    text = (
        "CREATE TABLE app.rates (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), n SERIAL, "
        "price NUMERIC(8,4) NOT NULL CONSTRAINT cheap CHECK (price > 0), twice INT AS (n * 2), "
        "tags STRUCT<a INT, b VARCHAR[]>, UNIQUE (n)) ON CONFLICT IGNORE WITH (retention = '1 day')"
    )
    table = parse_one(text)
    assert isinstance(table, st.CreateTable)
    again = parse_one(definition(table))
    assert isinstance(again, st.CreateTable)
    assert replace(again, text=text, columns=()) == replace(table, columns=())
    assert [c.store_type for c in again.columns] == [c.store_type for c in table.columns]
    assert definition(again) == definition(table)


def test_continuous_aggregate_and_its_query_text() -> None:
    view = parse_one(
        "CREATE MATERIALIZED VIEW V (a, B) WITH (timescaledb.continuous) AS\n"
        "SELECT X, 1 FROM t WITH NO DATA"
    )
    assert isinstance(view, st.CreateView)
    assert view.materialized and view.continuous
    assert view.column_names == ("a", "b")
    assert view.query_text == "SELECT X, 1 FROM t"
    assert view.query.sql() == "SELECT x, 1 FROM t"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE SINK s AS SELECT 1 AS a UNION ALL SELECT 2 WITH (connector = 'blackhole')",
        "CREATE SINK s FROM (SELECT 1 AS a UNION ALL SELECT 2) WITH (connector = 'blackhole') "
        "FORMAT PLAIN ENCODE JSON",
    ],
)
def test_sinks_of_queries(text: str) -> None:
    sink = parse_one(text)
    assert isinstance(sink, st.CreateSink)
    assert sink.query is not None and sink.from_name is None
    assert sink.query.sql() == "SELECT 1 AS a UNION ALL SELECT 2"
    assert (sink.properties, sink.format) == ({"connector": "blackhole"}, "PLAIN")


def test_sink_of_a_name() -> None:
    sink = parse_one("CREATE SINK s FROM app.v WITH (connector='file') FORMAT DEBEZIUM ENCODE JSON")
    assert isinstance(sink, st.CreateSink)
    assert (sink.query, sink.from_name) == (None, st.ObjectName("v", "app"))
    assert sink.format == "DEBEZIUM"


def test_administrative_calls() -> None:
    call = parse_one(
        "SELECT create_hypertable('m'::regclass, by_range('time'), if_not_exists => true)"
    )
    assert isinstance(call, st.Call)
    assert call.function == "create_hypertable"
    assert call.arguments == ("'m'", "by_range('time')")
    assert call.named_arguments == {"if_not_exists": "TRUE"}
    assert isinstance(parse_one("CALL refresh_continuous_aggregate('v', NULL, NULL)"), st.Call)
    assert isinstance(parse_one("SELECT * FROM show_chunks('m')"), st.Call)
    assert isinstance(parse_one("SELECT create_hypertable('m', 'time') AS made"), st.Query)


def test_rows_changed() -> None:
    insert = parse_one('INSERT INTO App.T (A, "B") VALUES ($1, 2) RETURNING a')
    assert isinstance(insert, st.Insert)
    assert (insert.table, insert.columns) == (st.ObjectName("t", "app"), ("a", "B"))
    assert insert.returning
    update = parse_one("update t set a = 1 where b = 2")
    assert isinstance(update, st.Update) and not update.returning
    assert isinstance(parse_one("delete from t"), st.Delete)
    assert parse_one("truncate a, b.c") == st.Truncate(
        text="truncate a, b.c", offset=0, tables=(st.ObjectName("a"), st.ObjectName("c", "b"))
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SHOW MATERIALIZED VIEWS LIKE 'a%'", ("MATERIALIZED VIEWS", None, None, "a%")),
        ("SHOW COLUMNS FROM x", ("COLUMNS", None, st.ObjectName("x"), None)),
        ("SHOW CREATE SOURCE x", ("CREATE", None, st.ObjectName("x"), None)),
        ("SHOW Search_Path", ("search_path", "search_path", None, None)),
        ("SHOW TRANSACTION ISOLATION LEVEL", ("transaction_isolation",) * 2 + (None, None)),
    ],
)
def test_show(text: str, expected: tuple[object, ...]) -> None:
    show = parse_one(text)
    assert isinstance(show, st.Show)
    assert (show.what, show.setting, show.name, show.like) == expected


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SET TIME ZONE 'UTC'", "timezone", "UTC"),
        ('SET search_path TO a, "B"', "search_path", 'a, "B"'),
        ("set session extra_float_digits = 3", "extra_float_digits", "3"),
        ("SET LOCAL x.y TO DEFAULT", "x.y", None),
        ("RESET ALL", "all", None),
        ("SET NAMES 'utf8'", "client_encoding", "utf8"),
    ],
)
def test_settings(text: str, name: str, value: str | None) -> None:
    local = " LOCAL " in text
    expected = st.SetSetting(text=text, offset=0, name=name, value=value, local=local)
    assert parse_one(text) == expected


@pytest.mark.parametrize(
    ("text", "verb", "name"),
    [
        ("BEGIN", "BEGIN", ""),
        (
            "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
            "BEGIN",
            "serializable",
        ),
        ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET", "read committed"),
        ("end", "COMMIT", ""),
        ("ABORT WORK", "ROLLBACK", ""),
        ("savepoint a", "SAVEPOINT", "a"),
        ("RELEASE SAVEPOINT A", "RELEASE", "a"),
        ('ROLLBACK WORK TO SAVEPOINT "A b"', "ROLLBACK TO", "A b"),
    ],
)
def test_transactions(text: str, verb: str, name: str) -> None:
    read_only = True if "READ ONLY" in text else None
    tag = "START TRANSACTION" if text.startswith("START") else "BEGIN"
    assert parse_one(text) == st.Transaction(
        text=text, offset=0, verb=verb, name=name, read_only=read_only, tag=tag
    )


def test_refresh() -> None:
    found = parse_one("REFRESH MATERIALIZED VIEW CONCURRENTLY a.v WITH DATA")
    assert isinstance(found, st.Refresh) and found.name == st.ObjectName("v", "a")


def test_explain_wraps_its_statement() -> None:
    text = "EXPLAIN (INCREMENTAL) CREATE MATERIALIZED VIEW v AS SELECT 1"
    explain = parse_one(text)
    assert isinstance(explain, st.Explain)
    assert explain.form == "INCREMENTAL"
    assert isinstance(explain.target, st.CreateView)
    assert explain.target.offset == text.index("CREATE")


def test_copy_options_old_and_new() -> None:
    new = parse_one("COPY t (a) FROM STDIN WITH (FORMAT csv, HEADER, NULL 'x')")
    old = parse_one("COPY t (a) FROM STDIN WITH CSV HEADER NULL AS 'x'")
    assert isinstance(new, st.CopyFrom) and isinstance(old, st.CopyFrom)
    assert (new.format, new.options) == ("csv", {"header": "true", "null": "x"})
    assert (old.format, old.options, old.columns) == (new.format, new.options, ("a",))
    out = parse_one("COPY (SELECT 1) TO STDOUT (FORMAT binary)")
    assert isinstance(out, st.CopyTo) and out.format == "binary"


def test_alter_table() -> None:
    altered = parse_one("ALTER TABLE t SET (timescaledb.compress, timescaledb.orderby = 'a DESC')")
    assert isinstance(altered, st.AlterTable)
    assert altered.options == {"timescaledb.compress": "true", "timescaledb.orderby": "a DESC"}
    added = parse_one("ALTER TABLE t ADD COLUMN Note text DEFAULT 'x'")
    assert isinstance(added, st.AlterTable)
    spec = st.ColumnSpec("note", "VARCHAR", default_text="'x'", declared="text")
    assert added.actions == (st.ColumnAction("ADD", "note", spec=spec),)
    several = parse_one(
        "ALTER TABLE t DROP COLUMN IF EXISTS a, RENAME b TO c, ALTER d SET NOT NULL"
    )
    assert isinstance(several, st.AlterTable)
    assert several.actions == (
        st.ColumnAction("DROP", "a", lenient=True),
        st.ColumnAction("RENAME", "b", text="c"),
        st.ColumnAction("SET NOT NULL", "d"),
    )
    moved = parse_one("ALTER MATERIALIZED VIEW s.v SET SCHEMA other")
    assert isinstance(moved, st.AlterObject)
    assert (moved.kind, moved.verb, moved.value) == ("MATERIALIZED VIEW", "SET SCHEMA", "other")


def test_cursors() -> None:
    declared = parse_one("DECLARE c SUBSCRIPTION CURSOR FOR s.sub SINCE begin()")
    assert isinstance(declared, st.DeclareCursor)
    assert (declared.subscription, declared.since) == (st.ObjectName("sub", "s"), "begin")
    fetched = parse_one("FETCH 10 FROM c WITH (timeout = '2s')")
    assert fetched == st.Fetch(text=fetched.text, offset=0, name="c", count=10, timeout_ms=2000)
    assert parse_one("CLOSE ALL") == st.CloseCursor(text="CLOSE ALL", offset=0, name=None)


def test_functions() -> None:
    made = parse_one(
        "CREATE FUNCTION f(a INT, DOUBLE PRECISION) RETURNS INT LANGUAGE SQL RETURN $1"
    )
    assert isinstance(made, st.CreateFunction)
    assert made.parameters == (("a", "INTEGER"), ("", "DOUBLE"))
    assert made.returns == "INTEGER"


def test_drop_and_comment() -> None:
    drop = parse_one("DROP MATERIALIZED VIEW IF EXISTS a, s.b CASCADE")
    assert isinstance(drop, st.Drop)
    assert (drop.kind, drop.if_exists, drop.cascade) == ("MATERIALIZED VIEW", True, True)
    assert drop.names == (st.ObjectName("a"), st.ObjectName("b", "s"))
    comment = parse_one("COMMENT ON COLUMN s.t.c IS 'why'")
    assert isinstance(comment, st.Comment)
    assert (comment.name, comment.column, comment.comment) == (st.ObjectName("t", "s"), "c", "why")


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("selec 1", 'syntax error at or near "selec"', 1),
        ("select 1; select 2 2", 'syntax error at or near "2"', 20),
        ("select * from", "syntax error at end of input", 14),
        ("select a, from t", 'syntax error at or near "from"', 11),
        ("select 1 frm t where", 'syntax error at or near "t"', 14),
        ("create table t (a int", "syntax error at end of input", 22),
        ("create table t (a int b)", 'syntax error at or near "b"', 23),
        ("create source s (a int) with (a == 1)", 'syntax error at or near "=="', 33),
        ("select 'abc", 'unterminated quoted string at or near "\'abc"', 8),
        ("-- it's\nselect /* x", 'unterminated /* comment at or near "/* x"', 16),
        ("create sink s as select 1 with (a=1) formt", 'syntax error at or near "formt"', 38),
        ("insert into t values (1", "syntax error at end of input", 24),
        ("create table t (a tex)", 'type "tex" does not exist', 19),
    ],
)
def test_errors_name_the_place(text: str, message: str, position: int) -> None:
    with pytest.raises(VoltstreamError) as caught:
        parse_statements(text)
    assert (caught.value.message, caught.value.position) == (message, position)
    if "type" not in message:
        assert isinstance(caught.value, SyntaxFault)


@pytest.mark.parametrize(
    ("text", "clause", "position"),
    [
        ("create type t as (a int)", "CREATE TYPE", 8),
        ("create function f() returns int language java as 'x'", "LANGUAGE java", 42),
        ("copy t from '/etc/passwd'", "COPY with a file on the server", 13),
        ("create table t (a numeric(40,2))", "NUMERIC(40,2)", None),
    ],
)
def test_what_is_not_offered_says_so(text: str, clause: str, position: int | None) -> None:
    with pytest.raises(FeatureNotSupported) as caught:
        parse_statements(text)
    assert caught.value.message == f"{clause} is not supported"
    assert position in (None, caught.value.position)


def test_a_procedure_is_called() -> None:
    with pytest.raises(VoltstreamError) as caught:
        parse_statements("SELECT add_columnstore_policy('m', after => INTERVAL '7 days')")
    assert caught.value.sqlstate == "42809"
    assert caught.value.hint == "To call a procedure, use CALL."
