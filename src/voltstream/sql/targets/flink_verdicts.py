"""What Flink makes of each feature."""

from __future__ import annotations

from voltstream.core.limits import FLINK_VIEWS_MAX
from voltstream.sql.targets.features import EXACT, Feature, Verdicts, exactly, nearly, refused

_SERVE = "Let the Voltstream that serves the results keep it over the topics."

VERDICTS: Verdicts = {
    Feature.KAFKA_SOURCE: nearly(
        "a Kafka table: times in records are ISO 8601 with Z, and what cannot be read is skipped "
        "or NULL: there are no dead letters",
        "Let a Voltstream read the topic too, for its dead letters.",
    ),
    Feature.OTHER_SOURCE: refused(
        "Flink's connectors have properties of their own",
        "Bring the rows to a Kafka topic and declare connector = 'kafka'.",
    ),
    Feature.BARE_SOURCE: nearly("a Kafka topic of its name, that gateways or a sink write to"),
    Feature.NO_BROKERS: refused("no definition names the brokers", "Say --kafka HOST:PORT."),
    Feature.CUT: exactly("specific-offsets; a partition that came later from its beginning"),
    Feature.CUT_TABLE: exactly(
        "with a primary key the whole topic is read: the last of a key counts"
    ),
    Feature.KAFKA_ACCESS: refused(
        "Java's client has no such setting",
        "Reach the brokers by SASL PLAIN or SCRAM, or TLS with PEM texts.",
    ),
    Feature.PLAIN_SECRET: refused(
        "it would stand in the files of the deployment",
        "CREATE SECRET, and name it: properties.sasl.password = SECRET name.",
    ),
    Feature.KAFKA_TUNING: nearly("Java's client has others: left out"),
    Feature.INCLUDE: exactly("metadata columns for timestamp, partition and offset"),
    Feature.WATERMARK: exactly("a computed column of milliseconds beside the time"),
    Feature.KEYED_SOURCE: refused(
        "its rows are known by the keys of records, and the latest counts",
        "Write keys as JSON objects and say FORMAT UPSERT, or read a source by DISTINCT ON.",
    ),
    Feature.TABLE: nearly(
        "an upsert-kafka topic by its primary key, a JSON object, that a sink writes to"
    ),
    Feature.KEYLESS: refused("a table that changes needs a primary key", "Give it one."),
    Feature.GENERATED: nearly("left out: who writes the topic gives the value"),
    Feature.HYPERTABLE: nearly(
        "a topic: chunks stay with Voltstream; without a primary key nothing follows what UPDATE "
        "and DELETE do there"
    ),
    Feature.PLAIN_TABLE: nearly("as without --plain"),
    Feature.INDEX: exactly("not needed: nobody reads there"),
    Feature.FUNCTION_OF_USER: exactly("inlined"),
    Feature.PYTHON: refused("functions in Python run in processes of ours", _SERVE),
    Feature.MATERIALIZED: exactly("a view, and its rows in an upsert-kafka topic"),
    Feature.NULL_KEYS: nearly(
        "rows without a value of a source for the key are not in the topic",
        "Say --null-keys: topics have a key of their own then.",
    ),
    Feature.ABSENT_KEYS: exactly(
        "its topic has a key of its own, `_key`, made of these columns, and follows within 0.2 s"
    ),
    Feature.PLAIN_VIEW: EXACT,
    Feature.NO_PLAN: refused("the query has no plan that could be translated", _SERVE),
    Feature.FILTER: EXACT,
    Feature.JOIN: EXACT,
    Feature.SEMI_JOIN: exactly("EXISTS and NOT EXISTS"),
    Feature.ASOF_JOIN: exactly(
        "a running maximum over both sides, and a join with the row it names"
    ),
    Feature.TEMPORAL_JOIN: refused("its rows depend on when each side arrives", _SERVE),
    Feature.AGGREGATE: exactly("with retractions"),
    Feature.FLOAT_TOTALS: nearly("what a row added is subtracted: last digits may drift"),
    Feature.ORDERED_AGGREGATE: nearly("elements in the order of their arrival"),
    Feature.CONTINUOUS: exactly("a view like any other"),
    Feature.DISTINCT: EXACT,
    Feature.SET_OPERATION: EXACT,
    Feature.DISTINCT_ON: exactly("ROW_NUMBER() = 1"),
    Feature.TOP_N: exactly("ROW_NUMBER()"),
    Feature.OVER: exactly(
        "LAG and LEAD as a running maximum and a join, running totals as OVER by a column, whole "
        "partitions as an aggregate that is joined; frames of some rows are refused"
    ),
    Feature.WINDOW: exactly(
        "TUMBLE as arithmetic, shown at once and corrected; the window function with EMIT ON "
        "WINDOW CLOSE; HOP only there"
    ),
    Feature.SESSION: refused("session windows there are shown once only", _SERVE),
    Feature.GAP_FILL: refused("no gap filling", _SERVE),
    Feature.ON_CLOSE: exactly("the window functions, over a source with a watermark"),
    Feature.CHANGELOG: refused("its rows number the changes of our epochs", _SERVE),
    Feature.SERIES_TO_NOW: exactly("as many rows as the ticks have passed steps"),
    Feature.SERIES: exactly("generate_series with a constant step: UNNEST of as many elements"),
    Feature.TEMPORAL_FILTER: exactly(
        "a join with the latest row of a topic of ticks: exact at every tick"
    ),
    Feature.SHOWN_NOW: exactly("the topic has what NOW() is computed with; who serves it computes"),
    Feature.SENT_NOW: nearly(
        "NOW() is NULL in what the sink sends", "Take the timestamp of the Kafka record."
    ),
    Feature.STATE_TTL: nearly("the whole job has one: --state-ttl"),
    Feature.ROW_ERRORS: nearly("the value is NULL"),
    Feature.FUNCTION: refused("Flink has no word for it", _SERVE),
    Feature.TYPE: refused("Flink has no such type", _SERVE),
    Feature.UNFOLDED: nearly(
        f"where one would be planned from more than {FLINK_VIEWS_MAX}, it reads topics of theirs, "
        "and follows them by a moment"
    ),
    Feature.INTERVAL: exactly(
        "BIGINT of microseconds, a day 24 hours; read from topics as PostgreSQL's text; months are "
        "refused"
    ),
    Feature.INFINITY: exactly("9999-12-31 23:59:59.999999 in topics; who serves shows infinity"),
    Feature.NUMBER_TEXT: nearly("all its decimals: 1.0 of a float, 1.500 of a numeric(9,3)"),
    Feature.OVER_TIES: nearly("of rows that the order leaves alike each sees the same row before"),
    Feature.ARG_MAX: exactly("ROW_NUMBER() = 1, joined; of equals any one"),
    Feature.PERCENTILE: exactly("PERCENTILE"),
    Feature.VALUES: EXACT,
    Feature.ALERT: nearly(
        "the view; delays, acknowledgement and the alerts relation stay with Voltstream",
        "Give the rule to the Voltstream that serves the results.",
    ),
    Feature.KAFKA_SINK: EXACT,
    Feature.PLAIN_SINK: nearly("upsert-kafka: deletes are records without a value"),
    Feature.OTHER_SINK: refused("Flink's connectors have properties of their own", _SERVE),
    Feature.CLOCK_TIME: nearly("milliseconds: smaller parts are cut off"),
    Feature.JOB_TTL: nearly(
        "a group, a key or a match that no record touched for so long is forgotten: its row stays "
        "in the topic, the next record begins it anew, and a deletion of what is forgotten is lost",
        "Make it longer than any key is quiet, or leave it out.",
    ),
    Feature.JDBC: exactly(
        "a table NAME__rows and a view NAME of postgres.sql, written in the same job as the topic"
    ),
    Feature.JDBC_ARRAY: refused(
        "Flink's JDBC connector writes no arrays", "Leave the column out of a view over it."
    ),
    Feature.SUBSCRIPTION: refused("subscriptions are read over our wire", _SERVE),
}
