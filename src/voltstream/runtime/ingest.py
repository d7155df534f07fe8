"""Bytes to rows, beside the writer: while one epoch is applied the next is decoded."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

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
from voltstream.core.limits import DECODE_TOGETHER_BYTES_MAX, PUSH_BYTES_MAX
from voltstream.core.ports import RawBatch, Receipt
from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats import changing
from voltstream.formats.declared import Layout, declared
from voltstream.formats.decode import decode_together
from voltstream.formats.port import SqlDecoder, UnreadableInput
from voltstream.runtime import sealing
from voltstream.runtime.beside import included, with_included
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch_loop import EpochLoop, as_fault
from voltstream.runtime.pending import Pending, size_of
from voltstream.runtime.schemas import SchemaStores
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


@dataclass(slots=True)
class _Joint:
    """Batches of several sources that become true together."""

    parts: Sequence[tuple[Entry, RawBatch]]
    future: Future[Receipt]


class SourceIngest:
    """Takes batches of every source of one database."""

    def __init__(
        self, loop: EpochLoop, clock: Clock, admit: Callable[[Entry], None], schemas: SchemaStores
    ) -> None:
        self._loop = loop
        self._schemas = schemas
        self._admit = admit
        self._clock = clock
        self._pending = Pending()
        self._jobs: queue.SimpleQueue[_Job | _Joint | None] = queue.SimpleQueue()
        self._stopping = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._closing:  # Nothing comes behind the end.
            self._stopping = True
            self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, entry: Entry, batch: RawBatch, *, urgent: bool) -> Future[Receipt]:
        """Queue a batch; waits while too much is on its way or an outbox is full.

        Raises: WrongObjectType, InsufficientPrivilege, LimitExceeded, AdminShutdown.
        """
        sealing.refuse(entry)
        if source_statement(entry).shared:
            raise WrongObjectType(f'"{entry.stored.name}" is a shared source: it takes no rows')
        if len(batch.payload) > PUSH_BYTES_MAX:
            raise LimitExceeded("the batch is too large", hint="Send it in parts.")
        future: Future[Receipt] = Future()
        batch = self._schemas.with_schemas(entry, batch)
        self._admit(entry)
        size = size_of(batch)
        self._pending.enter(size)
        future.add_done_callback(lambda _: self._pending.leave(size))
        with self._closing:
            if not self._stopping:
                self._loop.expect(1)
                self._jobs.put(_Job(entry, batch, urgent, future))
                return future
        refusal = AdminShutdown("the server is shutting down")
        future.set_exception(refusal)
        raise refusal

    def submit_together(self, parts: Sequence[tuple[Entry, RawBatch]]) -> Future[Receipt]:
        """Queue batches that become true in one epoch; waits as ``submit`` does.

        Law: a kill leaves all of their rows or none, unless a view refuses a row: then each batch
        is taken without its bad rows by itself. Raises: WrongObjectType, AdminShutdown.
        """
        for entry, _ in parts:
            source_statement(entry)
            self._admit(entry)
        parts = [(entry, self._schemas.with_schemas(entry, batch)) for entry, batch in parts]
        future: Future[Receipt] = Future()
        size = sum(size_of(batch) for _, batch in parts)
        self._pending.enter(size)
        future.add_done_callback(lambda _: self._pending.leave(size))
        with self._closing:
            if not self._stopping:
                self._loop.expect(1)
                self._jobs.put(_Joint(parts, future))
                return future
        refusal = AdminShutdown("the server is shutting down")
        future.set_exception(refusal)
        raise refusal

    def _run(self) -> None:
        decoder = Decoder()
        stopping = False
        while not stopping:
            jobs, stopping = self._waiting()
            by_source: dict[int, list[_Job]] = {}
            for job in jobs:
                if isinstance(job, _Joint):
                    self._decode_joint(job, decoder)
                elif job.future.set_running_or_notify_cancel():
                    by_source.setdefault(job.entry.oid, []).append(job)
                else:
                    self._loop.expect(-1)
            for group in by_source.values():
                self._decode(group, decoder)
        decoder.close()

    def _decode_joint(self, joint: _Joint, decoder: Decoder) -> None:
        if not joint.future.set_running_or_notify_cancel():
            self._loop.expect(-1)
            return
        try:
            found = [
                rows
                for entry, batch in joint.parts
                for rows in self._decoded([_Job(entry, batch, True, Future())], decoder)
            ]
        except Exception as error:
            self._loop.expect(-1)
            joint.future.set_exception(as_fault(error))
            return
        for rows in found[1:]:
            rows.joined = True
        if source_statement(joint.parts[-1][0]).shared:
            found[-1].after = [rows.future for rows in found[:-1]]
        _combine([rows.future for rows in found], joint.future)
        self._loop.offer_rows(*found)

    def _waiting(self) -> tuple[list[_Job | _Joint], bool]:
        """Wait for a batch; take what came with it, as long as it is little. Tells of the end."""
        jobs: list[_Job | _Joint] = []
        size = 0
        while not jobs or size < DECODE_TOGETHER_BYTES_MAX:
            try:
                job = self._jobs.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
            size += size_of(job.batch) if isinstance(job, _Job) else 0
        return jobs, False

    def _decode(self, group: list[_Job], decoder: Decoder) -> None:
        try:
            found = self._decoded(group, decoder)
        except Exception as error:
            if len(group) > 1:  # Only the batch to blame must pay.
                for job in group:
                    self._decode([job], decoder)
                return
            self._loop.expect(-1)
            group[0].future.set_exception(as_fault(error))
        else:
            for rows in found:
                self._loop.offer_rows(rows)

    def _decoded(self, group: list[_Job], decoder: Decoder) -> list[SourceRows]:
        entry = group[0].entry
        batches = [job.batch for job in group]
        made = decoded_rows(entry, batches, decoder, self._clock.now_us())
        return [
            replace(rows, urgent=job.urgent, future=job.future)
            for job, rows in zip(group, made, strict=True)
        ]


def decoded_rows(
    entry: Entry, batches: Sequence[RawBatch], decoder: SqlDecoder, now_us: int
) -> list[SourceRows]:
    """Read batches as their source says. Raises: InvalidParameter, FeatureNotSupported."""
    parsed = source_statement(entry)
    if parsed.shared:  # Its tables take the rows; it takes the place in the origin's log.
        none = pa.table({})
        return [SourceRows(entry.oid, none, (), b.offsets, urgent=False) for b in batches]
    read = layout(entry)
    batches = [read.complete(batch) for batch in batches]
    schema = decoded_schema(entry)
    if read.form == "plain":
        found = decode_together(batches, schema, decoder, now_us)
    else:
        key = entry.parsed.primary_key if isinstance(entry.parsed, CreateTable) else ()
        found = [changing.read(b, read.form, key, schema, decoder, now_us) for b in batches]
    return [
        SourceRows(
            source=entry.oid,
            table=with_included(decoded, batch.beside, parsed),
            letters=[
                Letter(entry.stored.name, dead.position, dead.raw, dead.reason, dead.at_us)
                for dead in decoded.dead_letters
            ],
            offsets=batch.offsets,
            urgent=False,
            name=batch.name,
            digest=_digest(batch) if batch.name else "",
            partition=batch.partition,
            after=() if batch.after is None else (batch.after,),
        )
        for batch, decoded in zip(batches, found, strict=True)
    ]


def _digest(batch: RawBatch) -> str:
    told = hashlib.sha256(batch.payload)
    for record in batch.records:
        told.update(len(record).to_bytes(8, "big"))
        told.update(record)
    return told.hexdigest()


def _combine(parts: Sequence[Future[Receipt]], whole: Future[Receipt]) -> None:
    """Let one future stand for several: done when they are, failed when one is."""
    left = len(parts)

    def one_done(_: Future[Receipt]) -> None:  # On the writer thread, one after another.
        nonlocal left
        left -= 1
        if left:
            return
        failure = next((error for part in parts if (error := part.exception())), None)
        if failure is not None:
            whole.set_exception(failure)
            return
        receipts = [part.result() for part in parts]
        rows = sum(receipt.rows for receipt in receipts)
        letters = sum(receipt.dead_letters for receipt in receipts)
        whole.set_result(Receipt(rows, letters, max(receipt.epoch for receipt in receipts)))

    for part in parts:
        part.add_done_callback(one_done)


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
    given = {"format": parsed.format, "encode": parsed.encode, "include": kinds}
    return {**given, **entry.stored.properties}


def layout(entry: Entry) -> Layout:
    """Return how a source's bytes are read. Raises: InvalidParameter, FeatureNotSupported."""
    found = declared(connector_properties(entry), f'source "{entry.stored.name}"')
    if source_statement(entry).shared:
        return found
    if found.form != "plain" and not isinstance(entry.parsed, CreateTable):
        raise FeatureNotSupported(
            f"FORMAT {found.form.upper()} is not supported for a source",
            hint="A source takes rows that only come: make it a table with a PRIMARY KEY.",
        )
    keyed = isinstance(entry.parsed, CreateTable) and entry.parsed.primary_key
    if found.form != "plain" and not keyed:
        raise InvalidParameter(
            f'table "{entry.stored.name}" with FORMAT {found.form.upper()} needs a PRIMARY KEY',
            hint="Its messages say which row they change by their key.",
        )
    columns = decoded_schema(entry)
    if found.encode == "bytes" and [column.type.kind for column in columns] != [Kind.BYTEA]:
        raise InvalidParameter(
            f'source "{entry.stored.name}" with ENCODE BYTES needs one column, of type bytea'
        )
    return found
