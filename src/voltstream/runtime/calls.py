"""Administrative functions: found by name and answered as TimescaleDB answers."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import FeatureNotSupported
from voltstream.core.ports import Outcome
from voltstream.runtime import chunk_calls, dead_letters, job_calls, tiering
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.epoch import Epoch
from voltstream.sql.statements import Call
from voltstream.store import hypertable
from voltstream.store.database import literal

_FUNCTIONS = {
    **chunk_calls.FUNCTIONS,
    **job_calls.FUNCTIONS,
    **tiering.FUNCTIONS,
    **dead_letters.FUNCTIONS,
}


def call(epoch: Epoch, parsed: Call) -> Outcome:
    """Run a call; with FROM show_chunks(…), once for each chunk."""
    function = _FUNCTIONS.get(parsed.function)
    if function is None:
        raise FeatureNotSupported(f"function {parsed.function} is not available here")
    if parsed.chunks is None:
        return function(epoch, Arguments(parsed, epoch.connection))
    _, table, found = chunk_calls.chosen(epoch, Arguments(parsed.chunks, epoch.connection))

    def one(name: str) -> Outcome:
        arguments = (literal(name), *parsed.arguments[1:])
        return function(epoch, Arguments(replace(parsed, arguments=arguments), epoch.connection))

    names = [hypertable.chunk_name(table, chunk) for chunk in found]
    return chunk_calls.for_each(parsed.function, names, one)
