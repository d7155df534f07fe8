"""One Nexmark query, maintained by Voltstream in process. Options: query=q4, limit=seconds."""

from __future__ import annotations

import time

from bench.account import Account
from bench.contenders.fleet import count
from bench.contenders.meter import Span, arguments, tell
from bench.nexmark_feed import SOURCES, queries
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch
from voltstream.runtime.instance import DEFAULT_DATABASE, Instance
from voltstream.runtime.options import EngineOptions

_SIDE = "INSERT INTO side_input SELECT i, 'value ' || i FROM generate_series(0, 9999) AS g(i)"


def main() -> None:
    data, out, options = arguments()
    found = queries()
    query = found[options["query"]].rstrip(";")
    account = Account()
    account.open()
    instance = Instance(
        out / "data", EngineOptions(retention_s=10**9), SystemClock(), ConnectorRegistry(None)
    )
    instance.start()
    session = instance.open(database=DEFAULT_DATABASE, user="bench", options={})
    for statement in session.parse(found["tables"] + _SIDE):
        session.execute(statement)
    [create] = session.parse(f"CREATE MATERIALIZED VIEW result AS {query}")
    notices = session.execute(create).notices
    account.clear()
    span = Span()
    until = time.perf_counter() + float(options["limit"])
    events = slices = 0
    while time.perf_counter() < until and (data / f"bid-{slices:04d}.ndjson").exists():
        pending = []
        for source in SOURCES:
            payload = (data / f"{source}-{slices:04d}.ndjson").read_bytes()
            batch = RawBatch("ndjson", payload)
            pending.append(instance.submit(DEFAULT_DATABASE, source, batch))
        events += sum(future.result().rows for future in pending)
        slices += 1
    names = {entry.oid: entry.stored.name for entry in instance.engine(DEFAULT_DATABASE).catalog}
    spent = account.by_object(names)
    result = span.end(
        events,
        view_s=spent.get("result", 0.0),
        view_rows=count(session, "SELECT count(*) AS n FROM result"),
        recomputed=" ".join(notice.message for notice in notices),
        wrong=count(
            session,
            f"SELECT (SELECT count(*) FROM (SELECT * FROM result EXCEPT ALL ({query})) AS a) + "
            f"(SELECT count(*) FROM (({query}) EXCEPT ALL SELECT * FROM result) AS b) AS n",
        ),
    )
    if options.get("account"):
        result["account"] = "\n".join(account.lines(12, names))
    session.close()
    instance.stop()
    tell(result)


if __name__ == "__main__":
    main()
