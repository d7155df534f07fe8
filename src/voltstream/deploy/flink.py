"""Definitions as Flink SQL: topics as tables, views, and one job that writes their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from voltstream.core.limits import FLINK_VIEWS_MAX
from voltstream.core.schema import Column
from voltstream.core.types import Kind
from voltstream.deploy.cut import offsets_of
from voltstream.deploy.drafting import (
    Draft,
    Options,
    bracketed,
    literal,
    noted,
    quoted,
    scanned,
    specs_of,
)
from voltstream.deploy.flink_ddl import (
    bootstrap,
    flat,
    has_intervals,
    hash_part,
    kept_type,
    pg_type,
    ticked,
    with_options,
)
from voltstream.deploy.flink_jdbc import arrays_of, jdbc_options, local_rows, local_types
from voltstream.deploy.kafka_access import access_of, for_java, in_plain
from voltstream.deploy.objects import Deployed
from voltstream.deploy.script import COPIES, KEY, Field, Output, Part, Script, Target, topic_of
from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import Relation, TypeOracle
from voltstream.sql.plan import Project
from voltstream.sql.state_ttl import state_ttl_us
from voltstream.sql.statements import CreateSink, CreateSource, CreateTable, CreateView
from voltstream.sql.targets.features import Feature, Remark
from voltstream.sql.targets.flink import (
    CLOCK,
    ROWTIME,
    TICKS,
    VERDICTS,
    ClosingComposer,
    FlinkComposer,
    FlinkWords,
    watermark_of,
)
from voltstream.sql.targets.flink_times import text_us
from voltstream.sql.targets.render import BoundQuery, Dialect, Rendered, never_null, plain, shown_as
from voltstream.sql.targets.timescaledb import VERDICTS as PG_VERDICTS
from voltstream.sql.targets.timescaledb import TimescaleComposer, TimescaleWords
from voltstream.sql.targets.words import FOREVER

DIALECT = Dialect("flink", VERDICTS, FlinkWords, FlinkComposer)
CLOSING = Dialect("flink", VERDICTS, FlinkWords, ClosingComposer)
_READERS = Dialect("timescaledb", PG_VERDICTS, TimescaleWords, TimescaleComposer)
RECORDS = "__records"  # Behind the name of a table whose topic has intervals as texts.
READ_BACK = "__read_back"  # Behind the name of a view that another reads from its topic.
DEDUPLICATE = "\nON CONFLICT DO DEDUPLICATE"  # No cost where Flink sees the key by itself.
TICKS_TOPIC = "ticks"  # Behind the prefix of topics that are made.
# No mini-batches: in Flink 2.3 a join of them that is cancelled before it is open ends its
# TaskManager, so that losing one machine loses others.
_SETTINGS = {"table.local-time-zone": "UTC"}
_METADATA = {"timestamp": "TIMESTAMP_LTZ(3)", "partition": "INT", "offset": "BIGINT"}
_JSON = {
    "format": "json",
    "json.timestamp-format.standard": "ISO-8601",
    "json.ignore-parse-errors": "true",
}
# Who feeds a topic of ours does so in transactions: what is sent again counts once.
_WHOLE = {"properties.isolation.level": "read_committed"}
_SKIPPING = {"value.json.ignore-parse-errors": "true"}
_UPSERTED = "upsert-kafka"
_UPSERT = {
    "key.format": "json",
    "key.json.timestamp-format.standard": "ISO-8601",
    "value.format": "json",
    "value.json.timestamp-format.standard": "ISO-8601",
    "value.json.encode.decimal-as-plain-number": "true",
}

# Where the key is a hash Flink does not see that a row replaces one: it takes that away and
# brings this. Kept together so long both are one record, unless a flush falls between the two.
_AT_ONCE = {"sink.buffer-flush.max-rows": "1000", "sink.buffer-flush.interval": "200 ms"}


def flink_script(objects: Sequence[Deployed], oracle: TypeOracle, options: Options) -> Script:
    """Return what Flink is told."""
    draft = _Flink(Target.FLINK, DIALECT, oracle, options)
    draft.known_brokers(objects)
    draft.each(objects)
    if options.state_ttl is not None:
        draft.notes.append(noted("the job", Remark(Feature.JOB_TTL, VERDICTS[Feature.JOB_TTL])))
    told = {**_SETTINGS, **job_settings(options)}
    settings = tuple(f"SET {literal(name)} = {literal(value)}" for name, value in told.items())
    return replace(draft.script(objects, settings), brokers=draft.brokers, access=draft.access)


def job_settings(options: Options) -> dict[str, str]:
    """Return what the whole job is told, under Flink's names. Raises: InvalidParameter (22023)."""
    told = {}
    if options.state_ttl is not None:
        # The parser is that of a view's own; it wants a name for its error.
        ttl_us = state_ttl_us({"state_ttl": options.state_ttl})
        told["table.exec.state.ttl"] = f"{max((ttl_us or 0) // 1000, 1)} ms"
    if options.checkpoints is not None:
        told["execution.checkpointing.dir"] = options.checkpoints
        told["execution.checkpointing.savepoint-dir"] = options.checkpoints
    return told


@dataclass
class _Flink(Draft):
    brokers: str | None = None
    access: Mapping[str, str] = field(default_factory=dict)  # Of the topics that are made.
    plain: dict[int, frozenset[str]] = field(default_factory=dict)  # Of views, by oid: see there.
    readable: dict[int, tuple[str, str]] = field(default_factory=dict)  # Views over topics, by oid.
    by_topic: frozenset[int] = frozenset()  # What the view that is written reads from its topic.
    endless: set[int] = field(default_factory=set)  # Views with infinite instants, by oid.

    def known_brokers(self, objects: Sequence[Deployed]) -> None:
        """Take the brokers that sources name, and the way to them, for topics that are made."""
        named = [made for made in objects if bootstrap(made.properties)]
        if named:
            access = access_of(named[0].properties)
            plain = in_plain(access)
            self.brokers = bootstrap(named[0].properties)
            self.access = {name: text for name, text in access.items() if name not in plain}
        self.brokers = self.options.kafka or self.brokers

    def own(self, made: Deployed, suffix: str = "") -> str:
        return ticked(flat(made.entry.stored.schema, made.bare) + suffix)

    def place(self, relation: Relation) -> tuple[str, ...]:
        behind = READ_BACK if relation.oid in self.by_topic else ""
        return (flat(relation.schema, relation.name) + behind,)

    # --- topics in ------------------------------------------------------------------------------

    def source(self, made: Deployed, parsed: CreateSource) -> None:
        if "connector" not in parsed.properties:
            self.meet(made, Feature.BARE_SOURCE)
            self._topic_table(made, parsed, self._own_topic(made))
            return
        self._topic_table(made, parsed, self._declared(made, parsed))

    def _declared(self, made: Deployed, parsed: CreateSource | CreateTable) -> dict[str, str]:
        properties = made.properties
        connector = properties["connector"].lower()
        if connector != "kafka" or parsed.encode != "JSON":
            self.meet(made, Feature.OTHER_SOURCE, connector)
        if parsed.format not in ("PLAIN", "UPSERT"):
            self.meet(made, Feature.OTHER_SOURCE, f"FORMAT {parsed.format}")
        self.meet(made, Feature.KAFKA_SOURCE)
        options = {**self._named(made, "kafka"), **_start(properties), **_JSON}
        if self.options.cut is not None:
            self.meet(made, Feature.CUT)
            places = offsets_of(self.options.cut, made.name, properties["topic"]).items()
            options["scan.startup.mode"] = "specific-offsets"
            options["scan.startup.specific-offsets"] = ";".join(
                f"partition:{partition},offset:{offset}" for partition, offset in places
            )
        return options

    def _own_topic(self, made: Deployed) -> dict[str, str]:
        return {**self._ours(made, "kafka", self._topic(made)), **_WHOLE, **_start({}), **_JSON}

    def _brokers(self, made: Deployed) -> str:
        if self.brokers is None:
            self.meet(made, Feature.NO_BROKERS)
        return self.brokers or ""

    def _ours(self, made: Deployed, connector: str, topic: str) -> dict[str, str]:
        """Return the options of a topic that is made."""
        brokers, access = self._brokers(made), self._reaching(made, self.access)
        return {
            "connector": connector, "topic": topic, "properties.bootstrap.servers": brokers,
            **access,
        }  # fmt: skip

    def _named(self, made: Deployed, connector: str) -> dict[str, str]:
        """Return the options of a topic that a definition names."""
        own = None if self.options.kafka is not None else bootstrap(made.properties)
        brokers, access = own or self._brokers(made), access_of(made.properties)
        left = for_java(access).left
        if left:
            self.meet(made, Feature.KAFKA_TUNING, ", ".join(left))
        return {
            "connector": connector, "topic": made.properties["topic"],
            "properties.bootstrap.servers": brokers, **self._reaching(made, access),
        }  # fmt: skip

    def _reaching(self, made: Deployed, access: Mapping[str, str]) -> dict[str, str]:
        """Return the settings by which brokers are reached, as Java's client has them."""
        found = for_java(access)
        if found.refused:
            self.meet(made, Feature.KAFKA_ACCESS, ", ".join(found.refused))
        if found.plain:
            self.meet(made, Feature.PLAIN_SECRET, ", ".join(found.plain))
        return dict(found.settings)

    def _topic(self, made: Deployed) -> str:
        return topic_of(self.options.topics, made.entry.stored.schema, made.bare)

    def _topic_table(
        self, made: Deployed, parsed: CreateSource | CreateTable, options: Mapping[str, str]
    ) -> None:
        lines = self._columns(made, parsed)
        name = self._stored_as(made)
        watermark = made.entry.stored.properties.get("watermark")
        if watermark is not None:
            self.meet(made, Feature.WATERMARK)
            column, delay = watermark_of(watermark, self.words())
            rowtime = ticked(column + ROWTIME)
            lines.append(f"{rowtime} AS CAST({ticked(column)} AS TIMESTAMP_LTZ(3))")
            lines.append(f"WATERMARK FOR {rowtime} AS {rowtime}{delay}")
        self.add(
            made, name, "table", f"CREATE TABLE {name} {bracketed(lines)}{with_options(options)}",
            f"DROP TABLE IF EXISTS {name}",
        )  # fmt: skip
        self._intervals_read(made)

    def _stored_as(self, made: Deployed) -> str:
        """Return the name of a table as its topic has it: intervals are texts there."""
        return self.own(made, RECORDS if has_intervals(made) else "")

    def _intervals_read(self, made: Deployed) -> None:
        """Add the view of a table in which intervals are numbers."""
        if not has_intervals(made):
            return
        self.meet(made, Feature.INTERVAL)
        shown = []
        for column in made.relation.columns:
            name = ticked(column.name)
            text = text_us(name) if column.type.kind is Kind.INTERVAL else name
            shown.append(f"  {text} AS {name}" if text != name else f"  {name}")
        view, listed = self.own(made), ",\n".join(shown)
        self.add(
            made, view, "view",
            f"CREATE VIEW {view} AS\nSELECT\n{listed}\nFROM {self.own(made, RECORDS)}",
            f"DROP VIEW IF EXISTS {view}",
        )  # fmt: skip

    def _columns(self, made: Deployed, parsed: CreateSource | CreateTable) -> list[str]:
        specs = specs_of(parsed)
        lines = []
        for column in made.relation.columns:
            spec = specs.get(column.name)
            told = kept_type(column)
            if told.kind is Kind.TIME:
                self.meet(made, Feature.CLOCK_TIME)
            kind_word = "STRING" if told.kind is Kind.INTERVAL else self.type(told)
            line = f"{ticked(column.name)} {kind_word}"
            if spec is not None and spec.included is not None:
                kind = _METADATA.get(spec.included)
                if kind is None:
                    self.meet(made, Feature.OTHER_SOURCE, f"INCLUDE {spec.included}")
                self.meet(made, Feature.INCLUDE)
                line = f"{ticked(column.name)} {kind} METADATA FROM '{spec.included}' VIRTUAL"
            elif spec is not None and (spec.default_text or spec.identity or spec.generated_text):
                self.meet(made, Feature.GENERATED, column.name)
            lines.append(line)
        return lines

    def table(self, made: Deployed, parsed: CreateTable) -> None:
        self.meet(made, Feature.TABLE)
        if made.hypertable is not None:
            self.meet(made, Feature.HYPERTABLE)
        connected = "connector" in parsed.properties
        if not parsed.primary_key:
            if not parsed.append_only and made.hypertable is None and not connected:
                self.meet(made, Feature.KEYLESS)
            options = self._declared(made, parsed) if connected else self._own_topic(made)
            self._topic_table(made, parsed, options)
            return
        connection = self._ours(made, _UPSERTED, self._topic(made))
        if connected:
            self._declared(made, parsed)
            if parsed.format != "UPSERT":
                self.meet(made, Feature.KEYED_SOURCE, f"FORMAT {parsed.format}")
            if parsed.on_conflict != "OVERWRITE" or parsed.version_columns:
                self.meet(made, Feature.KEYED_SOURCE, "ON CONFLICT")
            connection = self._named(made, _UPSERTED) | _SKIPPING
        columns = self._columns(made, parsed)
        self._upsert_table(made, self._stored_as(made), columns, connection, parsed.primary_key)
        self._intervals_read(made)

    # --- views ----------------------------------------------------------------------------------

    def view(self, made: Deployed, parsed: CreateView) -> None:
        self.meet(made, Feature.PLAIN_VIEW)
        if self.reading(made).follows_clock:
            self._clock(made)
        self._unfolded(made)
        self._as_view(made, self.rendered(made))

    def materialized(self, made: Deployed, parsed: CreateView) -> None:
        self.meet(made, Feature.MATERIALIZED)
        if "state_ttl" in parsed.properties:
            self.meet(made, Feature.STATE_TTL)
        query = self.reading(made)
        self._unfolded(made)
        if query.follows_clock:
            self._clock(made)
        if parsed.on_close:
            self.meet(made, Feature.ON_CLOSE)
            self.dialect = CLOSING
        try:
            found = self.rendered(made)
        finally:
            self.dialect = DIALECT
        self._as_view(made, found)
        self._published(made, found)

    def _unfolded(self, made: Deployed) -> None:
        """Let a view that Flink would plan from too many others read topics of some.

        What has the most views behind it is read from its topic first.
        """
        reads, count = scanned(self.reading(made).plan), self.unfold(made)
        cut: list[int] = []
        for oid in sorted(set(reads), key=lambda oid: self.unfolded.get(oid, 0), reverse=True):
            if count > FLINK_VIEWS_MAX and oid in self.readable:
                count -= reads.count(oid) * (self.unfolded[oid] - 1)
                cut.append(oid)
        self.unfolded[made.entry.oid], self.by_topic = count, frozenset(cut)
        for oid in cut:
            name, text = self.readable[oid]
            self.meet(made, Feature.UNFOLDED, name)
            if not any(one.name == name for one in self.statements):
                self.add(made, name, "view", text, f"DROP VIEW IF EXISTS {name}")

    def _as_view(self, made: Deployed, found: Rendered) -> None:
        name = self.own(made)
        self.add(
            made, name, "view", f"CREATE VIEW {name} AS\n{found.query}",
            f"DROP VIEW IF EXISTS {name}",
        )  # fmt: skip

    def _clock(self, made: Deployed) -> None:
        """Add the topic of ticks and the view of the latest one, once."""
        if any(one.name == TICKS for one in self.statements):
            return
        options = {
            **self._ours(made, "kafka", self.options.topics + TICKS_TOPIC),
            "scan.startup.mode": "earliest-offset",
            **_JSON,
        }
        self.add(
            made, TICKS, "table",
            f"CREATE TABLE {TICKS} (\n  tick TIMESTAMP_LTZ(6)\n){with_options(options)}",
            f"DROP TABLE IF EXISTS {TICKS}",
        )  # fmt: skip
        self.add(
            made, CLOCK, "view", f"CREATE VIEW {CLOCK} AS\nSELECT MAX(tick) AS now_at FROM {TICKS}",
            f"DROP VIEW IF EXISTS {CLOCK}",
        )  # fmt: skip

    def _published(self, made: Deployed, found: Rendered) -> None:
        """Add the topic of a view's rows and the flow that fills it."""
        key = self.key(made)
        columns = [f"{ticked(c.name)} {self.type(kept_type(c))}" for c in found.columns]
        topic, name = self._topic(made), self.own(made, "__topic")
        fields = [Field(c.name, pg_type(c)) for c in found.columns]
        query = self.reading(made)
        known = self.plain[made.entry.oid] = plain(query, self.plain)
        maybe = [one for one in key if one not in never_null(query)]
        absent = [one for one in maybe if one not in known or self.options.null_keys]
        if absent:
            self.meet(made, Feature.ABSENT_KEYS, ", ".join(absent))
            rows = self._hashed(self.own(made), found.columns, key)
        elif key:
            rows = self._typed(found) + f"\nFROM {self.own(made)}"
            if maybe:
                self.meet(made, Feature.NULL_KEYS, ", ".join(maybe))
                rows += "\nWHERE " + " AND ".join(f"{ticked(one)} IS NOT NULL" for one in maybe)
        else:
            rows = self._counted(self.own(made), found.columns)
        copies = None if key else COPIES
        if absent or not key:
            key = (KEY,)
            columns = [f"`{KEY}` STRING", *columns]
            fields = [Field(KEY, "text"), *fields]
        if copies:
            columns.append(f"`{COPIES}` BIGINT")
            fields.append(Field(COPIES, "bigint"))
        told = self._ours(made, _UPSERTED, topic) | (_AT_ONCE if absent else {})
        self._upsert_table(made, name, columns, told, key)
        self._flow(made, name, rows + DEDUPLICATE, key)
        shown = self._shown(made, found)
        output = Output(made.name, made.bare, topic, tuple(fields), tuple(key), copies, shown)
        self.outputs.append(output)
        if not maybe or absent:  # Without its rows under NULL it is not what others would read.
            self.readable[made.entry.oid] = self._read_back(made, found, copies)
        if self.options.jdbc is not None:
            self._into_jdbc(made, output, columns, rows)

    def _read_back(self, made: Deployed, found: Rendered, copies: str | None) -> tuple[str, str]:
        """Return the view of a topic's rows, each as often as it is there, and its statement."""
        name, source = self.own(made, READ_BACK), self.own(made, "__topic")
        if copies is not None:
            marks = f"CONCAT(REPEAT('x,', CAST(`{copies}` AS INT) - 1), 'x')"
            source += f"\nCROSS JOIN UNNEST(SPLIT({marks}, ',')) AS each_copy (mark)"
        listed = ",\n".join(f"  {ticked(c.name)}" for c in found.columns)
        return name, f"CREATE VIEW {name} AS\nSELECT\n{listed}\nFROM {source}"

    def _shown(self, made: Deployed, found: Rendered) -> tuple[tuple[str, str | None], ...]:
        """Return the public columns over the fields: NOW(), intervals, infinite instants."""
        query = self.reading(made)
        told: dict[str, str] = {}
        for column in found.columns:
            name, kind = quoted(column.name), column.type.kind
            if kind is Kind.INTERVAL:
                seconds = f"CAST({name} AS DOUBLE PRECISION) / 1000000"
                told[column.name] = f"{seconds} * INTERVAL '1 second'"
            elif kind in (Kind.JSON, Kind.JSONB):
                told[column.name] = f"CAST({name} AS {kind.pg_name.upper()})"
            elif kind is Kind.TIMESTAMPTZ and self._endless(made, query):
                endless = f"{name} = TIMESTAMPTZ '{FOREVER}+00'"
                told[column.name] = (
                    f"CASE WHEN {endless} THEN TIMESTAMPTZ 'infinity' ELSE {name} END"
                )
        volatile = dict(shown_as(query, _READERS, self.oracle)) if query.volatile else {}
        if not told and not volatile:
            return ()
        public = query.public
        return tuple(
            (name, told.get(name) or volatile.get(name) or quoted(name)) for name in public
        )

    def _endless(self, made: Deployed, query: BoundQuery) -> bool:
        """Tell whether instants of a view may be infinite: it says so, or what it reads."""
        if made.entry.oid in self.endless:
            return True
        above = any(relation.oid in self.endless for relation in query.relations)
        if above or "infinity" in batch_sql(Project(query.plan, query.kept)):
            self.endless.add(made.entry.oid)
            return True
        return False

    def _typed(self, found: Rendered) -> str:
        return "SELECT\n" + ",\n".join(
            f"  CAST({ticked(c.name)} AS {self.type(kept_type(c))})" for c in found.columns
        )

    def _counted(self, source: str, columns: Sequence[Column]) -> str:
        """Return each different row once, under a key made of it, with how often it is there."""
        inner = self._hashed(source, columns, [column.name for column in columns])
        words = self.words()
        # What is counted together is alike; but arrays and records have no greatest.
        alike = [
            f"{'FIRST_VALUE' if '<' in words.type(kept_type(c)) else 'MAX'}({ticked(c.name)})"
            for c in columns
        ]
        shown = [f"`{KEY}`", *alike, "COUNT(*)"]
        return (
            "SELECT\n" + ",\n".join(f"  {one}" for one in shown) + "\nFROM (\n"
            + "\n".join(f"  {line}" for line in inner.splitlines())
            + f"\n) AS counted\nGROUP BY `{KEY}`"
        )  # fmt: skip

    def _hashed(self, source: str, columns: Sequence[Column], key: Sequence[str]) -> str:
        """Return rows under a key made of some columns, of which none is missing."""
        words = self.words()
        told = {c.name: words.type(kept_type(c)) for c in columns}
        texts = ", ".join(hash_part(ticked(one), told[one], len(key)) for one in key)
        shown = [f"MD5(CONCAT_WS('|', {texts})) AS `{KEY}`"]
        shown += [f"CAST({ticked(c.name)} AS {told[c.name]}) AS {ticked(c.name)}" for c in columns]
        return "SELECT\n" + ",\n".join(f"  {one}" for one in shown) + f"\nFROM {source}"

    def _upsert_table(
        self, made: Deployed, name: str, columns: Sequence[str], told: Mapping[str, str],
        key: Sequence[str],
    ) -> None:  # fmt: skip
        lines = [*columns, f"PRIMARY KEY ({', '.join(map(ticked, key))}) NOT ENFORCED"]
        options = {**told, **_UPSERT}
        self.add(
            made, name, "table", f"CREATE TABLE {name} {bracketed(lines)}{with_options(options)}",
            f"DROP TABLE IF EXISTS {name}", key=key,
        )  # fmt: skip

    def _flow(self, made: Deployed, name: str, rows: str, key: Sequence[str]) -> None:
        self.add(made, name, "insert", f"INSERT INTO {name}\n{rows}", key=key, part=Part.FLOW)

    def _into_jdbc(self, made: Deployed, output: Output, columns: Sequence[str], rows: str) -> None:
        """Write the same rows into a table of PostgreSQL."""
        for column in arrays_of(output.fields):
            self.meet(made, Feature.JDBC_ARRAY, column)
        self.meet(made, Feature.JDBC)
        name, url = self.own(made, "__jdbc"), self.options.jdbc or ""
        key = f"PRIMARY KEY ({', '.join(map(ticked, output.key))}) NOT ENFORCED"
        lines = [*local_types(columns), key]
        options = jdbc_options(url, made.entry.stored.schema, made.bare)
        self.add(
            made, name, "table", f"CREATE TABLE {name} {bracketed(lines)}{with_options(options)}",
            f"DROP TABLE IF EXISTS {name}", key=output.key,
        )  # fmt: skip
        self._flow(made, name, local_rows(rows) + DEDUPLICATE, output.key)

    # --- sinks ----------------------------------------------------------------------------------

    def sink(self, made: Deployed, parsed: CreateSink) -> None:
        properties = made.properties
        known = parsed.encode == "JSON" and parsed.format in ("PLAIN", "UPSERT")
        if properties.get("connector", "").lower() != "kafka" or not known or parsed.into:
            self.meet(made, Feature.OTHER_SINK, properties.get("connector", "INTO"))
        self.meet(made, Feature.KAFKA_SINK)
        query = self.reading(made)
        self._unfolded(made)
        if query.follows_clock:
            self._clock(made)
        if made.shows_now:
            self.meet(made, Feature.SENT_NOW)
        found = self.rendered(made)
        columns = [f"{ticked(c.name)} {self.type(kept_type(c))}" for c in found.columns]
        name = self.own(made)
        if query.append_only and parsed.format == "PLAIN":
            options = {
                **self._named(made, "kafka"),
                "format": "json",
                "json.timestamp-format.standard": "ISO-8601",
                "json.encode.decimal-as-plain-number": "true",
            }
            shape = bracketed(columns) + with_options(options)
            self.add(
                made, name, "table", f"CREATE TABLE {name} {shape}", f"DROP TABLE IF EXISTS {name}"
            )
            inner = "\n".join(f"  {line}" for line in found.query.splitlines())
            self._flow(made, name, f"{self._typed(found)}\nFROM (\n{inner}\n) AS sent", ())
            return
        if parsed.format == "PLAIN":
            self.meet(made, Feature.PLAIN_SINK)
        rows_of = self.own(made, "__rows")
        self.add(
            made, rows_of, "view", f"CREATE VIEW {rows_of} AS\n{found.query}",
            f"DROP VIEW IF EXISTS {rows_of}",
        )  # fmt: skip
        listed = [one.strip() for one in properties.get("primary_key", "").split(",")]
        key = tuple(one for one in listed if one) if parsed.format == "UPSERT" else ()
        if key:
            rows = self._typed(found) + f"\nFROM {rows_of}"
            rows += DEDUPLICATE
        else:
            key = (KEY,)
            columns = [f"`{KEY}` STRING", *columns, f"`{COPIES}` BIGINT"]
            rows = self._counted(rows_of, found.columns)
        told = self._named(made, _UPSERTED) | {"value.fields-include": "ALL"}
        self._upsert_table(made, name, columns, told, key)
        self._flow(made, name, rows, key)

    def other(self, made: Deployed) -> None:
        self.meet(made, Feature.INDEX if made.kind == "index" else Feature.SUBSCRIPTION)


def _start(properties: Mapping[str, str]) -> dict[str, str]:
    """Return where the reading of a topic begins: where it does here."""
    start = properties.get("scan.startup.mode", "earliest").strip().lower()
    if start != "timestamp":
        return {"scan.startup.mode": f"{start}-offset"}
    since_ms = properties.get("scan.startup.timestamp.millis", "")
    return {"scan.startup.mode": start, "scan.startup.timestamp-millis": since_ms.strip()}
