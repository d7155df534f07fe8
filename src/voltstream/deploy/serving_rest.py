"""What a serving node keeps by itself, over what a cluster publishes and what goes into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voltstream.core.redaction import redacted
from voltstream.deploy.drafting import Options, literal, quoted
from voltstream.deploy.inputs import by_topic, served_input
from voltstream.deploy.kafka_access import of_voltstream, secrets_in
from voltstream.deploy.objects import KINDS, in_order
from voltstream.deploy.script import Script
from voltstream.deploy.serving import serving_script, with_schema
from voltstream.runtime.catalog import OWN_SCHEMA, Catalog, Entry
from voltstream.sql.alert_options import alert_options
from voltstream.sql.statements import CreateSource, CreateTable, CreateView

_VIEWS = ("view", "materialized view")
# A second reader takes a session or slot from the first, or waits for rows that nobody pushes.
_ONE_READER = frozenset({"mqtt", "postgres-cdc", "webhook", "none"})


@dataclass(frozen=True, slots=True)
class Served:
    """What a serving node runs, in order; ``left`` says what it has not, and why.

    Shape: ``secrets`` are to be there before, as ``schema.name``; ``fed`` are the tables and
    sources whose topics it reads, which the server in front has to fill.
    """

    inputs: Sequence[str]
    results: Sequence[str]
    rest: Sequence[str]
    left: Mapping[str, str]
    secrets: Sequence[str] = ()
    fed: Sequence[Entry] = ()


def served(script: Script, catalog: Catalog, options: Options, *, events: bool = True) -> Served:
    """Return what makes a Voltstream answer for a whole catalog in front of a cluster.

    What the script publishes is read from its topics; other views are kept there, over these and
    over the topics of tables and, with ``events``, of sources.
    Law: an object that is made reads only what was made before it.
    """
    connection = of_voltstream(script.brokers, script.access)
    rules = {
        f"{entry.stored.schema}.{entry.stored.name}": _rule(entry)
        for entry in catalog
        if _rule(entry)
    }
    work = _Work(catalog, options, connection, script, events, rules)
    for entry in in_order(catalog, (*KINDS, "function")):
        work.take(entry)
    results = serving_script(script.outputs, connection, rules)
    named = (*work.secrets, *secrets_in(script.access))
    secrets = tuple(dict.fromkeys(named))
    return Served(work.inputs, results, work.rest, work.left, secrets, work.fed)


def _rule(entry: Entry) -> Mapping[str, str]:
    parsed = entry.parsed
    if not isinstance(parsed, CreateView) or alert_options(parsed.properties) is None:
        return {}
    return {name: text for name, text in parsed.properties.items() if name.startswith("alert.")}


@dataclass
class _Work:
    catalog: Catalog
    options: Options
    connection: Mapping[str, str]
    script: Script
    events: bool
    rules: Mapping[str, Mapping[str, str]]
    inputs: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, None] = field(default_factory=dict)
    fed: list[Entry] = field(default_factory=list)
    connected: set[int] = field(default_factory=set)  # Oids of connections.
    path: str = ""
    read: set[int] = field(default_factory=set)  # Oids of what views read.
    lacking: dict[int, str] = field(default_factory=dict)  # Why something is not there, by oid.

    def __post_init__(self) -> None:
        self.results = {one.object for one in self.script.outputs}
        views = [one for one in self.catalog if one.kind in _VIEWS]
        self.read = {oid for one in views for oid in one.stored.depends_on}

    def take(self, entry: Entry) -> None:
        name = f"{entry.stored.schema}.{entry.stored.name}"
        if name in self.results:
            return
        reason = self._reason(entry)
        if reason:
            self.lacking[entry.oid] = reason
            if entry.kind in (*_VIEWS, "index", "subscription", "sink"):
                self.left[name] = reason
        elif entry.kind in ("table", "source"):
            self._reached(entry)
            self.fed += [entry] if by_topic(entry) else []
            with_schema(self.inputs, entry.stored.schema)
            self._defined(entry, served_input(entry, self.options, self.connection))
        else:
            with_schema(self.rest, entry.stored.schema)
            self._place(entry)
            self.rest.append(entry.stored.definition)

    def _reached(self, entry: Entry) -> None:
        """Make the connection that a definition names, and name its secrets."""
        for oid in () if by_topic(entry) else sorted(entry.stored.depends_on):
            below = self.catalog.by_oid(oid)
            if below is not None and below.kind == "secret":
                self.secrets[".".join(below.key)] = None
            elif below is not None and below.kind == "connection" and oid not in self.connected:
                self.connected.add(oid)
                self._reached(below)
                with_schema(self.inputs, below.stored.schema)
                self._defined(below, below.stored.definition)

    def _defined(self, entry: Entry, text: str) -> None:
        """Add a statement; one as it was written is placed where it was."""
        as_written = text == entry.stored.definition
        elsewhere = entry.stored.schema != "public" and as_written
        if elsewhere:
            self.inputs.append(f"SET search_path TO {quoted(entry.stored.schema)}, public")
        self.inputs.append(redacted(text) if as_written else text)
        if elsewhere:
            self.inputs.append("SET search_path TO public")

    def _reason(self, entry: Entry) -> str:
        """Say why an object is not made; nothing where it is."""
        if entry.broken or entry.failed is not None:
            return "it stands still"
        if entry.kind == "sink":
            return "a sink sends from one place only: make it where that is to be"
        if entry.kind in ("table", "source") and entry.oid not in self.read:
            return "no view reads it"
        if entry.kind == "source" and not self.events:
            return "the topics of sources are not read"
        if _connector(entry) in _ONE_READER:
            return "its connector gives rows to one reader, the server in front"
        if _changes_without_key(entry):
            return "a table that changes needs a primary key"
        for oid in entry.stored.depends_on:
            below = self.catalog.by_oid(oid)
            if below is None or below.stored.schema == OWN_SCHEMA:
                continue
            name = f"{below.stored.schema}.{below.stored.name}"
            if oid in self.lacking:
                return f"it reads {name}: {self.lacking[oid]}"
        return ""

    def _place(self, entry: Entry) -> None:
        """Let names without a schema be found where the definition found them."""
        schemas = [entry.stored.schema]
        for one in entry.stored.bindings:
            below = self.catalog.by_oid(one.oid)
            if below is not None and one.schema is None and below.stored.schema != OWN_SCHEMA:
                schemas.append(below.stored.schema)
        path = ", ".join(quoted(one) for one in dict.fromkeys([*schemas, "public"]))
        if path != self.path:
            self.path = path
            self.rest.append(f"SET search_path TO {path}")


def _connector(entry: Entry) -> str | None:
    """Return the connector that fills a table or source."""
    if not isinstance(entry.parsed, CreateSource | CreateTable):
        return None
    return entry.parsed.properties.get("connector", "").lower()


def _changes_without_key(entry: Entry) -> bool:
    parsed = entry.parsed
    if not isinstance(parsed, CreateTable) or not by_topic(entry):
        return False
    parted = any(name.startswith(("tsdb.", "timescaledb.")) for name in parsed.properties)
    return not (parsed.primary_key or parsed.append_only or parted)


def left_text(left: Mapping[str, str]) -> str:
    """Return what is not there, as comments."""
    return "".join(f"-- {name}: left out: {reason}\n" for name, reason in left.items())


def filled(table: str, rows: Sequence[Sequence[str | None]]) -> str:
    """Return the statement that puts rows into a table that has its key."""
    listed = ",\n    ".join(
        "(" + ", ".join("NULL" if one is None else literal(one) for one in row) + ")"
        for row in rows
    )
    return f"INSERT INTO {table} VALUES\n    {listed}"
