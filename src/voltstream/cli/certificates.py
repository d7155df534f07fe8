"""A certificate of the server's own making, for who asks for TLS and has none."""

from __future__ import annotations

import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 397  # What browsers accept of a certificate; it is made anew in its last month.
_RENEWED_DAYS = 30


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Return the paths of a certificate and its key, made now unless good ones are there."""
    certificate, key = folder / "server.crt", folder / "server.key"
    if not (certificate.exists() and key.exists() and _is_good(certificate)):
        folder.mkdir(parents=True, exist_ok=True)
        _make(certificate, key, host)
    return certificate, key


def _is_good(path: Path) -> bool:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return False
    return found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=_RENEWED_DAYS)


def _make(certificate: Path, key: Path, host: str) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, socket.gethostname()[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        # Its own authority, so that clients can take the file for the root they trust.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    _write(
        key,
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        mode=0o600,
    )
    _write(certificate, made.public_bytes(Encoding.PEM), mode=0o644)


def _names(host: str) -> list[x509.GeneralName]:
    names = dict.fromkeys(("localhost", socket.gethostname()))
    addresses = dict.fromkeys(("127.0.0.1", "::1"))
    try:
        if not ipaddress.ip_address(host).is_unspecified:
            addresses[host] = None
    except ValueError:
        names[host] = None
    return [
        *(x509.DNSName(one) for one in names),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses),
    ]


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Put a file in its place as a whole, readable by whom it is for from its first byte on."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    beside.replace(path)
