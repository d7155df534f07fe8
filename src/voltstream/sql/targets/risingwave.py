"""RisingWave's words, and what it makes of each feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.targets.features import EXACT, Feature, Verdicts, exactly, nearly, refused
from voltstream.sql.targets.postgres import PostgresWords
from voltstream.sql.targets.words import (
    INFINITE,
    MOMENTS,
    CallRule,
    NodeRule,
    Sight,
    Tree,
    Words,
    bare,
    call,
    interval_span,
    store_type,
    wrapped,
)

_UNKNOWN = ("_vs_to_char", "_vs_finite", "_vs_float_text", "round_even", "factorial")
_TEXTS = (Kind.TEXT, Kind.VARCHAR)
_SERVE = "Let a Voltstream that reads the results keep it."

VERDICTS: Verdicts = {
    Feature.KAFKA_SOURCE: exactly("source with the same properties"),
    Feature.OTHER_SOURCE: refused(
        "RisingWave reads other connectors by properties of its own",
        "Bring the rows to a Kafka topic and declare connector = 'kafka'.",
    ),
    Feature.BARE_SOURCE: nearly(
        "a table APPEND ONLY that Voltstream's Kafka sink or an INSERT fills"
    ),
    Feature.NO_BROKERS: EXACT,
    Feature.CUT: exactly(
        "a source of the whole topic, and over it a view of what is behind the cut"
    ),
    Feature.CUT_TABLE: refused(
        "a table there takes every record of its topic", "Read the topic by a source."
    ),
    Feature.KAFKA_ACCESS: exactly("the same properties"),
    Feature.PLAIN_SECRET: refused(
        "it would stand in the files of the deployment",
        "CREATE SECRET, and name it: properties.sasl.password = SECRET name.",
    ),
    Feature.KAFKA_TUNING: exactly("the same properties"),
    Feature.INCLUDE: exactly("INCLUDE, as written"),
    Feature.WATERMARK: EXACT,
    Feature.KEYED_SOURCE: exactly("the same words"),
    Feature.TABLE: EXACT,
    Feature.KEYLESS: EXACT,
    Feature.NULL_KEYS: EXACT,
    Feature.ABSENT_KEYS: EXACT,
    Feature.NUMBER_TEXT: EXACT,
    Feature.FLOAT_TOTALS: nearly("last digits may differ"),
    Feature.GENERATED: nearly("left out: who inserts gives the value"),
    Feature.HYPERTABLE: nearly("a table: its layout is RisingWave's; retention is not moved"),
    Feature.PLAIN_TABLE: nearly("as without --plain"),
    Feature.INDEX: exactly("CREATE INDEX"),
    Feature.FUNCTION_OF_USER: exactly("inlined"),
    Feature.PYTHON: refused("functions in Python run in processes of ours", _SERVE),
    Feature.MATERIALIZED: EXACT,
    Feature.PLAIN_VIEW: EXACT,
    Feature.NO_PLAN: refused("the query has no plan that could be translated", _SERVE),
    Feature.FILTER: EXACT,
    Feature.JOIN: exactly("one without an equality is given one: a number that every row has"),
    Feature.SEMI_JOIN: exactly("EXISTS and NOT EXISTS"),
    Feature.ASOF_JOIN: exactly("ASOF join, over one row of those at the same time"),
    Feature.TEMPORAL_JOIN: refused("its rows depend on when each side arrives", _SERVE),
    Feature.AGGREGATE: EXACT,
    Feature.ORDERED_AGGREGATE: EXACT,
    Feature.PERCENTILE: refused("it is in queries there, not in materialized views", _SERVE),
    Feature.CONTINUOUS: exactly("a materialized view"),
    Feature.DISTINCT: EXACT,
    Feature.SET_OPERATION: nearly("INTERSECT ALL and EXCEPT ALL are refused by RisingWave"),
    Feature.DISTINCT_ON: nearly("rows whose order is equal: any of them, not the earliest arrival"),
    Feature.TOP_N: nearly("rows whose order is equal: any of them, not the earliest arrival"),
    Feature.OVER: EXACT,
    Feature.WINDOW: exactly("TUMBLE and HOP, over a WITH query where the input is not a relation"),
    Feature.SESSION: refused("SESSION windows there are frames of aggregates only", _SERVE),
    Feature.GAP_FILL: refused("no gap filling in maintained views", _SERVE),
    Feature.ON_CLOSE: exactly("EMIT ON WINDOW CLOSE"),
    Feature.CHANGELOG: refused("its rows number the changes of our epochs", _SERVE),
    Feature.SERIES_TO_NOW: EXACT,
    Feature.SERIES: EXACT,
    Feature.TEMPORAL_FILTER: exactly("a temporal filter over the solved instants"),
    Feature.SHOWN_NOW: exactly(
        "a view over a materialized view (its name and __rows) computes it when it is read"
    ),
    Feature.SENT_NOW: nearly(
        "NOW() is NULL in what the sink sends", "Take the timestamp of the Kafka record."
    ),
    Feature.STATE_TTL: refused(
        "the state of a materialized view is not let go by age there", _SERVE
    ),
    Feature.ROW_ERRORS: nearly("the value is NULL; the reason is in RisingWave's log"),
    Feature.FUNCTION: refused("RisingWave has no word for it", _SERVE),
    Feature.TYPE: refused("RisingWave has no such type", _SERVE),
    Feature.UNFOLDED: EXACT,
    Feature.INTERVAL: EXACT,
    Feature.INFINITY: nearly(
        "9999-12-31 23:59:59.999999: it knows no infinite instants",
        "Send that instant for infinity too.",
    ),
    Feature.OVER_TIES: nearly(
        "by more than one column a row sees those before it, and not its equals"
    ),
    Feature.ARG_MAX: EXACT,
    Feature.VALUES: EXACT,
    Feature.ALERT: nearly(
        "the view; delays, acknowledgement and the alerts relation stay with Voltstream",
        "Read the view into a Voltstream that has the rule.",
    ),
    Feature.KAFKA_SINK: nearly("records spell numbers and times as RisingWave does"),
    Feature.PLAIN_SINK: exactly("force_append_only = 'true': inserts and new versions"),
    Feature.OTHER_SINK: refused(
        "RisingWave writes to other connectors by properties of its own",
        "Sink into a Kafka topic.",
    ),
    Feature.CLOCK_TIME: EXACT,
    Feature.JOB_TTL: refused("only Flink has a state of the whole job", "Leave it out."),
    Feature.JDBC: refused("only Flink writes views elsewhere too", "Leave it out."),
    Feature.JDBC_ARRAY: refused("only Flink writes views elsewhere too", "Leave it out."),
    Feature.SUBSCRIPTION: refused("subscriptions are read over our wire", _SERVE),
}


_ORIGIN_S = 946_857_600  # Monday 2000-01-03, from which time_bucket counts.


def _bucket(words: Words, arguments: Sequence[Tree], sight: Sight) -> Tree:
    """Write time_bucket as arithmetic with seconds: RisingWave has no such function."""
    width, moment = arguments[0], arguments[1]
    span = interval_span(width) if isinstance(width, exp.Interval) else None
    origin_s = _instant(arguments[2]) if len(arguments) > 2 else Decimal(_ORIGIN_S)
    if span is None or span.months or origin_s is None:
        words.remarks.meet(Feature.FUNCTION, "time_bucket by months, or with an offset")
    assert span is not None
    assert origin_s is not None
    seconds = Decimal(span.days * 86_400_000_000 + span.us) / 1_000_000
    shift = origin_s % seconds
    since = f" - {shift}" if shift else ""
    back = f" + {shift}" if shift else ""
    made = words.tree(moment, sight).sql(dialect=words.dialect)
    bucket = (
        f"TO_TIMESTAMP(FLOOR((EXTRACT(EPOCH FROM {made}){since}) / {seconds}) * {seconds}{back})"
    )
    local = sight.type_of(moment).kind is not Kind.TIMESTAMPTZ
    return exp.Var(this=f"({bucket} AT TIME ZONE 'UTC')" if local else bucket)


def _instant(tree: Tree) -> Decimal | None:
    """Return a constant instant as seconds since 1970; None for anything else."""
    tree = bare(tree)
    while isinstance(tree, exp.Cast):
        tree = bare(tree.this)
    if not isinstance(tree, exp.Literal) or not tree.is_string:
        return None
    try:
        at = datetime.fromisoformat(tree.name)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return Decimal(int(at.timestamp() * 1_000_000)) / 1_000_000


class RisingWaveWords(PostgresWords):
    """Division by zero and casts that fail give NULL there; numerics have no precision."""

    # Its TO_CHAR knows no text in quotes, no instant of it is infinite, it has no NTH_VALUE, and
    # what its ROUND makes of a half is not known.
    regressions: ClassVar[frozenset[str]] = frozenset()
    calls: ClassVar[Mapping[str, CallRule]] = {
        **{name: rule for name, rule in PostgresWords.calls.items() if name not in _UNKNOWN},
        "time_bucket": _bucket,
    }
    nodes: ClassVar[Mapping[type[Tree], NodeRule]] = {
        kind: rule
        for kind, rule in PostgresWords.nodes.items()
        if kind not in (exp.NthValue, exp.CovarPop)
    }

    dialect = "risingwave"
    types: ClassVar[Mapping[Kind, str]] = {
        **PostgresWords.types,
        Kind.TEXT: "VARCHAR",
        Kind.UUID: "VARCHAR",
        Kind.NUMERIC: "NUMERIC",
    }

    def type(self, kind: DataType) -> str:
        if kind.kind is Kind.NUMERIC:
            return "NUMERIC" + "[]" * bool(kind.array_depth)
        return super().type(kind)

    def _cast(self, node: exp.Cast, sight: Sight) -> Tree:
        kind = store_type(node.to)
        if kind.kind in MOMENTS and isinstance(node.this, exp.Literal):
            endless = INFINITE.get(node.this.name)
            if endless is not None:
                self.remarks.meet(Feature.INFINITY)
                zone = "+00:00" if kind.kind is Kind.TIMESTAMPTZ else ""
                return self.cast(exp.Literal.string(endless + zone), kind)
        made = super()._cast(node, sight)
        if kind.kind in _TEXTS and sight.type_of(node.this).kind is Kind.TIMESTAMPTZ:
            # As PostgreSQL spells it in UTC: RisingWave's own ends with +00:00.
            value = wrapped(self.tree(node.this, sight))
            local = exp.AtTimeZone(this=value, zone=exp.Literal.string("UTC"))
            told = self.cast(exp.Paren(this=local), kind)
            return exp.DPipe(this=told, expression=exp.Literal.string("+00"))
        return made

    def cast(self, tree: Tree, kind: DataType) -> Tree:
        made = super().cast(tree, kind)
        if kind.kind is Kind.NUMERIC and kind.scale is not None:
            return call("ROUND", made, exp.Literal.number(kind.scale))
        return made
