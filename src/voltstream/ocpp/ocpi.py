"""Charge detail records in the words of OCPI 2.2.1 and 2.3.

Source: OCPI 2.2.1 and 2.3.0, module CDRs. What no charger tells (addresses, prices) is left to
who sends the document on: costs are 0, and the remark says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

OcpiVersion = Literal["2.2.1", "2.3"]
_ID_CHARACTERS_MAX = 39
_TOKEN_TYPES = {"Central": "APP_USER", "KeyCode": "AD_HOC_USER", "NoAuthorization": "AD_HOC_USER"}
_CONTRACTS = frozenset({"eMAID"})


@dataclass(frozen=True, slots=True)
class Party:
    """Whose records they are: ISO 3166-1 alpha-2, the operator's three letters, a currency."""

    country_code: str
    party_id: str
    currency: str


def documents(
    record: Mapping[str, Any],
    superseded: Mapping[str, Any] | None,
    party: Party,
    version: OcpiVersion,
) -> Iterator[dict[str, Any]]:
    """Yield the CDR of a record; before one that corrects another, the credit for that one.

    A credit says what the old one said, but for its costs, which are taken back (OCPI 2.2.1, 10.2).
    """
    if superseded is not None:
        old = _document(superseded, party, version)
        yield old | {
            "id": f"{old['id']}-C"[-_ID_CHARACTERS_MAX:],
            "credit": True,
            "credit_reference_id": old["id"],
            "last_updated": _time(record["issued_at"]),
        }
    yield _document(record, party, version)


def _document(record: Mapping[str, Any], party: Party, version: OcpiVersion) -> dict[str, Any]:
    energy_kwh = _number((record["import_wh"] - record["export_wh"]) / 1000, 3)
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": str(record["cdr_id"])[:_ID_CHARACTERS_MAX],
        "start_date_time": _time(record["started_at"]),
        "end_date_time": _time(record["stopped_at"]),
        "session_id": str(record["transaction_id"])[:36],
        "cdr_token": _token(record, party),
        "auth_method": record["authorization_method"],
        "cdr_location": _location(record, party),
        "currency": record["currency"] or party.currency,
        "charging_periods": [
            {
                "start_date_time": _time(record["started_at"]),
                "dimensions": [
                    {"type": "ENERGY", "volume": energy_kwh},
                    {"type": "TIME", "volume": _hours(record["charging_s"])},
                    {"type": "PARKING_TIME", "volume": _hours(record["idle_s"])},
                    {"type": "MAX_POWER", "volume": _number(record["power_max_w"] / 1000, 3)},
                ],
            }
        ],
        "total_cost": _cost(version),
        "total_energy": energy_kwh,
        "total_time": _hours(record["duration_s"]),
        "total_parking_time": _hours(record["idle_s"]),
        "remark": f"not priced; energy by {record['energy_basis']}, {record['outcome']}, "
        f"{record['completeness']}, sha256 {record['hash']}",
        "last_updated": _time(record["issued_at"]),
    }


def _token(record: Mapping[str, Any], party: Party) -> dict[str, Any]:
    uid = str(record["id_tag"] or "#NO-TOKEN")[:36]
    kind = record["id_token_type"] or "ISO14443"
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "uid": uid,
        "type": "OTHER" if kind in _CONTRACTS else _TOKEN_TYPES.get(kind, "RFID"),
        "contract_id": uid,
    }


def _location(record: Mapping[str, Any], party: Party) -> dict[str, Any]:
    charger, evse_id = str(record["charge_point_id"]), record["evse_id"] or 0
    named = {"name": record["site"]} if record["site"] else {}
    return named | {
        "id": charger[:36],
        "address": "#NA",
        "city": "#NA",
        "country": party.country_code,
        "coordinates": {"latitude": "0.00000", "longitude": "0.00000"},
        "evse_uid": f"{charger}*{evse_id}"[:36],
        "evse_id": "#NA",
        "connector_id": str(record["connector_id"] or 1),
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    }


def _cost(version: OcpiVersion) -> dict[str, Any]:
    return {"excl_vat": 0.0} if version == "2.2.1" else {"before_taxes": 0.0, "taxes": []}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hours(seconds: Decimal) -> float:
    return _number(seconds / 3600, 4)


def _number(value: Decimal, digits: int) -> float:
    return float(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
