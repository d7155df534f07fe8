"""The cut: where a server stopped reading its topics, told to whoever reads on from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition

from voltstream.core.errors import InvalidParameter, TargetUnavailable

COMMIT_S = 20.0
_QUERY = (
    "SELECT schema, name, partition, position FROM rw_catalog.rw_source_offsets ORDER BY 1, 2, 3"
)

Offsets = Mapping[int, int]  # The next message of each partition.
Cut = Mapping[str, Mapping[str, Offsets]]  # By source ("public.reads") and topic.


def stored_cut(connection: psycopg.Connection) -> Cut:
    """Ask for the offsets that are durable with the rows before them, of every topic read."""
    found: dict[str, dict[str, dict[int, int]]] = {}
    for schema, name, part, position in connection.execute(_QUERY).fetchall():
        topic, _, partition = part.rpartition("/")
        if topic and partition.isdecimal() and str(position).isdecimal():
            topics = found.setdefault(f"{schema}.{name}", {})
            topics.setdefault(topic, {})[int(partition)] = int(position)
    return found


def offsets_of(cut: Cut, source: str, topic: str) -> Offsets:
    """Raises: InvalidParameter (22023) for a source that has read nothing of its topic yet."""
    found = cut.get(source, {}).get(topic)
    if not found:
        raise InvalidParameter(
            f'"{source}" has no stored offsets of topic "{topic}"',
            hint="It begins where its definition says: leave it out of --from-offsets.",
        )
    return found


def commit(
    brokers: str, access: Mapping[str, str], group: str, cut: Cut
) -> Sequence[tuple[str, int, int]]:
    """Commit offsets for a consumer group that has no members; return topic, partition, offset.

    Raises: InvalidParameter where two sources stopped at different places of a topic,
    TargetUnavailable.
    """
    places: dict[tuple[str, int], int] = {}
    for topics in cut.values():
        for topic, offsets in topics.items():
            for partition, offset in offsets.items():
                if places.setdefault((topic, partition), offset) != offset:
                    raise InvalidParameter(
                        f'two sources read topic "{topic}" and stopped at different offsets',
                        hint="Name the source whose place counts: --only.",
                    )
    try:
        consumer = Consumer({**access, "bootstrap.servers": brokers, "group.id": group,
                             "enable.auto.commit": False, "log_level": 2})  # fmt: skip
    except KafkaException as error:
        raise InvalidParameter(f"the brokers cannot be asked: {error.args[0].str()}") from error
    wanted = [TopicPartition(topic, number, at) for (topic, number), at in places.items()]
    try:
        consumer.commit(offsets=wanted, asynchronous=False)
        kept = consumer.committed(wanted, timeout=COMMIT_S)
    except KafkaException as error:
        raise TargetUnavailable(f"the offsets were not committed: {error.args[0].str()}") from error
    finally:
        consumer.close()
    return [(one.topic, one.partition, one.offset) for one in kept]
