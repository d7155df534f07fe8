"""The encodings that clients may speak; the server's own is UTF8."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encoding:
    """One of PostgreSQL's encodings. Shape: ``codec`` is Python's name of it."""

    name: str
    number: int  # PostgreSQL's, src/include/mb/pg_wchar.h.
    codec: str
    aliases: tuple[str, ...] = ()

    @property
    def spellings(self) -> frozenset[str]:
        """Return the names it goes by, in lower case and without signs."""
        return frozenset(re.sub(r"[^a-z0-9]", "", n.lower()) for n in (self.name, *self.aliases))


_ALL = (
    Encoding("UTF8", 6, "utf-8", ("UNICODE", "utf_8")),
    # What has no encoding is not converted: bytes of ours are UTF8.
    Encoding("SQL_ASCII", 0, "utf-8"),
    Encoding("LATIN1", 8, "iso8859-1", ("ISO88591", "iso_8859_1")),
    Encoding("LATIN2", 9, "iso8859-2", ("ISO88592",)),
    Encoding("LATIN3", 10, "iso8859-3", ("ISO88593",)),
    Encoding("LATIN4", 11, "iso8859-4", ("ISO88594",)),
    Encoding("LATIN5", 12, "iso8859-9", ("ISO88599",)),
    Encoding("LATIN6", 13, "iso8859-10", ("ISO885910",)),
    Encoding("LATIN7", 14, "iso8859-13", ("ISO885913",)),
    Encoding("LATIN8", 15, "iso8859-14", ("ISO885914",)),
    Encoding("LATIN9", 16, "iso8859-15", ("ISO885915",)),
    Encoding("LATIN10", 17, "iso8859-16", ("ISO885916",)),
    Encoding("WIN1250", 29, "cp1250", ("windows1250",)),
    Encoding("WIN1251", 23, "cp1251", ("windows1251", "WIN")),
    Encoding("WIN1252", 24, "cp1252", ("windows1252",)),
    Encoding("WIN1253", 30, "cp1253", ("windows1253",)),
    Encoding("WIN1254", 31, "cp1254", ("windows1254",)),
    Encoding("WIN1257", 33, "cp1257", ("windows1257",)),
    Encoding("KOI8R", 22, "koi8-r", ("KOI8",)),
    Encoding("KOI8U", 34, "koi8-u"),
    Encoding("ISO_8859_5", 25, "iso8859-5", ("ISO88595",)),
    Encoding("ISO_8859_7", 27, "iso8859-7", ("ISO88597",)),
)
ENCODINGS: Mapping[str, Encoding] = {one.name: one for one in _ALL}
