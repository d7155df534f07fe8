"""encrypt and decrypt of pgcrypto, raw: AES without a header, and without authentication.

Source: PostgreSQL 15, appendix F.28 "pgcrypto", section "Raw Encryption Functions".
"""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from voltstream.core.errors import InvalidParameter
from voltstream.core.native import NativeFunction

_KIND = re.compile(r"(aes)(?:-(cbc|ecb))?(?:/pad:(pkcs|none))?", re.IGNORECASE)
_BLOCK_BITS = 128
_KEY_BYTES = (16, 24, 32)


def encrypted(data: bytes, key: bytes, kind: str) -> bytes:
    """Raises: InvalidParameter (22023)."""
    cipher, padded = _cipher(key, kind)
    if padded:
        padder = PKCS7(_BLOCK_BITS).padder()
        data = padder.update(data) + padder.finalize()
    _check_blocks(data, "encrypt")
    worker = cipher.encryptor()
    return worker.update(data) + worker.finalize()


def decrypted(data: bytes, key: bytes, kind: str) -> bytes:
    """Raises: InvalidParameter (22023), for what another key has made as well."""
    cipher, padded = _cipher(key, kind)
    _check_blocks(data, "decrypt")
    worker = cipher.decryptor()
    plain = worker.update(data) + worker.finalize()
    if not padded:
        return plain
    remover = PKCS7(_BLOCK_BITS).unpadder()
    try:
        return remover.update(plain) + remover.finalize()
    except ValueError as error:
        raise InvalidParameter("decrypt error: Decryption failed") from error


def _cipher(key: bytes, kind: str) -> tuple[Cipher[modes.ECB] | Cipher[modes.CBC], bool]:
    """Return what a type such as aes-cbc/pad:pkcs names, and whether the text is filled up."""
    found = _KIND.fullmatch(kind)
    if found is None:
        raise InvalidParameter(f'Cannot use "{kind}": No such cipher algorithm')
    size = next((size for size in _KEY_BYTES if len(key) <= size), None)
    if size is None:
        raise InvalidParameter("Key was too big")
    algorithm = algorithms.AES(key.ljust(size, b"\0"))
    padded = (found[3] or "pkcs").lower() == "pkcs"
    if (found[2] or "cbc").lower() == "ecb":
        return Cipher(algorithm, modes.ECB()), padded
    return Cipher(algorithm, modes.CBC(bytes(_BLOCK_BITS // 8))), padded


def _check_blocks(data: bytes, verb: str) -> None:
    if len(data) % (_BLOCK_BITS // 8):
        raise InvalidParameter(f"{verb} error: Data not a multiple of block size")


_B, _T = "BLOB", "VARCHAR"

NATIVES = (
    NativeFunction("_vs_encrypt", (_B, _B, _T), _B, encrypted),
    NativeFunction("_vs_decrypt", (_B, _B, _T), _B, decrypted),
)
