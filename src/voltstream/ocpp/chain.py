"""The hash chain of charge detail records: every record seals the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

GENESIS = "0" * 64
# Numbers are sealed as texts of fixed scale, so that a record reads the same from every client.
SCALES = {
    "energy_wh": 3, "import_wh": 3, "export_wh": 3, "boundary_wh": 3, "delta_wh": 3,
    "difference_wh": 3, "meter_start_wh": 3, "meter_stop_wh": 3, "duration_s": 3,
    "charging_s": 3, "idle_s": 3, "power_max_w": 3, "coverage": 4,
}  # fmt: skip
COLUMNS = (
    "chain_no", "cdr_id", "version", "supersedes", "charge_point_id", "evse_id", "connector_id",
    "transaction_id", "id_tag", "id_token_type", "authorization_method", "started_at",
    "stopped_at", "stop_reason", "energy_wh", "energy_basis", "import_wh", "export_wh",
    "boundary_wh", "delta_wh", "difference_wh", "meter_start_wh", "meter_stop_wh", "duration_s",
    "charging_s", "idle_s", "power_max_w", "sample_count", "coverage", "completeness", "outcome",
    "signature_state", "site", "tariff_id", "currency", "ocpp_version", "flags", "frame_hashes",
    "issued_at", "previous_hash", "hash",
)  # fmt: skip
_UNSEALED = frozenset({"hash"})
# What does not make a record another one: a version with the same content is not issued.
_ABOUT_ISSUE = frozenset({
    "chain_no", "version", "cdr_id", "supersedes", "issued_at", "previous_hash", "hash",
})  # fmt: skip

Record = Mapping[str, Any]


def spelled(column: str, value: Any) -> Any:
    """Return a value as it is sealed."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if column in SCALES:
        return format(Decimal(value), f".{SCALES[column]}f")
    return int(value)


def canonical(record: Record, *, without: frozenset[str] = _UNSEALED) -> str:
    """Return a record as JSON in one spelling: columns in order, no blanks."""
    content = {name: spelled(name, record.get(name)) for name in COLUMNS if name not in without}
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def content(record: Record) -> str:
    """Return what a record says of its session, without when and as which version."""
    return canonical(record, without=_ABOUT_ISSUE)


def sealed(record: Record) -> str:
    """Return the hash of a record, which names the hash of the one before."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """A place at which the chain does not hold."""

    chain_no: int
    cdr_id: str
    reason: str


def breaks(records: Iterable[Record]) -> Iterator[Break]:
    """Yield everything that is wrong with records, given in order of chain_no."""
    expected, previous = 1, GENESIS
    seen: set[str] = set()
    for record in records:
        number, name = int(record["chain_no"]), str(record["cdr_id"])
        if number != expected:
            yield Break(number, name, f"record {expected} is missing or doubled")
        if record["previous_hash"] != previous:
            yield Break(number, name, "does not follow the record before it")
        if sealed(record) != record["hash"]:
            yield Break(number, name, "was changed after it was issued")
        if name in seen:
            yield Break(number, name, "was issued twice")
        seen.add(name)
        expected, previous = number + 1, str(record["hash"])
