"""Read what users write in WITH (…)."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Encoding
from voltstream.formats.declared import METER_ENCODES, Encode

_FILES: Mapping[Encode, Encoding] = {
    "json": "ndjson",
    "csv": "csv",
    "parquet": "arrow",
    **dict.fromkeys(METER_ENCODES, "metering"),
}


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


def includes(
    properties: Mapping[str, str], allowed: tuple[str, ...], owner: str
) -> tuple[str, ...]:
    """Return what INCLUDE asks for. Raises: InvalidParameter for what a connector does not have."""
    kinds = tuple(kind for kind in properties.get("include", "").split("\n") if kind)
    for kind in kinds:
        word = kind.split(":", 1)[0]
        if word not in allowed:
            hint = f"It has: {', '.join(allowed)}."
            raise InvalidParameter(f"{owner} cannot INCLUDE {word}", hint=hint)
    return kinds


def file_encoding(encode: Encode, owner: str, path: str = "") -> Encoding:
    """Return how a file is read: as ENCODE says, or as its name does under the default of JSON."""
    extension = path.rsplit(".", 1)[-1].lower() if "." in path else ""
    if encode == "json" and extension in ("csv", "parquet"):
        return "csv" if extension == "csv" else "arrow"
    if encode not in _FILES:
        hint = "Files hold JSON, CSV, PARQUET or a format of meters."
        raise InvalidParameter(f"{owner} cannot read ENCODE {encode.upper()} in files", hint=hint)
    return _FILES[encode]


def seconds(given: Mapping[str, str], name: str, default: str, owner: str) -> float:
    """Return a positive number of seconds. Raises: InvalidParameter (22023)."""
    written = given.get(name, default)
    try:
        value = float(written)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise InvalidParameter(f'{owner} cannot take "{written}" as "{name}"')
    return value


def count(given: Mapping[str, str], name: str, default: int, owner: str) -> int:
    """Return a whole number above 0. Raises: InvalidParameter (22023)."""
    written = given.get(name, str(default)).strip()
    if not written.isdecimal() or not 0 < int(written) < 2**40:
        raise InvalidParameter(f'{owner} cannot take "{written}" as "{name}"')
    return int(written)
