"""DuckDB as a batch engine: every=0 loads all and asks once; every=N asks again per N slices."""

from __future__ import annotations

import json

import duckdb

from bench.contenders.floors import lines_of
from bench.contenders.meter import Span, arguments, tell
from bench.feed import SOURCES, Feed, FeedReader, load_feed
from bench.ocpp_truth import COLUMNS, VIEWS, batch_views, ndjson


def main() -> None:
    data, out, options = arguments()
    feed = load_feed(data)
    every = int(options["every"])
    connection = duckdb.connect(str(out / "batch.duckdb"), config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    span = Span()
    if every:
        _follow(connection, feed, every)
    else:
        for source in SOURCES:
            connection.execute(f"CREATE TABLE {source} AS FROM {ndjson(feed, source)}")
        batch_views(connection, feed)
    for view in VIEWS:
        connection.execute(f"COPY {view} TO '{out / view}.parquet'")
    tell(span.end(feed.rows))


def _follow(connection: duckdb.DuckDBPyConnection, feed: Feed, every: int) -> None:
    reader = FeedReader(feed)
    for source, columns in COLUMNS.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {source} ({listed})")
    for number in range(len(feed.slices)):
        for source in SOURCES:
            payload = reader.read(number, source)
            if payload:
                connection.register("lines", lines_of(payload))
                connection.execute(
                    f"INSERT INTO {source} SELECT "
                    f"unnest(from_json(line, '{json.dumps(COLUMNS[source])}')) FROM lines"
                )
                connection.unregister("lines")
        if (number + 1) % every == 0 or number == len(feed.slices) - 1:
            batch_views(connection, feed)


if __name__ == "__main__":
    main()
