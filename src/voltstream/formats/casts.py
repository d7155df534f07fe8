"""SQL that reads text as typed values, and says which field of a row cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.core.schema import Column
from voltstream.core.types import Kind

INTEGERS = frozenset({Kind.INT2, Kind.INT4, Kind.INT8})
FLOATS = frozenset({Kind.FLOAT4, Kind.FLOAT8})
NUMBERS = INTEGERS | FLOATS | {Kind.NUMERIC}
INSTANTS = {Kind.TIMESTAMP: "make_timestamp", Kind.TIMESTAMPTZ: "make_timestamptz"}
FAULT_VALUE_CHARACTERS = 80  # Enough of a value to recognise it in a reason.


def quoted(text: str) -> str:
    """Return an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def structural(column: Column) -> bool:
    """Tell whether a column keeps JSON structure instead of one scalar."""
    kind = column.type.kind
    return column.type.array_depth > 0 or kind in (Kind.JSON, Kind.JSONB, Kind.RECORD)


def _instant(text: str, column: Column, make: str) -> str:
    """Read RFC 3339 text, or a number of seconds, ms, us or ns since 1970, told by magnitude."""
    number = f"TRY_CAST({text} AS DECIMAL(38,6))"
    micros = (
        f"CASE WHEN abs({number}) < 100000000000 THEN {number} * 1000000"
        f" WHEN abs({number}) < 100000000000000 THEN {number} * 1000"
        f" WHEN abs({number}) < 100000000000000000 THEN {number}"
        f" ELSE {number} / 1000 END"
    )
    read = f"TRY_CAST({text} AS {column.store_type})"
    made = f"TRY(CAST({make}(CAST({micros} AS BIGINT)) AS {column.store_type}))"
    return f"CASE WHEN {number} IS NULL THEN {read} ELSE {made} END"


def typed(text: str, column: Column) -> str:
    """Return SQL that reads ``text`` as the column's type; NULL where it does not spell one."""
    kind = column.type.kind
    plain = f"TRY_CAST({text} AS {column.store_type})"
    if structural(column):
        if column.store_type.upper() == "JSON":
            return f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) END"
        return f"TRY(from_json_strict({text}, {quoted(_structure(column.store_type))}))"
    if kind in INSTANTS:
        return _instant(text, column, INSTANTS[kind])
    if kind is Kind.DATE:
        # Change events number the days since 1970; more than a million is no day of theirs.
        days = f"TRY_CAST({text} AS INTEGER)"
        return f"CASE WHEN abs({days}) < 1000000 THEN DATE '1970-01-01' + {days} ELSE {plain} END"
    if kind is Kind.INTERVAL:
        # PostgreSQL spells a sign where one before it was negative: -2 days +00:02:00.
        return f"TRY_CAST(trim(replace(' ' || {text}, ' +', ' ')) AS INTERVAL)"
    if kind is Kind.TIME:
        # Change events number the microseconds since midnight.
        micros = f"TRY_CAST({text} AS BIGINT)"
        made = f"TIME '00:00:00' + to_microseconds({micros})"
        fits = f"{micros} BETWEEN 0 AND 86399999999"
        return f"CASE WHEN {micros} IS NULL THEN {plain} WHEN {fits} THEN {made} END"
    if kind in INTEGERS:
        # A fraction rounds half to even, as the one-call path does with JSON numbers.
        rounded = f"TRY_CAST(TRY_CAST({text} AS DOUBLE) AS {column.store_type})"
        return f"CASE WHEN contains({text}, '.') THEN {rounded} ELSE {plain} END"
    if kind in FLOATS:
        # 1e999 is no number of this type; the text "Infinity" is one.
        named = f"contains(lower({text}), 'inf')"
        return f"CASE WHEN {named} OR NOT isinf({plain}) THEN {plain} END"
    if kind is Kind.BOOL:
        return f"coalesce({plain}, TRY_CAST(TRY_CAST({text} AS DOUBLE) AS BOOLEAN))"
    if kind is Kind.BYTEA:
        decoded = f"TRY(unhex(substr({text}, 3)))"
        return f"CASE WHEN starts_with({text}, '\\x') THEN {decoded} ELSE encode({text}) END"
    return plain


def _structure(store_type: str) -> str:
    return '"' + store_type.replace("\\", "\\\\").replace('"', '\\"') + '"'


def fault(columns: Sequence[Column]) -> str:
    """Return SQL that names the first field that has text ``t<i>`` but no value ``c<i>``."""
    cases = []
    for index, column in enumerate(columns):
        shown = f"left(t{index}, {FAULT_VALUE_CHARACTERS})"
        head = quoted(f'column "{column.name}": cannot read "')
        tail = quoted(f'" as {column.type.pg_name}')
        cases.append(
            f"WHEN t{index} IS NOT NULL AND c{index} IS NULL THEN {head} || {shown} || {tail}"
        )
        if column.not_null:
            missing = quoted(f'column "{column.name}": null where a value is required')
            cases.append(f"WHEN t{index} IS NULL THEN {missing}")
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def typed_select(texts: str, columns: Sequence[Column]) -> str:
    """Return a SELECT of ``c0…``, ``n`` and ``fault`` over a relation of ``n, verdict, t0…``.

    Law: a row has a fault exactly when one of its texts is not null and not readable, or its
    verdict was spoken already.
    """
    values = "".join(f", {typed(f't{i}', column)} AS c{i}" for i, column in enumerate(columns))
    outputs = "".join(f"c{i}, " for i in range(len(columns)))
    return (
        f"WITH texts AS ({texts}), typed AS (SELECT *{values} FROM texts) "
        f"SELECT {outputs}n, coalesce(verdict, {fault(columns)}) AS fault FROM typed ORDER BY n"
    )
