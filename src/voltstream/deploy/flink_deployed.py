"""The job that a folder has on a cluster: put there, gone on with, begun anew, taken away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voltstream.core.errors import InvalidParameter, TargetRefused
from voltstream.deploy import result_topics
from voltstream.deploy.flink_jdbc import with_password
from voltstream.deploy.flink_jobs import FlinkJobs, FlinkProgram, hinting, program_of
from voltstream.deploy.kafka_access import connecting, with_secrets
from voltstream.deploy.script import Script, Statement
from voltstream.sql.targets.flink_series import TICKS

FILE = "job.json"
_TOPIC = re.compile(r"'topic' = '([^']+)'")


@dataclass(frozen=True, slots=True)
class Begun:
    """What was submitted last. Shape: ``topics`` are those of its views."""

    job_id: str
    program: FlinkProgram
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a job begins that is not there: ``restore`` names a checkpoint or a savepoint."""

    afresh: bool = False
    restore: str | None = None


def put(
    jobs: FlinkJobs, name: str, folder: Path, script: Script, changed: bool, beginning: Beginning
) -> str:
    """Make a script the job of its name; return what was done.

    Law: a job goes on with the state that it has, or begins with empty topics. What cannot go on
    leaves the job that runs. Raises: TargetRefused (HV000), TargetUnavailable (08006),
    InvalidParameter (22023).
    """
    before, live = load(folder), jobs.live(name)
    program = program_of(script, name, _checkpointing(script))
    topics = tuple(output.topic for output in script.outputs)
    if live is not None and not changed and beginning == Beginning():
        return "flink has everything already"
    sent = _secret(program)

    def keep(job_id: str, executed: FlinkProgram) -> None:
        """Write down what is on the cluster, also when it is not waited for to its end."""
        if executed is sent:
            save(folder, Begun(job_id, program, topics))
        elif before is not None:
            save(folder, replace(before, job_id=job_id))

    if live is not None and before is None:
        raise TargetRefused(
            f'another job "{name}" runs on the cluster',
            hint="Deploy from the folder (--out) that it was deployed from.",
        )
    if live is None and before is not None and beginning == Beginning():
        raise TargetRefused(
            f"job {before.job_id} is not on the cluster any more",
            hint=f"Deploy with --restore URL, where URL is its latest checkpoint "
            f"(…/{before.job_id}/chk-N) or the savepoint it was stopped with, or with --afresh: "
            "views are computed again.",
        )
    if live is not None and beginning.afresh and _writes_tables(script):
        raise InvalidParameter(
            "a job that begins anew needs empty tables in PostgreSQL",
            hint="`voltstream deploy destroy`, then postgres_empty.sql there, then --afresh again.",
        )
    if script.brokers is not None:
        kept = tuple(dict.fromkeys((*topics, *upserted(script))))
        result_topics.make(script.brokers, connecting(script.access), kept, appended(script))
    if beginning.restore is not None:
        with _known_as(folder, before):
            job = jobs.start(sent, beginning.restore, keep)
        done = f"job {job.job_id} goes on from {beginning.restore}"
    elif live is not None and not beginning.afresh:
        assert before is not None
        job, savepoint = jobs.upgrade(sent, _secret(before.program), keep)
        done = f"job {job.job_id} goes on from {savepoint}"
    else:
        jobs.check(sent)
        told: AbstractContextManager[None] = nullcontext()
        kept_in = ""
        if live is not None:
            kept_in = f"; the job of before is kept in {jobs.stop(name, sent.settings)}"
            told = hinting(f"Deploy with --afresh again{kept_in}")
        known = before.topics if before is not None else ()
        with told, _known_as(folder, before):
            _emptied(script, tuple(dict.fromkeys((*topics, *known))))
            job = jobs.start(sent, executed=keep)
        done = f"job {job.job_id} has begun{kept_in}"
    return done


@contextmanager
def _known_as(folder: Path, before: Begun | None) -> Iterator[None]:
    """Have a job that was refused, and so is not there, known no more."""
    try:
        yield
    except TargetRefused:
        if before is None:
            (folder / FILE).unlink(missing_ok=True)
        else:
            save(folder, before)
        raise


def take_away(jobs: FlinkJobs, name: str, folder: Path) -> str:
    """Cancel the job, if it is there; topics stay. Return what was done."""
    before = load(folder)
    if jobs.live(name) is None:
        done = f'no job "{name}" runs on the cluster'
    else:
        jobs.cancel(name)
        done = f'job "{name}" is cancelled'
    (folder / FILE).unlink(missing_ok=True)
    if before is not None and before.topics:
        done += f"; topics stay: {', '.join(before.topics)}"
    return done


def upserted(script: Script) -> tuple[str, ...]:
    """Return the topics in which the latest record of a key counts: tables' as well as views'."""
    read = tuple(topic for _, topic in _topics(script, "upsert-kafka"))
    return (*read, *(topic for topic, keyed in script.fed.items() if keyed))


def appended(script: Script) -> tuple[str, ...]:
    """Return the topics that are made for sources: those of their names."""
    read = (
        topic
        for one, topic in _topics(script, "kafka")
        if one.name != TICKS and topic.endswith(one.object.removeprefix("public."))
    )
    return (*read, *(topic for topic, keyed in script.fed.items() if not keyed))


def _topics(script: Script, connector: str) -> Iterator[tuple[Statement, str]]:
    for one in script.definitions:
        found = _TOPIC.search(one.text)
        if found is not None and f"'connector' = '{connector}'" in one.text:
            yield one, found[1]


def _emptied(script: Script, topics: Sequence[str]) -> None:
    if script.brokers is not None:
        result_topics.empty(script.brokers, connecting(script.access), topics)


def _writes_tables(script: Script) -> bool:
    return any("'connector' = 'jdbc'" in one.text for one in script.definitions)


def _checkpointing(script: Script) -> dict[str, str]:
    """Return where savepoints go: whoever stops a job is asked, not the job."""
    name = "execution.checkpointing.savepoint-dir"
    for setting in script.settings:
        key, _, value = setting.removeprefix("SET ").partition(" = ")
        if key == f"'{name}'":
            return {name: value.strip("'")}
    return {}


def _secret(program: FlinkProgram) -> FlinkProgram:
    """Return a program as it is sent: with the passwords that are written down nowhere."""
    sent = tuple(with_secrets(with_password(text)) for text in program.relations)
    return replace(program, relations=sent)


def has_begun(folder: Path) -> bool:
    """Tell whether a job was submitted from a folder, and not taken away since."""
    return (folder / FILE).exists()


def load(folder: Path) -> Begun | None:
    """Read what was submitted last, if anything was. Raises: InvalidParameter (22023)."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        program = FlinkProgram(
            told["name"], tuple(told["relations"]), tuple(told["inserts"]), dict(told["settings"])
        )
        return Begun(told["job"], program, tuple(told["topics"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidParameter(f'cannot read "{path}": {error}') from error


def save(folder: Path, begun: Begun) -> None:
    """Write what was submitted: whole or not at all."""
    program = begun.program
    told = {
        "job": begun.job_id, "name": program.name, "topics": begun.topics,
        "settings": program.settings, "relations": program.relations, "inserts": program.inserts,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (FILE + ".new")
    draft.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draft.replace(folder / FILE)
