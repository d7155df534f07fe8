"""A certificate and its key, as TLS contexts and as what SCRAM binds a login to."""

from __future__ import annotations

import hashlib
import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from voltstream.core.errors import InvalidParameter, VoltstreamError

_LOG = logging.getLogger(__name__)
_WEAK = frozenset({"md5", "sha1"})  # RFC 5929, 4.1: SHA-256 in their place.


class Certificate:
    """The server's certificate; when its files change, new connections see the new one."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._contexts: list[ssl.SSLContext] = []
        self._seen = self._stamp()
        self.binding = _binding(certificate)

    def context(self, protocols: Sequence[str]) -> ssl.SSLContext:
        """Make a server's context for ALPN protocols. Raises: InvalidParameter (22023)."""
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_alpn_protocols(list(protocols))
        self._load(made)
        made.sni_callback = self._meet
        self._contexts.append(made)
        return made

    def _meet(self, channel: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Look for new files at each handshake: the next one uses them."""
        del channel, name, context
        try:
            self.refresh()
        except VoltstreamError as error:
            _LOG.error("the certificate is not renewed: %s", error.message)

    def refresh(self) -> None:
        """Load the files again when they have changed. Raises: InvalidParameter (22023).

        Law: files that do not fit each other leave everything as it was.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        binding = _binding(self._certificate)
        for context in self._contexts:
            self._load(context)
        self.binding = binding

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._certificate, self._key, password="")
        except (OSError, ValueError) as error:
            raise InvalidParameter(
                f'cannot use the certificate "{self._certificate}": {error}',
                hint="A certificate and its key are PEM files; the key has no passphrase.",
            ) from error

    def _stamp(self) -> tuple[int, ...]:
        try:
            return (self._certificate.stat().st_mtime_ns, self._key.stat().st_mtime_ns)
        except OSError as error:
            raise InvalidParameter(f"cannot read the certificate: {error}") from error


def _binding(path: Path) -> bytes:
    """Return tls-server-end-point: the certificate's digest by its own signature's hash."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidParameter(f'cannot read the certificate "{path}": {error}') from error
    kind = found.signature_hash_algorithm
    name = kind.name.replace("-", "_") if kind is not None else "sha256"
    der = found.public_bytes(Encoding.DER)
    return hashlib.new("sha256" if name in _WEAK else name, der).digest()
