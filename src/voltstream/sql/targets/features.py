"""What definitions are made of, and what a target makes of each: the rows of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Fidelity(Enum):
    """How near a target comes to what is meant here."""

    EXACT = "exact"
    APPROXIMATED = "approximated"
    REFUSED = "refused"


class Feature(Enum):
    """A part of a definition that a target may know, know nearly, or not know. Shape: its title."""

    KAFKA_SOURCE = "source or table with connector = 'kafka', FORMAT PLAIN ENCODE JSON"
    OTHER_SOURCE = "source or table with another connector or format"
    BARE_SOURCE = "source without a connector (rows come by HTTP or from the gateway)"
    NO_BROKERS = "topics whose brokers nobody names"
    CUT = "--from-offsets: reading on where the server stopped"
    CUT_TABLE = "--from-offsets of a table with a connector"
    KAFKA_ACCESS = "how brokers are reached, otherwise than by SASL PLAIN or SCRAM and TLS"
    PLAIN_SECRET = "password or key of brokers that is in no secret"
    KAFKA_TUNING = "settings that tune librdkafka"
    INCLUDE = "INCLUDE columns"
    WATERMARK = "WATERMARK FOR"
    KEYED_SOURCE = "table with a primary key by a connector, but FORMAT UPSERT"
    TABLE = "table"
    KEYLESS = "table without a primary key that is not APPEND ONLY"
    GENERATED = "default, generated and serial columns"
    HYPERTABLE = "hypertable, its columnstore settings"
    PLAIN_TABLE = "hypertable, with --plain"
    INDEX = "index"
    FUNCTION_OF_USER = "function of a user in SQL (inlined)"
    PYTHON = "function of a user in Python"
    MATERIALIZED = "materialized view"
    NULL_KEYS = "view whose key may be NULL"
    ABSENT_KEYS = "view whose key may be NULL because something is absent"
    PLAIN_VIEW = "plain view"
    NO_PLAN = "query that is recomputed here (no delta rule)"
    FILTER = "filter, projection, UNION ALL"
    JOIN = "inner, left and full join"
    SEMI_JOIN = "EXISTS, IN (SELECT), and NOT of these"
    ASOF_JOIN = "ASOF join"
    TEMPORAL_JOIN = "FOR SYSTEM_TIME AS OF PROCTIME()"
    AGGREGATE = "GROUP BY with count, sum, avg, min, max, FILTER, DISTINCT"
    FLOAT_TOTALS = "sum and avg of floats whose rows change"
    ORDERED_AGGREGATE = "array_agg and string_agg with ORDER BY"
    CONTINUOUS = "continuous aggregate"
    DISTINCT = "DISTINCT"
    SET_OPERATION = "INTERSECT, EXCEPT"
    DISTINCT_ON = "DISTINCT ON"
    TOP_N = "ORDER BY … LIMIT, row_number() = 1, top-n"
    OVER = "OVER windows"
    WINDOW = "TUMBLE and HOP"
    SESSION = "SESSION windows"
    GAP_FILL = "gap filling"
    ON_CLOSE = "EMIT ON WINDOW CLOSE"
    CHANGELOG = "AS changelog FROM"
    SERIES_TO_NOW = "generate_series up to NOW()"
    SERIES = "set-returning functions in a select list"
    TEMPORAL_FILTER = "NOW() in WHERE, HAVING, ON"
    SHOWN_NOW = "NOW() in a view's select list"
    SENT_NOW = "NOW() in a sink's select list"
    UNFOLDED = "view over many views"
    STATE_TTL = "state_ttl"
    ROW_ERRORS = "an error in one row (NULL and a dead letter here)"
    FUNCTION = "function or operator that the target has no word for"
    TYPE = "type that the target has no word for"
    INTERVAL = "interval values and columns"
    INFINITY = "infinite instants"
    NUMBER_TEXT = "text of a number that is no integer"
    OVER_TIES = "OVER an order that is not known to be unique"
    ARG_MAX = "max_by, min_by, MAX(ROW(…)): the row that has the greatest"
    PERCENTILE = "percentile_cont, median"
    VALUES = "VALUES"
    ALERT = "alert rule (alert.key and others)"
    KAFKA_SINK = "sink into Kafka"
    PLAIN_SINK = "FORMAT PLAIN of a query whose rows change"
    OTHER_SINK = "sink with another connector or format, or INTO a table"
    CLOCK_TIME = "column of type time"
    JOB_TTL = "--state-ttl: state that nothing touches is let go"
    JDBC = "--jdbc: views in PostgreSQL too"
    JDBC_ARRAY = "--jdbc of a view with an array"
    SUBSCRIPTION = "subscription"

    @property
    def title(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target makes of a feature: ``said`` is how or why, ``instead`` the way out."""

    fidelity: Fidelity
    said: str = ""
    instead: str = ""


Verdicts = Mapping[Feature, Verdict]

EXACT = Verdict(Fidelity.EXACT)


def exactly(said: str) -> Verdict:
    return Verdict(Fidelity.EXACT, said)


def nearly(said: str, instead: str = "") -> Verdict:
    return Verdict(Fidelity.APPROXIMATED, said, instead)


def refused(said: str, instead: str = "") -> Verdict:
    return Verdict(Fidelity.REFUSED, said, instead)


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of one definition; ``detail`` is what in it, where the feature is not enough."""

    feature: Feature
    verdict: Verdict
    detail: str = ""


class Refusal(Exception):
    """A part of a definition that the target cannot keep."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.verdict.said)
        self.remark = remark


class Remarks:
    """Collects what is said of one definition while it is written for a target."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self.found: list[Remark] = []

    def meet(self, feature: Feature, detail: str = "") -> None:
        """Note that a definition has a feature. Raises: Refusal when the target has it not."""
        verdict = self._verdicts[feature]
        remark = Remark(feature, verdict, detail)
        if verdict.fidelity is Fidelity.REFUSED:
            raise Refusal(remark)
        if verdict.fidelity is Fidelity.APPROXIMATED and remark not in self.found:
            self.found.append(remark)
