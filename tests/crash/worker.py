"""The process that is killed: it checks what the last one left, then writes until it dies.

Usage: worker.py FOLDER ACKNOWLEDGED.json ROUND. It prints "checked", then one line per
acknowledgement, each after its epoch is durable: "r <first> <last>", "t <id>" and "u <count>".
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from tests.driver import Engine, bag
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch

ROWS = 200  # Rows of one pushed batch.
POISON_EVERY = 4 * ROWS  # The first row of each fourth batch is one that no epoch can take.
CONTENT = (("readings", "r", "id, device, wh"), ("sites", "t", "id, device"))
VIEWS = {
    "by_device": "SELECT device, COUNT(*) AS n, SUM(wh) AS wh, MIN(id) AS first_id, "
    "MAX(id) AS last_id FROM readings GROUP BY device",
    "latest": "SELECT DISTINCT ON (device) device, id, wh FROM readings "
    "ORDER BY device, id DESC",
    "sited": "SELECT s.id, s.device, d.wh FROM sites s LEFT JOIN by_device d "
    "ON s.device = d.device",
    # No value can stand for what a window function refuses: the row fails the program.
    "tiled": "SELECT id, ntile(1 + device) OVER (PARTITION BY id ORDER BY id) AS n "
    "FROM readings WHERE device < 0",
}  # fmt: skip
# The conditions of alerts: they begin and end with nearly every batch.
RULES = {
    "thirds": ("device", "SELECT device, n FROM by_device WHERE n % 3 <> 0", ""),
    "counted": ("name", "SELECT name, n FROM counters WHERE n % 2 = 1",
                "alert.clear_after = '20 milliseconds', "),
}  # fmt: skip


def create(engine: Engine) -> None:
    engine.run("CREATE SOURCE readings (id BIGINT, device INTEGER, wh BIGINT)")
    engine.run("CREATE TABLE sites (id BIGINT PRIMARY KEY, device INTEGER)")
    engine.run("CREATE TABLE counters (name VARCHAR PRIMARY KEY, n BIGINT)")
    engine.run("INSERT INTO counters VALUES ('updates', 0)")
    for name, query in VIEWS.items():
        engine.run(f"CREATE MATERIALIZED VIEW {name} AS {query}")
    for name, (key, query, more) in RULES.items():
        engine.run(f"CREATE MATERIALIZED VIEW {name} WITH ({more}alert.key = '{key}') AS {query}")


def check_alerts(engine: Engine) -> None:
    """Check that every opening and its end were told once, and what is open is true."""
    # In one statement: an alert that is held for a while may clear at any moment.
    rows = engine.run(
        "SELECT event_id, alert_id, event, rule, entity FROM alert_events UNION ALL "
        "SELECT NULL, alert_id, NULL, rule, entity FROM alerts"
    )
    events = [row for row in rows if row[0] is not None]
    numbers = sorted(int(str(row[0])) for row in events)
    assert numbers == list(range(1, len(numbers) + 1)), "events are lost or doubled"
    told = {word: [row[1] for row in events if row[2] == word] for word in ("opened", "cleared")}
    for word, ids in told.items():
        assert len(ids) == len(set(ids)), f"alerts {word} twice"
    shown = [(row[1], row[3], row[4]) for row in rows if row[0] is None]
    assert {row[0] for row in shown} == set(told["opened"]) - set(told["cleared"])
    for name, (key, _, more) in RULES.items():
        true = {str(one) for (one,) in engine.run(f"SELECT {key} FROM {name}")}
        found = [row[2] for row in shown if row[1] == name]
        assert len(found) == len(set(found)), f"{name}: two alerts of one key"
        assert true <= set(found) if more else true == set(found), f"{name}: {true}, {found}"


def is_poison(number: int) -> bool:
    return number % POISON_EVERY == 3 * ROWS


def check_poison(engine: Engine, acknowledged: set[int]) -> None:
    """Check that a bad row's letter, its batch's rows and offset became true together, once."""
    letters = [
        int(json.loads(bytes(raw))["id"])
        for (raw,) in engine.run("SELECT raw FROM dead_letters")
        if isinstance(raw, bytes)
    ]
    assert len(letters) == len(set(letters)), "dead letters are doubled"
    lost = {number for number in acknowledged if is_poison(number)} - set(letters)
    assert not lost, f"dead letters are lost: {lost}"
    rows = engine.run(f"SELECT (id / {ROWS}) * {ROWS}, count(*), max(id) FROM readings GROUP BY 1")
    for first, count, _ in rows:
        assert isinstance(first, int)
        expected = ROWS - 1 if is_poison(first) else ROWS
        assert count == expected, f"batch {first}: {count} rows"
        assert not is_poison(first) or first in letters, f"batch {first} without its letter"
    reader = engine.instance.engine("volt").database.reader()
    offsets = [int(place) for (place,) in reader.rows("SELECT position FROM _vs.offsets")]
    reader.close()
    last = [row[2] for row in rows if isinstance(row[2], int)]
    assert offsets == ([max(last) + 1] if last else []), f"offsets {offsets}, rows {last}"


def made(kind: str, number: int) -> tuple[int, ...]:
    """Return the row that was written under a number, every column of it."""
    return (number, number % 7, number % 50) if kind == "r" else (number, number % 9)


def check_arrival(engine: Engine) -> None:
    """Check the columns of kept source rows that no query shows."""
    reader = engine.instance.engine("volt").database.reader()
    kept = reader.rows("SELECT count(*), count(DISTINCT _rid), count(_at) FROM _vs.src_16384")[0]
    reader.close()
    assert len(set(kept)) == 1, f"rows, arrival numbers, arrival times: {kept}"


def verify(engine: Engine, acknowledged: dict[str, list[int]]) -> None:
    """Check that every acknowledged row is there once, none is there twice, and views are right."""
    for relation, key, columns in CONTENT:
        rows = engine.run(f"SELECT {columns} FROM {relation}")
        ids = [row[0] for row in rows if isinstance(row[0], int)]
        assert len(ids) == len(rows), f"{relation}: {len(rows) - len(ids)} rows have no id"
        assert len(ids) == len(set(ids)), f"{relation}: rows are doubled"
        lost = set(acknowledged[key]) - set(ids)
        if key == "r":
            lost = {number for number in lost if not is_poison(number)}
        assert not lost, f"{relation}: {len(lost)} acknowledged rows are lost, such as {min(lost)}"
        wrong = [row for row, number in zip(rows, ids, strict=True) if row != made(key, number)]
        assert not wrong, f"{relation}: {len(wrong)} rows changed, such as {wrong[:3]}"
    check_arrival(engine)
    check_poison(engine, set(acknowledged["r"]))
    check_alerts(engine)
    (count,) = engine.run("SELECT n FROM counters")[0]
    least = max(acknowledged["u"], default=0)
    # One update may have been durable when its process died before it could say so, per round.
    assert isinstance(count, int) and least <= count <= least + 1, f"{count} updates, {least} told"
    for name, query in VIEWS.items():
        kept, right = bag(engine.run(f"SELECT * FROM {name}")), bag(engine.run(query))
        assert kept == right, f"{name}: kept {kept - right}, right {right - kept}"


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # One write: the reader sees whole lines or none.


def push(engine: Engine, first: int) -> None:
    while True:
        ids = range(first, first + ROWS)
        lines = b"".join(
            b'{"id":%d,"device":%d,"wh":%d}\n' % (n, -1 if is_poison(n) else n % 7, n % 50)
            for n in ids
        )
        batch = RawBatch("ndjson", payload=lines, offsets={"log": str(first + ROWS)})
        engine.instance.submit("volt", "readings", batch).result(60)
        say(f"r {ids[0]} {ids[-1]}")
        first += ROWS


def write(engine: Engine, identity: int) -> None:
    while True:
        engine.run(f"INSERT INTO sites VALUES ({identity}, {identity % 9})")
        say(f"t {identity}")
        engine.run("UPDATE counters SET n = n + 1")
        say(f"u {engine.run('SELECT n FROM counters')[0][0]}")
        identity += 1


def main() -> None:
    folder, known, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    acknowledged: dict[str, list[int]] = json.loads(known.read_text())
    engine = Engine(folder, SystemClock())
    if number == 0:
        create(engine)
    verify(engine, acknowledged)
    say("checked")
    if number % 3 == 1:  # Others leave it all to the log; here the file is folded under load.
        engine.instance.engine("volt").database.writer.execute(
            "SET GLOBAL checkpoint_threshold = '256KB'"
        )
    start = (number + 1) * 10_000_000  # Ids of rounds never meet.
    threading.Thread(target=push, args=(engine, start), daemon=True).start()
    write(engine, start)


if __name__ == "__main__":
    main()
