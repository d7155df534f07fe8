"""How a session wants its values written, out of its settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from voltstream.core.encodings import ENCODINGS
from voltstream.core.ports import Spelling

_ESCAPED_BYTES = tuple(
    "\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03o}"
    for byte in range(256)
)


@dataclass(frozen=True, slots=True)
class Style:
    """Shape: ``dates`` is ISO, SQL, Postgres or German; ``order`` is MDY, DMY or YMD.

    ``codec`` is Python's name of the client's encoding; ``encoding`` is PostgreSQL's.
    """

    zone: str = "UTC"
    dates: str = "ISO"
    order: str = "MDY"
    intervals: str = "postgres"
    bytea: str = "hex"
    float_digits: int = 1
    codec: str = "utf-8"
    encoding: str = "UTF8"

    @property
    def is_utf8(self) -> bool:
        return self.codec == "utf-8"


USUAL = Style()


@lru_cache(64)
def style_of(spelling: Spelling) -> Style:
    dates, _, order = spelling.datestyle.partition(", ")
    encoding = ENCODINGS[spelling.client_encoding]
    return Style(
        zone=spelling.timezone,
        dates=dates,
        order=order,
        intervals=spelling.intervalstyle,
        bytea=spelling.bytea_output,
        float_digits=int(spelling.extra_float_digits),
        codec=encoding.codec,
        encoding=encoding.name,
    )


def escaped_bytes(value: bytes) -> str:
    """Spell bytes as bytea_output = escape does."""
    return "".join(_ESCAPED_BYTES[byte] for byte in value)
