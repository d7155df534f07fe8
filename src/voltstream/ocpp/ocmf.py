"""Signed meter values in OCMF: parsed without spelling anything anew, and verified with a key.

Source: Open Charge Metering Format 1.0 to 1.4 (SAFE e.V.). What is not understood is
unverifiable, never right.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

_CURVES = {
    "secp192r1": "secp192r1",
    "secp256k1": "secp256k1",
    "secp256r1": "secp256r1",
    "secp384r1": "secp384r1",
    "brainpool256r1": "brainpoolP256r1",
    "brainpoolp256r1": "brainpoolP256r1",
    "brainpool384r1": "brainpoolP384r1",
    "brainpoolp384r1": "brainpoolP384r1",
}
_DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
_OCA_PREFIX = "oca:base16:asn1:"
_TO_WH = {"kWh": Decimal(1000), "Wh": Decimal(1)}
_BILLABLE_TIME = frozenset("SR")
_ENDS = frozenset("ELRAP")
_PAGE = re.compile(r"[TF][0-9]{1,12}")


class Verdict(Enum):
    """What a signature is worth."""

    OK = "OK"
    BAD = "BAD"
    UNVERIFIED = "UNVERIFIED"


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a payload. Units: Wh, exactly as written."""

    kind: str
    value_wh: Decimal | None
    status: str
    error: str
    time_state: str

    @property
    def billable(self) -> bool:
        return self.status == "G" and not self.error and self.time_state in _BILLABLE_TIME


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document. Shape: ``signed`` are the very bytes that the signature covers."""

    signed: bytes
    meter_serial: str
    pagination: str
    readings: tuple[Reading, ...]
    signature: bytes
    algorithm: str


def text_of(data: str) -> str | None:
    """Return the OCMF text in what a charger sent: as it is, in base64 or in hex."""
    candidates = [data.strip()]
    for decode in (_base64, _hex):
        found = decode(data.strip())
        if found is not None:
            candidates.append(found.decode("utf-8", "replace"))
    return next((text for text in candidates if text.startswith("OCMF|")), None)


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def parse(data: str) -> Document | None:
    """Read a document; None for what is not OCMF or lacks what must be there."""
    text = text_of(data)
    if text is None:
        return None
    rest = text.partition("|")[2]
    payload, _, signature = rest.rpartition("|")
    try:
        content, seal = json.loads(payload), json.loads(signature)
        return _document(payload, content, seal)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _document(payload: str, content: Any, seal: Any) -> Document | None:
    raw = str(seal["SD"])
    encoded = _base64(raw) if seal.get("SE") == "base64" else _hex(raw)
    if encoded is None or not isinstance(content.get("RD"), list):
        return None
    readings: list[Reading] = []
    before: dict[str, Any] = {}
    for item in content["RD"]:
        before = before | item  # A field that is left out is as in the reading before.
        readings.append(_reading(before))
    return Document(
        signed=payload.encode(),
        meter_serial=str(content["MS"]),
        pagination=str(content.get("PG") or ""),
        readings=tuple(readings),
        signature=encoded,
        algorithm=str(seal.get("SA") or _DEFAULT_ALGORITHM),
    )


def _reading(item: dict[str, Any]) -> Reading:
    factor = _TO_WH.get(str(item.get("RU")))
    try:
        value = None if factor is None else Decimal(str(item["RV"])) * factor
    except (InvalidOperation, KeyError):
        value = None
    return Reading(
        kind=str(item.get("TX") or ""),
        value_wh=value,
        status=str(item.get("ST") or ""),
        error=str(item.get("EF") or ""),
        time_state=str(item.get("TM") or "")[-1:],
    )


def key_bytes(text: str) -> bytes:
    """Return the bytes of a key, the same however it is spelled."""
    found = _hex(text.strip()) or _base64(text.strip()) or text.strip().encode()
    if found.startswith(_OCA_PREFIX.encode()):
        found = _hex(found.decode(errors="replace")[len(_OCA_PREFIX) :]) or b""
    return found


def public_key(text: str) -> ec.EllipticCurvePublicKey | None:
    """Read a key: base64 or hex of its DER, or of ``oca:base16:asn1:`` and hex."""
    try:
        key = load_der_public_key(key_bytes(text))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None


def verify(document: Document, key_text: str | None) -> Verdict:
    """Check a signature. Without a key, or with an algorithm that is not known: UNVERIFIED."""
    key = public_key(key_text) if key_text else None
    name, _, rest = document.algorithm.partition("-")
    curve, _, digest = rest.rpartition("-")
    known = _CURVES.get(curve.lower())
    if key is None or name != "ECDSA" or digest != "SHA256" or known is None:
        return Verdict.UNVERIFIED
    if key.curve.name.lower() != known.lower():
        return Verdict.BAD
    try:
        key.verify(document.signature, document.signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return Verdict.BAD
    except UnsupportedAlgorithm:
        return Verdict.UNVERIFIED
    return Verdict.OK


def energy_wh(documents: list[Document]) -> Decimal | None:
    """Return what verified documents say a session took; None when they may not be billed.

    Law: begin and end are of the same meter, in good state, with a clock that was set, and no
    record between them is missing: the meter numbers its records without a gap.
    """
    if not _is_whole([one.pagination for one in documents]):
        return None
    readings = [(one.meter_serial, reading) for one in documents for reading in one.readings]
    if len({serial for serial, _ in readings}) != 1:
        return None
    begins = [reading for _, reading in readings if reading.kind == "B"]
    ends = [reading for _, reading in readings if reading.kind in _ENDS]
    if not begins or not ends or any(reading.kind == "X" for _, reading in readings):
        return None
    first, last = begins[0], ends[-1]
    if not (first.billable and last.billable):
        return None
    if first.value_wh is None or last.value_wh is None or last.value_wh < first.value_wh:
        return None
    return last.value_wh - first.value_wh


def _is_whole(pages: list[str]) -> bool:
    """Tell whether page numbers (T or F, and a number) follow each other, each once."""
    if not any(pages):
        return True
    if not all(_PAGE.fullmatch(page) for page in pages) or len({page[0] for page in pages}) > 1:
        return False
    numbers = sorted(int(page[1:]) for page in pages)
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
