"""Floor A behind HTTP: one thread applies whatever waits, then answers; GET reads the result."""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.contenders.floors import Floor, lines_of

_LOOK = "SELECT session, value / 1000.0 FROM power WHERE session >= 'probe-' AND session < 'probe.'"


class Loop:
    """Rows that wait, and the thread that applies them: all there are, one transaction."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._changed = threading.Condition()
        self._waiting: deque[tuple[bytes, threading.Event]] = deque()
        threading.Thread(target=self._run, daemon=True).start()

    def push(self, payload: bytes) -> None:
        """Wait until the rows are durable."""
        done = threading.Event()
        with self._changed:
            self._waiting.append((payload, done))
            self._changed.notify()
        done.wait()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                taken = list(self._waiting)
                self._waiting.clear()
            lines = lines_of(b"".join(payload for payload, _ in taken))
            self._floor.take({"meter_readings": lines})
            for _, done in taken:
                done.set()


def main() -> None:
    floor = Floor(str(Path(sys.argv[1]) / "floor.duckdb"), append=False)
    loop = Loop(floor)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            loop.push(self.rfile.read(int(self.headers["content-length"])))
            self._answer(b"{}")

        def do_GET(self) -> None:
            cursor = floor.connection.cursor()
            self._answer(json.dumps(cursor.execute(_LOOK).fetchall()).encode())
            cursor.close()

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            del arguments

    ThreadingHTTPServer.request_queue_size = 128  # Every connection of the pusher at once.
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
