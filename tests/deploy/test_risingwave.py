"""What RisingWave takes otherwise: its statements, and their rows where DuckDB reads the same."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from tests.deploy.test_generated import GOLDEN, told
from tests.driver import Engine, bag
from voltstream.cli.definitions import studied
from voltstream.core.clock import SystemClock
from voltstream.deploy.script import Target, refuse

TABLES = (
    "CREATE TABLE meters (id INT PRIMARY KEY, name TEXT, since TIMESTAMPTZ)",
    "CREATE TABLE limits (low INT, high INT)",
    "CREATE TABLE seen (id INT, ts TIMESTAMPTZ, n INT, kind TEXT)",
)
ROWS = (
    "INSERT INTO meters VALUES (1, 'a', '2026-01-01 00:00:00Z'), "
    "(2, 'b', '2026-01-01 00:30:00.5Z'), (3, NULL, NULL)",
    "INSERT INTO limits VALUES (1, 2), (5, 9)",
    "INSERT INTO seen VALUES (1, '2026-01-01 00:10Z', 1, 'x'), (1, '2026-01-01 00:10Z', 2, 'b'), "
    "(1, '2026-01-01 00:10Z', 2, 'a'), (2, '2026-01-01 00:20Z', NULL, 'x'), "
    "(2, '2026-01-01 00:40Z', 7, NULL), (2, '2026-01-01 00:40Z', 8, 'c')",
)
VIEWS = {
    # Joins without an equality.
    "every": "SELECT m.id, l.low FROM meters m CROSS JOIN limits l",
    "within": "SELECT s.n, l.high FROM seen s LEFT JOIN limits l ON s.n >= l.low AND s.n < l.high",
    "beyond": "SELECT s.id, s.n FROM seen s WHERE NOT EXISTS "
    "(SELECT 1 FROM limits l WHERE s.n >= l.low)",
    "reached": "SELECT l.low FROM limits l WHERE EXISTS (SELECT 1 FROM seen s WHERE s.n > l.low)",
    "nested": "SELECT e.id, e.low, s.n FROM every e JOIN seen s ON s.n > e.low",
    # Of rows at one time the first in the order of their columns.
    "before": "SELECT m.id, s.n, s.kind FROM meters m ASOF LEFT JOIN seen s "
    "ON m.id = s.id AND m.since + INTERVAL '30 minutes' >= s.ts",
    "last": "SELECT m.id, s.n, s.kind FROM meters m ASOF JOIN seen s ON m.since >= s.ts",
    # Windows without a partition, and totals of rows that the order leaves alike.
    "totals": "SELECT id, n, sum(n) OVER (ORDER BY ts) AS so_far, count(*) OVER () AS rows, "
    "count(*) FILTER (WHERE n > 1) OVER (PARTITION BY id ORDER BY ts) AS some, "
    "bool_or(n = 2) OVER (PARTITION BY id ORDER BY ts) AS any_two FROM seen",
    "texts": "SELECT id, since::text AS told FROM meters",
}
MORE = (
    "CREATE MATERIALIZED VIEW endless AS SELECT coalesce(since, 'infinity') AS until FROM meters",
    "CREATE SOURCE reads (id INT, ts TIMESTAMPTZ, WATERMARK FOR ts AS ts - INTERVAL '1 day') WITH "
    "(connector = 'kafka', topic = 'reads', properties.bootstrap.server = 'k:1') FORMAT PLAIN "
    "ENCODE JSON",
    "CREATE UNIQUE INDEX by_name ON meters (name)",
)


def test_its_own_words_have_the_rows_of_the_definition(tmp_path: Path) -> None:
    made = [f"CREATE MATERIALIZED VIEW {name} AS {query}" for name, query in VIEWS.items()]
    with studied([*TABLES, *made, *MORE]) as found:
        script = told(found, Target.RISINGWAVE)
    refuse(script)
    assert script.settings == ("SET TimeZone = 'UTC'",)
    text = "".join(f"{one.text};\n\n" for one in script.statements)
    file = GOLDEN / "shapes.risingwave.sql"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()

    engine = Engine(tmp_path, SystemClock())
    try:
        for statement in (*TABLES, *ROWS, *made):
            engine.run(statement)
        with duckdb.connect() as there:
            there.execute("SET TimeZone = 'UTC'")
            for statement in (*TABLES, *ROWS):
                there.execute(statement)
            for one in script.statements:
                if one.kind == "materialized view" and one.name != "public.endless":
                    there.execute(one.text.replace("MATERIALIZED VIEW", "VIEW"))
            for name in VIEWS:
                theirs = bag(there.execute(f"SELECT * FROM {name}").fetchall())
                assert theirs == bag(engine.run(f"SELECT * FROM {name}")), name
    finally:
        engine.close()
