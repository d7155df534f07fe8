"""Tables and sources whose rows reach a cluster by topics: who reads them, and who fills them."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.schema import Column
from voltstream.deploy.drafting import Options, quoted, specs_of, spelled
from voltstream.deploy.kafka_access import option
from voltstream.deploy.script import topic_of
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Entry
from voltstream.sql.statements import ColumnSpec, CreateSource, CreateTable

_LINE = ",\n    "


def by_topic(entry: Entry) -> bool:
    """Tell whether the rows of a table or source reach a cluster by a topic of its own name."""
    parsed = entry.parsed
    return isinstance(parsed, CreateSource | CreateTable) and "connector" not in parsed.properties


def feeding_sink(entry: Entry, options: Options, connection: Mapping[str, str]) -> str:
    """Return the sink by which a server sends what is in a table or source to its topic.

    ``connection`` says how the brokers are reached, as ``properties.bootstrap.server`` and others.
    Law: rows of a source that have their first column alike stay in their order, and each comes
    once, also where it is sent again: by its key, or in transactions.
    """
    schema, name = entry.key
    key = _key(entry)
    topic, _ = feeding_topic(entry, options)
    told = {"connector": "kafka", "topic": topic, **connection}
    relation = entry.relation
    first = relation.columns[0].name if relation is not None and relation.columns else ""
    told["primary_key"] = ", ".join(key or (first,))
    if not key:
        told["exactly_once"] = "true"
    return (
        f"CREATE SINK IF NOT EXISTS {_placed(schema, name + '__feed')} FROM {_placed(schema, name)}"
        f"\n{_with(told)} FORMAT {'UPSERT' if key else 'PLAIN'} ENCODE JSON"
    )


def feeding_topic(entry: Entry, options: Options) -> tuple[str, bool]:
    """Return the topic of a table or source, and whether the latest record of a key counts."""
    return topic_of(options.topics, *entry.key), bool(_key(entry))


def served_input(entry: Entry, options: Options, connection: Mapping[str, str]) -> str:
    """Return the statement by which a serving node has the rows of a table or source too."""
    parsed = entry.parsed
    if not by_topic(entry) or not isinstance(parsed, CreateSource | CreateTable):
        return entry.stored.definition
    schema, name = entry.key
    key = _key(entry)
    relation = entry.relation
    columns = relation.columns if relation is not None else ()
    specs = specs_of(parsed)
    lines = [f"{quoted(column.name)} {_type(column, specs)}" for column in columns]
    if key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    watermark = entry.stored.properties.get("watermark")
    if watermark is not None:
        lines.append(f"WATERMARK FOR {watermark}")
    told = {"connector": "kafka", "topic": topic_of(options.topics, schema, name), **connection}
    told["scan.startup.mode"] = "earliest"
    if "retention" in parsed.properties:
        told["retention"] = parsed.properties["retention"]
    kind = "SOURCE" if isinstance(parsed, CreateSource) else "TABLE"
    only = " APPEND ONLY" if kind == "TABLE" and not key else ""
    return (
        f"CREATE {kind} IF NOT EXISTS {_placed(schema, name)} (\n    {_LINE.join(lines)}\n){only}\n"
        f"{_with(told)} FORMAT {'UPSERT' if key else 'PLAIN'} ENCODE JSON"
    )


def _key(entry: Entry) -> tuple[str, ...]:
    return entry.parsed.primary_key if isinstance(entry.parsed, CreateTable) else ()


def _type(column: Column, specs: Mapping[str, ColumnSpec]) -> str:
    """Return a column's type as it was declared, or else as PostgreSQL prints it."""
    spec = specs.get(column.name)
    return spec.declared if spec is not None and spec.declared else column.type.pg_name


def _with(options: Mapping[str, str]) -> str:
    listed = _LINE.join(f"{name} = {option(text)}" for name, text in options.items())
    return f"WITH (\n    {listed}\n)"


def _placed(schema: str, name: str) -> str:
    return quoted(name) if schema == DEFAULT_SCHEMA else spelled((schema, name))
