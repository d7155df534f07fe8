"""Security profiles 2 and 3: TLS, passwords over it, and client certificates."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.gateway.site import BOOT_16, site
from voltstream.cli.chargers import gateway_options
from voltstream.cli.config import OcppSettings, Settings
from voltstream.core.errors import InvalidParameter
from voltstream.ocpp.passwords import hashed
from voltstream.runtime.instance import Instance

# What a client sees of a handshake that the server ends: its alert, or the end of the connection.
CUT_OFF = (ssl.SSLError, ConnectionResetError)


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        self.certificate = _signed(self._subject, self._subject, self._key, self._key, ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def revoke(self, file: Path) -> Path:
        """Write a list of revoked certificates that names this one."""
        now = dt.datetime.now(dt.UTC)
        number = x509.load_pem_x509_certificate(file.read_bytes()).serial_number
        one = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now).build()
        listed = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._subject)
            .last_update(now - dt.timedelta(hours=1))
            .next_update(now + dt.timedelta(days=1))
            .add_revoked_certificate(one)
            .sign(self._key, hashes.SHA256())
        )
        found = self._folder / f"{self._name}.crl"
        found.write_bytes(listed.public_bytes(serialization.Encoding.PEM))
        return found

    def issue(self, name: str, *, days: int = 1) -> Path:
        """Write a certificate and its key into one file; ``days``: when it ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(_named(name), self._subject, key, self._key, ca=False, days=days)
        file = self._folder / f"{self._name}-{name}-{days}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    subject: x509.Name, issuer: x509.Name, key: Any, issuer_key: Any, *, ca: bool, days: int = 1
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def client_side(
    trusted: Authority, own: Path | None = None, *, tls_12: bool = False
) -> ssl.SSLContext:
    """``tls_12``: with TLS 1.3 a client hears only after its handshake that it was refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(trusted.file)
    if own is not None:
        context.load_cert_chain(own)
    if tls_12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def booted(port: int, name: str, context: ssl.SSLContext, **headers: str) -> str:
    url = f"wss://127.0.0.1:{port}/ocpp/{name}"
    offered = [Subprotocol("ocpp1.6")]
    async with connect(
        url, subprotocols=offered, ssl=context, additional_headers=headers
    ) as socket_:
        await socket_.send(json.dumps([2, "1", "BootNotification", BOOT_16]))
        return str(json.loads(await socket_.recv())[2]["status"])


def test_tc_a_04_to_a_08_086_and_087_tls_and_client_certificates(
    instance: Instance, tmp_path: Path
) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    settings = Settings(
        ocpp=OcppSettings(tls_certificate=ours.issue("server"), tls_client_ca=ours.file,
                          anonymous="never")
    )  # fmt: skip
    tls = gateway_options(settings).tls

    async def work() -> None:
        async with site(instance, tls=tls, anonymous="never") as where:
            port = where.gateway.port
            card = client_side(ours, ours.issue("TLS-1"))
            assert await booted(port, "TLS-1", card) == "Accepted"
            # The name in the certificate is that of another charger.
            with pytest.raises(InvalidStatus):
                await booted(port, "TLS-2", card)
            # Nobody's certificate, and none at all.
            with pytest.raises(CUT_OFF):
                await booted(port, "TLS-1", client_side(ours, theirs.issue("TLS-1"), tls_12=True))
            with pytest.raises(InvalidStatus):
                await booted(port, "TLS-1", client_side(ours))
            old = client_side(ours, ours.issue("TLS-1"), tls_12=True)
            assert await booted(port, "TLS-1", old) == "Accepted"
            # Older than the profiles allow (TC_A_06).
            ancient = client_side(ours, ours.issue("TLS-1"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # That is the point.
                ancient.minimum_version = ancient.maximum_version = ssl.TLSVersion.TLSv1_1
            ancient.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.raises(CUT_OFF):
                await booted(port, "TLS-1", ancient)
            # A server that somebody else signed is not ours to speak to (TC_A_04).
            with pytest.raises(ssl.SSLCertVerificationError):
                await booted(port, "TLS-1", client_side(theirs))
            seen = await where.rows(
                "SELECT DISTINCT security_profile FROM charger_connections "
                "WHERE charge_point_id = 'TLS-1' AND event = 'connected'"
            )
            assert seen == [(3,)]
            # Who was cut off within the handshake never became a connection.
            seen = await where.rows(
                "SELECT COUNT(*) FROM charger_connections WHERE event = 'connected'"
            )
            assert seen == [(2,)]
            assert tls is not None and tls.minimum_version == ssl.TLSVersion.TLSv1_2

    asyncio.run(work())


def basic(name: str, password: str) -> dict[str, str]:
    given = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {given}"}


def test_passwords_over_tls_and_certificates_that_are_worth_nothing_any_more(
    instance: Instance, tmp_path: Path
) -> None:
    ours = Authority(tmp_path, "ours")
    revoked = ours.issue("TLS-3")
    settings = Settings(
        ocpp=OcppSettings(tls_certificate=ours.issue("server"), tls_client_ca=ours.file,
                          tls_client_crl=ours.revoke(revoked), anonymous="never")
    )  # fmt: skip
    tls = gateway_options(settings).tls

    async def work() -> None:
        async with site(instance, tls=tls, anonymous="never") as where:
            port, password = where.gateway.port, "long-enough-to-be-one"
            # A second certificate of the same name is as good as ever.
            again = ours.issue("TLS-3", days=2)
            assert await booted(port, "TLS-3", client_side(ours, again)) == "Accepted"
            for bad in (revoked, ours.issue("TLS-3", days=-1)):
                with pytest.raises(CUT_OFF):
                    await booted(port, "TLS-3", client_side(ours, bad, tls_12=True))
            for name, profile in (("TLS-4", 2), ("TLS-5", 3)):
                await where.rows(
                    "INSERT INTO charge_point_secrets VALUES "
                    f"('{name}', '{hashed(password)}', {profile}, NOW())"
                )
            await asyncio.sleep(1.1)
            plain = client_side(ours)
            assert await booted(port, "TLS-4", plain, **basic("TLS-4", password)) == "Accepted"
            with pytest.raises(InvalidStatus):
                await booted(port, "TLS-4", plain, **basic("TLS-4", "wrong-but-long-enough"))
            # Its profile is 3: a password is not enough any more, its certificate is.
            with pytest.raises(InvalidStatus):
                await booted(port, "TLS-5", plain, **basic("TLS-5", password))
            card = client_side(ours, ours.issue("TLS-5"))
            assert await booted(port, "TLS-5", card) == "Accepted"
            await where.gateway.journal.commit({})
            seen = await where.rows(
                "SELECT charge_point_id, security_profile FROM charger_connections "
                "WHERE charge_point_id IN ('TLS-3', 'TLS-4', 'TLS-5') AND event = 'connected' "
                "ORDER BY 1"
            )
            assert seen == [("TLS-3", 3), ("TLS-4", 2), ("TLS-5", 3)]

    asyncio.run(work())


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for ocpp in (
        OcppSettings(tls_certificate=tmp_path / "nothing.pem"),
        OcppSettings(tls_key=tmp_path / "key.pem"),
    ):
        with pytest.raises(InvalidParameter):
            gateway_options(Settings(ocpp=ocpp))
