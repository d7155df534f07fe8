"""The law of hypertables: where a row is, hot or in a chunk file, shows in no answer."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock

EXAMPLES = int(os.environ.get("VOLTSTREAM_PROPERTY_EXAMPLES", "4"))
COLUMNS = (
    "at TIMESTAMPTZ NOT NULL, cp TEXT NOT NULL, n INTEGER, v DOUBLE PRECISION, "
    "d NUMERIC(12,3), j JSONB, ok BOOLEAN, id UUID, w INTERVAL, tags TEXT[]"
)
SPECIAL = ("'NaN'", "'-0'", "'Infinity'", "NULL", "0.1", "1e300", "12.345", "-7", "230.1", "1e-9")
DOCUMENTS = ("NULL", """'{"a": 1}'""")
SPANS = ("NULL", "'1 mon 2 days 03:00'")
TEXTS = ("'a''b'", "''", "'ü'", "E'x\\ny'")
QUERIES = (
    "SELECT * FROM {t}",
    "SELECT count(*), sum(n), max(v), min(d) FROM {t}",
    "SELECT * FROM {t} WHERE at >= '2026-01-03' AND at < '2026-01-10 12:00'",
    "SELECT at, cp, v FROM {t} x WHERE x.cp = 'cp1' AND x.at BETWEEN '2026-01-05' AND '2026-01-20'",
    "SELECT * FROM {t} WHERE n > 3 AND n <= 7",
    "SELECT * FROM {t} WHERE v > 100",
    "SELECT cp, count(*) FROM {t} WHERE d >= 0.5 GROUP BY cp",
    "SELECT a.cp, a.n, b.n FROM {t} a LEFT JOIN {t} b ON a.cp = b.cp AND a.at < b.at "
    "WHERE a.at > now() - interval '20 days'",
    "SELECT * FROM (SELECT at AS a, cp AS c, n FROM {t}) q WHERE a < '2026-01-04' AND c > 'cp0'",
    "SELECT * FROM (SELECT * FROM {t} ORDER BY at, cp, n, v LIMIT 3) q WHERE at > '2026-01-08'",
    "SELECT count(*) FROM {t} WHERE at IN ('2026-01-02 00:00:00+00')",
    "SELECT cp, max(v), min(at) FROM {t} WHERE v = v GROUP BY cp HAVING count(*) > 1",
)
VIEWS = (
    "SELECT time_bucket('1 day', at) AS day, cp, count(*) AS c, sum(n) AS s, min(v) AS low "
    "FROM {t} GROUP BY day, cp",
    "SELECT a.cp, a.n, k.label FROM {t} a JOIN k ON a.cp = k.cp",
    "SELECT cp, max(at) AS latest FROM {t} GROUP BY cp",
)


@dataclass(frozen=True)
class Step:
    """One change, of both tables where it has ``{t}``, else of the hypertable."""

    sql: str


def _row(draw: st.DrawFn) -> str:
    hours = draw(st.integers(0, 30 * 24 * 4)) / 4
    return (
        f"(TIMESTAMPTZ '2026-01-01 00:00:00+00' + interval '{hours} hours', "
        f"'cp{draw(st.integers(0, 3))}', {draw(st.sampled_from(('NULL', '1', '4', '7', '9')))}, "
        f"{draw(st.sampled_from(SPECIAL))}::double precision, "
        f"{draw(st.sampled_from(('NULL', '0.5', '12.345', '-1')))}, "
        f"{draw(st.sampled_from(DOCUMENTS))}, "
        f"{draw(st.sampled_from(('true', 'false', 'NULL')))}, "
        f"'00000000-0000-0000-0000-00000000000{draw(st.integers(0, 9))}', "
        f"{draw(st.sampled_from(SPANS))}, ARRAY[{draw(st.sampled_from(TEXTS))}, NULL])"
    )


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind = draw(st.sampled_from(
        ("insert", "insert", "insert", "update", "delete", "compress", "compress", "decompress",
         "merge", "aside", "some")
    ))  # fmt: skip
    day = f"2026-01-{draw(st.integers(1, 28)):02}"
    charger = f"cp{draw(st.integers(0, 3))}"
    match kind:
        case "insert":
            rows = ", ".join(_row(draw) for _ in range(draw(st.integers(1, 12))))
            return Step(f"INSERT INTO {{t}} VALUES {rows}")
        case "update":
            return Step(draw(st.sampled_from((
                f"UPDATE {{t}} SET n = n + 1 WHERE at < '{day}'",
                f"UPDATE {{t}} SET v = 5 WHERE cp = '{charger}' AND n > 2",
                f"UPDATE {{t}} x SET d = k.weight FROM k WHERE k.cp = x.cp AND x.at >= '{day}'",
                f"UPDATE {{t}} SET at = at + interval '9 days' WHERE cp = '{charger}' AND n = 4",
            ))))  # fmt: skip
        case "delete":
            return Step(draw(st.sampled_from((
                f"DELETE FROM {{t}} WHERE at >= '{day}' AND cp = '{charger}'",
                "DELETE FROM {t} x USING k WHERE k.cp = x.cp AND k.weight > 1 AND x.n = 1",
                "DELETE FROM {t} WHERE n IN (SELECT max(n) FROM {t})",
            ))))  # fmt: skip
        case "merge":
            return Step(
                "MERGE INTO {t} x USING k ON x.cp = k.cp AND x.n = 9 WHEN MATCHED AND x.ok "
                "THEN DELETE WHEN MATCHED THEN UPDATE SET n = 7"
            )
        case "compress":
            return Step("SELECT compress_chunk(c) FROM show_chunks('h') c")
        case "some":
            return Step(
                f"SELECT compress_chunk(c) FROM show_chunks('h', older_than => "
                f"'{day}'::timestamptz) c"
            )
        case "decompress":
            return Step("SELECT decompress_chunk(c) FROM show_chunks('h') c")
        case _:
            return Step("aside")


def compare(engine: Engine, after: str) -> None:
    for query in QUERIES:
        plain, parted = (engine.run(query.replace("{t}", name)) for name in ("p", "h"))
        assert bag(plain) == bag(parted), f"{query} after {after}"
    for number, _ in enumerate(VIEWS):
        assert bag(engine.run(f"SELECT * FROM vp{number}")) == bag(
            engine.run(f"SELECT * FROM vh{number}")
        ), f"view {number} after {after}"


def run_steps(chosen: list[Step], folder: Path, layout: str) -> None:
    clock = ManualClock()
    clock.set(datetime(2026, 2, 1, tzinfo=UTC))
    engine = Engine(folder, clock)
    try:
        engine.run(
            f"CREATE TABLE p ({COLUMNS}); CREATE TABLE h ({COLUMNS}); "
            "CREATE TABLE k (cp TEXT PRIMARY KEY, label TEXT, weight NUMERIC(12,3)); "
            "INSERT INTO k VALUES ('cp1', 'one', 0.5), ('cp2', 'two', 2)"
        )
        engine.run("SELECT create_hypertable('h', by_range('at'))")
        engine.run(f"ALTER TABLE h SET (timescaledb.compress{layout})")
        engine.run("CALL add_columnstore_policy('h', after => interval '0 days')")
        for number, query in enumerate(VIEWS):
            for name in ("p", "h"):
                text = query.replace("{t}", name)
                engine.run(f"CREATE MATERIALIZED VIEW v{name}{number} AS {text}")
        for step in chosen:
            note(step.sql)
            if step.sql == "aside":
                clock.advance(86_400.0 * 400)
                engine.instance.engine("volt").jobs.run_due()
                clock.set(datetime(2026, 2, 1, tzinfo=UTC))
                engine.run("SELECT alter_job(1000, next_start => now())")
            elif "{t}" in step.sql:
                for name in ("p", "h"):
                    engine.run(step.sql.replace("{t}", name))
            else:
                engine.run(step.sql)
            compare(engine, step.sql)
    finally:
        engine.close()
    again = Engine(folder, clock)
    try:
        compare(again, "a restart")
    finally:
        again.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    chosen=st.lists(steps(), min_size=3, max_size=9),
    layout=st.sampled_from(
        ("", ", timescaledb.compress_segmentby = 'cp'",
         ", timescaledb.compress_segmentby = 'cp', timescaledb.compress_orderby = 'at DESC'")
    ),
)  # fmt: skip
def test_a_chunk_file_shows_in_no_answer(chosen: list[Step], layout: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_steps(chosen, Path(folder) / "data", layout)
