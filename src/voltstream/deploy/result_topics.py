"""The topics that views are published in: there before a job begins, and empty when it does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from voltstream.connectors.kafka_log import ANSWER_S, TopicLog
from voltstream.core.errors import TargetUnavailable
from voltstream.core.limits import RESULT_KEYS_AT_ONCE

# The latest record of a key is kept for ever: the topic is a table.
_SETTINGS: Mapping[str, str] = {"cleanup.policy": "compact"}
_EVENTS: Mapping[str, str] = {}  # As the brokers say.
_AS_THE_BROKERS_SAY = -1
_WAIT_S = 0.2


def make(
    brokers: str, access: Mapping[str, str], topics: Sequence[str], events: Sequence[str] = ()
) -> None:
    """Create those that do not exist; one that is there stays as it is.

    ``access`` is what our client is told beside the brokers; ``events`` are topics of sources:
    their records are kept as long as the brokers say.
    Raises: TargetUnavailable (08006).
    """
    log = TopicLog(brokers, access, "the topics of results")
    try:
        settings = dict.fromkeys(topics, _SETTINGS) | dict.fromkeys(events, _EVENTS)
        log.make(settings, _AS_THE_BROKERS_SAY)
    finally:
        log.close()


def empty(brokers: str, access: Mapping[str, str], topics: Sequence[str]) -> int:
    """Take away every row that topics have by now; return how many records were written for it.

    Law: who reads them sees each key go. A job that begins anew writes its rows behind that, so
    that no row of a view as it was before stays. Raises: TargetUnavailable (08006).
    """
    log = TopicLog(brokers, access, "the topics of results")
    try:
        there = log.names()
        return sum(_emptied(log, topic) for topic in topics if topic in there)
    finally:
        log.close()


def _emptied(log: TopicLog, topic: str) -> int:
    starts = dict.fromkeys(range(log.partitions(topic)), 0)
    reader = log.reader(topic, starts)
    written, heard_s = 0, time.monotonic()
    try:
        while not reader.has_begun:
            records = reader.take(RESULT_KEYS_AT_ONCE, _WAIT_S)
            there: dict[tuple[int, bytes], bool] = {}
            for record in records:
                there[record.partition, record.key] = record.value is not None
            gone = [log.take_away(topic, *place) for place, is_there in there.items() if is_there]
            for done in gone:
                done.result(ANSWER_S)
            written += len(gone)
            if records:
                heard_s = time.monotonic()
            elif time.monotonic() - heard_s > ANSWER_S:
                raise TargetUnavailable(f'topic "{topic}" cannot be read to its end')
    finally:
        reader.close()
    return written
