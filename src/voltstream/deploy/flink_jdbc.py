"""Views of a Flink job in PostgreSQL too: the tables that it writes, and views that show them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from voltstream.core.errors import InvalidParameter
from voltstream.deploy.drafting import ROWS, literal, quoted
from voltstream.deploy.script import Field, Output
from voltstream.deploy.serving import placed, schema_of, shown_over, with_schema

PREFIX = "jdbc:postgresql://"
PASSWORD = "VOLTSTREAM_JDBC_PASSWORD"
_STANDS_FOR_IT = literal(f"${PASSWORD}")  # In statements that are shown or written down.
# What Flink's connector sends as text, or as local time, and a view there reads.
_AS_TEXT = frozenset({"uuid", "character", '"char"', "name", "time without time zone"})
_INSTANT = "timestamp with time zone"


def checked_url(url: str) -> str:
    """Raises: InvalidParameter (22023) for what is no address of PostgreSQL, or has a password."""
    if not url.startswith(PREFIX) or not urlsplit(url.removeprefix("jdbc:")).hostname:
        raise InvalidParameter(
            "--jdbc is not the address of a PostgreSQL",
            hint=f"Write {PREFIX}host:5432/database?user=name, as the cluster reaches it.",
        )
    if "password" in _parameters(url):
        raise InvalidParameter(
            "--jdbc has a password in it, which would be in deploy.sql",
            hint=f"Leave it out, and set {PASSWORD} in the environment.",
        )
    return url


def jdbc_options(url: str, schema: str, name: str) -> dict[str, str]:
    """Return the properties of Flink's table over the one in PostgreSQL."""
    parameters = _parameters(url)
    user = parameters.pop("user", None)
    address, _, _ = url.partition("?")
    options = {
        "connector": "jdbc",
        "url": address + (f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""),
        "table-name": f"{schema}.{name}{ROWS}",
    }
    if user is not None:
        options |= {"username": user, "password": f"${PASSWORD}"}
    return options


def with_password(text: str) -> str:
    """Return a statement as it is sent: with the password of the environment."""
    return text.replace(_STANDS_FOR_IT, literal(os.environ.get(PASSWORD, "")))


def tables_script(outputs: Sequence[Output]) -> list[str]:
    """Return PostgreSQL's statements for the tables that are written, and for who reads them.

    Law: a reader sees under a view's name its columns, types and rows, as often as each occurs.
    """
    statements: list[str] = []
    for output in outputs:
        schema, name = schema_of(output)
        with_schema(statements, schema)
        columns = [f"    {quoted(field.name)} {_stored(field)}" for field in output.fields]
        columns.append(f"    PRIMARY KEY ({', '.join(map(quoted, output.key))})")
        table = placed(schema, name + ROWS)
        listed = ",\n".join(columns)
        statements.append(f"CREATE TABLE IF NOT EXISTS {table} (\n{listed}\n)")
        told = ", ".join(_read(field) for field in output.fields)
        source = f"(SELECT {told} FROM {table}) AS kept"
        view = shown_over(output, source)
        statements.append(f"CREATE OR REPLACE VIEW {placed(schema, name)} AS {view}")
    return statements


def emptying_script(outputs: Sequence[Output]) -> list[str]:
    """Return what empties these tables, for a job that begins anew."""
    return [f"TRUNCATE {placed(schema, name + ROWS)}" for schema, name in map(schema_of, outputs)]


def _stored(field: Field) -> str:
    if field.type == _INSTANT:
        return "timestamp without time zone"
    return "text" if field.type.partition("(")[0] in _AS_TEXT else field.type


def _read(field: Field) -> str:
    name = quoted(field.name)
    if field.type == _INSTANT:
        return f"{name} AT TIME ZONE 'UTC' AS {name}"
    return name if _stored(field) == field.type else f"{name}::{field.type} AS {name}"


def _parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))


def local_types(columns: Sequence[str]) -> list[str]:
    """Return Flink's columns as the connector takes them: it has no instants."""
    return [
        column.replace(" TIMESTAMP_LTZ(6)", " TIMESTAMP(6)").replace(" TIME(3)", " STRING")
        for column in columns
    ]


def local_rows(rows: str) -> str:
    """Return a flow's query with instants as local times of UTC, and times of day as texts.

    The connector cuts times of day to seconds.
    """
    local = rows.replace("AS TIMESTAMP_LTZ(6))", "AS TIMESTAMP(6))")
    return local.replace("AS TIME(3))", "AS STRING)")


def arrays_of(fields: Sequence[Field]) -> list[str]:
    """Return the names of columns that the connector cannot write."""
    return [field.name for field in fields if field.type.endswith("[]")]
