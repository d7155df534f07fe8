"""Records as OCPI documents and CSV, and what the verb says."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from voltstream.cli.ledger import verify
from voltstream.cli.record_book import Book
from voltstream.core.errors import InvalidParameter
from voltstream.core.records import Issuer
from voltstream.ocpp import chain
from voltstream.ocpp.ocpi import Party, documents

PARTY = Party("DE", "VLT", "EUR")


def record(number: int = 1, previous: str = chain.GENESIS, **changed: Any) -> dict[str, Any]:
    zero = Decimal("0.000")
    found: dict[str, Any] = dict.fromkeys(chain.COLUMNS) | {
        "chain_no": number, "cdr_id": f"{number:032x}-1", "version": 1,
        "charge_point_id": "CP-1", "evse_id": 1, "connector_id": 2, "transaction_id": "77",
        "id_tag": "TAG", "authorization_method": "AUTH_REQUEST",
        "started_at": datetime(2026, 6, 1, 12, tzinfo=UTC),
        "stopped_at": datetime(2026, 6, 1, 13, 30, tzinfo=UTC),
        "energy_wh": Decimal("7250.500"), "energy_basis": "BOUNDARY",
        "import_wh": Decimal("7250.500"), "export_wh": Decimal("1000.000"),
        "boundary_wh": zero, "delta_wh": zero, "difference_wh": zero, "meter_start_wh": zero,
        "meter_stop_wh": zero, "duration_s": Decimal("5400.000"),
        "charging_s": Decimal("3600.000"), "idle_s": Decimal("1800.000"),
        "power_max_w": Decimal("11000.000"), "sample_count": 90, "coverage": Decimal("1.0000"),
        "completeness": "COMPLETE", "outcome": "MATCHED", "flags": 0,
        "issued_at": datetime(2026, 6, 1, 14, tzinfo=UTC), "previous_hash": previous,
    } | changed  # fmt: skip
    found["hash"] = chain.sealed(found)
    return found


def test_a_record_as_ocpi_221() -> None:
    [found] = documents(record(), PARTY, "2.2.1")
    assert found["total_energy"] == 6.251  # Net: what went back is not consumed.
    assert (found["total_time"], found["total_parking_time"]) == (1.5, 0.5)
    assert found["total_cost"] == {"excl_vat": 0.0}
    assert found["start_date_time"] == "2026-06-01T12:00:00Z"
    assert found["cdr_token"]["uid"] == "TAG" and found["cdr_token"]["type"] == "RFID"
    [period] = found["charging_periods"]
    kinds = {one["type"] for one in period["dimensions"]}
    # Dimensions of a Session are not allowed in a CDR.
    assert kinds == {"ENERGY", "TIME", "PARKING_TIME", "MAX_POWER"}
    assert len(found["id"]) <= 39


def test_23_has_taxes_in_place_of_vat() -> None:
    [found] = documents(record(), PARTY, "2.3")
    assert found["total_cost"] == {"before_taxes": 0.0, "taxes": []}


def test_a_correction_comes_with_a_credit() -> None:
    old = record()
    credit, new = documents(record(2, old["hash"], supersedes=old["cdr_id"]), PARTY, "2.2.1")
    assert credit["credit"] is True
    assert credit["credit_reference_id"] == old["cdr_id"]
    assert credit["id"] == f"{old['cdr_id']}-C"
    assert "credit" not in new


def some(count: int) -> Iterator[dict[str, Any]]:
    previous = chain.GENESIS
    for number in range(1, count + 1):
        found = record(number, previous)
        previous = found["hash"]
        yield found


def test_verify_says_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    verify(some(3), None)
    assert "3 records, the chain holds" in capsys.readouterr().out
    head = list(some(3))[-1]["hash"]
    verify(some(3), head)
    with pytest.raises(InvalidParameter, match="end is missing"):
        verify(some(2), head)
    broken = list(some(3))
    broken[1]["energy_wh"] += Decimal("0.001")
    with pytest.raises(InvalidParameter, match="broken in 1 places"):
        verify(iter(broken), None)
    assert "record 2" in capsys.readouterr().out


def test_csv_holds_what_is_sealed_and_no_formula() -> None:
    written = "".join(Book().export([record(id_tag="=1+1")], "csv", Issuer()))
    [row] = csv.DictReader(io.StringIO(written))
    assert row["id_tag"] == "'=1+1"
    assert (row["energy_wh"], row["coverage"]) == ("7250.500", "1.0000")
