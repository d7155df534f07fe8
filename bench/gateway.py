"""Connected charge points: steady load, the most that is taken, and all of them coming back."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from bench.gateway_load import SAMPLES
from bench.server import ENVIRONMENT, ROOT, Server
from bench.suite import Options, Report, Row

CONNECTIONS = 10_000
MESSAGES_PER_S = 500.0


def bench(options: Options) -> Report:
    count = options.rows or CONNECTIONS
    # Each charger a message every 20 s, as in the worst case of the load model.
    per_s = MESSAGES_PER_S * min(1.0, count / CONNECTIONS * 2)
    report = Report(
        "gateway",
        f"{count:,} chargers of mixed versions, {per_s:.0f} messages/s of {SAMPLES} values each "
        f"for {options.seconds} s; every answer after its rows are on disk",
    )
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
    ):
        empty_mb = server.rss_mb()
        command = [sys.executable, "-m", "bench.gateway_load", server.ocpp, str(count)]
        command += [str(per_s), str(options.seconds)]
        load = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
        )
        assert load.stdout is not None
        messages, used_s = 0, server.cpu_s()
        for line in load.stdout:
            seen = json.loads(line)
            row: Row = {"phase": seen["phase"], "seconds": round(seen["seconds"], 1)}
            sent = seen.get("messages", 0)
            messages += sent
            row["messages/s"] = round(sent / seen["seconds"]) if sent else None
            row["rows/s"] = round(sent * SAMPLES / seen["seconds"]) if sent else None
            for name in ("p50_ms", "p99_ms"):
                row[name] = round(seen[name]) if name in seen else None
            # A machine that others use too: what a message costs, beside how long it took.
            row["cpu_s"] = round(server.cpu_s() - used_s, 1)
            used_s = server.cpu_s()
            row["memory_mb"] = round(server.rss_mb())
            if seen["phase"] == "connected":
                each_kb = (server.rss_mb() - empty_mb) * 1024 / count
                report.notes.append(f"{each_kb:.0f} kB of memory for each connection")
            report.rows.append(row)
        if load.wait():
            raise SystemExit("the load failed")
        with psycopg.connect(server.postgres, autocommit=True) as session:
            [(stored,)] = session.execute("SELECT COUNT(*) FROM charger_readings").fetchall()
        lost = messages * SAMPLES - stored
        report.notes.append(f"{messages:,} messages answered, {stored:,} rows stored, {lost} lost")
    return report
