"""What Voltstreams run before and behind a cluster, as files beside its statements."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from voltstream.cli.definitions import Studied
from voltstream.cli.pack_doors import Door, EngineDoor, WireDoor
from voltstream.cli.pack_install import installed_packs
from voltstream.deploy.drafting import Options
from voltstream.deploy.inputs import by_topic, feeding_sink, feeding_topic
from voltstream.deploy.kafka_access import of_voltstream, secret_name
from voltstream.deploy.script import Script
from voltstream.deploy.serving_rest import Served, filled, left_text

# What the page and `voltstream pack` know of packs: their names and panels, not their files.
_RECORDS = ("installed_packs", "installed_panels")


def serving_text(made: Served, found: Studied) -> str:
    """Return what a Voltstream runs that answers for a whole catalog in front of a cluster."""
    parts = (
        ("What goes into the cluster.", made.inputs),
        ("What the cluster computes.", made.results),
        ("What is computed here.", made.rest),
        ("What packs show.", _records(found)),
    )
    text = _secrets(made.secrets)
    text += "".join(f"-- {title}\n\n{_script(texts)}" for title, texts in parts if texts)
    left = left_text(made.left)
    return text + (f"-- What is not here.\n{left}" if left else "")


def feeding_text(script: Script, made: Served, found: Studied, options: Options) -> str:
    """Return what the Voltstream in front runs: sinks of its tables and sources to their topics.

    Law: what the job or the serving node reads by a topic of its name is fed.
    """
    connection = of_voltstream(script.brokers, script.access)
    wanted, beside = set(script.objects), {entry.oid for entry in made.fed}
    return _script(
        feeding_sink(entry, options, connection)
        for entry in sorted(found.catalog, key=lambda one: one.oid)
        if by_topic(entry) and (".".join(entry.key) in wanted or entry.oid in beside)
    )


def fed(script: Script, made: Served, options: Options) -> dict[str, bool]:
    """Return the topics that only the serving node reads, and whether they have a key."""
    read = set(script.objects)
    beside = (entry for entry in made.fed if ".".join(entry.key) not in read)
    return dict(feeding_topic(entry, options) for entry in beside)


def _secrets(names: Iterable[str]) -> str:
    """Return what has to be said first, by who knows it."""
    lines = [f"--   CREATE SECRET {secret_name(name)} WITH (backend = 'meta') AS '…';"
             for name in names]  # fmt: skip
    return "\n".join(["-- Before this, in a session of your own:", *lines, "\n"]) if lines else ""


def pack_rows(connection: psycopg.Connection) -> list[str]:
    """Return what puts a server's records of packs into tables that are there."""
    door = WireDoor(connection)
    return [text for _, text in _rows(door)] if installed_packs(door) else []


def _records(found: Studied) -> list[str]:
    door = EngineDoor(found.session)
    if not installed_packs(door):
        return []
    entries = {one.stored.name: one for one in found.catalog if one.stored.schema == "public"}
    return [
        text
        for table, insert in _rows(door)
        for text in ("SET search_path TO public", entries[table].stored.definition, insert)
    ]


def _rows(door: Door) -> list[tuple[str, str]]:
    found = []
    for table in _RECORDS:
        _, rows = door.ask(f"SELECT * FROM public.{table}")
        if rows:
            found.append((table, filled(f"public.{table}", rows)))
    return found


def _script(texts: Iterable[str]) -> str:
    return "".join(f"{text.rstrip().removesuffix(';')};\n\n" for text in texts)
