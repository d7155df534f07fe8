"""Passwords and tokens as they are kept: what is stored does not let anyone in.

Source: RFC 5802 and 7677 (SCRAM-SHA-256), RFC 4013 (SASLprep); PostgreSQL's form of a verifier,
``SCRAM-SHA-256$4096:salt$stored key:server key``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from voltstream.core.errors import InvalidParameter

MECHANISM = "SCRAM-SHA-256"
ITERATIONS = 4096  # PostgreSQL's own; clients compute as many at every login.
TOKEN_PREFIX = "vst_"
_SALT_BYTES = 16
_VERIFIER = re.compile(
    r"SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)"
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server needs to check a password, and nobody needs to guess it faster."""

    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    iterations: int = ITERATIONS

    def __str__(self) -> str:
        salt, stored, server = (
            b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{MECHANISM}${self.iterations}:{salt}${stored}:{server}"


def verifier_of(password: str, salt: bytes = b"", iterations: int = ITERATIONS) -> Verifier:
    """Make the verifier of a password, with a salt of its own unless one is given.

    Raises: InvalidParameter (22023) for an empty one.
    """
    if not password:
        raise InvalidParameter("a password cannot be empty")
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password).encode(), salt, iterations)
    client_key = digest(salted, b"Client Key")
    stored_key = hashlib.sha256(client_key).digest()
    return Verifier(salt, stored_key, digest(salted, b"Server Key"), iterations)


def digest(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def mock_verifier(user: str, key: bytes) -> Verifier:
    """Make the verifier of no password, the same for a name each time.

    Law: who asks for a user that does not exist sees what one with a password would show.
    """
    name = user.encode()
    return Verifier(
        digest(key, b"salt " + name)[:_SALT_BYTES],
        digest(key, b"stored " + name),
        digest(key, b"server " + name),
    )


def parsed_verifier(text: str) -> Verifier | None:
    """Read a stored verifier; None when the text is none, so is a password itself."""
    found = _VERIFIER.fullmatch(text)
    if found is None:
        return None
    try:
        salt, stored, server = (b64decode(part, validate=True) for part in found.groups()[1:])
    except ValueError:
        return None
    if len(stored) != 32 or len(server) != 32 or not salt or int(found[1]) < 1:
        return None
    return Verifier(salt, stored, server, int(found[1]))


def stored_password(password: str) -> str:
    """Return what is kept for PASSWORD 'x': a verifier; one that is given is kept as it is."""
    given = parsed_verifier(password)
    return str(given if given is not None else verifier_of(password))


def is_password(password: str, verifier: Verifier) -> bool:
    """Tell whether a password is the one the verifier was made of."""
    if not password:
        return False
    made = verifier_of(password, verifier.salt, verifier.iterations)
    return hmac.compare_digest(made.stored_key, verifier.stored_key)


_PROHIBITED = (
    stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22,
    stringprep.in_table_c3, stringprep.in_table_c4, stringprep.in_table_c5,
    stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8, stringprep.in_table_c9,
)  # fmt: skip


def prepared(password: str) -> str:
    """Return a password as SASLprep spells it; one that has no such spelling stays as it is."""
    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter
        for letter in password
        if not stringprep.in_table_b1(letter)
    )
    spelled = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not spelled or any(unfit(letter) for letter in spelled for unfit in _PROHIBITED):
        return password
    right = [stringprep.in_table_d1(letter) for letter in spelled]
    left = any(stringprep.in_table_d2(letter) for letter in spelled)
    if any(right) and (left or not (right[0] and right[-1])):
        return password
    return spelled


def new_token() -> str:
    """Make a bearer token: 256 bits of chance."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return what is kept of a token. It is chance itself, so a plain digest keeps it secret."""
    return hashlib.sha256(token.encode()).hexdigest()
