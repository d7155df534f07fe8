"""JSON objects to rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from voltstream.core.schema import Schema
from voltstream.core.types import Kind
from voltstream.formats.casts import NUMBERS, quoted, structural, typed_select
from voltstream.formats.lines import Records
from voltstream.formats.port import SqlDecoder, UnreadableInput

# Types that one strict call reads as PostgreSQL would. BYTEA spells hexadecimal, and structures
# drop what does not fit, so schemas with these always go the careful way.
_ONE_CALL_KINDS = NUMBERS | {
    Kind.BOOL,
    Kind.TEXT,
    Kind.VARCHAR,
    Kind.DATE,
    Kind.TIME,
    Kind.TIMESTAMP,
    Kind.TIMESTAMPTZ,
    Kind.UUID,
}
_VERDICT = (
    "CASE WHEN NOT json_valid(line) THEN 'not valid JSON'"
    " WHEN json_type(line) <> 'OBJECT' THEN 'not a JSON object but ' || lower(json_type(line)) END"
)


def read(
    records: Records, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Read one JSON object per record: all in one strict call, or carefully when that refuses.

    Shape: the rows, and (index of the record, reason) of those that are no rows.
    """
    table = _in_one_call(records, schema, decoder)
    if table is not None:
        return table, []
    return _carefully(records, schema, decoder)


def _in_one_call(records: Records, schema: Schema, decoder: SqlDecoder) -> pa.Table | None:
    if not len(records.texts) or not _fits_one_call(schema):
        return None
    structure = json.dumps({column.name: column.store_type for column in schema})
    sql = f"SELECT unnest(from_json_strict(line, {quoted(structure)})) FROM lines"
    try:
        table = decoder.arrow(sql, {"lines": pa.table({"line": records.texts})})
    except UnreadableInput:
        return None
    return None if _hides_a_fault(table, schema) else table


def _fits_one_call(schema: Schema) -> bool:
    return all(c.type.kind in _ONE_CALL_KINDS and not structural(c) for c in schema)


def _hides_a_fault(table: pa.Table, schema: Schema) -> bool:
    nulls = [column.null_count for column in table.columns]
    if any(count and column.not_null for count, column in zip(nulls, schema, strict=True)):
        return True
    if any(_has_infinity(column) for column in table.columns):
        return True
    if not all(nulls):
        return False
    # The document "null" passes the strict call as a row without any value.
    missing = pc.is_null(table.column(0))
    for column in table.columns[1:]:
        missing = pc.and_(missing, pc.is_null(column))
    return bool(pc.any(missing).as_py())


def _has_infinity(column: pa.ChunkedArray[Any]) -> bool:
    """Tell whether a number may have been too large for its type, which the strict call hides."""
    return pa.types.is_floating(column.type) and bool(pc.any(pc.is_inf(column)).as_py())


def _carefully(
    records: Records, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[tuple[int, str]]]:
    lines = pa.table({"n": np.arange(len(records.texts)), "line": records.texts})
    spellings = _spellings(lines, schema, decoder)
    rows = decoder.arrow(_careful_sql(schema, spellings), {"lines": lines})
    return split_faults(rows, schema)


def split_faults(rows: pa.Table, schema: Schema) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Part what ``typed_select`` gave into rows and (n, reason)."""
    faults = rows.column("fault")
    faulty = faults.is_valid()
    if faults.null_count < len(rows):
        bad = rows.select(["n", "fault"]).filter(faulty).to_pylist()
        reasons = [(int(row["n"]), str(row["fault"])) for row in bad]
        rows = rows.filter(pc.invert(faulty))
    else:
        reasons = []
    values = rows.select(list(range(len(schema))))
    return values.rename_columns([column.name for column in schema]), reasons


def _spellings(lines: pa.Table, schema: Schema, decoder: SqlDecoder) -> dict[str, list[str]]:
    """Return how the batch spells each column's name; the exact spelling first."""
    keys = decoder.arrow(
        f"SELECT DISTINCT unnest(CASE WHEN {_VERDICT} IS NULL THEN json_keys(line) END) FROM lines",
        {"lines": lines},
    )
    found: dict[str, list[str]] = {column.name.lower(): [column.name] for column in schema}
    for key in sorted(str(key) for key in keys.column(0).to_pylist()):
        spelled = found.get(key.lower())
        if spelled is not None and key not in spelled:
            spelled.append(key)
    return found


def _careful_sql(schema: Schema, spellings: dict[str, list[str]]) -> str:
    texts: list[str] = []
    parsed: dict[str, dict[str, str]] = {}  # Alias -> structure; one pass over the line each.
    for index, column in enumerate(schema):
        found = []
        for place, name in enumerate(spellings[column.name.lower()]):
            if structural(column):
                value = f"CAST(json_extract(line, {quoted(pointer(name))}) AS VARCHAR)"
                found.append(f"nullif({value}, 'null')")
                continue
            if column.type.kind is Kind.NUMERIC:
                # As text a JSON number has the digits of a double; as DECIMAL it has its own.
                parsed.setdefault(f"d{place}", {})[name] = column.store_type
                found.append(f"CAST(d{place}.{_identifier(name)} AS VARCHAR)")
            parsed.setdefault(f"e{place}", {})[name] = "VARCHAR"
            found.append(f"e{place}.{_identifier(name)}")
        text = f"coalesce({', '.join(found)})"
        if structural(column):
            text = f"CASE WHEN verdict IS NULL THEN {text} END"
        elif column.type.kind in NUMBERS:
            text = f"CASE {text} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {text} END"
        texts.append(f", {text} AS t{index}")
    values = "".join(
        f", CASE WHEN verdict IS NULL THEN from_json(line, {quoted(json.dumps(structure))}) END"
        f" AS {alias}"
        for alias, structure in parsed.items()
    )
    judged = f"SELECT n, line, {_VERDICT} AS verdict FROM lines"
    cut = f"SELECT *{values} FROM ({judged})"
    return typed_select(f"SELECT n, verdict{''.join(texts)} FROM ({cut})", schema)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def pointer(name: str) -> str:
    """Return the JSON pointer of a top-level field (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
