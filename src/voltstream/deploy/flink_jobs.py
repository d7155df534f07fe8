"""Jobs on a Flink cluster: checked, started, stopped with a savepoint, and gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from voltstream.core.errors import TargetRefused, TargetUnavailable, UndefinedObject
from voltstream.core.limits import FLINK_SETTLE_S, FLINK_START_S
from voltstream.deploy.flink_gateway import FlinkGateway, FlinkSession
from voltstream.deploy.script import Script

_LIVE = frozenset({"INITIALIZING", "CREATED", "RUNNING", "RESTARTING", "RECONCILING"})
_BEGUN = frozenset({"RUNNING", "FINISHED"})
_LOOK_S = 0.2
# What every job runs with: instants are UTC, and nothing read from a topic counts twice.
_ALWAYS: Mapping[str, str] = {
    "table.local-time-zone": "UTC",
    "execution.runtime-mode": "streaming",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "execution.checkpointing.interval": "10 s",
    # A cancelled job leaves its last checkpoint: what `destroy` removes can be brought back.
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
}


@dataclass(frozen=True, slots=True)
class FlinkProgram:
    """One job: its relations in the order in which they depend on each other, and what it writes.

    Shape: ``relations`` may begin with SET; ``inserts`` run together, as one statement set.
    ``settings`` are Flink's own names.
    """

    name: str
    relations: Sequence[str]
    inserts: Sequence[str]
    settings: Mapping[str, str] = field(default_factory=dict)

    def statement_set(self) -> str:
        inserts = "\n".join(f"{text.strip().rstrip(';')};" for text in self.inserts)
        return f"STATEMENT SET\nBEGIN\n{inserts}\nEND"


def program_of(script: Script, name: str, settings: Mapping[str, str]) -> FlinkProgram:
    """Return a script's statements as one job."""
    relations = (*script.settings, *(one.text for one in script.definitions))
    return FlinkProgram(name, relations, tuple(one.text for one in script.flows), settings)


@dataclass(frozen=True, slots=True)
class FlinkJob:
    """A job as the cluster knows it."""

    job_id: str
    name: str
    state: str

    @property
    def is_live(self) -> bool:
        return self.state in _LIVE


# Told a job's id and its program as soon as it is on the cluster, before it runs.
Executed = Callable[[str, FlinkProgram], None]


def _unheard(job_id: str, program: FlinkProgram) -> None:
    """Nobody keeps the id."""


@contextmanager
def hinting(said: str) -> Iterator[None]:
    """Have errors say where a state is that was stopped: nothing else knows it."""
    try:
        yield
    except (TargetRefused, TargetUnavailable) as error:
        raise _hinted(error, said) from error


class FlinkJobs:
    """The jobs of a cluster, known by their names."""

    def __init__(
        self,
        gateway: FlinkGateway,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway = gateway
        self._now_s, self._wait = now_s, wait

    def all(self) -> list[FlinkJob]:
        """Return every job that the cluster remembers, the newest first."""
        with self._gateway.session({}) as session:
            return _jobs(session)

    def live(self, name: str) -> FlinkJob | None:
        """Return the job of that name that runs, or is about to."""
        return next((job for job in self.all() if job.name == name and job.is_live), None)

    def check(self, program: FlinkProgram) -> str:
        """Have all of a program planned and nothing started; return Flink's plan.

        Raises: TargetRefused (HV000): Flink does not take the program, and says why.
        """
        self._gateway.version()
        with self._gateway.session(_settings(program, None)) as session:
            _define(session, program)
            answer = session.run(f"EXPLAIN {program.statement_set()}")
            return str(answer.rows[0][0])

    def start(
        self, program: FlinkProgram, savepoint: str | None = None, executed: Executed = _unheard
    ) -> FlinkJob:
        """Start a job and wait until it runs; from a savepoint it goes on where that was taken.

        Raises: TargetRefused (HV000): it was refused, ended at once, or is there already.
        """
        if self.live(program.name) is not None:
            raise TargetRefused(f'job "{program.name}" runs already', hint="It can be upgraded.")
        with self._gateway.session(_settings(program, savepoint)) as session:
            _define(session, program)
            job_id = session.run(f"EXECUTE {program.statement_set()}").job_id
            executed(str(job_id), program)
            return self._begun(session, str(job_id), program.name, savepoint)

    def upgrade(
        self,
        program: FlinkProgram,
        before: FlinkProgram | None = None,
        executed: Executed = _unheard,
    ) -> tuple[FlinkJob, str]:
        """Put a program in the place of the running job of its name, with that job's state.

        Law: the new program is planned before the old one stops; no row counts twice or not at
        all. One that cannot take up the state leaves ``before`` running as it was, if it is known.
        Shape: the new job, and the savepoint between the two.
        Raises: TargetRefused (HV000): the program is not taken, or cannot go on with that state;
        TargetUnavailable (08006). What leaves no job running names the savepoint.
        """
        self.check(program)
        savepoint = self.stop(program.name, program.settings)
        with hinting(_resuming(savepoint)):
            try:
                return self.start(program, savepoint, executed), savepoint
            except TargetRefused as error:
                if before is None:
                    raise
                refused = error
                self.start(before, savepoint, executed)
        raise TargetRefused(
            "the cluster cannot go on with the state of the job that runs; it runs as before",
            detail=refused.message,
            hint="Deploy with --afresh: views are then computed again from their topics.",
        ) from refused

    def stop(self, name: str, settings: Mapping[str, str] | None = None) -> str:
        """Stop a job with a savepoint, whose path is returned. Raises: UndefinedObject (42704).

        ``settings`` say where savepoints are kept, if not where the cluster says.
        """
        job = self._known(name)
        savepoint = ""
        try:
            with self._gateway.session(dict(settings or {})) as session:
                [[place]] = session.run(f"STOP JOB '{job.job_id}' WITH SAVEPOINT").rows
                savepoint = str(place)
                self._ended(session, job)
        except (TargetRefused, TargetUnavailable) as error:
            if not savepoint:
                raise
            raise _hinted(error, _resuming(savepoint)) from error
        return savepoint

    def cancel(self, name: str) -> None:
        """End a job as it is. Raises: UndefinedObject (42704)."""
        job = self._known(name)
        with self._gateway.session({}) as session:
            session.run(f"STOP JOB '{job.job_id}'")
            self._ended(session, job)

    def _known(self, name: str) -> FlinkJob:
        job = self.live(name)
        if job is None:
            raise UndefinedObject(f'no job "{name}" runs on the cluster')
        return job

    def _begun(
        self, session: FlinkSession, job_id: str, name: str, savepoint: str | None
    ) -> FlinkJob:
        end_s = self._now_s() + FLINK_START_S
        while True:
            job = _job(session, job_id)
            if job is not None and job.state in _BEGUN:
                if savepoint is not None:
                    self._settled(session, job, savepoint)
                return job
            if job is not None and not job.is_live:
                hint = "The cluster's page and the JobManager's log tell why."
                if savepoint is not None:
                    hint = f"Its state is kept in {savepoint}; a changed query cannot take it up."
                raise TargetRefused(f'job "{name}" ended at once: {job.state}', hint=hint)
            if self._now_s() > end_s:
                raise TargetUnavailable(
                    f'job "{name}" does not run after {FLINK_START_S} s',
                    hint="Are there enough task slots? It waits for them.",
                )
            self._wait(_LOOK_S)

    def _settled(self, session: FlinkSession, job: FlinkJob, savepoint: str) -> None:
        """Watch a job that has a state: one that cannot take it up begins over and over."""
        end_s = self._now_s() + FLINK_SETTLE_S
        while self._now_s() < end_s:
            now = _job(session, job.job_id)
            if now is not None and now.state == "RESTARTING":
                session.run(f"STOP JOB '{job.job_id}'")
                self._ended(session, job)
                raise TargetRefused(
                    f'job "{job.name}" begins over and over from its state',
                    hint=f"The JobManager's log tells why; the state is kept in {savepoint}.",
                )
            self._wait(_LOOK_S)

    def _ended(self, session: FlinkSession, job: FlinkJob) -> None:
        end_s = self._now_s() + FLINK_START_S
        while (now := _job(session, job.job_id)) is not None and now.is_live:
            if self._now_s() > end_s:
                raise TargetUnavailable(f'job "{job.name}" has not ended in {FLINK_START_S} s')
            self._wait(_LOOK_S)


def _hinted(
    error: TargetRefused | TargetUnavailable, said: str
) -> TargetRefused | TargetUnavailable:
    hint = f"{error.hint} {said}" if error.hint else said
    return type(error)(error.message, detail=error.detail, hint=hint)


def _resuming(savepoint: str) -> str:
    return f"The job was stopped; where none runs, deploy with --restore {savepoint}"


def _settings(program: FlinkProgram, savepoint: str | None) -> dict[str, str]:
    settings = {**_ALWAYS, **program.settings, "pipeline.name": program.name}
    if savepoint is not None:
        settings["execution.state-recovery.path"] = savepoint
    return settings


def _define(session: FlinkSession, program: FlinkProgram) -> None:
    for text in program.relations:
        session.run(text.strip().rstrip(";"))


def _jobs(session: FlinkSession) -> list[FlinkJob]:
    answer = session.run("SHOW JOBS")
    return [FlinkJob(str(row[0]), str(row[1]), str(row[2])) for row in answer.rows]


def _job(session: FlinkSession, job_id: str) -> FlinkJob | None:
    return next((job for job in _jobs(session) if job.job_id == job_id), None)
