"""The share of a key: RisingWave's virtual nodes, which spread rows by a checksum of their key."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from voltstream.core.native import NativeFunction


def vnode(count: int, letters: str, values: Sequence[str | None]) -> int:
    """Return the share of a key's values, each packed as its letter of ``struct`` says.

    Law: little-endian numbers and the bytes of texts, CRC-32 over all, modulo the count.
    """
    packed = b"".join(_packed(letter, value) for letter, value in zip(letters, values, strict=True))
    return zlib.crc32(packed) % count


def _packed(letter: str, value: str | None) -> bytes:
    if value is None:
        return b"\0"
    match letter:
        case "s":
            return value.encode()
        case "?":
            return struct.pack("<?", value == "true")
        case "f" | "d":
            return struct.pack(f"<{letter}", float(value))
        case _:
            return struct.pack(f"<{letter}", int(value))


NATIVES = (NativeFunction("_vs_vnode", ("INTEGER", "VARCHAR", "VARCHAR[]"), "INTEGER", vnode),)
