"""CSV to rows (RFC 4180; an empty unquoted field is NULL, a quoted one is empty text)."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from voltstream.core.ports import RawBatch
from voltstream.core.schema import Schema
from voltstream.formats.casts import typed_select
from voltstream.formats.documents import split_faults
from voltstream.formats.lines import from_documents, from_lines
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import DeadLetter, Decoded, Integers, dead_letter

_UNCLOSED = "a quote is opened and not closed"


def read(batch: RawBatch, schema: Schema, decoder: SqlDecoder, now_us: int) -> Decoded:
    """Read CSV text; a row of the wrong width or with an unreadable field is a dead letter."""
    letters: list[tuple[int, DeadLetter]] = []

    def refuse(number: int, raw: bytes, reason: str) -> None:
        letters.append((number, dead_letter(batch.position, number, raw, reason, now_us)))

    header = batch.header is not False and not batch.records
    content, owners = _content(batch, refuse)
    delimiter = batch.delimiter or ","
    names = _header(content, delimiter) if header else [column.name for column in schema]
    known = {column.name.lower() for column in schema}
    if header and content.strip() and not known & {name.lower() for name in names}:
        refuse(1, content, "the header names no column of the source")
        names = []

    def refuse_row(number: int, raw: bytes, reason: str) -> None:
        refuse(number if owners is None else int(owners[number - 1]), raw, reason)

    cut = _Cut(names, delimiter, header)
    fields, numbers = _fields(content, cut, schema, refuse_row)
    table, reasons = split_faults(_typed(fields, schema, decoder), schema)
    for index, reason in reasons:
        values = [column[index].as_py() for column in fields.columns]
        refuse_row(int(numbers[index]), _row(values, delimiter), reason)
    letters.sort(key=lambda letter: letter[0])
    origins = None
    if owners is not None:
        origins = owners[np.delete(numbers, [index for index, _ in reasons]) - 1] - 1
    return Decoded(table, [letter for _, letter in letters], origins)


@dataclass(frozen=True, slots=True)
class _Cut:
    """How rows are cut into fields."""

    names: list[str]
    delimiter: str
    header: bool


def _content(batch: RawBatch, refuse: _Refuse) -> tuple[bytes, Integers | None]:
    """Return rows as one text; for a batch of records also the record of each, from 1."""
    if not batch.records:
        content = bytes(batch.payload)
        lines = from_lines(content)
        for number, raw, reason in lines.rejected:
            refuse(number, raw, reason)
        if lines.rejected:
            content = b"".join(text.as_buffer() for text in lines.texts)
        if content.count(b'"') % 2:
            rows, unclosed = _closed_rows(content)
            for number, raw in unclosed:
                refuse(number, raw, _UNCLOSED)
            content = b"\n".join(rows)
        return content, None
    records = from_documents(batch.records)
    for number, raw, reason in records.rejected:
        refuse(number, raw, reason)
    kept: list[bytes] = []
    owners: list[int] = []
    for index, number in enumerate(records.numbers.tolist()):
        rows, unclosed = _closed_rows(records.raw(index))
        for _, raw in unclosed:
            refuse(number, raw, _UNCLOSED)
        kept += rows
        owners += [number] * len(rows)
    return b"\n".join(kept), np.array(owners, np.int64)


def _closed_rows(content: bytes) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """Part text into rows whose quotes are closed, and (row, from 1; its line) of one that is not.

    A row whose quote is never closed ends with its line: the lines after it are rows again.
    """
    rows: list[bytes] = []
    unclosed: list[tuple[int, bytes]] = []
    lines = content.split(b"\n")
    at = 0
    while at < len(lines):
        end = at + 1
        odd = lines[at].count(b'"') % 2
        while odd and end < len(lines):
            odd = (odd + lines[end].count(b'"')) % 2
            end += 1
        if odd:
            unclosed.append((len(rows) + 1, lines[at]))
            end = at + 1
        else:
            row = b"\n".join(lines[at:end])
            if row.strip():
                rows.append(row)
        at = end
    return rows, unclosed


class _Refuse(Protocol):
    def __call__(self, number: int, raw: bytes, reason: str) -> None: ...


def _fields(
    content: bytes, cut: _Cut, schema: Schema, refuse: _Refuse
) -> tuple[pa.Table, Integers]:
    """Cut into one text column per schema column; the numbers count rows, the header included."""
    wanted = [column.name for column in schema]
    empty = pa.table({name: pa.array([], pa.string()) for name in wanted})
    first = 2 if cut.header else 1
    if not content.strip() or not cut.names:
        return empty, np.zeros(0, np.int64)
    wrong: list[int] = []

    def on_wrong_width(row: arrow_csv.InvalidRow) -> Literal["skip", "error"]:
        number = row.number or 0  # Always told when read by one thread.
        wrong.append(number)
        reason = f"{row.actual_columns} fields where {row.expected_columns} are expected"
        refuse(number, row.text.encode(), reason)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(content),
            arrow_csv.ReadOptions(
                use_threads=False,  # Row numbers are only told in order.
                block_size=len(content) + 1,  # One block: no record can straddle two.
                column_names=_unique(cut.names, wanted),
                skip_rows=first - 1,
            ),
            arrow_csv.ParseOptions(
                delimiter=cut.delimiter,
                newlines_in_values=True,
                invalid_row_handler=on_wrong_width,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                include_missing_columns=True,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        refuse(first, content, f"not CSV: {error}")
        return empty, np.zeros(0, np.int64)
    every = np.arange(first, first + len(table) + len(wrong), dtype=np.int64)
    return table, np.setdiff1d(every, np.array(wrong, np.int64))


def _unique(names: list[str], wanted: list[str]) -> list[str]:
    """Spell header names as the schema does; other and repeated names get one that is unused."""
    spelled = {name.lower(): name for name in wanted}
    return [spelled.pop(name.lower(), f"\0{index}") for index, name in enumerate(names)]


def _typed(fields: pa.Table, schema: Schema, decoder: SqlDecoder) -> pa.Table:
    numbered = fields.rename_columns([f"t{i}" for i in range(len(schema))])
    numbered = numbered.append_column("n", pa.array(np.arange(len(fields))))
    texts = "".join(f", t{i}" for i in range(len(schema)))
    select = f"SELECT n, CAST(NULL AS VARCHAR) AS verdict{texts} FROM fields"
    return decoder.arrow(typed_select(select, schema), {"fields": numbered})


def _header(content: bytes, delimiter: str) -> list[str]:
    text = content.decode().removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [name.strip() for name in next(reader, [])]


def _row(values: list[str | None], delimiter: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(
        ["" if v is None else v for v in values]
    )
    return out.getvalue().encode()
