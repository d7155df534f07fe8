"""Jobs: what a policy does to a hypertable, by itself or when it is asked to run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voltstream.core.errors import DuplicateObject, InvalidParameter, UndefinedObject
from voltstream.runtime import compaction
from voltstream.runtime.call_arguments import cutoff
from voltstream.runtime.catalog import Names
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.querying import held
from voltstream.runtime.tiering import queue
from voltstream.sql.parse import parse_statements
from voltstream.sql.resolve import resolved
from voltstream.sql.statements import Query
from voltstream.store import hypertable, timescale
from voltstream.store.chunk import folder_of, orphans, remove
from voltstream.store.database import Connection, literal
from voltstream.store.hypertable import DAY_US, Chunk, Hypertable
from voltstream.store.timescale import Job

RETRY_US = 300_000_000
# Job procedures: what they are called in jobs, and what of a job's configuration is its span.
NAMES = {
    "policy_retention": ("Retention Policy", "drop_after"),
    "policy_compression": ("Columnstore Policy", "compress_after"),
    "policy_refresh_continuous_aggregate": ("Refresh Continuous Aggregate Policy", "start_offset"),
    "policy_reorder": ("Reorder Policy", "index_name"),
    "policy_tiering": ("Tiering Policy", "move_after"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """A chunk whose turn has come."""

    table: Hypertable
    chunk: Chunk


def add_policy(
    epoch: Epoch,
    proc: str,
    oid: int,
    config: Mapping[str, Any],
    *,
    every_us: int = DAY_US,
    first_us: int | None = None,
) -> int:
    """Let a policy run from now on. Returns the number of its job."""
    connection = epoch.connection
    number = timescale.next_job_id(connection)
    table = hypertable.find(connection, oid)
    known = {"hypertable_id": table.id} if table is not None else {}
    job = Job(
        id=number,
        proc=proc,
        name=NAMES[proc][0],
        every_us=every_us,
        retries=-1,
        retry_us=RETRY_US,
        scheduled=True,
        oid=oid,
        config=json.dumps({**config, **known}),
        next_us=first_us if first_us is not None else epoch.row.now_us,
        initial_us=first_us,
    )
    timescale.add_job(connection, job)
    return number


def policy_of(connection: Connection, proc: str, oid: int) -> Job | None:
    found = timescale.jobs(connection, f"proc = {literal(proc)} AND oid = {oid}")
    return found[0] if found else None


def refuse_second(job: Job, config: Mapping[str, Any], what: str) -> None:
    """Raises: DuplicateObject (42710) when a policy with other terms exists."""
    span = NAMES[job.proc][1]
    if json.loads(job.config).get(span) != config.get(span):
        raise DuplicateObject(
            f"{what} already exists for hypertable or continuous aggregate",
            hint="Remove the existing policy before adding a new one.",
        )


def job_of(connection: Connection, number: int) -> Job:
    found = timescale.jobs(connection, f"id = {number}")
    if not found:
        raise UndefinedObject(f"job {number} not found")
    return found[0]


def due_chunks(connection: Connection, job: Job) -> list[Due]:
    """Return the chunks that are older than a job's configuration says."""
    table = hypertable.find(connection, job.oid) if job.oid is not None else None
    if table is None:
        return []
    before = cutoff_of(connection, table, job)
    chunks = hypertable.chunks(connection, table.oid)
    return [Due(table, chunk) for chunk in chunks if before is not None and chunk.high <= before]


def cutoff_of(connection: Connection, table: Hypertable, job: Job) -> int | None:
    span = json.loads(job.config).get(NAMES[job.proc][1])
    if span is None:
        return None
    if isinstance(span, int):
        if not table.by_integers:
            raise InvalidParameter("a policy by integers needs a hypertable by integers")
        newest = connection.rows(f"SELECT max(high) FROM _vs.chunks WHERE oid = {table.oid}")[0][0]
        return None if newest is None else int(newest) - span
    return cutoff(connection, table, f"INTERVAL {literal(str(span))}", "INTERVAL")


def run(epoch: Epoch, job: Job) -> None:
    """Do a job's work within an epoch."""
    connection = epoch.connection
    match job.proc:
        case "policy_retention":
            for due in due_chunks(connection, job):
                forget(epoch, due.table, due.chunk)
        case "policy_compression":
            for due in due_chunks(connection, job):
                if compaction.has_work(connection, due.table, due.chunk):
                    compress(epoch, due.table, due.chunk)
        case "policy_refresh_continuous_aggregate" | "policy_reorder":
            return  # Continuous aggregates are exact in every epoch; chunks are sorted.
        case "policy_tiering":  # What is queued is moved beside the epochs.
            for due in due_chunks(connection, job):
                if not is_tiered(connection, due.table, due.chunk):
                    queue(connection, due.chunk)
        case _:
            _call(epoch, job)


def _call(epoch: Epoch, job: Job) -> None:
    """Run a user's function for its job."""
    text = f"SELECT {job.proc}({job.id}, {literal(job.config)}::jsonb)"
    for parsed in parse_statements(text):
        found = resolved(parsed, Names(epoch.catalog, epoch.connection.describe))
        if isinstance(found, Query):
            held(epoch, found.tree, ())


def compress(epoch: Epoch, table: Hypertable, chunk: Chunk) -> None:
    """Write a chunk's rows to files, within the epoch."""
    connection = epoch.connection
    epoch.touch(table.oid, (chunk.low, chunk.high))
    done = compaction.written(connection, table, chunk)
    folder = connection.folder
    epoch.on_rollback(lambda: remove(done.paths(folder)))
    compaction.register(connection, table, done)


def forget(epoch: Epoch, table: Hypertable, chunk: Chunk) -> None:
    """Drop a chunk. Views keep what they know of it."""
    epoch.touch(table.oid, (chunk.low, chunk.high))
    epoch.flush()
    compaction.forget_chunk(epoch.connection, table, chunk)
    hypertable.make_views(epoch.connection, table)


def is_tiered(connection: Connection, table: Hypertable, chunk: Chunk) -> bool:
    local = hypertable.parts(connection, f"chunk = {chunk.id} AND tier IS NULL")
    return not local and not compaction.has_work(connection, table, chunk)


def sweep_garbage(connection: Connection, now_us: int, linger_us: int) -> int:
    """Delete files that no query can be reading any more."""
    found = connection.rows(
        f"SELECT file, tier FROM _vs.garbage g WHERE at_us <= {now_us - linger_us} AND NOT EXISTS "
        "(SELECT 1 FROM _vs.parts p WHERE p.file = g.file AND (p.tier IS NULL) = (g.tier IS NULL))"
    )
    root = folder_of(connection.folder)
    for file, tier in found:
        if tier is None:
            remove([root / file])
        else:
            connection.tier.forget(file)
            connection.tier.remote.delete(file)
    connection.execute(f"DELETE FROM _vs.garbage WHERE at_us <= {now_us - linger_us}")
    return len(found)


def sweep(connection: Connection) -> int:
    """Delete chunk files that nothing names: at a start nobody reads. Returns how many."""
    known = [str(file) for (file,) in connection.rows("SELECT file FROM _vs.parts")]
    connection.execute("DELETE FROM _vs.garbage WHERE tier IS NULL")
    found = list(orphans(folder_of(connection.folder), known))
    remove(found)
    return len(found)
