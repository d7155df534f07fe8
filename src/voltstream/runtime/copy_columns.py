"""COPY data cut into columns of text by Arrow, where its rules and PostgreSQL's are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv

_csv: Any = pyarrow.csv
_BLOCK_BYTES = 4 * 1024 * 1024


def text_columns(data: bytearray, options: Mapping[str, str], width: int) -> pa.Table | None:
    """Cut the text format; None where it has escapes, a fault, or a null marker of its own.

    Law: what is returned is what the reader of every case returns, sooner.
    """
    if options.get("null", "\\N") != "\\N" or b"\r" in data or _has_empty_line(data):
        return None
    parsing = _csv.ParseOptions(
        delimiter=options.get("delimiter", "\t"),
        quote_char=False,
        escape_char=False,
        newlines_in_values=False,
        ignore_empty_lines=False,
    )
    table = _read(data, parsing, width, "\\N", _is_on(options, "header"))
    if table is None:
        return None
    nulls = sum(column.null_count for column in table.columns)
    # Each backslash is a null marker, or one of them is an escape or the end.
    return table if data.count(b"\\") - (_header_backslashes(data, options)) == nulls else None


def csv_columns(data: bytearray, options: Mapping[str, str], width: int) -> pa.Table | None:
    """Cut the csv format; None where it has a fault, an end marker or an escape of its own."""
    quote = options.get("quote", '"')
    if options.get("escape", quote) != quote or b"\\." in data:
        return None
    if _has_empty_line(data) or data.count(b"\r") != data.count(b"\r\n"):
        return None
    quoted = quote.encode() in data
    if quoted and not _quotes_whole_fields(data, quote, options.get("delimiter", ",")):
        return None
    if data and not data.endswith(b"\n"):
        data += b"\n"  # Arrow reads an empty field at the very end as a quoted one.
    header = _is_on(options, "header")
    if quoted and header and quote.encode() in data[: data.find(b"\n") + 1]:
        return None
    parsing = _csv.ParseOptions(
        delimiter=options.get("delimiter", ","),
        quote_char=quote if quoted else False,
        double_quote=True,
        escape_char=False,
        newlines_in_values=quoted,
        ignore_empty_lines=False,
    )
    return _read(data, parsing, width, options.get("null", ""), header)


def _read(data: bytearray, parsing: Any, width: int, null: str, header: bool) -> pa.Table | None:
    names = [str(place) for place in range(width)]
    try:
        table: pa.Table = _csv.read_csv(
            pa.BufferReader(pa.py_buffer(data)),
            read_options=_csv.ReadOptions(
                column_names=names, block_size=_BLOCK_BYTES, skip_rows=int(header)
            ),
            parse_options=parsing,
            convert_options=_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[null],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None  # The reader of every case tells what is wrong, and where.
    return table


def _is_on(options: Mapping[str, str], name: str) -> bool:
    return options.get(name, "false").lower() in ("true", "on", "1", "match")


def _quotes_whole_fields(data: bytearray, quote: str, delimiter: str) -> bool:
    """Tell whether quotes stand around fields only; PostgreSQL takes them within fields too."""
    first, *inner = data.split(quote.encode())[::2]  # What stands outside of quotes.
    edges = f"{delimiter}\r\n".encode()
    if data.count(quote.encode()) % 2 or (first and first[-1] not in edges):
        return False
    *between, last = inner
    if last and last[0] not in edges:
        return False
    # Nothing between two of them: a quote that is doubled.
    return all(not part or (part[0] in edges and part[-1] in edges) for part in between)


def _has_empty_line(data: bytearray) -> bool:
    return data.startswith((b"\n", b"\r")) or b"\n\n" in data or b"\n\r" in data


def _header_backslashes(data: bytearray, options: Mapping[str, str]) -> int:
    return data.count(b"\\", 0, data.find(b"\n") + 1) if _is_on(options, "header") else 0
