"""Read what users write in WITH (…)."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Encoding

_ENCODINGS: Mapping[str, Encoding] = {
    "json": "ndjson",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "csv": "csv",
    "parquet": "arrow",
}
_TRUTHS = {"true": True, "t": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def required(properties: Mapping[str, str], name: str, owner: str) -> str:
    """Return a property. Raises: InvalidParameter when it is missing or empty."""
    value = properties.get(name, "").strip()
    if not value:
        raise InvalidParameter(f'{owner} needs the property "{name}"')
    return value


def choice(properties: Mapping[str, str], name: str, allowed: tuple[str, ...], owner: str) -> str:
    """Return a property of a closed set; the first is the default."""
    value = properties.get(name, allowed[0]).strip().lower()
    if value not in allowed:
        hint = f"Use one of: {', '.join(allowed)}."
        raise InvalidParameter(f'{owner} cannot take "{value}" as "{name}"', hint=hint)
    return value


def truth(properties: Mapping[str, str], name: str, *, default: bool, owner: str) -> bool:
    """Return a boolean property."""
    value = properties.get(name)
    if value is None:
        return default
    known = _TRUTHS.get(value.strip().lower())
    if known is None:
        raise InvalidParameter(
            f'{owner} cannot take "{value}" as "{name}"', hint="Use true or false."
        )
    return known


def encoding(properties: Mapping[str, str], owner: str, *, path: str = "") -> Encoding:
    """Return the encoding that ENCODE names, or else the path's extension; JSON by default.

    A Parquet file is named by its extension even under the default ENCODE JSON.
    """
    extension = path.rsplit(".", 1)[-1].lower() if "." in path else ""
    named = properties.get("encode", "").lower()
    if extension in ("csv", "parquet") and named in ("", "json"):
        named = extension
    named = named or (extension if extension in _ENCODINGS else "json")
    try:
        return _ENCODINGS[named]
    except KeyError:
        hint = "Use JSON, CSV or PARQUET."
        raise InvalidParameter(f'{owner} cannot read ENCODE "{named}"', hint=hint) from None
