"""WITH ( … ) options and FORMAT … ENCODE … clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot.tokenizer_core import Token

from voltstream.core.errors import InvalidParameter, SyntaxFault
from voltstream.core.references import reference
from voltstream.sql.alert_options import PREFIX, alert_options
from voltstream.sql.cursor import Cursor, split_commas

_FORMATS = (
    "PLAIN", "UPSERT", "DEBEZIUM", "DEBEZIUM_MONGO", "MAXWELL", "CANAL", "NATIVE", "NONE",
)  # fmt: skip
# What a materialized view may be told: its TTL, what one process has nothing to tune by, and
# what makes it a continuous aggregate.
_OF_VIEWS = frozenset({
    "backfill_order", "backfill_rate_limit", "cloud.serverless_backfill_enabled",
    "dml_rate_limit", "parallelism", "resource_group", "retention_seconds", "sink_rate_limit",
    "source_rate_limit", "state_ttl", "streaming_rate_limit",
})  # fmt: skip
_ORDER = "backfill_order"  # FIXED a -> b, c -> b: its value has commas of its own.
# "refresh": how often a view is made anew; here it is so after every change.
_PREFIXES_OF_VIEWS = (PREFIX, "config", "refresh", "timescaledb", "tsdb")
_ENCODES = (
    "JSON", "CSV", "AVRO", "PROTOBUF", "BYTES", "TEXT", "PARQUET", "NATIVE", "NONE",
    "IEC61968", "ESPI", "CMEP", "NEM12", "AMI_CSV", "AMI_JSON",
)  # fmt: skip


def parse_options(tokens: Sequence[Token], text: str) -> dict[str, str]:
    """Parse ``key = value, flag, a.b.c = 'x'``; a key without a value is 'true'.

    Raises: SyntaxFault, also when a key is given twice.
    """
    options: dict[str, str] = {}
    key = ""
    for part in split_commas(tokens):
        cursor = Cursor(part, text)
        if key == _ORDER and options[key].startswith("fixed ") and "->" in cursor.slice_text(part):
            options[key] += f", {cursor.slice_text(part).lower()}"
            continue
        place = cursor.token
        if place is None:
            raise SyntaxFault("an option is missing between commas", position=_end(tokens))
        key = cursor.string() if cursor.at_string() else _dotted(cursor)
        if key in options:
            raise SyntaxFault(f'option "{key}" is given twice', position=place.start + 1)
        options[key] = _value(cursor) if cursor.accept("=") else "true"
        cursor.expect_end(hint="Options are written key = 'value', with commas between.")
    return options


def _end(tokens: Sequence[Token]) -> int | None:
    return tokens[-1].end + 1 if tokens else None


def _dotted(cursor: Cursor) -> str:
    parts = [cursor.identifier()]
    while cursor.accept("."):
        parts.append(cursor.identifier())
    return ".".join(parts)


def _value(cursor: Cursor) -> str:
    if cursor.at_string():
        return cursor.string()
    if cursor.accept("INTERVAL"):
        quantity = cursor.string()
        unit = cursor.slice_text(cursor.rest())
        return f"{quantity} {unit}".strip()
    if cursor.word() == "SECRET" and cursor.word(1) not in ("", "."):
        cursor.advance()
        name = _dotted(cursor)
        if cursor.accept("AS FILE"):
            raise cursor.unsupported("a secret as a file", "Name the secret alone.")
        return reference(name)
    value = cursor.rest()
    if not value:
        raise cursor.fault()
    return cursor.slice_text(value).lower()


def parse_with(cursor: Cursor) -> dict[str, str]:
    """Read an optional ``WITH ( … )``."""
    if not (cursor.word() == "WITH" and cursor.word(1) == "("):
        return {}
    cursor.advance()
    return parse_options(cursor.parenthesized(), cursor.text)


def parse_format(cursor: Cursor, properties: dict[str, str]) -> tuple[str, str]:
    """Read an optional ``FORMAT f ENCODE e [( … )]``; its options join the properties."""
    if not cursor.accept("FORMAT"):
        if cursor.accept("ROW FORMAT"):  # The older spelling of both clauses in one word.
            return _row_format(cursor)
        return "PLAIN", "JSON"
    form = _choice(cursor, _FORMATS)
    if cursor.sees("("):
        properties.update(parse_options(cursor.parenthesized(), cursor.text))
    cursor.expect("ENCODE", hint="Write FORMAT PLAIN ENCODE JSON.")
    encode = _choice(cursor, _ENCODES)
    if cursor.sees("("):
        properties.update(parse_options(cursor.parenthesized(), cursor.text))
    if cursor.accept("KEY ENCODE"):
        properties["key.encode"] = _choice(cursor, _ENCODES).lower()
        if cursor.sees("("):
            properties.update(parse_options(cursor.parenthesized(), cursor.text))
    return form, encode


def _row_format(cursor: Cursor) -> tuple[str, str]:
    word = cursor.word()
    form, _, encode = word.rpartition("_")
    if (form or "PLAIN") not in _FORMATS or encode not in _ENCODES:
        raise cursor.fault(hint="Write FORMAT PLAIN ENCODE JSON.")
    cursor.advance()
    return form or "PLAIN", encode


def _choice(cursor: Cursor, words: tuple[str, ...]) -> str:
    word = cursor.word()
    if word not in words:
        raise cursor.fault(hint=f"One of {', '.join(words)} is expected.")
    cursor.advance()
    return word


def check_view_options(properties: Mapping[str, str]) -> None:
    """Raises: InvalidParameter (22023) for an option that no materialized view has."""
    for name in properties:
        if name not in _OF_VIEWS and name.split(".")[0] not in _PREFIXES_OF_VIEWS:
            raise InvalidParameter(
                f'unrecognized parameter "{name}"',
                hint=f"A materialized view has {', '.join(sorted(_OF_VIEWS))}.",
            )
    alert_options(properties)
