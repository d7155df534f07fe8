"""Definitions as TimescaleDB's DDL."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.core.limits import POSTGRES_VIEWS_MAX
from voltstream.core.types import Kind
from voltstream.deploy.drafting import (
    ROWS,
    Options,
    bracketed,
    column_type,
    literal,
    quoted,
    specs_of,
)
from voltstream.deploy.objects import Deployed
from voltstream.deploy.postgres_like import PostgresDraft
from voltstream.deploy.script import Script, Target
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.natives.intervals import Span
from voltstream.sql.statements import CreateSink, CreateSource, CreateTable, CreateView
from voltstream.sql.targets.continuous import bucket_width
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.postgres import PostgresWords
from voltstream.sql.targets.render import Dialect, Rendered
from voltstream.sql.targets.timescaledb import (
    VERDICTS,
    PlainComposer,
    TimescaleComposer,
    TimescaleWords,
)
from voltstream.sql.targets.words import span_text

DIALECT = Dialect("timescaledb", VERDICTS, TimescaleWords, TimescaleComposer)
PLAIN = Dialect("timescaledb", VERDICTS, PostgresWords, PlainComposer)
REFRESH = "voltstream_refresh"
# A view computes days, and instants as text, in the zone of who reads it: so of every session.
_IN_UTC = (
    "DO $$ BEGIN\n"
    "  IF (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone') NOT LIKE '%UTC' THEN\n"
    "    EXECUTE format('ALTER DATABASE %I SET TimeZone TO ''UTC''', current_database());\n"
    "  END IF;\nEND $$",
    "SET TimeZone = 'UTC'",
)
_MOMENTS = (Kind.TIMESTAMPTZ, Kind.TIMESTAMP)


def timescaledb_script(objects: Sequence[Deployed], oracle: TypeOracle, options: Options) -> Script:
    """Return what TimescaleDB is told."""
    dialect = PLAIN if options.plain else DIALECT
    draft = _Timescale(Target.TIMESCALEDB, dialect, oracle, options)
    draft.each(objects)
    draft.refreshing()
    extension = () if options.plain else ("CREATE EXTENSION IF NOT EXISTS timescaledb",)
    return draft.script(objects, (*extension, *_IN_UTC))


class _Timescale(PostgresDraft):
    def __init__(
        self, target: Target, dialect: Dialect, oracle: TypeOracle, options: Options
    ) -> None:
        super().__init__(target, dialect, oracle, options)
        self.kept: list[tuple[Deployed, str]] = []  # Materialized views, and their names there.
        self.parted: dict[int, str] = {}  # oid of what is a hypertable there -> its time column

    def source(self, made: Deployed, parsed: CreateSource) -> None:
        connector = parsed.properties.get("connector")
        if connector is None:
            self.meet(made, Feature.BARE_SOURCE)
        elif connector.lower() == "kafka":
            self.meet(made, Feature.KAFKA_SOURCE)
            if self.options.cut is not None:
                self.meet(made, Feature.CUT)
        else:
            self.meet(made, Feature.OTHER_SOURCE, connector)
        time = self._time_column(made)
        name = self.own(made)
        lines = self.columns(made, parsed, required=(time,) if time else ())
        self.add(
            made, made.name, "table", f"CREATE TABLE {name} {bracketed(lines)}",
            f"DROP TABLE IF EXISTS {name}",
        )  # fmt: skip
        if time is not None and not self.options.plain:
            self.parted[made.entry.oid] = time
            self._part(made, name, f"by_range({literal(time)})")

    def filled(self, made: Deployed, parsed: CreateSource | CreateTable, name: str) -> str:
        """Return how a column is filled: of a source Voltstream sends every value."""
        if isinstance(parsed, CreateSource):
            return ""
        text = specs_of(parsed)[name].generated_text
        if text is not None and text.strip().lower() == "proctime()":
            return " DEFAULT CURRENT_TIMESTAMP"
        return super().filled(made, parsed, name)

    def _time_column(self, made: Deployed) -> str | None:
        """Return the column of the watermark, or else the only one that is a time."""
        watermark = made.entry.stored.properties.get("watermark")
        if watermark is not None:
            return watermark.split()[0].strip('"')
        times = [c.name for c in made.relation.columns if column_type(c).kind in _MOMENTS]
        return times[0] if len(times) == 1 else None

    def _part(self, made: Deployed, name: str, dimension: str) -> None:
        self.add(
            made, made.name, "hypertable",
            f"SELECT create_hypertable({literal(name)}, {dimension})",
        )  # fmt: skip

    def table(self, made: Deployed, parsed: CreateTable) -> None:
        self.meet(made, Feature.TABLE)
        parted = made.hypertable
        name = self.own(made)
        lines = self.columns(made, parsed, required=(parted.column,) if parted else ())
        if parsed.primary_key:
            lines.append(f"PRIMARY KEY ({', '.join(map(quoted, parsed.primary_key))})")
        lines += [f"UNIQUE ({', '.join(map(quoted, names))})" for names in parsed.unique]
        lines += [
            (f"CONSTRAINT {quoted(check.name)} " if check.name else "") + f"CHECK ({check.text})"
            for check in parsed.checks
        ]
        self.add(
            made, made.name, "table", f"CREATE TABLE {name} {bracketed(lines)}",
            f"DROP TABLE IF EXISTS {name}", key=parsed.primary_key,
        )  # fmt: skip
        if parted is None:
            return
        if self.options.plain:
            self.meet(made, Feature.PLAIN_TABLE)
            return
        self.meet(made, Feature.HYPERTABLE)
        self.parted[made.entry.oid] = parted.column
        step = str(parted.step) if parted.by_integers else f"INTERVAL {_span(parted.step)}"
        self._part(made, name, f"by_range({literal(parted.column)}, {step})")
        if parted.compressed:
            settings = ["timescaledb.compress"]
            if parted.segmentby:
                listed = ", ".join(map(quoted, parted.segmentby))
                settings.append(f"timescaledb.compress_segmentby = {literal(listed)}")
            if parted.orderby:
                listed = ", ".join(parted.orderby)
                settings.append(f"timescaledb.compress_orderby = {literal(listed)}")
            self.add(
                made, made.name, "compression", f"ALTER TABLE {name} SET {bracketed(settings)}"
            )

    def materialized(self, made: Deployed, parsed: CreateView) -> None:
        if parsed.on_close:
            self.meet(made, Feature.ON_CLOSE)
        found = self.rendered(made)
        query = self.reading(made)
        width = bucket_width(query, self.parted)
        if width is None or found.query.upper().count("SELECT") > 1:
            self.meet(made, Feature.MATERIALIZED)
            self._read_through(made, found)
            return
        self.meet(made, Feature.CONTINUOUS)
        name = self.own(made)
        self.add(
            made, made.name, "continuous aggregate",
            f"CREATE MATERIALIZED VIEW {name}\nWITH (timescaledb.continuous, "
            f"timescaledb.materialized_only = false) AS\n{found.query}\nWITH NO DATA",
            f"DROP MATERIALIZED VIEW IF EXISTS {name}",
        )  # fmt: skip
        self.add(
            made, made.name, "policy",
            f"SELECT add_continuous_aggregate_policy({literal(name)}, start_offset => NULL, "
            f"end_offset => INTERVAL {_span(width)}, "
            f"schedule_interval => INTERVAL {literal(self.options.refresh)})",
        )  # fmt: skip

    def _read_through(self, made: Deployed, found: Rendered) -> None:
        """Add a plain view; where it is one of too many, one whose rows are kept."""
        if self.unfold(made) <= POSTGRES_VIEWS_MAX:
            self.plain_view(made, found)
            return
        self.meet(made, Feature.UNFOLDED)
        self.unfolded[made.entry.oid] = 1
        timed = bool(self.reading(made).volatile)
        self.kept.append((made, self.own(made, ROWS if timed else "")))
        self.plain_view(made, found, "materialized view")

    def refreshing(self) -> None:
        """Add the procedure that computes kept rows anew, each after what it reads."""
        if not self.kept:
            return
        made = self.kept[-1][0]
        steps = "\n".join(f"  REFRESH MATERIALIZED VIEW {name};" for _, name in self.kept)
        self.add(
            made, REFRESH, "procedure",
            f"CREATE PROCEDURE {REFRESH}(job_id INTEGER DEFAULT NULL, config JSONB DEFAULT NULL)\n"
            f"LANGUAGE plpgsql AS $$ BEGIN\n{steps}\nEND $$",
            f"DROP PROCEDURE IF EXISTS {REFRESH}",
        )  # fmt: skip
        if not self.options.plain:
            every = literal(self.options.refresh)
            self.add(
                made, REFRESH, "job", f"SELECT add_job({literal(REFRESH)}, {every})",
                "SELECT delete_job(job_id) FROM timescaledb_information.jobs "
                f"WHERE proc_name = {literal(REFRESH)}",
            )  # fmt: skip

    def view(self, made: Deployed, parsed: CreateView) -> None:
        self.unfold(made)
        super().view(made, parsed)

    def sink(self, made: Deployed, parsed: CreateSink) -> None:
        known = parsed.properties.get("connector", "").lower() == "kafka"
        self.meet(made, Feature.KAFKA_SINK if known else Feature.OTHER_SINK)


def _span(us: int) -> str:
    days, rest = divmod(us, 86_400_000_000)
    return literal(span_text(Span(0, days, rest)))
