"""The benchmark: contenders agree with the batch queries, and one that does not is caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import parquet

from bench.feed import SOURCES, Feed, FeedReader
from bench.feed_maker import ocpp_feed
from bench.ocpp_truth import VIEWS, differences
from bench.race import Contender, race, table

ROWS = 20_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Feed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLTSTREAM_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return ocpp_feed(ROWS)


def test_feed_holds_the_rows_it_says(feed: Feed) -> None:
    reader = FeedReader(feed)
    lines = {
        source: sum(bytes(reader.read(n, source)).count(b"\n") for n in range(len(feed.slices)))
        for source in SOURCES
    }
    assert lines["meter_readings"] == feed.rows == ROWS
    assert all(lines.values())


@pytest.mark.timeout(300)
def test_contenders_equal_the_batch_queries(feed: Feed) -> None:
    contenders = [
        Contender("voltstream", "bench.contenders.voltstream"),
        Contender("floor A", "bench.contenders.floors", ("mode=upsert",)),
        Contender("floor B", "bench.contenders.floors", ("mode=append",)),
    ]
    runs = race(contenders, 1, feed.folder, lambda results: differences(feed, results))
    assert [each.failure for each in runs] == ["", "", ""]
    assert [row["contender"] for row in table(runs, ("floor A",))] == [
        "voltstream",
        "floor A",
        "floor B",
    ]


def test_a_wrong_result_is_told(feed: Feed) -> None:
    def check_and_spoil(results: Path) -> dict[str, str]:
        assert differences(feed, results) == {}
        heartbeats = parquet.read_table(results / "last_heartbeat.parquet")
        parquet.write_table(heartbeats.slice(1), results / "last_heartbeat.parquet")
        (results / "gap_alerts.parquet").unlink()
        return differences(feed, results)

    contender = Contender("batch", "bench.contenders.recompute", ("every=0",))
    [runs] = race([contender], 1, feed.folder, check_and_spoil)
    assert "last_heartbeat 1 rows missing" in runs.failure
    assert "gap_alerts is missing" in runs.failure
    assert set(VIEWS) >= {"last_heartbeat", "gap_alerts"}
