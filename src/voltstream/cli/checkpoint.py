"""Signed checkpoints of the ledger: how many records there were, and their head, on a day.

Who can write the whole file could write the whole chain anew; a checkpoint that was given away
before, and whose key lies elsewhere, tells.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from voltstream.core.errors import InvalidParameter


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was true of the chain. Shape: ``at`` is ISO 8601, UTC."""

    records: int
    head: str
    at: str

    def text(self) -> bytes:
        """Return what is signed."""
        return f"voltstream ledger\n{self.records}\n{self.head}\n{self.at}".encode()


def signed(records: int, head: str, key: Path, now: datetime) -> str:
    """Return a checkpoint as one line of JSON. Raises: InvalidParameter."""
    private = _private(key)
    one = Checkpoint(records, head, now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    signature = base64.b64encode(private.sign(one.text())).decode()
    return json.dumps(
        {"records": one.records, "head": one.head, "at": one.at, "signature": signature}
    )


def read(file: Path, key: Path) -> Checkpoint:
    """Return a checkpoint whose signature is right. Raises: InvalidParameter."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        one = Checkpoint(int(found["records"]), str(found["head"]), str(found["at"]))
        signature = base64.b64decode(str(found["signature"]), validate=True)
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidParameter(f'"{file}" is not a checkpoint: {error}') from error
    try:
        _public(key).verify(signature, one.text())
    except InvalidSignature as error:
        raise InvalidParameter(f'"{file}" was not signed with this key, or was changed') from error
    return one


def _private(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidParameter(f'cannot read the key "{file}": {error}') from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidParameter(f'the key "{file}" is not one of Ed25519')
    return key


def _public(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidParameter(f'cannot read the key "{file}": {error}') from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidParameter(f'the key "{file}" is not one of Ed25519')
    return key
