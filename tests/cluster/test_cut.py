"""`--from-offsets`: a server stops in the middle of a topic, a cluster reads on from there."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.cluster.deploying import Latest, deploy, pipeline, send, send_reads
from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.driver import Engine
from voltstream.cli.resting import opened
from voltstream.core.clock import SystemClock

WAIT_S = 120
COUNT, HALF = 6_000, 3_000
NAMES = """
CREATE TABLE names (meter INT PRIMARY KEY, name TEXT) WITH (connector = 'kafka',
topic = 'cut.names', properties.bootstrap.server = '{brokers}', scan.startup.mode = 'earliest')
FORMAT UPSERT ENCODE JSON;
"""
VIEWS = (
    "copies AS SELECT n, meter FROM reads",
    "totals AS SELECT meter, count(*) AS n, sum(n) AS total FROM reads GROUP BY meter",
    "named AS SELECT r.n, m.name FROM reads r JOIN names m ON m.meter = r.meter",
)


def test_no_row_is_lost_or_doubled_at_the_cut(
    broker: Broker, cluster: Cluster, tmp_path: Path
) -> None:
    """Law: what the server has and what the cluster makes is together what the topic had."""
    broker.create_topic("cut.reads", 2)
    broker.create_topic("cut.names", 1)
    meters = ((f'{{"meter":{one}}}', {"meter": one, "name": f"M-{one}"}) for one in range(7))
    send(broker, "cut.names", meters)
    file = pipeline(tmp_path, broker, "cut.reads")
    text = file.read_text() + NAMES.format(brokers=broker.address)
    text += "".join(f"CREATE MATERIALIZED VIEW {view};" for view in VIEWS)
    data, out = tmp_path / "data", tmp_path / "out"
    engine = Engine(data, SystemClock(), brokers=broker.address)
    engine.run(text)
    send_reads(broker, "cut.reads", range(HALF), 2)
    counted = "SELECT count(*) FROM named"
    eventually(lambda: engine.run(counted)[0][0] == HALF, WAIT_S)

    def more() -> None:
        for start in range(HALF, COUNT, 100):
            send_reads(broker, "cut.reads", range(start, start + 100), 2)
            time.sleep(0.1)

    # Stopped while messages come: where that is nobody knows beforehand.
    rest = threading.Thread(target=more)
    rest.start()
    eventually(lambda: int(str(engine.run(counted)[0][0])) > HALF, WAIT_S)
    engine.close()
    rest.join()
    with opened(data, None, "127.0.0.1", 0) as kept:
        ours = {name: kept.execute(f"SELECT * FROM {name}".encode()).fetchall()
                for name in ("copies", "totals", "named")}  # fmt: skip
    told = [line.split("\t") for line in deploy("offsets", "--data", data).stdout.splitlines()]
    cut = {int(part): int(at) for name, topic, part, at in told if topic == "cut.reads"}
    assert HALF < sum(cut.values()) == len(ours["copies"]) < COUNT

    target = ("--target", "flink", "--out", out)
    deploy(*target, "--data", data, "--from-offsets", "--topics", "cut.", "--to", cluster.gateway)
    assert f"partition:0,offset:{cut[0]};partition:1,offset:{cut[1]}" in (
        (out / "deploy.sql").read_text())  # fmt: skip
    theirs = {name: Latest(broker, f"cut.{name}") for name in ours}
    try:
        left = COUNT - len(ours["copies"])
        eventually(lambda: len(theirs["named"].rows()) == left, WAIT_S)
        eventually(lambda: len(theirs["copies"].rows()) == left, WAIT_S)
        numbers = [row[0] for row in ours["copies"]]
        for row in theirs["copies"].rows():
            numbers += [row["n"]] * row["_copies"]
        assert sorted(numbers) == [*range(COUNT)]
        named = [(row[0], row[1]) for row in ours["named"]]
        for row in theirs["named"].rows():
            named += [(row["n"], row["name"])] * row["_copies"]
        assert sorted(named) == [(number, f"M-{number % 7}") for number in range(COUNT)]
        sums = {row[0]: (row[1], int(row[2])) for row in ours["totals"]}

        def added() -> dict[int, tuple[int, int]]:
            found = {row["meter"]: (row["n"], int(row["total"])) for row in theirs["totals"].rows()}
            return {
                meter: (count + found.get(meter, (0, 0))[0], total + found.get(meter, (0, 0))[1])
                for meter, (count, total) in sums.items()
            }

        whole = {meter: range(meter, COUNT, 7) for meter in range(7)}
        wanted = {meter: (len(rows), sum(rows)) for meter, rows in whole.items()}
        eventually(lambda: added() == wanted, WAIT_S)
    finally:
        deploy("destroy", *target, "--to", cluster.gateway)
        for each in theirs.values():
            each.close()
