"""The SQL of a serving node: a Voltstream that reads what a cluster publishes as its own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voltstream.deploy.drafting import ROWS, literal, quoted
from voltstream.deploy.kafka_access import option
from voltstream.deploy.script import KEY, Output


def serving_script(
    outputs: Sequence[Output],
    properties: Mapping[str, str],
    rules: Mapping[str, Mapping[str, str]] | None = None,
) -> list[str]:
    """Return the statements that make every published view one that is maintained here.

    ``properties`` say how the brokers are reached (``properties.bootstrap.server`` and others).
    ``rules`` are the options of views that are alert rules: alerts are opened and closed here.
    Law: a reader sees the view's columns and rows, as often as each occurs, NOW() at the reading.
    """
    statements: list[str] = []
    for output in outputs:
        schema, name = schema_of(output)
        with_schema(statements, schema)
        rule = (rules or {}).get(output.object)
        if output.shown or KEY in output.key or rule:
            statements.append(_table(output, schema, name + ROWS, properties))
            statements.append(_view(output, schema, name, rule))
        else:
            statements.append(_table(output, schema, name, properties))
    return statements


def _table(output: Output, schema: str, name: str, properties: Mapping[str, str]) -> str:
    columns = [f"{quoted(field.name)} {field.type}" for field in output.fields]
    columns.append(f"PRIMARY KEY ({', '.join(map(quoted, output.key))})")
    options = {"connector": "kafka", "topic": output.topic, **properties}
    options["scan.startup.mode"] = "earliest"
    written = ",\n    ".join(f"{key} = {option(value)}" for key, value in options.items())
    body = ",\n    ".join(columns)
    return (
        f"CREATE TABLE IF NOT EXISTS {placed(schema, name)} (\n    {body}\n)\n"
        f"WITH (\n    {written}\n) FORMAT UPSERT ENCODE JSON"
    )


def _view(output: Output, schema: str, name: str, rule: Mapping[str, str] | None) -> str:
    options = ""
    if rule:
        listed = ", ".join(f"{name} = {literal(value)}" for name, value in rule.items())
        options = f" WITH ({listed})"
    told = shown_over(output, placed(schema, name + ROWS))
    return f"CREATE MATERIALIZED VIEW {placed(schema, name)}{options} AS {told}"


def with_schema(statements: list[str], schema: str) -> None:
    """Have a schema made, once, before what comes next is placed in it."""
    create = f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}"
    if schema != "public" and create not in statements:
        statements.append(create)


def schema_of(output: Output) -> tuple[str, str]:
    """Return the schema and the name of the view that an output has the rows of."""
    schema, _, name = output.object.rpartition(".")
    return schema or "public", name


def shown_over(output: Output, source: str) -> str:
    """Return the query of a view's public columns and rows over the rows as published."""
    own = (*((KEY,) if KEY in output.key else ()), output.copies)
    shown = output.shown or tuple(
        (field.name, quoted(field.name)) for field in output.fields if field.name not in own
    )
    columns = ",\n    ".join(
        f"{expression if expression is not None else 'NULL'} AS {quoted(column)}"
        for column, expression in shown
    )
    if output.copies is not None:
        source += f"\nCROSS JOIN LATERAL generate_series(1, {quoted(output.copies)}) AS _copy"
    return f"SELECT\n    {columns}\nFROM {source}"


def placed(schema: str, name: str) -> str:
    return quoted(name) if schema in ("", "public") else f"{quoted(schema)}.{quoted(name)}"
