"""Who connects: the charge point's id in the URL, and the credentials beside it."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from urllib.parse import unquote_to_bytes

from voltstream.core.limits import OCPP_IDENTITY_CHARACTERS_MAX
from voltstream.ocpp.versions import Version

_CHARACTERS_2 = re.compile(r"[A-Za-z0-9*\-_=+|@. ]{1,48}")  # identifierString of 2.x, and blanks.


def charger_id(path: str) -> str | None:
    """Return the last segment of a URL's path, percent-decoded; None when it is no identity."""
    segment = path.partition("?")[0].rstrip("/").rpartition("/")[2]
    try:
        name = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not name or name in (".", "..") or "/" in name or len(name) > OCPP_IDENTITY_CHARACTERS_MAX:
        return None
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in name):
        return None
    return name


def allowed(name: str, version: Version) -> bool:
    """Tell whether a version lets a charge point be called so; 1.6 has no rule but the length."""
    return version is Version.V16 or bool(_CHARACTERS_2.fullmatch(name))


def basic_credentials(header: str | None) -> tuple[bytes, bytes] | None:
    """Return user and password of an Authorization header.

    The password of 1.6 is 20 raw bytes, so neither is decoded as text (OCPP-J 1.6 section 6.2).
    """
    kind, _, encoded = (header or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
