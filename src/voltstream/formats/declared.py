"""What a source's FORMAT … ENCODE … says of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.metering import MeterForm
from voltstream.core.ports import Encoding, RawBatch
from voltstream.formats.metering.form import is_meter_format, meter_form

Encode = Literal[
    "json", "csv", "parquet", "bytes", "avro", "protobuf",
    "iec61968", "espi", "cmep", "nem12", "ami_csv", "ami_json",
]  # fmt: skip
METER_ENCODES: tuple[Encode, ...] = ("iec61968", "espi", "cmep", "nem12", "ami_csv", "ami_json")
_BY_LINE: tuple[Encode, ...] = ("cmep", "ami_json")
POSTGRES_CDC = "postgres-cdc"
Form = Literal["plain", "upsert", "debezium", "maxwell", "canal", "pgoutput"]

_SPELLINGS = {"ndjson": "json", "jsonl": "json", "native": "json", "none": "json"}
_TRUTHS = {"true": True, "t": True, "on": True, "1": True, "false": False, "off": False, "0": False}
_PUSHED: Mapping[Encode, Encoding] = {
    "json": "ndjson",
    "csv": "csv",
    "bytes": "bytes",
    "parquet": "ndjson",  # Files alone are Parquet; what is pushed without a name is JSON.
    "avro": "framed",
    "protobuf": "framed",
    **dict.fromkeys(METER_ENCODES, "metering"),
}
# How change data capture is written: the forms that change rows, and what may carry them.
_CARRIERS: Mapping[str, tuple[Encode, ...]] = {
    "upsert": ("json", "avro", "protobuf"),
    "debezium": ("json", "avro"),
    "maxwell": ("json",),
    "canal": ("json",),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a source's bytes. ``header`` is None where nothing says it."""

    encode: Encode
    header: bool | None
    delimiter: str
    form: Form = "plain"
    framed: bool = False  # Records are read by schemas that are kept elsewhere.
    key_encode: str = ""  # How keys are written; empty: as values are.
    metering: MeterForm | None = None  # Where records are a head-end's.

    @property
    def by_document(self) -> bool:
        """Tell whether a file is read as one: what stands in it is explained elsewhere in it."""
        return self.metering is not None and self.encode not in _BY_LINE

    def complete(self, batch: RawBatch) -> RawBatch:
        """Fill in what a batch leaves to its source."""
        header = batch.header if batch.header is not None else self.header is not False
        batch = replace(batch, header=header, delimiter=batch.delimiter or self.delimiter)
        if batch.encoding == "metering" and batch.metering is None:
            return replace(batch, metering=self.metering)
        if self.framed and batch.encoding in ("json", "bytes"):  # A message each.
            return replace(batch, encoding="framed")
        if batch.encoding != "declared":
            return batch
        encoding: Encoding = "framed" if self.framed else _PUSHED[self.encode]
        records = (bytes(batch.payload),) if encoding in ("bytes", "framed") else ()
        return replace(batch, encoding=encoding, records=records, metering=self.metering)


def declared(properties: Mapping[str, str], owner: str) -> Layout:
    """Read the properties ``encode``, ``without_header`` (or ``header``) and ``delimiter``.

    Raises: InvalidParameter (22023).
    """
    named = properties.get("encode", "json").strip().lower()
    named = _SPELLINGS.get(named, named)
    for encode in get_args(Encode):
        if encode == named:
            form = _form(properties, encode, owner)
            meters = meter_form(encode, properties, owner) if is_meter_format(encode) else None
            return Layout(
                encode,
                _header(properties, owner),
                _delimiter(properties, owner),
                form,
                encode in ("avro", "protobuf")
                or (encode == "json" and "schema.registry" in properties),
                properties.get("key.encode", "").strip().lower(),
                meters,
            )
    hint = "Use JSON, CSV, AVRO, PROTOBUF, PARQUET, BYTES or a format of meters."
    raise InvalidParameter(f'{owner} cannot read ENCODE "{named}"', hint=hint)


def _form(properties: Mapping[str, str], encode: Encode, owner: str) -> Form:
    if properties.get("connector", "").lower() == POSTGRES_CDC:
        return "pgoutput"
    named = properties.get("format", "plain").strip().lower()
    if named in ("plain", "native", "none"):
        return "plain"
    if named == "debezium_mongo":
        hint = "Read its documents as jsonb by FORMAT PLAIN or UPSERT ENCODE JSON."
        raise FeatureNotSupported(f"{owner} cannot read FORMAT DEBEZIUM_MONGO", hint=hint)
    for form in _CARRIERS:
        if form == named:
            if encode not in _CARRIERS[form]:
                known = " or ".join(one.upper() for one in _CARRIERS[form])
                hint = f"Write FORMAT {named.upper()} ENCODE {known}."
                message = f"{owner} cannot read FORMAT {named.upper()} ENCODE {encode.upper()}"
                raise FeatureNotSupported(message, hint=hint)
            return cast("Form", form)
    hint = "Use PLAIN, UPSERT, DEBEZIUM, MAXWELL or CANAL."
    raise FeatureNotSupported(f"{owner} cannot read FORMAT {named.upper()}", hint=hint)


def truth(properties: Mapping[str, str], name: str, owner: str) -> bool | None:
    """Return a boolean property, None where it is absent. Raises: InvalidParameter (22023)."""
    value = properties.get(name)
    if value is None:
        return None
    known = _TRUTHS.get(value.strip().lower())
    if known is None:
        raise InvalidParameter(
            f'{owner} cannot take "{value}" as "{name}"', hint="Use true or false."
        )
    return known


def _header(properties: Mapping[str, str], owner: str) -> bool | None:
    without = truth(properties, "without_header", owner)
    return truth(properties, "header", owner) if without is None else not without


def _delimiter(properties: Mapping[str, str], owner: str) -> str:
    written = properties.get("delimiter", ",")
    delimiter = {"\\t": "\t", "tab": "\t"}.get(written, written)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        hint = "Use one ASCII character that is neither a quote nor a line end."
        raise InvalidParameter(f'{owner} cannot take "{written}" as "delimiter"', hint=hint)
    return delimiter
