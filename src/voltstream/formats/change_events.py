"""SQL that parts change events, as several programs write them, into rows that come and go.

Shape: over ``lines`` (n, line) it gives n, ``after`` and ``before`` (the rows as JSON, or NULL) and
``verdict``: why a line is no change.
"""

from __future__ import annotations

from collections.abc import Iterable

from voltstream.formats.casts import quoted
from voltstream.formats.documents import pointer


def debezium_sql(key: Iterable[str]) -> str:
    """Part Debezium's envelopes, bare or beside their schema, into images.

    An update that changes the key takes the old row away as well. Source: Debezium's
    documentation, "Change event values".
    """
    moved = " OR ".join(
        f"json_extract(was, {quoted(pointer(name))}) IS DISTINCT FROM "
        f"json_extract(becomes, {quoted(pointer(name))})"
        for name in key
    )
    return f"""
        WITH parsed AS (
            SELECT n, json_valid(line) AS valid,
                   CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS j FROM lines
        ), opened AS (
            SELECT n, valid,
                   CASE WHEN json_type(j, '$.payload') = 'OBJECT'
                        THEN json_extract(j, '$.payload') ELSE j END AS e FROM parsed
        ), imaged AS (
            SELECT n, valid, json_extract_string(e, '$.op') AS op,
                   nullif(CAST(json_extract(e, '$.before') AS VARCHAR), 'null') AS was,
                   nullif(CAST(json_extract(e, '$.after') AS VARCHAR), 'null') AS becomes
            FROM opened
        )
        SELECT n,
            CASE WHEN op IN ('c', 'r', 'u') THEN becomes END AS after,
            CASE WHEN op = 'd' THEN was
                 WHEN op = 'u' AND was IS NOT NULL AND ({moved or "FALSE"}) THEN was END AS before,
            CASE WHEN NOT valid THEN 'not valid JSON'
                 WHEN op IS NULL THEN 'not a change event: it has no "op"'
                 WHEN op NOT IN ('c', 'r', 'u', 'd')
                     THEN 'the operation "' || op || '" changes no row'
                 WHEN op = 'd' AND was IS NULL THEN 'the row that goes is not told: no "before"'
                 WHEN op <> 'd' AND becomes IS NULL THEN 'the row is not told: no "after"'
            END AS verdict
        FROM imaged ORDER BY n"""


_PARSED = """
    WITH parsed AS (
        SELECT n, json_valid(line) AS valid,
               CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS e FROM lines
    )"""


def maxwell_sql(key: Iterable[str]) -> str:
    """Part Maxwell's events: ``data`` is the row, ``old`` what an update changed of it.

    Source: Maxwell's documentation, "Maxwell's data format".
    """
    moved = " OR ".join(f"json_exists(old, {quoted(pointer(name))})" for name in key)
    return f"""{_PARSED}, imaged AS (
            SELECT n, valid, json_extract_string(e, '$.type') AS op,
                   nullif(CAST(json_extract(e, '$.data') AS VARCHAR), 'null') AS row_text,
                   nullif(CAST(json_extract(e, '$.old') AS VARCHAR), 'null') AS old
            FROM parsed
        )
        SELECT n,
            CASE WHEN op IN ('insert', 'bootstrap-insert', 'update') THEN row_text END AS after,
            CASE WHEN op = 'delete' THEN row_text
                 WHEN op = 'update' AND old IS NOT NULL AND ({moved or "FALSE"})
                     THEN json_merge_patch(row_text, old)::VARCHAR END AS before,
            CASE WHEN NOT valid THEN 'not valid JSON'
                 WHEN op IS NULL THEN 'not a change event: it has no "type"'
                 WHEN op IN ('bootstrap-start', 'bootstrap-complete') THEN NULL
                 WHEN op NOT IN ('insert', 'bootstrap-insert', 'update', 'delete')
                     THEN 'the operation "' || op || '" changes no row'
                 WHEN row_text IS NULL THEN 'the row is not told: no "data"'
            END AS verdict
        FROM imaged ORDER BY n"""


def canal_sql(key: Iterable[str]) -> str:
    """Part Canal's flat messages: ``data`` holds rows, ``old`` what updates changed of each.

    Source: Canal's FlatMessage. Numbers and instants are texts there.
    """
    moved = " OR ".join(f"json_exists(old, {quoted(pointer(name))})" for name in key)
    return f"""{_PARSED}, told AS (
            SELECT n, valid, json_extract_string(e, '$.type') AS op,
                   json_extract_string(e, '$.isDdl') AS ddl,
                   CASE WHEN json_type(e, '$.data') = 'ARRAY'
                        THEN CAST(json_array_length(e, '$.data') AS BIGINT) END AS many, e
            FROM parsed
        ), imaged AS (
            SELECT n, valid, op, ddl, many, place,
                   CAST(json_extract(e, '$.data[' || place || ']') AS VARCHAR) AS row_text,
                   nullif(CAST(json_extract(e, '$.old[' || place || ']') AS VARCHAR), 'null') AS old
            FROM (SELECT *, unnest(range(greatest(coalesce(many, 0), 1))) AS place FROM told)
        )
        SELECT n,
            CASE WHEN op IN ('INSERT', 'UPDATE') THEN row_text END AS after,
            CASE WHEN op = 'DELETE' THEN row_text
                 WHEN op = 'UPDATE' AND old IS NOT NULL AND ({moved or "FALSE"})
                     THEN json_merge_patch(row_text, old)::VARCHAR END AS before,
            CASE WHEN NOT valid THEN 'not valid JSON'
                 WHEN op IS NULL THEN 'not a change event: it has no "type"'
                 WHEN op NOT IN ('INSERT', 'UPDATE', 'DELETE') OR ddl = 'true'
                     THEN 'the operation "' || op || '" changes no row'
                 WHEN row_text IS NULL THEN 'the rows are not told: no "data"'
            END AS verdict
        FROM imaged ORDER BY n, place"""
