"""Signed meter values: only what is verified, of one meter and in good state may be billed."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.driver import begun
from tests.gateway.site import Client, site
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.limits import OCPP_METER_KEYS_KEPT
from voltstream.ocpp.cdr import Signed, signed_energy
from voltstream.ocpp.meter_keys import pinned
from voltstream.ocpp.ocmf import Verdict, energy_wh, parse, public_key, verify
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.samples import read_samples
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

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


def ocmf(
    *readings: dict[str, Any], serial: str = "M-1", key: Any = KEY, page: str = "T1", **seal: Any
) -> str:
    payload = json.dumps({"FV": "1.0", "PG": page, "MS": serial, "RD": list(readings)})
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    return f"OCMF|{payload}|{json.dumps({'SD': signature.hex()} | seal)}"


BEGIN = ocmf(reading("B", "100.0001"))
END = ocmf(reading("E", "107.5002"), page="T2")


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
    found = [parse(ocmf(one, page=f"T{page}")) for page, one in enumerate(documents)]
    assert energy_wh([one for one in found if one is not None]) == wh


def test_a_session_is_as_good_as_its_worst_value() -> None:
    keys = {"M-1": OCA}
    assert signed_energy([], keys) == Signed("NONE")
    assert signed_energy([BEGIN, END], keys) == Signed("OK", Decimal("7500.1"))
    assert signed_energy([BEGIN, END], {}) == Signed("UNVERIFIED")
    assert signed_energy([BEGIN, "EDL|x"], keys) == Signed("UNVERIFIED")
    assert signed_energy([BEGIN, END, END], keys) == Signed("OK", Decimal("7500.1"))
    for page in ("T3", "T1", "F2", "two"):  # A record is missing, doubled, or of another kind.
        late = ocmf(reading("E", "107.5002"), page=page)
        assert signed_energy([BEGIN, late], keys) == Signed("OK", None), page
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


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    options = EngineOptions(epoch_interval_ms=10)
    found = Instance(begun(tmp_path), options, SystemClock(), ConnectorRegistry(None))
    found.start()
    yield found
    found.stop()


async def charged(client: Client, version: str, begin: str, end: str) -> None:
    """Charge once; each version carries its signed values in its own words."""
    stamps = ("2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z")
    contexts = ("Transaction.Begin", "Transaction.End")
    seals = [
        {"signedMeterData": base64.b64encode(text.encode()).decode(), "encodingMethod": "OCMF",
         "signingMethod": "ECDSA-secp256r1-SHA256", "publicKey": ""}
        for text in (begin, end)
    ]  # fmt: skip
    if version == "ocpp1.6":
        started = await client.call(
            "StartTransaction", connectorId=1, idTag="T", meterStart=100_000, timestamp=stamps[0]
        )
        data = [
            {"timestamp": stamp, "sampledValue": [
                {"value": json.dumps(seal), "format": "SignedData", "context": context}
            ]}
            for stamp, context, seal in zip(stamps, contexts, seals, strict=True)
        ]  # fmt: skip
        await client.call(
            "MeterValues", connectorId=1, transactionId=started["transactionId"],
            meterValue=data[:1],
        )  # fmt: skip
        await client.call(
            "StopTransaction", transactionId=started["transactionId"], meterStop=107_500,
            timestamp=stamps[1], transactionData=data[1:],
        )  # fmt: skip
        return
    for number, (kind, wh) in enumerate((("Started", 100_000.0), ("Ended", 107_500.0))):
        value = {"value": wh, "context": contexts[number], "signedMeterValue": seals[number]}
        await client.call(
            "TransactionEvent", eventType=kind, timestamp=stamps[number], seqNo=number,
            triggerReason="SignedDataReceived", evse={"id": 1, "connectorId": 1},
            transactionInfo={"transactionId": "signed"},
            meterValue=[{"timestamp": stamps[number], "sampledValue": [value]}],
        )  # fmt: skip


def test_signed_sessions_through_the_gateway(instance: Instance) -> None:
    """What a meter signed reaches the record: verified, tampered with, and of an unknown meter."""
    tampered = END.replace("107.5002", "197.5002")
    stranger = [
        ocmf(reading("B", "100"), serial="M-9"),
        ocmf(reading("E", "107"), serial="M-9", page="T2"),
    ]
    cases = {
        "RIGHT": ((BEGIN, END), ("OK", "SIGNED", Decimal("7500.100"))),
        "TAMPERED": ((BEGIN, tampered), ("BAD", None, Decimal("7500.000"))),
        "STRANGER": (stranger, ("UNVERIFIED", None, Decimal("7500.000"))),
    }

    async def work() -> None:
        async with site(instance, settle_s=0.0) as where:
            await where.rows(f"INSERT INTO meter_keys VALUES ('M-1', '{OCA}', NOW())")
            for version in ("ocpp1.6", "ocpp2.0.1", "ocpp2.1"):
                for name, ((begin, end), _) in cases.items():
                    async with where.client(f"{name}-{version}", version) as client:
                        await charged(client, version, begin, end)
            await where.gateway.ledger.issue()
            rows = await where.rows(
                "SELECT charge_point_id, signature_state, energy_basis, energy_wh, outcome, flags, "
                "frame_hashes "
                "FROM current_charge_detail_records"
            )
            assert len(rows) == 9
            for charger, state, basis, energy_wh, outcome, flags, hashes_ in rows:
                values, (wanted, wanted_basis, wanted_wh) = cases[charger.partition("-")[0]]
                assert (state, energy_wh) == (wanted, wanted_wh), charger
                assert (basis == "SIGNED") is (wanted_basis == "SIGNED"), charger
                assert (outcome == "DISPUTED") is (state == "BAD"), charger
                told = Quality(flags) & (Quality.SIGNED_OK | Quality.SIGNED_BAD)
                assert told == {"OK": Quality.SIGNED_OK, "BAD": Quality.SIGNED_BAD}.get(state, 0)
                # Frames are kept for a while, signed values for ever: the chain has their hash.
                each = [sha256(base64.b64encode(one.encode())).hexdigest() for one in values]
                seal = sha256(",".join(each).encode()).hexdigest()
                assert hashes_.split(",")[2] == f"signed:{seal}", charger

    asyncio.run(asyncio.wait_for(work(), 120))


def test_a_meter_keeps_its_first_key() -> None:
    known: dict[str, str] = {}
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    spelled = [OCA, base64.b64encode(DER).decode(), DER.hex()]
    for key in (*spelled, "", None):
        assert pinned(known, {"signedMeterData": BEGIN, "publicKey": key}) == Quality.OK
    changed = {"signedMeterData": END, "publicKey": der.hex()}
    assert pinned(known, changed) == Quality.PUBLIC_KEY_CHANGED
    assert known == {"M-1": OCA}
    others = ocmf(reading("B", "1"), serial="M-2")
    assert pinned(known, {"signedMeterData": others, "publicKey": der.hex()}) == Quality.OK
    assert pinned(known, {"signedMeterData": "EDL|x", "publicKey": der.hex()}) == Quality.OK
    full = {f"M{number}": OCA for number in range(OCPP_METER_KEYS_KEPT)}
    assert pinned(full, changed) == Quality.OK and len(full) == OCPP_METER_KEYS_KEPT


def test_a_key_that_changed_is_told_also_after_a_restart(instance: Instance) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    ).hex()

    async def say(client: Client, number: int, key: str) -> None:
        seal = {"signedMeterData": BEGIN, "encodingMethod": "OCMF", "signingMethod": "",
                "publicKey": key}  # fmt: skip
        value = {"value": 100.0 + number, "signedMeterValue": seal}
        await client.call(
            "MeterValues", evseId=1,
            meterValue=[{"timestamp": f"2026-06-01T12:0{number}:00Z", "sampledValue": [value]}],
        )  # fmt: skip

    async def work() -> None:
        async with site(instance) as where, where.client("CP", "ocpp2.0.1") as client:
            await say(client, 0, OCA)
            await say(client, 1, "")
        async with site(instance) as where, where.client("CP", "ocpp2.0.1") as client:
            await say(client, 2, OCA)
            await say(client, 3, der)
            rows = await where.rows("SELECT flags FROM charger_readings ORDER BY event_ts")
            told = [bool(flags & Quality.PUBLIC_KEY_CHANGED) for (flags,) in rows]
            assert told == [False, False, False, True]
            keys = await where.rows("SELECT public_key FROM charger_public_keys ORDER BY raw_id")
            assert keys == [(OCA,), (der,)]

    asyncio.run(asyncio.wait_for(work(), 120))
