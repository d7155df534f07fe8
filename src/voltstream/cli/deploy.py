"""`voltstream deploy`: definitions on Flink, RisingWave or TimescaleDB."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from voltstream.cli.address import HostOption, PgPortOption, UrlOption
from voltstream.cli.definitions import scripted, studied, told
from voltstream.cli.deploy_serving import fed, feeding_text, pack_rows, serving_text
from voltstream.cli.resting import opened
from voltstream.cli.terminal import err, say
from voltstream.connectors.kafka_log import TopicLog
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.deploy.brokers_file import FILE as BROKERS
from voltstream.deploy.brokers_file import brokers_of
from voltstream.deploy.brokers_file import text_of as brokers_text
from voltstream.deploy.cut import commit, stored_cut
from voltstream.deploy.drafting import Options
from voltstream.deploy.fitting import fitting
from voltstream.deploy.flink import TICKS_TOPIC
from voltstream.deploy.flink_deployed import Beginning, has_begun, put, take_away
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jdbc import emptying_script, tables_script
from voltstream.deploy.flink_jobs import FlinkJobs
from voltstream.deploy.manifest import (
    Changes,
    Deployment,
    changes,
    deployment_of,
    load,
    reached,
    save,
)
from voltstream.deploy.postgres_wire import submit
from voltstream.deploy.printing import script_text, undoing_text
from voltstream.deploy.script import Script, Target, refuse
from voltstream.deploy.serving_rest import served
from voltstream.deploy.targets import script_for
from voltstream.deploy.ticks import write_ticks
from voltstream.sql.targets.features import Fidelity
from voltstream.sql.targets.flink_series import TICKS

JOB = "voltstream"

EXAMPLES = """
Examples:

  voltstream deploy --target flink -f pipeline.sql --dry-run

  voltstream deploy --target risingwave --out risingwave --to postgres://root@rw:4566/dev

  voltstream deploy diff --target risingwave --out risingwave

  voltstream deploy --target flink --data /srv/volt --from-offsets --to http://flink:8083

  voltstream deploy destroy --target risingwave --out risingwave --to postgres://root@rw:4566/dev
"""

deploy = typer.Typer(
    name="deploy",
    help="Put definitions on Flink, RisingWave or TimescaleDB.",
    invoke_without_command=True,
    epilog=EXAMPLES,
)

TargetOption = Annotated[Target, typer.Option("--target", help="The engine to deploy to.")]
FilesOption = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", help="Script with the definitions; without one, a server's."),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="A data directory that no server has open.")
]
CutOption = Annotated[
    bool, typer.Option("--from-offsets", help="Sources go on where the server stopped reading.")
]
PlainOption = Annotated[
    bool, typer.Option("--plain", help="PostgreSQL without TimescaleDB's extension.")
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="Only this object, and what it reads.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder of the statements and of what was deployed.")
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", help="Where to submit: postgres://…, or Flink's SQL gateway http://…"),
]
KafkaOption = Annotated[
    str | None, typer.Option("--kafka", help="Brokers of every topic, instead of those named.")
]
TopicsOption = Annotated[
    str, typer.Option("--topics", help="What the names of topics that are made begin with.")
]
JdbcOption = Annotated[
    str | None,
    typer.Option("--jdbc", help="Flink writes views into this PostgreSQL too: jdbc:postgresql://…"),
]
CheckpointsOption = Annotated[
    str | None,
    typer.Option("--checkpoints", help="Where Flink keeps checkpoints: file:///… or s3://…"),
]
LeaveOption = Annotated[
    bool,
    typer.Option("--leave-refused", help="Leave out what the target cannot keep, and go on."),
]
EventsOption = Annotated[
    bool,
    typer.Option("--no-events", help="A serving node does not read the topics of sources."),
]
AfreshOption = Annotated[
    bool,
    typer.Option("--afresh", help="Flink's job begins anew: topics are read again, results go."),
]
RestoreOption = Annotated[
    str | None,
    typer.Option("--restore", help="Checkpoint or savepoint that Flink's job begins from."),
]
TtlOption = Annotated[
    str | None, typer.Option("--state-ttl", help="How long Flink keeps state that is not touched.")
]
NullKeysOption = Annotated[
    bool, typer.Option("--null-keys", help="Topics have rows whose key has no value too.")
]


BesideOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of a deployment to Flink, which says how to reach brokers."),
]


@deploy.callback()
def run(
    context: typer.Context,
    target: Annotated[
        Target | None, typer.Option("--target", help="The engine to deploy to.")
    ] = None,
    files: FilesOption = None,
    only: OnlyOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the statements and change nothing.")
    ] = False,
    out: OutOption = None,
    to: ToOption = None,
    kafka: KafkaOption = None,
    topics: TopicsOption = "voltstream.",
    jdbc: JdbcOption = None,
    state_ttl: TtlOption = None,
    null_keys: NullKeysOption = False,
    checkpoints: CheckpointsOption = None,
    afresh: AfreshOption = False,
    restore: RestoreOption = None,
    plain: PlainOption = False,
    from_offsets: CutOption = False,
    leave_refused: LeaveOption = False,
    no_events: EventsOption = False,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Write definitions as the target's statements and submit what has changed.

    What the target cannot keep is refused before anything is written or sent. The statements and
    the state of the deployment are in --out; running again submits only what differs.
    """
    if context.invoked_subcommand is not None:
        return
    if target is None:
        raise InvalidParameter("deploy needs --target", hint="flink, risingwave or timescaledb.")
    options = Options(
        kafka, topics, jdbc, state_ttl=state_ttl, plain=plain, checkpoints=checkpoints,
        null_keys=null_keys,
    )  # fmt: skip
    beginning = Beginning(afresh, restore)
    fitting(target, options, beginning, events=not no_events)
    place = Place(files, data, url, host, pg_port)
    made = _made(target, place, only, options, from_offsets=from_offsets, events=not no_events)
    script = made.script
    if dry_run:
        typer.echo(script_text(script), nl=False)
    if not leave_refused:
        refuse(script)
    if dry_run:
        return
    folder = _folder(out, target)
    before = load(folder, target)
    planned = changes(before, script)
    _write(folder, made)
    _remark(script)
    if to is None:
        say(f"{len(script.statements)} statements are in {folder}/deploy.sql; --to submits them")
        return
    if target is Target.FLINK:
        jobs = FlinkJobs(FlinkGateway(to))
        say(put(jobs, JOB, folder, script, not planned.none, beginning))
    else:
        _submit(to, folder, script, before, planned)
    save(folder, deployment_of(script))
    _changed(folder, script, planned)


def _changed(folder: Path, script: Script, planned: Changes) -> None:
    for line in planned.shown:
        say(line)
    if any(one.name == TICKS for one in script.statements):
        err.print(f"NOW() needs ticks: voltstream deploy ticks --out {folder}")


@deploy.command("diff")
def diff(
    target: TargetOption,
    files: FilesOption = None,
    only: OnlyOption = None,
    out: OutOption = None,
    kafka: KafkaOption = None,
    topics: TopicsOption = "voltstream.",
    jdbc: JdbcOption = None,
    state_ttl: TtlOption = None,
    null_keys: NullKeysOption = False,
    checkpoints: CheckpointsOption = None,
    plain: PlainOption = False,
    from_offsets: CutOption = False,
    leave_refused: LeaveOption = False,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Show what a deployment would change, a line for each statement; status 1 when any."""
    options = Options(
        kafka, topics, jdbc, state_ttl=state_ttl, plain=plain, checkpoints=checkpoints,
        null_keys=null_keys,
    )  # fmt: skip
    fitting(target, options, Beginning())
    place = Place(files, data, url, host, pg_port)
    script = _made(target, place, only, options, from_offsets=from_offsets).script
    if not leave_refused:
        refuse(script)
    planned = changes(load(_folder(out, target), target), script)
    for line in planned.shown:
        say(line)
    if not planned.none:
        raise typer.Exit(1)


@deploy.command("offsets")
def offsets(
    group: Annotated[
        str | None, typer.Option("--commit", help="Consumer group to commit them for.")
    ] = None,
    kafka: KafkaOption = None,
    out: BesideOption = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this source.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Show where the server goes on reading its topics, or commit it for a consumer group."""
    with opened(data, url, host, pg_port) as connection:
        cut = stored_cut(connection)
    names = [name if "." in name else f"public.{name}" for name in only or cut]
    for name in names:
        if name not in cut:
            raise InvalidParameter(f'"{name}" has no stored offsets of a topic')
    cut = {name: cut[name] for name in names}
    for name, topics in cut.items():
        for topic, places in topics.items():
            for partition, offset in sorted(places.items()):
                typer.echo(f"{name}\t{topic}\t{partition}\t{offset}")
    if group is not None:
        kept = commit(*brokers_of(out, kafka), group, cut)
        say(f"{len(kept)} offsets are committed for {group}")


@deploy.command("ticks")
def ticks(
    kafka: Annotated[str | None, typer.Option("--kafka", help="Brokers: host:port.")] = None,
    out: BesideOption = None,
    topics: TopicsOption = "voltstream.",
    interval: Annotated[
        float, typer.Option("--interval", min=0.05, help="Seconds between two ticks.")
    ] = 1.0,
) -> None:
    """Write the time to the topic by which rows come and go on Flink (NOW() in a predicate).

    Runs until Ctrl-C or SIGTERM. More than one may run: the latest tick counts.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    log = TopicLog(*brokers_of(out, kafka), "the writer of ticks")
    try:
        say(f"ticks go to {topics}{TICKS_TOPIC}; Ctrl-C stops.")
        written = write_ticks(log, topics, SystemClock(), interval, stopped, err.print)
    finally:
        log.close()
    say(f"{written} ticks were written")


@deploy.command("destroy")
def destroy(target: TargetOption, to: ToOption = None, out: OutOption = None) -> None:
    """Take away what was deployed, the last first."""
    folder = _folder(out, target)
    before = load(folder, target)
    # A first deployment that was interrupted has a job, and no manifest yet.
    if not before.made and not (target is Target.FLINK and has_begun(folder)):
        say("nothing is deployed")
        return
    if to is None:
        raise InvalidParameter("destroy needs --to", hint="The address that was deployed to.")
    if target is Target.FLINK:
        done = take_away(FlinkJobs(FlinkGateway(to)), JOB, folder)
    else:
        submit(to, [undo for *_, undo in reversed(before.made) if undo])
        gone = sum(1 for *_, undo in before.made if undo)
        done = f"{gone} objects are gone from {target.value}"
    save(folder, Deployment(target))
    say(done)


@dataclass(frozen=True)
class Place:
    """Where definitions come from: scripts, a data directory, or a server."""

    files: list[Path] | None
    data: Path | None
    url: str | None
    host: str
    pg_port: int


@dataclass(frozen=True)
class Made:
    """A script, and for Flink what the Voltstreams before and behind the cluster run."""

    script: Script
    beside: dict[str, str]  # Text of a file, by its name.


def _made(
    target: Target, place: Place, only: list[str] | None, options: Options, *,
    from_offsets: bool, events: bool = True,
) -> Made:  # fmt: skip
    if not place.files:
        with opened(place.data, place.url, place.host, place.pg_port) as connection:
            statements = [*told(connection), *pack_rows(connection)]
            if from_offsets:
                options = replace(options, cut=stored_cut(connection))
    else:
        statements = scripted(place.files)
        if from_offsets:
            with opened(place.data, place.url, place.host, place.pg_port) as connection:
                options = replace(options, cut=stored_cut(connection))
    with studied(statements) as found:
        script = script_for(target, found.catalog, found.reader, options, only or ())
        if target is not Target.FLINK:
            return Made(script, {})
        made = served(script, found.catalog, options, events=events)
        script = replace(script, fed=fed(script, made, options))
        beside = {
            "serving.sql": serving_text(made, found),
            "feeding.sql": feeding_text(script, made, found, options),
            BROKERS: brokers_text(script),
        }
    if options.jdbc is not None:
        for name, texts in (
            ("postgres.sql", tables_script(script.outputs)),
            ("postgres_empty.sql", emptying_script(script.outputs)),
        ):
            beside[name] = "".join(f"{one};\n\n" for one in texts)
    return Made(script, beside)


def _folder(out: Path | None, target: Target) -> Path:
    return out if out is not None else Path(f"deploy-{target.value}")


def _write(folder: Path, made: Made) -> None:
    """Write a script's statements, what undoes them, and what runs beside the target."""
    script = made.script
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deploy.sql").write_text(script_text(script), encoding="utf-8")
    (folder / "destroy.sql").write_text(undoing_text(script), encoding="utf-8")
    for name, text in made.beside.items():
        (folder / name).write_text(text, encoding="utf-8")


def _submit(to: str, folder: Path, script: Script, before: Deployment, planned: Changes) -> None:
    """Run what has changed over the PostgreSQL wire."""
    if planned.none:
        say(f"{script.target.value} has everything already")
        return
    first, undoing = len(script.settings), len(planned.undone)

    def ran(count: int) -> None:
        """Remember what is there, also when the target refuses what follows."""
        undone = min(max(count - first, 0), undoing)
        made = max(count - first - undoing, 0)
        save(folder, reached(before, planned, undone, made))

    submit(to, [*script.settings, *planned.undone, *(one.text for one in planned.made)], ran)


def _remark(script: Script) -> None:
    for note in script.notes:
        if note.fidelity is not Fidelity.EXACT:
            said = f"{note.object}: {note.fidelity.value}: {note.said}"
            err.print(said, highlight=False, markup=False)
