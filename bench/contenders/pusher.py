"""Push a feed's meter readings over HTTP at a steady rate; tell when each batch was due.

Every batch ends with a probe: a power reading of the session ``probe-<slot>`` whose kilowatts are
the batch's number. A slot belongs to one connection, so a slot's batches become visible in order.
A run that goes on where another ended in the same server begins at a later batch.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.feed import FeedReader, load_feed

CONNECTIONS = 64
_PATH = "/v1/sources/meter_readings/rows"


def payloads(data: Path, rows: int, count: int, first: int) -> list[bytes]:
    """Cut the feed's rows into batches that leave room for a probe."""
    feed = load_feed(data)
    reader = FeedReader(feed)
    lines: list[bytes] = []
    skipped = first * (rows - 1)
    number = 0
    while len(lines) < count * (rows - 1):
        read = bytes(reader.read(number % len(feed.slices), "meter_readings"))
        cut = read.splitlines(keepends=True)
        lines += cut[skipped:]
        skipped = max(0, skipped - len(cut))
        number += 1
    return [b"".join(lines[i * (rows - 1) : (i + 1) * (rows - 1)]) for i in range(count)]


def _probe(number: int) -> bytes:
    at_us = time.time_ns() // 1000
    instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_us // 1_000_000))
    reading = {
        "station": "CP-00001",
        "connector": 1,
        "session": f"probe-{(number - 1) % CONNECTIONS}",
        "measurand": "Power.Active.Import",
        "value": number * 1000.0,
        "unit": "W",
        "context": "Sample.Periodic",
        "phase": None,
        "sampled_at": f"{instant}.{at_us % 1_000_000:06d}Z",
    }
    return json.dumps(reading).encode() + b"\n"


def _push(
    url: str, slot: int, batches: list[bytes], first: int, began: float, every: float,
    durable: dict[int, float],
) -> None:  # fmt: skip
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    for number in range(slot, len(batches), CONNECTIONS):
        due = began + number * every
        time.sleep(max(0.0, due - time.monotonic()))
        connection.request("POST", _PATH, batches[number] + _probe(first + number + 1))
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"refused: {answer.status} {said!r}")
        durable[number] = time.monotonic() - due


def main() -> None:
    url, data, rows, rate, seconds, *more = sys.argv[1:]
    every = int(rows) / int(rate)
    first = int(more[0]) if more else 0
    batches = payloads(Path(data), int(rows), round(int(seconds) / every), first)
    durable: dict[int, float] = {}
    began = time.monotonic() + 0.2
    print(json.dumps({"began": began, "every": every, "count": len(batches)}), flush=True)
    threads = [
        threading.Thread(target=_push, args=(url, slot, batches, first, began, every, durable))
        for slot in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"ended": time.monotonic(), "durable": durable}), flush=True)


if __name__ == "__main__":
    main()
