"""The SQL of a serving node: a Voltstream that reads what a cluster publishes as its own tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from voltstream.deploy.script import Output

ROWS = "__rows"  # Behind a view's name: its rows as published, where more is shown of them.
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def serving_script(outputs: Sequence[Output], properties: Mapping[str, str]) -> list[str]:
    """Return the statements that make every published view readable under its own name.

    ``properties`` say how the brokers are reached (``properties.bootstrap.server`` and others).
    Law: a reader sees the view's columns and rows, as often as each occurs, NOW() at the reading.
    """
    statements: list[str] = []
    for output in outputs:
        schema, _, name = output.object.rpartition(".")
        if schema not in ("", "public"):
            create = f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}"
            if create not in statements:
                statements.append(create)
        if output.shown or output.copies is not None:
            statements.append(_table(output, schema, name + ROWS, properties))
            statements.append(_view(output, schema, name))
        else:
            statements.append(_table(output, schema, name, properties))
    return statements


def _table(output: Output, schema: str, name: str, properties: Mapping[str, str]) -> str:
    columns = [f"{_quoted(field.name)} {field.type}" for field in output.fields]
    columns.append(f"PRIMARY KEY ({', '.join(map(_quoted, output.key))})")
    options = {"connector": "kafka", "topic": output.topic, **properties}
    options["scan.startup.mode"] = "earliest"
    written = ",\n    ".join(f"{key} = {_literal(value)}" for key, value in options.items())
    body = ",\n    ".join(columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {_placed(schema, name)} (\n    {body}\n)\n"
        f"WITH (\n    {written}\n) FORMAT UPSERT ENCODE JSON"
    )


def _view(output: Output, schema: str, name: str) -> str:
    shown = output.shown or tuple(
        (field.name, _quoted(field.name))
        for field in output.fields
        if field.name != output.copies and not field.name.startswith("_")
    )
    columns = ",\n    ".join(
        f"{expression if expression is not None else 'NULL'} AS {_quoted(column)}"
        for column, expression in shown
    )
    source = _placed(schema, name + ROWS)
    if output.copies is not None:
        source += f"\nCROSS JOIN LATERAL generate_series(1, {_quoted(output.copies)}) AS _copy"
    return f"CREATE VIEW {_placed(schema, name)} AS SELECT\n    {columns}\nFROM {source}"


def _placed(schema: str, name: str) -> str:
    return _quoted(name) if schema in ("", "public") else f"{_quoted(schema)}.{_quoted(name)}"


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
