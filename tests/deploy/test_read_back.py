"""Views over so many others that Flink would not plan them in good time."""

from __future__ import annotations

from voltstream.cli.definitions import studied
from voltstream.deploy.drafting import Options
from voltstream.deploy.script import Target, refuse
from voltstream.deploy.targets import script_for

SOURCE = (
    "CREATE SOURCE reading (charger_id TEXT, kwh DOUBLE PRECISION) WITH (connector = 'kafka', "
    "topic = 'reading', properties.bootstrap.server = 'kafka:9092') FORMAT PLAIN ENCODE JSON"
)
DEPTH = 4  # Each view reads the one below twice: the last is planned from 31.


def test_views_are_read_from_their_topics_where_there_are_too_many() -> None:
    pairs = (
        f"CREATE MATERIALIZED VIEW v{n} AS SELECT a.charger_id, a.kwh + b.kwh AS kwh "
        f"FROM v{n - 1} AS a JOIN v{n - 1} AS b ON a.charger_id = b.charger_id"
        for n in range(1, DEPTH + 1)
    )
    first = "CREATE MATERIALIZED VIEW v0 AS SELECT charger_id, kwh FROM reading"
    with studied([SOURCE, first, *pairs]) as found:
        script = script_for(Target.FLINK, found.catalog, found.reader, Options(), [f"v{DEPTH}"])
    refuse(script)
    [below] = [one.text for one in script.statements if one.name == "v3__read_back"]
    [last] = [one.text for one in script.statements if (one.name, one.kind) == ("v4", "view")]
    assert "FROM v3__topic\nCROSS JOIN UNNEST(SPLIT(" in below
    assert last.count("v3__read_back") == 2
    notes = [one for one in script.notes if one.feature == "view over many views"]
    assert [(one.object, one.said.partition(":")[0]) for one in notes] == [
        ("public.v4", "v3__read_back")
    ]
