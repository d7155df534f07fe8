"""The process that is killed at a step of a transaction: an engine with an exactly-once sink.

Usage: once_worker.py FOLDER BROKER FIRST COUNT STEP. It stores COUNT rows from FIRST on and dies
at STEP of the delivery that follows; with the step "none" it ends when the outbox is empty.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.driver import Engine
from voltstream.connectors import kafka_exactly_once
from voltstream.core.clock import SystemClock

DEFINITIONS = """
CREATE TABLE IF NOT EXISTS reads (n BIGINT PRIMARY KEY);
CREATE SINK IF NOT EXISTS once FROM reads
    WITH (connector = 'kafka', topic = 'once', primary_key = 'n', exactly_once = true,
          properties.bootstrap.server = '{broker}')
    FORMAT PLAIN ENCODE JSON;
"""
STEPS = (
    "init_transactions",
    "begin_transaction",
    "produce",
    "send_offsets_to_transaction",
    "commit_transaction",
    "committed",
    "none",
)


def dying(step: str) -> type[Producer]:
    """Return a producer that kills its process before a step, or after the commit."""

    class Dying(Producer):
        def __getattribute__(self, name: str) -> Any:
            if name == step:
                os.kill(os.getpid(), signal.SIGKILL)
            found = super().__getattribute__(name)
            if name != "commit_transaction" or step != "committed":
                return found

            def commit(*arguments: Any) -> None:
                found(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)

            return commit

    return Dying


def main() -> None:
    folder, broker, step = Path(sys.argv[1]), sys.argv[2], sys.argv[5]
    first, count = int(sys.argv[3]), int(sys.argv[4])
    vars(kafka_exactly_once)["Producer"] = dying(step)
    engine = Engine(folder, SystemClock())
    engine.run(DEFINITIONS.format(broker=broker))
    engine.run(f"INSERT INTO reads SELECT * FROM generate_series({first}, {first + count - 1})")
    os.write(1, b"stored")  # Before it, what the last process left may have killed this one.
    while engine.run("SELECT pending FROM rw_sinks WHERE name = 'once'") != [(0,)]:
        time.sleep(0.02)
    engine.close()


if __name__ == "__main__":
    main()
