"""Signed meter values: only what is verified, of one meter and in good state may be billed."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from voltstream.ocpp.cdr import Signed, signed_energy
from voltstream.ocpp.ocmf import Verdict, energy_wh, parse, public_key, verify
from voltstream.ocpp.samples import read_samples

KEY = ec.generate_private_key(ec.SECP256R1())
DER = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
OCA = base64.b64encode(f"oca:base16:asn1:{DER.hex()}".encode()).decode()


def reading(kind: str, kwh: str, **changed: Any) -> dict[str, Any]:
    return {
        "TM": "2026-06-01T12:00:00,000+0200 S", "TX": kind, "RV": kwh, "RI": "1-0:1.8.0",
        "RU": "kWh", "ST": "G",
    } | changed  # fmt: skip


def ocmf(*readings: dict[str, Any], serial: str = "M-1", key: Any = KEY, **seal: Any) -> str:
    payload = json.dumps({"FV": "1.0", "PG": "T1", "MS": serial, "RD": list(readings)})
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    return f"OCMF|{payload}|{json.dumps({'SD': signature.hex()} | seal)}"


BEGIN, END = ocmf(reading("B", "100.0001")), ocmf(reading("E", "107.5002"))


@pytest.mark.parametrize(
    "key", [DER.hex(), base64.b64encode(DER).decode(), OCA], ids=["hex", "base64", "oca"]
)
def test_keys_in_every_spelling(key: str) -> None:
    found = parse(BEGIN)
    assert found is not None
    assert verify(found, key) is Verdict.OK
    assert public_key(key) is not None


def test_the_text_is_what_is_signed_to_the_byte() -> None:
    found = parse(BEGIN)
    assert found is not None and found.signed in BEGIN.encode()
    changed = parse(BEGIN.replace("100.0001", "100.00010"))
    assert changed is not None and verify(changed, OCA) is Verdict.BAD


def test_what_is_not_known_is_unverified_and_never_ok() -> None:
    found = parse(BEGIN)
    assert found is not None
    assert verify(found, None) is Verdict.UNVERIFIED
    assert verify(found, "no key") is Verdict.UNVERIFIED
    other = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    assert verify(found, other.hex()) is Verdict.BAD
    odd = parse(ocmf(reading("B", "1"), SA="ECDSA-secp999-SHA256"))
    assert odd is not None and verify(odd, OCA) is Verdict.UNVERIFIED
    # A hash in place of a signature, as a well-known simulator sends.
    fake = parse('OCMF|{"MS":"M-1","RD":[{"TX":"B"}]}|{"SD":"' + "ab" * 32 + '"}')
    assert fake is not None and verify(fake, OCA) is Verdict.BAD


@pytest.mark.parametrize(
    "text", ["", "OCMF", "OCMF|", "OCMF||", "OCMF|{}|{}", "OCMF|[]|[]", "x", "OCMF|{|}", "EDL|a|b"]
)
def test_anything_else_is_no_document(text: str) -> None:
    assert parse(text) is None


def test_base64_and_hex_around_the_text() -> None:
    for spelled in (base64.b64encode(BEGIN.encode()).decode(), BEGIN.encode().hex()):
        found = parse(spelled)
        assert found is not None and verify(found, OCA) is Verdict.OK


@pytest.mark.parametrize(
    ("documents", "wh"),
    [
        ([reading("B", "100.0001"), reading("E", "107.5002")], Decimal("7500.1")),
        ([reading("B", "100"), reading("E", "99")], None),
        ([reading("B", "100", ST="N"), reading("E", "107")], None),
        ([reading("B", "100", TM="2026-06-01T12:00:00,000+0200 U"), reading("E", "107")], None),
        ([reading("B", "100"), reading("E", "107", EF="E")], None),
        ([reading("B", "100"), reading("X", "101"), reading("E", "107")], None),
        ([reading("B", "100")], None),
    ],
)
def test_what_may_be_billed(documents: list[dict[str, Any]], wh: Decimal | None) -> None:
    found = [parse(ocmf(one)) for one in documents]
    assert energy_wh([one for one in found if one is not None]) == wh


def test_a_session_is_as_good_as_its_worst_value() -> None:
    keys = {"M-1": OCA}
    assert signed_energy([], keys) == Signed("NONE")
    assert signed_energy([BEGIN, END], keys) == Signed("OK", Decimal("7500.1"))
    assert signed_energy([BEGIN, END], {}) == Signed("UNVERIFIED")
    assert signed_energy([BEGIN, "EDL|x"], keys) == Signed("UNVERIFIED")
    forged = ocmf(reading("E", "200"), key=ec.generate_private_key(ec.SECP256R1()))
    assert signed_energy([BEGIN, forged], keys) == Signed("BAD")
    assert signed_energy([BEGIN, ocmf(reading("E", "107"), serial="M-2")], keys | {"M-2": OCA}) == (
        Signed("OK", None)
    )


def test_json_within_the_value_of_16() -> None:
    wrapped = json.dumps({"signedMeterData": "AAAA", "publicKey": "k", "encodingMethod": "OCMF"})
    meter = [{"sampledValue": [{"value": wrapped, "format": "SignedData"}]}]
    [sample] = read_samples(meter, 0)
    assert sample.signed is not None and sample.signed["publicKey"] == "k"
