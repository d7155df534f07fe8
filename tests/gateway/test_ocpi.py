"""Records as OCPI documents and CSV, and what the verb says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from voltstream.cli.checkpoint import read
from voltstream.cli.ledger import sign, verify
from voltstream.cli.record_book import Book
from voltstream.core.errors import InvalidParameter
from voltstream.core.records import Issuer
from voltstream.ocpp import chain
from voltstream.ocpp.ocpi import OcpiVersion, Party, documents

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
    [found] = documents(record(), None, PARTY, "2.2.1")
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
    [found] = documents(record(), None, PARTY, "2.3")
    assert found["total_cost"] == {"before_taxes": 0.0, "taxes": []}


def test_a_correction_comes_with_a_credit_that_says_what_the_old_one_said() -> None:
    old = record(energy_wh=Decimal("9000.000"), import_wh=Decimal("9000.000"))
    new = record(2, old["hash"], supersedes=old["cdr_id"], version=2)
    known = {old["cdr_id"]: old}
    lines = Book().export([old, new], "ocpi-2.2.1", Issuer(), lambda name: known[name])
    first, credit, second = map(json.loads, lines)
    assert (credit["credit"], credit["credit_reference_id"]) == (True, first["id"])
    assert credit["id"] == f"{old['cdr_id']}-C" and len(credit["id"]) <= 39
    told = {"id", "credit", "credit_reference_id", "last_updated"}
    assert {key: one for key, one in credit.items() if key not in told} == {
        key: one for key, one in first.items() if key not in told
    }
    assert (first["total_energy"], second["total_energy"]) == (8.0, 6.251)
    assert "credit" not in second and "credit" not in first


# What OCPI asks of a CDR, field by field: its type, or the words it may be.
CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$"}
NUMBER = {"type": "number"}
TIME = {
    "type": "string",
    "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$",
    "maxLength": 25,
}


def text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def shape(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": required | optional, "required": list(required),
            "additionalProperties": False}  # fmt: skip


PRICE = {
    "2.2.1": shape({"excl_vat": NUMBER}, incl_vat=NUMBER),
    "2.3": shape({"before_taxes": NUMBER, "taxes": {"type": "array"}}),
}
DIMENSION = shape({
    "type": {"enum": ["ENERGY", "MAX_CURRENT", "MIN_CURRENT", "MAX_POWER", "MIN_POWER",
                      "PARKING_TIME", "RESERVATION_TIME", "TIME"]},
    "volume": NUMBER,
})  # fmt: skip


def cdr_shape(version: str) -> dict[str, Any]:
    coordinates = shape({
        "latitude": {"type": "string", "pattern": "^-?[0-9]{1,2}\\.[0-9]{5,7}$"},
        "longitude": {"type": "string", "pattern": "^-?[0-9]{1,3}\\.[0-9]{5,7}$"},
    })  # fmt: skip
    location = shape(
        {
            "id": text(36), "address": text(45), "city": text(45), "country": text(3),
            "coordinates": coordinates, "evse_uid": text(36), "evse_id": text(48),
            "connector_id": text(36), "connector_standard": {"enum": ["IEC_62196_T2"]},
            "connector_format": {"enum": ["SOCKET", "CABLE"]},
            "connector_power_type": {"enum": ["AC_1_PHASE", "AC_3_PHASE", "DC"]},
        },
        name=text(255), postal_code=text(10),
    )  # fmt: skip
    token = shape({
        "country_code": text(2), "party_id": text(3), "uid": text(36),
        "type": {"enum": ["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]}, "contract_id": text(36),
    })  # fmt: skip
    period = shape({"start_date_time": TIME, "dimensions": {"type": "array", "minItems": 1,
                                                            "items": DIMENSION}})  # fmt: skip
    return shape(
        {
            "country_code": text(2), "party_id": text(3), "id": text(39),
            "start_date_time": TIME, "end_date_time": TIME, "cdr_token": token,
            "auth_method": {"enum": ["AUTH_REQUEST", "COMMAND", "WHITELIST"]},
            "cdr_location": location, "currency": CURRENCY,
            "charging_periods": {"type": "array", "minItems": 1, "items": period},
            "total_cost": PRICE[version], "total_energy": NUMBER, "total_time": NUMBER,
            "last_updated": TIME,
        },
        session_id=text(36), total_parking_time=NUMBER, remark=text(255),
        credit={"type": "boolean"}, credit_reference_id=text(39),
    )  # fmt: skip


@pytest.mark.parametrize("version", ["2.2.1", "2.3"])
def test_every_field_is_as_the_standard_has_it(version: OcpiVersion) -> None:
    odd: dict[str, Any] = {
        "charge_point_id": "x" * 255, "transaction_id": "y" * 64, "id_tag": "z" * 255,
        "id_token_type": "eMAID", "evse_id": None, "connector_id": None, "site": "s",
        "currency": "CHF", "completeness": "INCOMPLETE", "outcome": "DISPUTED",
    }  # fmt: skip
    old = record(id_tag=None)
    cases = [record(), record(**odd), record(2, supersedes=old["cdr_id"], **odd)]
    check = jsonschema_rs.validator_for(cdr_shape(version))
    for number, one in enumerate(cases):
        for found in documents(one, old if number == 2 else None, PARTY, version):
            errors = [
                f"{error.instance_path}: {error.message}" for error in check.iter_errors(found)
            ]
            assert not errors, errors


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


def test_a_signed_checkpoint_tells_a_chain_that_was_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    private, public, wrong = (tmp_path / name for name in ("a.key", "a.pub", "b.pub"))
    pem, spki = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    private.write_bytes(key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(pem, spki))
    wrong.write_bytes(other.public_key().public_bytes(pem, spki))
    sign(some(3), private)
    file = tmp_path / "day.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    known = read(file, public)
    verify(some(3), None, known)
    verify(some(5), None, known)  # Records were added since.
    anew = [record(1, energy_wh=Decimal("1.000"))]
    for number in (2, 3):
        anew.append(record(number, anew[-1]["hash"]))
    for forged in (anew, list(some(2))):  # Sealed as it should be, and not what was there.
        with pytest.raises(InvalidParameter, match="another one than that of"):
            verify(iter(forged), None, known)
    with pytest.raises(InvalidParameter, match="not signed with this key"):
        read(file, wrong)
    file.write_text(file.read_text(encoding="utf-8").replace('"records": 3', '"records": 2'))
    with pytest.raises(InvalidParameter, match="or was changed"):
        read(file, public)
    with pytest.raises(InvalidParameter, match="is not a checkpoint"):
        read(private, public)
    with pytest.raises(InvalidParameter, match="cannot read the key"):
        sign(some(1), public)


def test_csv_holds_what_is_sealed_and_no_formula() -> None:
    written = "".join(Book().export([record(id_tag="=1+1")], "csv", Issuer(), lambda _: None))
    [row] = csv.DictReader(io.StringIO(written))
    assert row["id_tag"] == "'=1+1"
    assert (row["energy_wh"], row["coverage"]) == ("7250.500", "1.0000")
