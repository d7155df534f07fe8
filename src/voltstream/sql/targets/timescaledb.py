"""TimescaleDB's words, and what it makes of each feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlglot import exp

from voltstream.core.limits import POSTGRES_VIEWS_MAX
from voltstream.core.types import Kind
from voltstream.sql.plan import Join, JoinKind, Project
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block
from voltstream.sql.targets.features import EXACT, Feature, Verdicts, exactly, nearly, refused
from voltstream.sql.targets.postgres import PostgresComposer, PostgresWords, block_column
from voltstream.sql.targets.words import CallRule, Sight, Tree, Words, bare, call

_SERVE = "Let Voltstream keep it, and write its rows with a sink (connector = 'postgres')."

VERDICTS: Verdicts = {
    Feature.KAFKA_SOURCE: nearly(
        "a hypertable: PostgreSQL reads no topics",
        "Voltstream stays the reader and writes the rows with a sink (connector = 'postgres').",
    ),
    Feature.OTHER_SOURCE: nearly(
        "a hypertable: PostgreSQL reads no other connectors",
        "Voltstream stays the reader and writes the rows with a sink (connector = 'postgres').",
    ),
    Feature.BARE_SOURCE: nearly(
        "a hypertable that Voltstream writes to with a sink (connector = 'postgres')"
    ),
    Feature.NO_BROKERS: EXACT,
    Feature.CUT: refused(
        "PostgreSQL reads no topics", "Voltstream stays the reader: leave --from-offsets out."
    ),
    Feature.CUT_TABLE: refused(
        "PostgreSQL reads no topics", "Voltstream stays the reader: leave --from-offsets out."
    ),
    Feature.KAFKA_ACCESS: exactly("Voltstream stays the reader"),
    Feature.PLAIN_SECRET: exactly("Voltstream stays the reader"),
    Feature.KAFKA_TUNING: exactly("Voltstream stays the reader"),
    Feature.INCLUDE: exactly("columns"),
    Feature.WATERMARK: exactly("not needed: views are computed over the rows that are there"),
    Feature.KEYED_SOURCE: exactly("Voltstream stays the reader"),
    Feature.TABLE: EXACT,
    Feature.KEYLESS: EXACT,
    Feature.NULL_KEYS: EXACT,
    Feature.ABSENT_KEYS: EXACT,
    Feature.NUMBER_TEXT: EXACT,
    Feature.FLOAT_TOTALS: EXACT,
    Feature.GENERATED: exactly("as written"),
    Feature.HYPERTABLE: EXACT,
    Feature.PLAIN_TABLE: nearly("a table: no chunks, no compression, no retention"),
    Feature.INDEX: EXACT,
    Feature.FUNCTION_OF_USER: exactly("inlined"),
    Feature.PYTHON: refused("functions in Python run in processes of ours", _SERVE),
    Feature.MATERIALIZED: exactly(
        "a plain view, computed when it is read; see continuous aggregate"
    ),
    Feature.PLAIN_VIEW: EXACT,
    Feature.NO_PLAN: refused("the query has no plan that could be translated", _SERVE),
    Feature.FILTER: EXACT,
    Feature.JOIN: EXACT,
    Feature.SEMI_JOIN: exactly("EXISTS and NOT EXISTS"),
    Feature.ASOF_JOIN: exactly("LATERAL with LIMIT 1"),
    Feature.TEMPORAL_JOIN: refused("its rows depend on when each side arrives", _SERVE),
    Feature.AGGREGATE: EXACT,
    Feature.ORDERED_AGGREGATE: EXACT,
    Feature.CONTINUOUS: nearly(
        "a continuous aggregate with a refresh policy: rows that come for buckets already "
        "refreshed are seen after the next refresh; with DISTINCT, or over anything but one "
        "hypertable, a plain view"
    ),
    Feature.DISTINCT: EXACT,
    Feature.SET_OPERATION: EXACT,
    Feature.DISTINCT_ON: nearly("rows whose order is equal: any of them, not the earliest arrival"),
    Feature.TOP_N: nearly("rows whose order is equal: any of them, not the earliest arrival"),
    Feature.OVER: EXACT,
    Feature.WINDOW: exactly("TUMBLE as time_bucket; HOP and offsets are refused"),
    Feature.SESSION: refused("no word for session windows", _SERVE),
    Feature.GAP_FILL: refused("its gap filling needs a time range in the query", _SERVE),
    Feature.ON_CLOSE: refused("a view there shows windows that are still open", _SERVE),
    Feature.CHANGELOG: refused("its rows number the changes of our epochs", _SERVE),
    Feature.SERIES_TO_NOW: EXACT,
    Feature.SERIES: EXACT,
    Feature.TEMPORAL_FILTER: exactly("the clock when the view is read"),
    Feature.SHOWN_NOW: EXACT,
    Feature.SENT_NOW: refused("PostgreSQL has no sinks", _SERVE),
    Feature.STATE_TTL: exactly("not needed: a plain view has no state"),
    Feature.ROW_ERRORS: nearly("the query fails for as long as the row is there"),
    Feature.FUNCTION: refused("PostgreSQL has no word for it", _SERVE),
    Feature.TYPE: refused("PostgreSQL has no such type", _SERVE),
    Feature.UNFOLDED: nearly(
        f"PostgreSQL plans and computes a view anew wherever it is read; one over more than "
        f"{POSTGRES_VIEWS_MAX} others is a materialized view, as of the last "
        "CALL voltstream_refresh(), which TimescaleDB makes every five minutes",
        "Without TimescaleDB call it by a scheduler, or let Voltstream keep the view.",
    ),
    Feature.INTERVAL: EXACT,
    Feature.INFINITY: EXACT,
    Feature.OVER_TIES: EXACT,
    Feature.ARG_MAX: EXACT,
    Feature.PERCENTILE: EXACT,
    Feature.VALUES: EXACT,
    Feature.ALERT: nearly(
        "the view; delays, acknowledgement and the alerts relation stay with Voltstream",
        "Keep the rule in Voltstream.",
    ),
    Feature.KAFKA_SINK: refused("PostgreSQL has no sinks", "Keep the sink in Voltstream."),
    Feature.PLAIN_SINK: refused("PostgreSQL has no sinks", "Keep the sink in Voltstream."),
    Feature.OTHER_SINK: refused("PostgreSQL has no sinks", "Keep the sink in Voltstream."),
    Feature.CLOCK_TIME: EXACT,
    Feature.JOB_TTL: refused("only Flink has a state of the whole job", "Leave it out."),
    Feature.JDBC: refused("only Flink writes views elsewhere too", "Leave it out."),
    Feature.JDBC_ARRAY: refused("only Flink writes views elsewhere too", "Leave it out."),
    Feature.SUBSCRIPTION: refused("subscriptions are read over our wire", _SERVE),
}


def _bucket(words: Words, arguments: Sequence[Tree], sight: Sight) -> Tree:
    parts = [words.tree(one, sight) for one in arguments]
    if len(parts) > 2:
        # OFFSET is a word of PostgreSQL's grammar, which a name with quotes is not.
        name = "origin" if sight.type_of(arguments[2]).kind is not Kind.INTERVAL else '"offset"'
        parts[2] = exp.Kwarg(this=exp.var(name), expression=parts[2])
    return call("time_bucket", *parts)


class TimescaleWords(PostgresWords):
    """TimescaleDB adds time_bucket to PostgreSQL's words."""

    calls: ClassVar[Mapping[str, CallRule]] = {**PostgresWords.calls, "time_bucket": _bucket}


class TimescaleComposer(PostgresComposer):
    """Windows are time_bucket from 1970 on, so that a view by them can be continuous."""

    def _condition(self, plan: Join, left: dict[str, Tree], right: dict[str, Tree]) -> Tree:
        """Write a join's condition. PostgreSQL hashes or merges FULL JOINs, by equality only.

        Law: arrays of one element are equal where their elements are, or both are NULL.
        """
        condition = super()._condition(plan, left, right)
        if plan.kind is not JoinKind.FULL:
            return condition

        def told(node: Tree) -> Tree:
            if not isinstance(node, exp.NullSafeEQ):
                return node
            one, other = (
                exp.Array(expressions=[bare(side)]) for side in (node.this, node.expression)
            )
            return exp.EQ(this=one, expression=other)

        return condition.transform(told)

    def windowed(self, block: Block, plan: Project, window: tuple[str, ...]) -> Block | None:
        function, time, *widths = window
        if len(widths) > 1 or function != "TUMBLE":
            self.words.remarks.meet(Feature.FUNCTION, f"{function} with an offset or a slide")
        sight = Sight(block.names, Typer(self.oracle, plan.child).of)
        zoned = sight.type_of(block_column(time)).kind is Kind.TIMESTAMPTZ
        origin = "TIMESTAMPTZ '1970-01-01 00:00:00+00'" if zoned else "TIMESTAMP '1970-01-01'"
        width = bare(self.words.tree(exp.Var(this=widths[0]), sight))
        start = self.bucket(width, block.names[time].copy(), exp.Var(this=origin))
        names = {name: self.words.tree(tree, sight) for name, tree in plan.items[:-1]}
        return Block(block.select, names | {plan.items[-1][0]: start}, block.closed, block.single)

    def bucket(self, width: Tree, moment: Tree, origin: Tree) -> Tree:
        """Return the start of the bucket that a moment is in."""
        return call(
            "time_bucket", width, moment, exp.Kwarg(this=exp.var("origin"), expression=origin)
        )


class PlainComposer(TimescaleComposer):
    """The same without the extension."""

    def bucket(self, width: Tree, moment: Tree, origin: Tree) -> Tree:
        return call("date_bin", width, moment, origin)
