"""The topic of ticks: what NOW() is on a cluster that has no clock of its own in its views."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from voltstream.connectors.kafka_log import TopicLog
from voltstream.core.clock import Clock
from voltstream.core.errors import TargetUnavailable
from voltstream.deploy.flink import TICKS_TOPIC

KEY = "tick"
KEPT_MS = 3_600_000  # A job that begins reads the ticks of the last hour, and goes by the latest.
_SETTINGS = {"cleanup.policy": "delete", "retention.ms": str(KEPT_MS)}


def write_ticks(
    topics: TopicLog, prefix: str, clock: Clock, interval_s: float, stopped: threading.Event,
    told: Callable[[str], None],
) -> int:  # fmt: skip
    """Append the time every interval until it is stopped; return how many ticks were written.

    Law: ticks never go back, and two who write them do no harm: the latest counts.
    A broker that is away is told of, and asked again at the next tick.
    """
    topic = prefix + TICKS_TOPIC
    topics.make({topic: _SETTINGS}, 1)
    written = latest_us = 0
    trouble = ""
    while not stopped.is_set():
        latest_us = max(latest_us, clock.now_us())
        at = datetime.fromtimestamp(latest_us / 1e6, UTC)
        text = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        try:
            topics.append(topic, KEY, {"tick": text}).result()
            written += 1
            trouble = ""
        except TargetUnavailable as error:
            if error.message != trouble:
                trouble = error.message
                told(trouble)
        stopped.wait(interval_s)
    return written
