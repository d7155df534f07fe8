"""Bytes to rows, beside the writer: while one epoch is applied the next is decoded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import pyarrow as pa

from voltstream.core.clock import Clock
from voltstream.core.errors import (
    AdminShutdown,
    FeatureNotSupported,
    InvalidParameter,
    LimitExceeded,
    VoltstreamError,
    WrongObjectType,
)
from voltstream.core.limits import PENDING_BATCHES_MAX, PUSH_BYTES_MAX
from voltstream.core.ports import RawBatch, Receipt
from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats.declared import Layout, declared
from voltstream.formats.decode import decode
from voltstream.formats.port import UnreadableInput
from voltstream.runtime.beside import included, with_included
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch_loop import EpochLoop, as_fault
from voltstream.runtime.work import SourceRows
from voltstream.sql.statements import CreateSource, CreateTable
from voltstream.store.database import MemoryEngine
from voltstream.store.ledger import Letter


class Decoder:
    """The SqlDecoder of formats over the store's in-memory engine."""

    def __init__(self) -> None:
        self._engine = MemoryEngine()

    def arrow(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        try:
            return self._engine.arrow(sql, tables)
        except VoltstreamError as error:
            raise UnreadableInput(error.message) from error

    def close(self) -> None:
        self._engine.close()


@dataclass(slots=True)
class _Job:
    entry: Entry
    batch: RawBatch
    urgent: bool
    future: Future[Receipt]


class SourceIngest:
    """Takes batches of every source of one database."""

    def __init__(self, loop: EpochLoop, clock: Clock, admit: Callable[[Entry], None]) -> None:
        self._loop = loop
        self._admit = admit
        self._clock = clock
        self._slots = threading.BoundedSemaphore(PENDING_BATCHES_MAX)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, entry: Entry, batch: RawBatch, *, urgent: bool) -> Future[Receipt]:
        """Queue a batch; waits while PENDING_BATCHES_MAX are on their way or an outbox is full.

        Raises: WrongObjectType, LimitExceeded, AdminShutdown.
        """
        source_statement(entry)
        if len(batch.payload) > PUSH_BYTES_MAX:
            raise LimitExceeded("the batch is too large", hint="Send it in parts.")
        if self._stopping:
            raise AdminShutdown("the server is shutting down")
        future: Future[Receipt] = Future()
        self._admit(entry)
        self._slots.acquire()
        future.add_done_callback(lambda _: self._slots.release())
        self._loop.expect(1)
        self._jobs.put(_Job(entry, batch, urgent, future))
        return future

    def _run(self) -> None:
        decoder = Decoder()
        while (job := self._jobs.get()) is not None:
            if not job.future.set_running_or_notify_cancel():
                self._loop.expect(-1)
                continue
            try:
                rows = self._decoded(job, decoder)
            except Exception as error:
                self._loop.expect(-1)
                job.future.set_exception(as_fault(error))
            else:
                self._loop.offer_rows(rows)
        decoder.close()
        self._refuse_rest()

    def _refuse_rest(self) -> None:
        """Answer what came in while the end was on its way."""
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is not None:
                self._loop.expect(-1)
                job.future.set_exception(AdminShutdown("the server is shutting down"))

    def _decoded(self, job: _Job, decoder: Decoder) -> SourceRows:
        schema = decoded_schema(job.entry)
        parsed = source_statement(job.entry)
        batch = layout(job.entry).complete(job.batch)
        decoded = decode(batch, schema, decoder, self._clock.now_us())
        letters = [
            Letter(job.entry.stored.name, dead.position, dead.raw, dead.reason, dead.at_us)
            for dead in decoded.dead_letters
        ]
        return SourceRows(
            source=job.entry.oid,
            table=with_included(decoded, batch.beside, parsed),
            letters=letters,
            offsets=job.batch.offsets,
            urgent=job.urgent,
            future=job.future,
        )


def source_statement(entry: Entry) -> CreateSource:
    """Return how records of a source, or of a table with a connector, are read.

    Raises: WrongObjectType (42809).
    """
    parsed = entry.parsed
    if isinstance(parsed, CreateTable) and "connector" in parsed.properties:
        return CreateSource(
            text=parsed.text,
            offset=parsed.offset,
            name=parsed.name,
            columns=parsed.columns,
            properties=parsed.properties,
            format=parsed.format,
            encode=parsed.encode,
        )
    if not isinstance(parsed, CreateSource):
        raise WrongObjectType(f'"{entry.stored.name}" is not a source')
    return parsed


def decoded_schema(entry: Entry) -> Schema:
    """Return the columns that records hold: all but the generated and the included ones."""
    return tuple(
        Column(column.name, column.store_type, column.not_null)
        for column in source_statement(entry).columns
        if column.generated_sql is None and column.included is None
    )


def connector_properties(entry: Entry) -> Mapping[str, str]:
    """Return a source's WITH (…), its FORMAT … ENCODE … and INCLUDE clauses as properties."""
    parsed = source_statement(entry)
    kinds = "\n".join(column.included or "" for column in included(parsed))
    return {"encode": parsed.encode, "include": kinds, **entry.stored.properties}


def layout(entry: Entry) -> Layout:
    """Return how a source's bytes are read. Raises: InvalidParameter, FeatureNotSupported."""
    parsed = source_statement(entry)
    if parsed.format not in ("PLAIN", "NATIVE", "NONE"):
        raise FeatureNotSupported(
            f"FORMAT {parsed.format} is not supported for a source",
            hint="A source takes rows that only come: write FORMAT PLAIN.",
        )
    found = declared(connector_properties(entry), f'source "{entry.stored.name}"')
    columns = decoded_schema(entry)
    if found.encode == "bytes" and [column.type.kind for column in columns] != [Kind.BYTEA]:
        raise InvalidParameter(
            f'source "{entry.stored.name}" with ENCODE BYTES needs one column, of type bytea'
        )
    return found
