"""Definitions as RisingWave's DDL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voltstream.deploy.cut import Offsets, offsets_of
from voltstream.deploy.drafting import ROWS, Options, bracketed, literal, quoted, specs_of, spelled
from voltstream.deploy.kafka_access import access_of, in_plain, placed
from voltstream.deploy.objects import Deployed
from voltstream.deploy.postgres_like import PostgresDraft
from voltstream.deploy.script import Script, Target
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.natives.intervals import Span
from voltstream.sql.statements import CreateSink, CreateSource, CreateTable, CreateView
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.render import Dialect
from voltstream.sql.targets.risingwave import VERDICTS, RisingWaveWords
from voltstream.sql.targets.risingwave_compose import RisingWaveComposer
from voltstream.sql.targets.words import delay_of, span_text

DIALECT = Dialect("risingwave", VERDICTS, RisingWaveWords, RisingWaveComposer)
_KAFKA = ("topic", "properties.", "scan.", "group.id.prefix")  # What it reads as we do.
_DAY_US = 86_400_000_000
TOPIC, PART, AT = "__topic", "_cut_partition", "_cut_offset"
_SINK = ("topic", "properties.", "primary_key")


def risingwave_script(objects: Sequence[Deployed], oracle: TypeOracle, options: Options) -> Script:
    """Return what RisingWave is told."""
    draft = _RisingWave(Target.RISINGWAVE, DIALECT, oracle, options)
    draft.each(objects)
    return draft.script(objects, ("SET TimeZone = 'UTC'",))


class _RisingWave(PostgresDraft):
    keeps_included = False
    unique_indexes = False  # It has none.

    def filled(self, made: Deployed, parsed: CreateSource | CreateTable, name: str) -> str:
        super().filled(made, parsed, name)
        return ""

    not_null = ""  # NOT NULL is parsed there and promises nothing for sources.

    def source(self, made: Deployed, parsed: CreateSource) -> None:
        if "connector" not in parsed.properties:
            self.meet(made, Feature.BARE_SOURCE)
            name = self.own(made)
            text = f"CREATE TABLE {name} {bracketed(self.columns(made, parsed))} APPEND ONLY"
            self.add(made, made.name, "table", text, f"DROP TABLE IF EXISTS {name}")
            return
        self._connected(made, parsed, "SOURCE")

    def table(self, made: Deployed, parsed: CreateTable) -> None:
        self.meet(made, Feature.TABLE)
        if made.hypertable is not None:
            self.meet(made, Feature.HYPERTABLE)
        if "connector" in parsed.properties:
            self._connected(made, parsed, "TABLE")
            return
        name = self.own(made)
        lines = self.columns(made, parsed)
        if parsed.primary_key:
            lines.append(f"PRIMARY KEY ({', '.join(map(quoted, parsed.primary_key))})")
        text = f"CREATE TABLE {name} {bracketed(lines)}" + _behaviour(parsed)
        self.add(
            made, made.name, "table", text, f"DROP TABLE IF EXISTS {name}", key=parsed.primary_key
        )

    def _connected(self, made: Deployed, parsed: CreateSource | CreateTable, word: str) -> None:
        properties = made.properties
        plain = (parsed.format, parsed.encode) == ("PLAIN", "JSON")
        if properties["connector"].lower() != "kafka" or not plain:
            self.meet(made, Feature.OTHER_SOURCE, properties["connector"])
        self.meet(made, Feature.KAFKA_SOURCE)
        cut = self._cut(made, parsed)
        name = self.own(made, TOPIC if cut else "")
        lines = self.columns(made, parsed)
        key = parsed.primary_key if isinstance(parsed, CreateTable) else ()
        if key:
            lines.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
        watermark = made.entry.stored.properties.get("watermark")
        if watermark is not None:
            self.meet(made, Feature.WATERMARK)
            lines.append(f"WATERMARK FOR {_in_hours(watermark)}")
        included = [
            f"\nINCLUDE {spec.included.replace(':', ' ')} AS {quoted(spec.name)}"
            for spec in specs_of(parsed).values()
            if spec.included is not None
        ]
        if included:
            self.meet(made, Feature.INCLUDE)
        if cut:
            properties = {**properties, "scan.startup.mode": "earliest"}
            included += [f"\nINCLUDE partition AS {PART}", f"\nINCLUDE offset AS {AT}"]
        text = f"CREATE {word} {name} {bracketed(lines)}" + "".join(included)
        text += _with({"connector": "kafka", **self._brokered(made, properties, _KAFKA)})
        text += "\nFORMAT PLAIN ENCODE JSON"
        shown = made.name + (TOPIC if cut else "")
        self.add(made, shown, word.lower(), text, f"DROP {word} IF EXISTS {name}", key=key)
        if cut:
            self._behind(made, cut)

    def _cut(self, made: Deployed, parsed: CreateSource | CreateTable) -> Offsets:
        """Return where a source goes on; nothing when it begins as its definition says."""
        if self.options.cut is None:
            return {}
        self.meet(made, Feature.CUT if isinstance(parsed, CreateSource) else Feature.CUT_TABLE)
        return offsets_of(self.options.cut, made.name, parsed.properties["topic"])

    def _behind(self, made: Deployed, cut: Offsets) -> None:
        """Add the view of what nobody has read: sources there do not begin at offsets."""
        columns = ",\n".join(f"  {quoted(column.name)}" for column in made.relation.columns)
        known = "\n".join(
            f"  WHEN '{partition}' THEN {AT}::BIGINT >= {offset}"
            for partition, offset in cut.items()
        )
        name = self.own(made)
        self.add(
            made, made.name, "view",
            f"CREATE VIEW {name} AS\nSELECT\n{columns}\nFROM {self.own(made, TOPIC)}\n"
            f"WHERE CASE {PART}\n{known}\n  ELSE TRUE\nEND",
            f"DROP VIEW IF EXISTS {name}",
        )  # fmt: skip

    def _brokered(
        self, made: Deployed, properties: Mapping[str, str], known: tuple[str, ...]
    ) -> dict[str, str]:
        plain = in_plain(access_of(properties))
        if plain:
            self.meet(made, Feature.PLAIN_SECRET, ", ".join(plain))
        kept = {name: placed(text) for name, text in properties.items() if name.startswith(known)}
        if self.options.kafka is not None:
            kept["properties.bootstrap.server"] = self.options.kafka
        return kept

    def materialized(self, made: Deployed, parsed: CreateView) -> None:
        self.meet(made, Feature.MATERIALIZED)
        if parsed.continuous:
            self.meet(made, Feature.CONTINUOUS)
        if "state_ttl" in parsed.properties:
            self.meet(made, Feature.STATE_TTL)
        found = self.rendered(made)
        query = self.reading(made)
        name = self.own(made, ROWS if query.volatile else "")
        closing = ""
        if parsed.on_close:
            self.meet(made, Feature.ON_CLOSE)
            closing = "\nEMIT ON WINDOW CLOSE"
        self.add(
            made, made.name + (ROWS if query.volatile else ""), "materialized view",
            f"CREATE MATERIALIZED VIEW {name} AS\n{found.query}{closing}",
            f"DROP MATERIALIZED VIEW IF EXISTS {name}", key=self.key(made),
        )  # fmt: skip
        if query.volatile:
            self.over_rows(made, found)

    def sink(self, made: Deployed, parsed: CreateSink) -> None:
        properties = made.properties
        json = parsed.encode == "JSON" and parsed.format in ("PLAIN", "UPSERT", "DEBEZIUM")
        if properties.get("connector", "").lower() != "kafka" or not json or parsed.into:
            self.meet(made, Feature.OTHER_SINK, properties.get("connector", "INTO"))
        self.meet(made, Feature.KAFKA_SINK)
        found = self.rendered(made)
        if made.shows_now:
            self.meet(made, Feature.SENT_NOW)
        name = self.own(made)
        form = f"\nFORMAT {parsed.format} ENCODE JSON"
        if parsed.format == "PLAIN" and not self.reading(made).append_only:
            self.meet(made, Feature.PLAIN_SINK)
            form += " (force_append_only = 'true')"
        text = f"CREATE SINK {name} AS\n{found.query}"
        text += _with({"connector": "kafka", **self._brokered(made, properties, _SINK)}) + form
        self.add(made, made.name, "sink", text, f"DROP SINK IF EXISTS {name}")


def _in_hours(watermark: str) -> str:
    """Spell days in a watermark as hours: it takes none from an instant with a zone."""
    column, delay = delay_of(watermark)
    if delay is None or not delay.days or delay.months:
        return watermark
    span = Span(0, 0, delay.days * _DAY_US + delay.us)
    return f"{quoted(column)} AS {quoted(column)} - INTERVAL '{span_text(span)}'"


def _behaviour(parsed: CreateTable) -> str:
    if parsed.append_only:
        return " APPEND ONLY"
    words = {"IGNORE": "IGNORE", "IF NOT NULL": "DO UPDATE IF NOT NULL"}
    return f" ON CONFLICT {words[parsed.on_conflict]}" if parsed.on_conflict in words else ""


def _with(properties: Mapping[str, str]) -> str:
    lines = [
        f"{name if name.replace('.', '').replace('_', '').isalnum() else spelled((name,))} = "
        f"{literal(text)}"
        for name, text in properties.items()
    ]
    return f"\nWITH {bracketed(lines)}"
