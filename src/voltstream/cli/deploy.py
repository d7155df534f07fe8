"""`voltstream deploy`: definitions on Flink, RisingWave or TimescaleDB."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voltstream.cli.address import HostOption, PgPortOption, UrlOption, connect
from voltstream.cli.definitions import scripted, studied, told
from voltstream.cli.terminal import err, say
from voltstream.core.errors import InvalidParameter
from voltstream.deploy.drafting import Options
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs, program_of
from voltstream.deploy.manifest import Deployment, changes, deployment_of, load, save
from voltstream.deploy.postgres_wire import submit
from voltstream.deploy.printing import script_text, undoing_text
from voltstream.deploy.script import Script, Target, refuse
from voltstream.deploy.serving import serving_script
from voltstream.deploy.targets import script_for
from voltstream.sql.targets.features import Fidelity

JOB = "voltstream"

EXAMPLES = """
Examples:

  voltstream deploy --target flink -f pipeline.sql --dry-run

  voltstream deploy --target risingwave --out risingwave --to postgres://root@rw:4566/dev

  voltstream deploy diff --target risingwave --out risingwave

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
TtlOption = Annotated[
    str | None, typer.Option("--state-ttl", help="How long Flink keeps state that is not touched.")
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
    checkpoints: CheckpointsOption = None,
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
    options = Options(kafka, topics, jdbc, state_ttl=state_ttl)
    script = _script(target, files, only, options, url, host, pg_port)
    if dry_run:
        typer.echo(script_text(script), nl=False)
        refuse(script)
        return
    refuse(script)
    folder = _folder(out, target)
    before = load(folder, target)
    planned = changes(before, script)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deploy.sql").write_text(script_text(script), encoding="utf-8")
    (folder / "destroy.sql").write_text(undoing_text(script), encoding="utf-8")
    if target is Target.FLINK:
        (folder / "serving.sql").write_text(_serving(script), encoding="utf-8")
    _remark(script)
    if to is None:
        say(f"{len(script.statements)} statements are in {folder}/deploy.sql; --to submits them")
        return
    if planned.none:
        say(f"{target.value} has everything already")
        return
    if target is Target.FLINK:
        _flink(to, script, before, checkpoints)
    else:
        settings = list(script.settings)
        submit(to, [*settings, *planned.undone, *(one.text for one in planned.made)])
    save(folder, deployment_of(script))
    for line in planned.shown:
        say(line)


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
    url: UrlOption = None,
    host: HostOption = "127.0.0.1",
    pg_port: PgPortOption = 4566,
) -> None:
    """Show what a deployment would change, a line for each statement; status 1 when any."""
    options = Options(kafka, topics, jdbc, state_ttl=state_ttl)
    script = _script(target, files, only, options, url, host, pg_port)
    refuse(script)
    planned = changes(load(_folder(out, target), target), script)
    for line in planned.shown:
        say(line)
    if not planned.none:
        raise typer.Exit(1)


@deploy.command("destroy")
def destroy(target: TargetOption, to: ToOption = None, out: OutOption = None) -> None:
    """Take away what was deployed, the last first."""
    folder = _folder(out, target)
    before = load(folder, target)
    if not before.made:
        say("nothing is deployed")
        return
    if to is None:
        raise InvalidParameter("destroy needs --to", hint="The address that was deployed to.")
    if target is Target.FLINK:
        FlinkJobs(FlinkGateway(to)).cancel(JOB)
    else:
        submit(to, [undo for *_, undo in reversed(before.made) if undo])
    save(folder, Deployment(target))
    say(f"{sum(1 for *_, undo in before.made if undo)} objects are gone from {target.value}")


def _script(
    target: Target,
    files: list[Path] | None,
    only: list[str] | None,
    options: Options,
    url: str | None,
    host: str,
    pg_port: int,
) -> Script:
    if files:
        statements = scripted(files)
    else:
        with connect(url, host, pg_port) as connection:
            statements = told(connection)
    with studied(statements) as found:
        return script_for(target, found.catalog, found.reader, options, only or ())


def _folder(out: Path | None, target: Target) -> Path:
    return out if out is not None else Path(f"deploy-{target.value}")


def _remark(script: Script) -> None:
    for note in script.notes:
        if note.fidelity is Fidelity.APPROXIMATED:
            err.print(f"{note.object}: approximated: {note.said}", highlight=False, markup=False)


def _serving(script: Script) -> str:
    """Return what a Voltstream runs that serves the views from their topics."""
    properties = {"properties.bootstrap.server": script.brokers} if script.brokers else {}
    return "".join(f"{text};\n\n" for text in serving_script(script.outputs, properties))


def _flink(to: str, script: Script, before: Deployment, checkpoints: str | None) -> None:
    """Start the job, or upgrade the one that runs from a savepoint."""
    jobs = FlinkJobs(FlinkGateway(to))
    settings = {}
    if checkpoints is not None:
        settings["execution.checkpointing.dir"] = checkpoints
        settings["execution.checkpointing.savepoint-dir"] = checkpoints
    program = program_of(script, JOB, settings)
    if before.made and jobs.live(JOB) is not None:
        jobs.upgrade(program)
    else:
        jobs.start(program)
