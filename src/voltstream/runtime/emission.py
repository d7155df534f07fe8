"""What a sink sends: one SELECT of (key, value) over the sink's delta, fixed at CREATE."""

from __future__ import annotations

from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.ports import SinkShape
from voltstream.core.schema import Schema
from voltstream.sql.program import Program
from voltstream.sql.statements import CreateSink
from voltstream.store.database import Connection, literal, quoted

_UTC_TEXT = "strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')"


def emit_sql(program: Program, parsed: CreateSink, connection: Connection) -> tuple[str, SinkShape]:
    """Return the statement, and what its records are.

    Raises: InvalidParameter (22023) for a key that is missing or unknown.
    """
    emitted = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in program.emit_columns)
    delta = f"(SELECT {emitted}, _w FROM {program.output})"
    columns = connection.describe(f"SELECT * EXCLUDE (_w) FROM {delta}")
    key_names = _key_names(parsed, columns)
    value = json_sql(columns)
    key = json_sql(tuple(c for c in columns if c.name in key_names)) if key_names else "NULL"
    shaped = f"(SELECT {key} AS key, {value} AS value, _w FROM {delta})"
    form = "UPSERT" if parsed.format == "UPSERT" or _says_upsert(parsed) else parsed.format
    shape = SinkShape(columns, key_names, form, parsed.encode)
    if form == "PLAIN":
        sql = f"SELECT key, value FROM {shaped}, generate_series(1, _w) WHERE _w > 0"
        return sql, shape
    if not key_names:
        raise InvalidParameter(
            f"a sink in format {form} needs a primary key",
            hint="Add primary_key = 'column, …' to its WITH clause.",
        )
    folded = (
        "(SELECT key, arg_max(value, _w) FILTER (_w > 0) AS after, "
        f"arg_min(value, _w) FILTER (_w < 0) AS before FROM {shaped} GROUP BY key)"
    )
    if form == "UPSERT":
        return f"SELECT key, after AS value FROM {folded}", shape
    if form == "DEBEZIUM":
        operation = "CASE WHEN before IS NULL THEN 'c' WHEN after IS NULL THEN 'd' ELSE 'u' END"
        envelope = "{'before': before::JSON, 'after': after::JSON, 'op': " + operation + "}"
        return f"SELECT key, to_json({envelope})::VARCHAR AS value FROM {folded}", shape
    raise FeatureNotSupported(f"sink format {form} is not supported")


def _says_upsert(parsed: CreateSink) -> bool:
    return parsed.properties.get("type", "").lower() == "upsert"


def _key_names(parsed: CreateSink, columns: Schema) -> tuple[str, ...]:
    names = tuple(
        name.strip() for name in parsed.properties.get("primary_key", "").split(",") if name.strip()
    )
    known = {column.name for column in columns}
    for name in names:
        if name not in known:
            raise InvalidParameter(f'primary_key names column "{name}", which does not exist')
    return names


def json_sql(columns: Schema) -> str:
    """Return DuckDB SQL for one JSON document of the columns; instants are RFC 3339 in UTC."""
    fields = []
    for column in columns:
        value = quoted(column.name)
        if column.store_type == "TIMESTAMP WITH TIME ZONE":
            value = _UTC_TEXT.format(column=value)
        fields.append(f"{literal(column.name)}: {value}")
    return f"to_json({{{', '.join(fields)}}})::VARCHAR"
