"""Runs a query that calls functions of chunks: first its answer, then the calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voltstream.core.errors import InternalError
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime.calls import call
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.querying import held
from voltstream.sql.chunk_queries import ChunkQuery, opened, row_call, split
from voltstream.sql.statements import Call, Parsed, Query

# Raises: InsufficientPrivilege for a call that the session may not make.
Allow = Callable[[Call], None]
Resolve = Callable[[Query], Parsed]


def run(epoch: Epoch, parsed: ChunkQuery, resolve: Resolve, allow: Allow) -> Outcome:
    """Answer a query, and make its calls."""

    def chunks(one: Call) -> Sequence[str]:
        allow(one)
        return [str(name) for (name,) in _rows(call(epoch, one))]

    query, calls = split(opened(parsed, chunks))
    outcome = _answer(epoch, resolve(query))
    wanted = [
        row_call(parsed, each, given)
        for each in calls
        for given in _rows(_answer(epoch, resolve(each.arguments)))
        if given[-len(each.names)] is not None
    ]
    notices: list[Notice] = []
    for one in wanted:
        allow(one)
        notices += call(epoch, one).notices
    return replace(outcome, notices=(*outcome.notices, *notices))


def _answer(epoch: Epoch, query: Parsed) -> Outcome:
    if not isinstance(query, Query):
        raise InternalError("a query is none any more when its names are resolved")
    return held(epoch, query.tree, ())


def _rows(outcome: Outcome) -> list[tuple[object, ...]]:
    if outcome.rows is None:
        raise InternalError("a call gave no rows")
    found: list[tuple[object, ...]] = []
    for batch in outcome.rows.batches():
        found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return found
