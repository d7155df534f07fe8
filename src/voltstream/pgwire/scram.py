"""The server's side of SCRAM-SHA-256, with and without channel binding. Pure.

Source: RFC 5802, 5929 (tls-server-end-point) and 7677; PostgreSQL manual, "SASL Authentication".
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode

from voltstream.core.errors import ProtocolViolation
from voltstream.core.passwords import MECHANISM, Verifier, digest

PLUS = f"{MECHANISM}-PLUS"
BINDING = "tls-server-end-point"
_FIRST = re.compile(r"(p=([^,]*)|n|y),(a=[^,]*)?,(n=[^,]*,r=([!-+\--~]+)(?:,.*)?)")
_FINAL = re.compile(r"(c=([^,]*),r=([!-+\--~]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)")


class WrongProof(Exception):  # What the client is told of it is the login's to say.
    """The client does not know the password, or somebody stands between."""


class ScramServer:
    """One exchange: the client's first message, ours, its last, ours.

    Shape: ``binding`` is the digest of the certificate that the client saw, empty without TLS.
    """

    def __init__(self, verifier: Verifier, binding: bytes = b"", nonce: str = "") -> None:
        self._verifier = verifier
        self._binding = binding
        self._own_nonce = nonce or b64encode(secrets.token_bytes(18)).decode()
        self._nonce = ""
        self._header = ""
        self._said = ""  # What both have said so far: the proof is over all of it.

    @property
    def mechanisms(self) -> tuple[str, ...]:
        return (PLUS, MECHANISM) if self._binding else (MECHANISM,)

    def first(self, mechanism: str, message: bytes) -> bytes:
        """Answer the client's first message. Raises: ProtocolViolation (08P01)."""
        if mechanism not in self.mechanisms:
            raise ProtocolViolation("client selected an invalid SASL authentication mechanism")
        text = _text(message)
        found = _FIRST.fullmatch(text)
        if found is None:
            raise malformed()
        flag, kind, authorization, bare, client_nonce = found.groups()
        if authorization:
            raise ProtocolViolation("client uses authorization identity, but it is not supported")
        if (flag[0] == "p") != (mechanism == PLUS):
            raise malformed("The client's channel binding does not fit the mechanism it chose.")
        if flag[0] == "p" and kind != BINDING:
            raise ProtocolViolation(f'unsupported SCRAM channel-binding type "{kind}"')
        if flag == "y" and self._binding:
            raise ProtocolViolation(
                "SCRAM channel binding negotiation error",
                detail="The client supports SCRAM channel binding but thinks the server does not. "
                "However, this server does support channel binding.",
            )
        self._header = text[: len(text) - len(bare)]
        self._nonce = client_nonce + self._own_nonce
        salt = b64encode(self._verifier.salt).decode()
        answer = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        self._said = f"{bare},{answer}"
        return answer.encode()

    def final(self, message: bytes) -> bytes:
        """Check the proof and prove ourselves. Raises: WrongProof, ProtocolViolation (08P01)."""
        found = _FINAL.fullmatch(_text(message))
        if found is None:
            raise malformed()
        without_proof, bound, nonce, proof_text = found.groups()
        expected = self._header.encode()
        if self._header.startswith("p="):
            expected += self._binding
        if _decoded(bound) != expected:
            raise ProtocolViolation("SCRAM channel binding check failed")
        if nonce != self._nonce:
            raise malformed("Nonce does not match.")
        said = f"{self._said},{without_proof}".encode()
        signature = digest(self._verifier.stored_key, said)
        proof = _decoded(proof_text)
        if len(proof) != len(signature):
            raise malformed("Malformed proof in client-final-message.")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        known = hashlib.sha256(client_key).digest()
        if not hmac.compare_digest(known, self._verifier.stored_key):
            raise WrongProof
        return b"v=" + b64encode(digest(self._verifier.server_key, said))


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError as error:
        raise malformed() from error


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise malformed() from error


def malformed(detail: str | None = None) -> ProtocolViolation:
    return ProtocolViolation("malformed SCRAM message", detail=detail)
