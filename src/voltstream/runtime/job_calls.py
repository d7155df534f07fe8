"""Functions over policies and jobs, as TimescaleDB names them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pyarrow as pa

from voltstream.core.errors import InvalidParameter, UndefinedFunction, UndefinedObject
from voltstream.core.ports import Notice, Outcome
from voltstream.core.schema import Column
from voltstream.runtime import hypertables, policies
from voltstream.runtime.call_arguments import Arguments
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.results import Held, told, told_number
from voltstream.sql.statements import CreateView
from voltstream.store import timescale
from voltstream.store.hypertable import DAY_US
from voltstream.store.timescale import Job

_MISSING = {
    "policy_retention": "retention policy",
    "policy_compression": "columnstore policy",
    "policy_refresh_continuous_aggregate": "continuous aggregate policy",
    "policy_reorder": "reorder policy",
    "policy_tiering": "tiering policy",
}


def _target(epoch: Epoch, given: Arguments) -> Entry:
    for name in ("relation", "hypertable", "continuous_aggregate"):
        if given.text_of(name) is not None:
            entry = epoch.catalog.require(given.relation(name))
            view = entry.parsed
            if not (isinstance(view, CreateView) and view.continuous):
                hypertables.require(epoch, given.relation(name))
            return entry
    raise InvalidParameter(f"{given.function} needs a relation")


def _add(proc: str, span: str, epoch: Epoch, given: Arguments) -> Outcome:
    entry = _target(epoch, given)
    config = {policies.NAMES[proc][1]: given.span(span)}
    if proc == "policy_refresh_continuous_aggregate":
        config["end_offset"] = given.span("end_offset")
    known = policies.policy_of(epoch.connection, proc, entry.oid)
    notices: tuple[Notice, ...] = ()
    if known is not None:
        what = _MISSING[proc]
        if not given.flag("if_not_exists"):
            policies.refuse_second(replace(known, config="{}"), {policies.NAMES[proc][1]: 0}, what)
        policies.refuse_second(known, config, what)
        name = entry.stored.name
        notices = (Notice(f'{what} already exists for hypertable "{name}", skipping'),)
        number = -1
    else:
        every_us = given.interval_us("schedule_interval", default_us=DAY_US)
        first_us = _instant(given, "initial_start")
        number = policies.add_policy(
            epoch, proc, entry.oid, config, every_us=every_us, first_us=first_us
        )
    if given.function == "add_columnstore_policy":
        return Outcome("CALL", notices=notices)
    return replace(told_number(given.function, number), notices=notices)


def _remove(proc: str, epoch: Epoch, given: Arguments) -> Outcome:
    entry = _target(epoch, given)
    known = policies.policy_of(epoch.connection, proc, entry.oid)
    notices: tuple[Notice, ...] = ()
    if known is None:
        message = f'{_MISSING[proc]} not found for hypertable "{entry.stored.name}"'
        if not given.flag("if_exists") and not given.flag("if_not_exists"):
            raise UndefinedObject(message)
        notices = (Notice(f"{message}, skipping"),)
    else:
        timescale.delete_job(epoch.connection, known.id)
    if given.function == "remove_columnstore_policy":
        return Outcome("CALL", notices=notices)
    answer = ""
    if given.function == "remove_compression_policy":  # It alone says whether there was one.
        answer = "f" if known is None else "t"
    return replace(told(given.function, [answer]), notices=notices)


def _instant(given: Arguments, name: str) -> int | None:
    if given.text_of(name) is None:
        return None
    return given.instant_us(name)


def refresh_continuous_aggregate(epoch: Epoch, given: Arguments) -> Outcome:
    """Answer that a continuous aggregate is up to date: it is in every epoch."""
    entry = epoch.catalog.require(given.relation("continuous_aggregate"))
    view = entry.parsed
    if not (isinstance(view, CreateView) and view.continuous):
        raise InvalidParameter(f'relation "{entry.stored.name}" is not a continuous aggregate')
    epoch.flush()
    remark = f'continuous aggregate "{entry.stored.name}" is already up-to-date'
    return Outcome("CALL", notices=(Notice(remark),))


# --- jobs ---------------------------------------------------------------------------------------


def add_job(epoch: Epoch, given: Arguments) -> Outcome:
    """Let a function of (job_id, config) run by itself. Raises: UndefinedFunction."""
    proc = str(given.value("proc")).partition("(")[0]
    schema, _, name = proc.rpartition(".")
    if not epoch.catalog.functions(schema or DEFAULT_SCHEMA, name):
        raise UndefinedFunction(
            f"function or procedure with OID {proc} not found".replace("with OID ", ""),
            hint="CREATE FUNCTION name(INTEGER, JSONB) RETURNS … LANGUAGE SQL first.",
        )
    every_us = given.interval_us("schedule_interval", default_us=DAY_US)
    config = given.value("config")
    first_us = _instant(given, "initial_start")
    job = Job(
        id=timescale.next_job_id(epoch.connection),
        proc=name,
        name=str(given.value("job_name") or "User-Defined Action"),
        every_us=every_us,
        retries=-1,
        retry_us=policies.RETRY_US,
        scheduled=given.flag("scheduled", default=True),
        oid=None,
        config=str(config) if config is not None else "null",
        next_us=first_us if first_us is not None else epoch.row.now_us,
        initial_us=first_us,
    )
    timescale.add_job(epoch.connection, job)
    return told_number("add_job", job.id)


def alter_job(epoch: Epoch, given: Arguments) -> Outcome:
    number = int(given.value("job_id"))
    if given.flag("if_exists") and not timescale.jobs(epoch.connection, f"id = {number}"):
        remark = Notice(f"job {number} not found, skipping")
        return replace(told("alter_job", []), notices=(remark,))
    job = policies.job_of(epoch.connection, number)
    next_us = _instant(given, "next_start")
    changed = replace(
        job,
        every_us=given.interval_us("schedule_interval", default_us=job.every_us),
        retries=int(given.value("max_retries")) if given.text_of("max_retries") else job.retries,
        retry_us=given.interval_us("retry_period", default_us=job.retry_us),
        scheduled=given.flag("scheduled", default=job.scheduled),
        config=_config(given, job),
        next_us=job.next_us if next_us is None else next_us,
        name=str(given.value("job_name") or job.name),
    )
    timescale.change_job(epoch.connection, changed)
    columns, rows = epoch.connection.arrow(
        "SELECT job_id, schedule_interval, max_runtime, max_retries, retry_period, scheduled, "
        "config, next_start, check_schema || '.' || check_name AS check_config, fixed_schedule, "
        "initial_start, NULL::VARCHAR AS timezone, application_name "
        f"FROM timescaledb_information.jobs WHERE job_id = {number}"
    )
    return Outcome("SELECT", rows=Held(columns, rows))


def _config(given: Arguments, job: Job) -> str:
    if given.text_of("config") is None:
        return job.config
    text = str(given.value("config"))
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidParameter("config of a job must be JSON") from error
    return text


def run_job(epoch: Epoch, given: Arguments) -> Outcome:
    policies.run(epoch, policies.job_of(epoch.connection, int(given.value("job_id"))))
    return Outcome("CALL")


def delete_job(epoch: Epoch, given: Arguments) -> Outcome:
    job = policies.job_of(epoch.connection, int(given.value("job_id")))
    timescale.delete_job(epoch.connection, job.id)
    return told("delete_job", [""])


def noted(epoch: Epoch, given: Arguments) -> Outcome:
    """Accept what needs nothing here: every column has its range in the chunk catalog."""
    del epoch
    remark = Notice(f"{given.function} has no effect here")
    column = Column(given.function, "VARCHAR")
    rows = Held((column,), pa.table({given.function: pa.array([""], pa.string())}))
    return Outcome("SELECT", rows=rows, notices=(remark,))


FUNCTIONS: Mapping[str, Callable[[Epoch, Arguments], Outcome]] = {
    "add_retention_policy": partial(_add, "policy_retention", "drop_after"),
    "remove_retention_policy": partial(_remove, "policy_retention"),
    "add_compression_policy": partial(_add, "policy_compression", "after"),
    "remove_compression_policy": partial(_remove, "policy_compression"),
    "add_columnstore_policy": partial(_add, "policy_compression", "after"),
    "remove_columnstore_policy": partial(_remove, "policy_compression"),
    "add_continuous_aggregate_policy": partial(
        _add, "policy_refresh_continuous_aggregate", "start_offset"
    ),
    "remove_continuous_aggregate_policy": partial(_remove, "policy_refresh_continuous_aggregate"),
    "add_reorder_policy": partial(_add, "policy_reorder", "index_name"),
    "remove_reorder_policy": partial(_remove, "policy_reorder"),
    "add_tiering_policy": partial(_add, "policy_tiering", "move_after"),
    "remove_tiering_policy": partial(_remove, "policy_tiering"),
    "refresh_continuous_aggregate": refresh_continuous_aggregate,
    "add_job": add_job,
    "alter_job": alter_job,
    "run_job": run_job,
    "delete_job": delete_job,
    "set_integer_now_func": noted,
    "set_number_partitions": noted,
    "enable_chunk_skipping": noted,
    "disable_chunk_skipping": noted,
    "attach_tablespace": noted,
    "detach_tablespace": noted,
}
