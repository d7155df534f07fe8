"""Security profiles 2 and 3: TLS, passwords over it, and client certificates."""

from __future__ import annotations

import asyncio
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

    def issue(self, name: str) -> Path:
        """Write a certificate and its key into one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(_named(name), self._subject, key, self._key, ca=False)
        file = self._folder / f"{self._name}-{name}.pem"
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
    subject: x509.Name, issuer: x509.Name, key: Any, issuer_key: Any, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
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


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for ocpp in (
        OcppSettings(tls_certificate=tmp_path / "nothing.pem"),
        OcppSettings(tls_key=tmp_path / "key.pem"),
    ):
        with pytest.raises(InvalidParameter):
            gateway_options(Settings(ocpp=ocpp))
