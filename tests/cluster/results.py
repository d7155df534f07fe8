"""Rows of an embedded engine as a cluster publishes them: what Flink's upsert-kafka writes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa

from voltstream.core.schema import Column
from voltstream.core.types import Kind
from voltstream.deploy.objects import Deployed
from voltstream.deploy.script import KEY, Output
from voltstream.sql.batch import batch_sql
from voltstream.sql.plan import Project
from voltstream.sql.targets.words import FOREVER
from voltstream.store.database import Connection, quoted

Record = tuple[str, str, str]  # Topic, key, value.


def published(made: Deployed, output: Output, reader: Connection) -> Iterator[Record]:
    """Yield a record for each row of a view, keyed as its topic is."""
    query = made.query
    assert query is not None
    names = [column.name for column in query.columns]
    shown = ", ".join(_finite(column) for column in query.columns)
    _, found = reader.arrow(f"SELECT {shown} FROM ({batch_sql(Project(query.plan, query.kept))})")
    columns = [column.to_pylist() for column in found.columns]
    rows = Counter(
        json.dumps(dict(zip(names, map(spelled, row), strict=True)))
        for row in zip(*columns, strict=True)
    )
    for text, copies in rows.items():
        value: dict[str, object] = json.loads(text)
        if KEY in output.key:
            digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            value = {KEY: digest, **value}
        if output.copies is not None:
            value[output.copies] = copies
        yield output.topic, key_of(output, value), json.dumps(value)


def _finite(column: Column) -> str:
    name = quoted(column.name)
    if column.type.kind is not Kind.TIMESTAMPTZ:
        return name
    return f"CASE WHEN isinf({name}) THEN TIMESTAMPTZ '{FOREVER}+00' ELSE {name} END AS {name}"


def key_of(output: Output, value: Mapping[str, object]) -> str:
    return json.dumps({name: value[name] for name in output.key})


def spelled(value: object) -> object:
    """Spell a value as Flink's JSON has it: instants of ISO 8601, intervals as microseconds."""
    match value:
        case datetime():
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
            return text + "Z"
        case date():
            return value.isoformat()
        case pa.MonthDayNano():
            return (value.months * 30 + value.days) * 86_400_000_000 + value.nanoseconds // 1000
        case Decimal():
            return float(value)
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [spelled(one) for one in value]
        case _:
            return str(value)
