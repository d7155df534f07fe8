"""Push a feed's meter readings over HTTP at a steady rate; tell when each batch was due.

Every batch ends with a probe: a power reading of the session ``probe-<slot>`` whose kilowatts are
the batch's number. A slot belongs to one connection, so a slot's batches become visible in order.
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


def payloads(data: Path, rows: int, count: int) -> list[bytes]:
    """Cut the feed's first rows into batches that leave room for a probe."""
    reader = FeedReader(load_feed(data))
    lines: list[bytes] = []
    number = 0
    while len(lines) < count * (rows - 1):
        lines += bytes(reader.read(number, "meter_readings")).splitlines(keepends=True)
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


def _push(url: str, slot: int, batches: list[bytes], began: float, every: float) -> None:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    for number in range(slot, len(batches), CONNECTIONS):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        connection.request("POST", _PATH, batches[number] + _probe(number + 1))
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"refused: {answer.status} {said!r}")


def main() -> None:
    url, data, rows, rate, seconds = sys.argv[1:]
    every = int(rows) / int(rate)
    batches = payloads(Path(data), int(rows), round(int(seconds) / every))
    began = time.monotonic() + 0.2
    print(json.dumps({"began": began, "every": every, "count": len(batches)}), flush=True)
    threads = [
        threading.Thread(target=_push, args=(url, slot, batches, began, every))
        for slot in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"ended": time.monotonic()}), flush=True)


if __name__ == "__main__":
    main()
