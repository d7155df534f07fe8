"""Record batches to DataRow messages and COPY data, without a Python loop over rows."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import pyarrow as pa

from voltstream.core.ports import FewRows
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind
from voltstream.pgwire.binary import big_endian, binary_cells
from voltstream.pgwire.declared import as_shown
from voltstream.pgwire.text import encoded, encoded_text, plain, text_cells, text_values
from voltstream.pgwire.wire_types import column_type
from voltstream.sql.styles.arrow import CELL, EMPTY_CELL, EMPTY_TEXT, Cells, pc
from voltstream.sql.styles.numerics import float8_text, rounded_text
from voltstream.sql.styles.style import USUAL, Style

# What COPY's text format escapes (PostgreSQL manual, COPY, "Text Format").
_COPY_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


Batch = pa.RecordBatch | FewRows

_PACKED = {
    "SMALLINT": "!ih", "INTEGER": "!ii", "BIGINT": "!iq", "UINTEGER": "!iI", "DOUBLE": "!id",
    "BOOLEAN": "!i?",
}  # fmt: skip
_NULL = b"\xff\xff\xff\xff"


def result_formats(formats: Sequence[int], column_count: int) -> tuple[int, ...]:
    """Spread Bind's result formats: none means all text, one is for all columns."""
    if len(formats) <= 1:
        return (formats[0] if formats else 0,) * column_count
    return tuple(formats)


def data_rows(
    batch: Batch,
    columns: Schema,
    formats: Sequence[int],
    style: Style = USUAL,
    tag: bytes = b"D",
) -> bytes:
    """Return one message per row of the batch: DataRow, or a tuple of COPY under its own tag."""
    row_count = batch.num_rows
    if isinstance(batch, FewRows):
        return _few_rows(batch, formats, style, tag)
    if not columns:
        return (tag + struct.pack("!ih", 6, 0)) * row_count
    pieces: list[Cells] = []
    sizes = None
    for array, column, binary in zip(batch.columns, columns, formats, strict=True):
        cells = _wire_cells(array, column_type(column), bool(binary), style)
        lengths = pc.fill_null(pc.binary_length(cells), -1)
        pieces += [big_endian(lengths.to_numpy(), ">i4"), pc.fill_null(cells, EMPTY_CELL)]
        size = pc.max_element_wise(lengths, 0)
        sizes = size if sizes is None else pc.add(sizes, size)
    framed = pc.add(sizes, 6 + 4 * len(columns)).to_numpy()
    head = [pa.scalar(tag, CELL), big_endian(framed, ">i4")]
    count = pa.scalar(struct.pack("!h", len(columns)), CELL)
    return _data(pc.binary_join_element_wise(*head, count, *pieces, EMPTY_CELL))


def _few_rows(rows: FewRows, formats: Sequence[int], style: Style, tag: bytes) -> bytes:
    """Return one message per row, value by value: for a few, columns are not worth their making."""
    found: list[bytes] = []
    kinds = [
        (_PACKED.get(column.store_type) if binary else None)
        for column, binary in zip(rows.columns, formats, strict=True)
    ]
    count = struct.pack("!h", len(kinds))
    styles = (style,) * len(kinds)
    for row in rows.values:
        cells = b"".join(map(_few_cell, row, kinds, styles))
        found += (tag, struct.pack("!i", len(cells) + 6), count, cells)
    return b"".join(found)


def _few_cell(value: object, packed: str | None, style: Style) -> bytes:
    if value is None:
        return _NULL
    if packed is not None:
        return struct.pack(packed, struct.calcsize(packed) - 4, value)
    match value:
        case bool():
            text = "t" if value else "f"
        case float():
            digits = style.float_digits
            text = float8_text(value) if digits > 0 else rounded_text(value, 15 + digits)
        case _:
            text = str(value)
    raw = text.encode() if style.is_utf8 else encoded_text(text, style)
    return struct.pack("!i", len(raw)) + raw


def _wire_cells(array: Cells, data_type: DataType, binary: bool, style: Style) -> Cells:
    if binary:
        return binary_cells(array, data_type, style)
    return text_cells(as_shown(plain(array), data_type), data_type.kind, style)


def _data(rows: Cells) -> bytes:
    """Return the values of a large_binary array without nulls, one after the other."""
    _, offsets, data = rows.buffers()
    bounds = memoryview(offsets).cast("q")
    return bytes(memoryview(data)[bounds[rows.offset] : bounds[rows.offset + len(rows)]])


def copy_rows(
    batch: pa.RecordBatch,
    columns: Schema,
    format_name: str,
    options: Mapping[str, str],
    style: Style,
) -> bytes:
    """Return the batch in COPY's text or csv format, one CopyData message a line.

    Clients read a message as a row, though the protocol would let them be cut anywhere.
    """
    csv = format_name == "csv"
    delimiter = options.get("delimiter", "," if csv else "\t")
    null = options.get("null", "" if csv else "\\N")
    cells = []
    for array, column in zip(batch.columns, columns, strict=True):
        found = column_type(column)
        shown = as_shown(plain(array), found)
        texts = text_values(shown, found.kind, style).cast(pa.large_string())
        if _is_bare(found, delimiter, null, style):
            pass
        elif csv:
            texts = _csv_quoted(texts, delimiter, null, options.get("quote", '"'))
        else:
            texts = _escaped(texts, delimiter)
        cells.append(pc.fill_null(texts, null))
    joined = pc.binary_join_element_wise(*cells, pa.scalar(delimiter, pa.large_string()))
    lines = joined.cast(CELL) if style.is_utf8 else encoded(joined, style)
    framed = pc.add(pc.binary_length(lines), 5).to_numpy()
    tag, end = pa.scalar(b"d", CELL), pa.scalar(b"\n", CELL)
    return _data(
        pc.binary_join_element_wise(tag, big_endian(framed, ">i4"), lines, end, EMPTY_CELL)
    )


# Their values hold digits, letters and -+.: at most in the usual style, and are never empty.
_BARE = frozenset({
    Kind.BOOL, Kind.INT2, Kind.INT4, Kind.INT8, Kind.OID, Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC,
    Kind.UUID, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ,
})  # fmt: skip


def _is_bare(data_type: DataType, delimiter: str, null: str, style: Style) -> bool:
    """Tell whether no value of a type needs quotes or escapes between these marks."""
    usual = delimiter in ",\t;|" and null in ("", "\\N") and style.dates == "ISO"
    return usual and data_type.kind in _BARE and not data_type.array_depth


def copy_header(columns: Schema, format_name: str, options: Mapping[str, str]) -> bytes:
    """Return the line of column names, or nothing when none was asked for."""
    if options.get("header", "false").lower() not in ("true", "on", "1", "match", ""):
        return b""
    delimiter = options.get("delimiter", "," if format_name == "csv" else "\t")
    return (delimiter.join(column.name for column in columns) + "\n").encode()


def _escaped(texts: Cells, delimiter: str) -> Cells:
    marks = r"[\\\n\r\t]" if delimiter == "\t" else rf"[\\\n\r\t\x{ord(delimiter):02x}]"
    if not _occurs(texts, marks):
        return texts
    for raw, escaped in _COPY_ESCAPES:
        texts = pc.replace_substring(texts, raw, escaped)
    if delimiter != "\t":
        texts = pc.replace_substring(texts, delimiter, "\\" + delimiter)
    return texts


def _occurs(texts: Cells, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _csv_quoted(texts: Cells, delimiter: str, null: str, quote: str) -> Cells:
    # A text that equals the null marker is quoted, otherwise it would come back as null.
    special = rf"[\n\r\x{ord(delimiter):02x}\x{ord(quote):02x}]"
    wanted = pc.or_(pc.match_substring_regex(texts, special), pc.equal(texts, null))
    if not pc.any(wanted).as_py():
        return texts
    mark = pa.scalar(quote, pa.large_string())
    doubled = pc.replace_substring(texts, quote, quote * 2)
    quoted = pc.binary_join_element_wise(mark, doubled, mark, EMPTY_TEXT)
    return pc.if_else(wanted, quoted, texts)
