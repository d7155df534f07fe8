"""What lies on disk is laid out as the layout's number says."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.errors import StorageFault
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.store.ledger import LAYOUT

RECORDED = Path(__file__).with_name("layout.txt")
# One of each that keeps something: its tables are the layout.
DEFINITIONS = """
CREATE TABLE c (k INT PRIMARY KEY, v DOUBLE PRECISION, at TIMESTAMPTZ);
CREATE TABLE heap (k INT, t VARCHAR);
CREATE SOURCE s (k INT, v NUMERIC, t VARCHAR, at TIMESTAMPTZ,
    WATERMARK FOR at AS at - INTERVAL '5 seconds');
CREATE MATERIALIZED VIEW sums AS SELECT k, sum(v) AS v, count(*) AS n, min(t) AS t
    FROM s GROUP BY k;
CREATE MATERIALIZED VIEW latest AS SELECT DISTINCT ON (t) t, v, at FROM s ORDER BY t, at DESC;
CREATE MATERIALIZED VIEW joined AS SELECT s.k, s.v, c.v AS w FROM s LEFT JOIN c ON c.k = s.k;
CREATE MATERIALIZED VIEW changing AS SELECT c.k, h.t FROM c FULL JOIN heap AS h ON c.k = h.k;
CREATE MATERIALIZED VIEW windows AS SELECT window_start, sum(v) AS v
    FROM TUMBLE(s, at, INTERVAL '1 minute') GROUP BY window_start EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW top AS SELECT * FROM (
    SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY at) AS n FROM c) WHERE n <= 3;
CREATE MATERIALIZED VIEW recent AS SELECT k FROM s WHERE at > NOW() - INTERVAL '1 hour';
CREATE MATERIALIZED VIEW lags AS SELECT k, lag(v) OVER (PARTITION BY t ORDER BY at) AS v FROM s;
CREATE MATERIALIZED VIEW several AS SELECT k FROM c UNION SELECT k FROM heap;
CREATE MATERIALIZED VIEW without AS SELECT k FROM c WHERE k NOT IN (SELECT k FROM heap);
CREATE SINK out FROM sums
    WITH (connector = 'blackhole', primary_key = 'k') FORMAT UPSERT ENCODE JSON;
CREATE SUBSCRIPTION news FROM sums WITH (retention = '1 day');
CREATE TABLE years (at TIMESTAMPTZ NOT NULL, k INT, v DOUBLE PRECISION);
SELECT create_hypertable('years', 'at');
CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS
    SELECT time_bucket(INTERVAL '1 day', at) AS day, k, avg(v) AS v FROM years GROUP BY 1, 2;
"""
TABLES = (
    "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index) "
    "FROM duckdb_columns() WHERE schema_name = '_vs' AND table_name IN "
    "(SELECT table_name FROM duckdb_tables()) GROUP BY table_name ORDER BY table_name"
)


def make(folder: Path) -> Path:
    engine = Engine(folder, ManualClock(1_800_000_000_000_000))
    engine.run(DEFINITIONS)
    engine.close()
    return folder / "volt" / "volt.duckdb"


def test_a_change_of_the_layout_changes_its_number(tmp_path: Path) -> None:
    with duckdb.connect(str(make(tmp_path)), read_only=True) as raw:
        found = [
            f"layout {LAYOUT}",
            *(f"{name}: {rest}" for name, rest in raw.execute(TABLES).fetchall()),
        ]
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        RECORDED.write_text("\n".join(found) + "\n", encoding="utf-8")
    recorded = RECORDED.read_text(encoding="utf-8").splitlines()
    assert found == recorded, "raise LAYOUT in store/ledger.py, and record: VOLTSTREAM_GOLDEN=write"


def test_what_another_version_wrote_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = make(tmp_path)
    with duckdb.connect(str(file)) as raw:
        raw.execute("UPDATE _vs.layout SET number = 99")
    with pytest.raises(StorageFault, match=r"layout 99, this one reads \d+"):
        Engine(tmp_path, ManualClock())
    with duckdb.connect(str(file)) as raw:
        raw.execute("DROP TABLE _vs.layout")
    with pytest.raises(StorageFault, match="layout 0"):
        Engine(tmp_path, ManualClock())


def test_internal_views_are_made_once_a_version(tmp_path: Path) -> None:
    file = tmp_path / "volt" / "volt.duckdb"

    def start() -> int:
        instance = Instance(tmp_path, EngineOptions(), ManualClock(), ConnectorRegistry(None))
        instance.start()
        instance.stop()
        with duckdb.connect(file) as raw:
            found = raw.execute("SELECT 1 FROM duckdb_views() WHERE view_name = 'rw_epochs'")
            there = len(found.fetchall())
            raw.execute("DROP VIEW IF EXISTS rw_catalog.rw_epochs")
        return there

    assert start() == 1  # A folder that is new.
    assert start() == 0  # This version has made them: nothing is written.
    with duckdb.connect(file) as raw:
        raw.execute("COMMENT ON TABLE _vs.layout IS 'of another version'")
    assert start() == 1
